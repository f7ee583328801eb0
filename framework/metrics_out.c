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

static size_t
without_control(const char *at)
{
	size_t n = 0;

	while ((unsigned char)at[n] >= ' ')
		n++;
	return n;
}

/*
 * Any bytes, as UTF-8: for what is none the reader would throw away all of the
 * answer. But for controls it is escaped as in JSON, and of those a line's end.
 */
static void
put_label(struct sp_text *text, const struct sp_label *label)
{
	sp_text_string(text, label->name);
	sp_text_string(text, "=\"");
	for (const char *at = label->value; *at != '\0';) {
		size_t n = without_control(at);

		sp_text_json(text, at, n);
		at += n;
		if (*at == '\0')
			break;
		if (*at == '\n')
			sp_text_string(text, "\\n");
		else
			sp_text_char(text, *at);
		at++;
	}
	sp_text_char(text, '"');
}

/* A row up to its last label, which is open if there is one more. */
static void
open_row(struct sp_metrics *metrics, const char *suffix,
    const struct sp_label labels[SP_METRIC_LABELS])
{
	struct sp_text *text = metrics->text;

	sp_text_string(text, metrics->name);
	sp_text_string(text, suffix);
	for (unsigned i = 0; i < SP_METRIC_LABELS && labels[i].name; i++) {
		sp_text_char(text, i == 0 ? '{' : ',');
		put_label(text, &labels[i]);
	}
}

/* A row up to its value. */
static void
put_row(struct sp_metrics *metrics, const char *suffix,
    const struct sp_label labels[SP_METRIC_LABELS])
{
	open_row(metrics, suffix, labels);
	sp_text_string(metrics->text, labels[0].name != NULL ? "} " : " ");
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
	put_row(metrics, "", labels);
	put_integer(metrics->text, value);
}

void
sp_metrics_ns(struct sp_metrics *metrics,
    const struct sp_label labels[SP_METRIC_LABELS], uint64_t ns)
{
	put_row(metrics, "", labels);
	put_fraction(metrics->text, ns, 9);
}

void
sp_metrics_ms(struct sp_metrics *metrics,
    const struct sp_label labels[SP_METRIC_LABELS], uint64_t ms)
{
	put_row(metrics, "", labels);
	put_fraction(metrics->text, ms, 3);
}

/* What all buckets of one begin with: it is written once and then copied. */
struct bucket_rows {
	struct sp_text *text;
	size_t at, size;
};

static struct bucket_rows
open_bucket_rows(
    struct sp_metrics *metrics, const struct sp_label labels[SP_METRIC_LABELS])
{
	struct sp_text *text = metrics->text;
	struct bucket_rows rows = { text, text->size, 0 };

	open_row(metrics, "_bucket", labels);
	sp_text_string(text, labels[0].name != NULL ? ",le=\"" : "{le=\"");
	rows.size = text->size - rows.at;
	return rows;
}

static void
put_bucket(struct bucket_rows *rows, const char *bound, uint64_t value)
{
	sp_text_string(rows->text, bound);
	sp_text_string(rows->text, "\"} ");
	put_integer(rows->text, value);
}

void
sp_metrics_summary(struct sp_metrics *metrics,
    const struct sp_label labels[SP_METRIC_LABELS], uint64_t count,
    uint64_t ns)
{
	put_row(metrics, "_sum", labels);
	put_fraction(metrics->text, ns, 9);
	put_row(metrics, "_count", labels);
	put_integer(metrics->text, count);
}

void
sp_metrics_histogram(struct sp_metrics *metrics,
    const struct sp_label labels[SP_METRIC_LABELS],
    const struct sp_histogram_sum *sum, uint64_t cycles)
{
	struct bucket_rows rows = open_bucket_rows(metrics, labels);
	struct sp_text *text = metrics->text;
	unsigned at = sum->begin;
	uint64_t seen = 0;

	for (unsigned i = 0; i < BOUNDS; i++) {
		uint64_t bound = sp_ns_to_cycles(bounds[i].ns);

		for (; at < sum->end && sp_histogram_greatest(at) <= bound;
		     at++)
			seen += sum->buckets[at];
		put_bucket(&rows, bounds[i].text, seen);
		sp_text_bytes(text, text->data + rows.at, rows.size);
	}
	put_bucket(&rows, "+Inf", sum->count);
	sp_metrics_summary(
	    metrics, labels, sum->count, sp_cycles_to_ns(cycles));
}
