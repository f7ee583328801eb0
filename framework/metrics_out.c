/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/metrics_out.h"

#include "shards/clock.h"

/* Where Prometheus' buckets end, and how that is written. */
static const struct bound {
	uint64_t ns;
	const char *text;
} bounds[] = {
	{ 10000, "0.00001" },
	{ 25000, "0.000025" },
	{ 50000, "0.00005" },
	{ 100000, "0.0001" },
	{ 250000, "0.00025" },
	{ 500000, "0.0005" },
	{ 1000000, "0.001" },
	{ 2500000, "0.0025" },
	{ 5000000, "0.005" },
	{ 10000000, "0.01" },
	{ 25000000, "0.025" },
	{ 50000000, "0.05" },
	{ 100000000, "0.1" },
	{ 250000000, "0.25" },
	{ 500000000, "0.5" },
	{ 1000000000, "1" },
	{ 2500000000, "2.5" },
	{ 5000000000, "5" },
	{ 10000000000, "10" },
};

#define BOUNDS (sizeof(bounds) / sizeof(*bounds))

void
sp_metrics_family(struct sp_metrics *metrics, const char *name,
    const char *type, const char *help)
{
	struct sp_text *text = metrics->text;

	metrics->name = name;
	sp_text_string(text, "# HELP ");
	sp_text_string(text, name);
	sp_text_char(text, ' ');
	sp_text_string(text, help);
	sp_text_string(text, "\n# TYPE ");
	sp_text_string(text, name);
	sp_text_char(text, ' ');
	sp_text_string(text, type);
	sp_text_char(text, '\n');
}

static void
put_label(struct sp_text *text, const struct sp_label *label, bool first)
{
	if (!first)
		sp_text_char(text, ',');
	sp_text_string(text, label->name);
	sp_text_string(text, "=\"");
	for (const char *at = label->value; *at != '\0'; at++) {
		if (*at == '\\' || *at == '"')
			sp_text_char(text, '\\');
		if (*at == '\n')
			sp_text_string(text, "\\n");
		else
			sp_text_char(text, *at);
	}
	sp_text_char(text, '"');
}

/* A row up to its value, with one more label if le is not NULL. */
static void
put_row(struct sp_metrics *metrics, const char *suffix,
    const struct sp_label labels[SP_METRIC_LABELS], const char *le)
{
	const struct sp_label last = { "le", le };
	struct sp_text *text = metrics->text;
	unsigned n = 0;

	sp_text_string(text, metrics->name);
	sp_text_string(text, suffix);
	while (n < SP_METRIC_LABELS && labels[n].name != NULL)
		n++;
	if (n != 0 || le != NULL)
		sp_text_char(text, '{');
	for (unsigned i = 0; i < n; i++)
		put_label(text, &labels[i], i == 0);
	if (le != NULL)
		put_label(text, &last, n == 0);
	if (n != 0 || le != NULL)
		sp_text_char(text, '}');
	sp_text_char(text, ' ');
}

static void
put_integer(struct sp_text *text, uint64_t value)
{
	sp_text_u64(text, value);
	sp_text_char(text, '\n');
}

/* value / 10^digits, with that many digits behind the point. */
static void
put_fraction(struct sp_text *text, uint64_t value, unsigned digits)
{
	uint64_t unit = 1;
	char *at;

	for (unsigned i = 0; i < digits; i++)
		unit *= 10;
	sp_text_u64(text, value / unit);
	sp_text_char(text, '.');
	value %= unit;
	at = sp_text_room(text, digits);
	for (unsigned i = digits; at != NULL && i-- > 0; value /= 10)
		at[i] = (char)('0' + value % 10);
	sp_text_char(text, '\n');
}

void
sp_metrics_u64(struct sp_metrics *metrics,
    const struct sp_label labels[SP_METRIC_LABELS], uint64_t value)
{
	put_row(metrics, "", labels, NULL);
	put_integer(metrics->text, value);
}

void
sp_metrics_ns(struct sp_metrics *metrics,
    const struct sp_label labels[SP_METRIC_LABELS], uint64_t ns)
{
	put_row(metrics, "", labels, NULL);
	put_fraction(metrics->text, ns, 9);
}

void
sp_metrics_ms(struct sp_metrics *metrics,
    const struct sp_label labels[SP_METRIC_LABELS], uint64_t ms)
{
	put_row(metrics, "", labels, NULL);
	put_fraction(metrics->text, ms, 3);
}

void
sp_metrics_histogram(struct sp_metrics *metrics,
    const struct sp_label labels[SP_METRIC_LABELS],
    const struct sp_histogram_sum *sum, uint64_t cycles)
{
	uint64_t seen = 0;
	unsigned at = 0;

	for (unsigned i = 0; i < BOUNDS; i++) {
		uint64_t bound = sp_ns_to_cycles(bounds[i].ns);

		for (; at < SP_HISTOGRAM_BUCKETS
		       && sp_histogram_greatest(at) <= bound;
		     at++)
			seen += sum->buckets[at];
		put_row(metrics, "_bucket", labels, bounds[i].text);
		put_integer(metrics->text, seen);
	}
	put_row(metrics, "_bucket", labels, "+Inf");
	put_integer(metrics->text, sum->count);
	put_row(metrics, "_sum", labels, NULL);
	put_fraction(metrics->text, sp_cycles_to_ns(cycles), 9);
	put_row(metrics, "_count", labels, NULL);
	put_integer(metrics->text, sum->count);
}
