/* SPDX-License-Identifier: BSD-2-Clause */

#include "perf/bench/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *name;
	double share;
} quantiles[] = {
	{ "p50", 0.5 },
	{ "p90", 0.9 },
	{ "p99", 0.99 },
	{ "p99.9", 0.999 },
	{ "max", 1 },
};

#define QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

/* How evenly the connections that take from the mix were served. */
struct fairness {
	uint64_t least, median, most;
	double jain; /* 1: all alike; 1/n: one had everything */
};

static const struct {
	const char *name;
	size_t offset;
} counters[] = {
#define COUNTER(name)                                                          \
	{                                                                      \
#name, offsetof(struct bench_counts, name)                     \
	}
	COUNTER(total_answered),
	COUNTER(bytes_in),
	COUNTER(connects),
	COUNTER(connect_errors),
	COUNTER(io_errors),
	COUNTER(closed_by_peer),
	COUNTER(bad_responses),
	COUNTER(lost),
	COUNTER(due),
	COUNTER(late),
	COUNTER(slow_answered),
	COUNTER(slow_closed),
	COUNTER(half_open_closed),
#undef COUNTER
};

#define COUNTERS (sizeof(counters) / sizeof(counters[0]))

static uint64_t *
counter(struct bench_counts *counts, size_t i)
{
	return (uint64_t *)((char *)counts + counters[i].offset);
}

static void
add_up(struct bench_worker *into, struct bench_worker *from)
{
	for (unsigned i = 0; i < into->options->path_count; i++) {
		bench_histogram_add(
		    &into->tallies[i].latency, &from->tallies[i].latency);
		into->tallies[i].answered += from->tallies[i].answered;
		into->tallies[i].not_2xx += from->tallies[i].not_2xx;
	}
	bench_histogram_add(&into->behind, &from->behind);
	for (size_t i = 0; i < COUNTERS; i++)
		*counter(&into->counts, i) += *counter(&from->counts, i);
	if (from->last_answer_ns > into->last_answer_ns)
		into->last_answer_ns = from->last_answer_ns;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static struct fairness
fairness_of(const struct bench_worker *workers)
{
	const struct bench_options *options = workers->options;
	struct fairness fairness = { 0 };
	double sum = 0, squares = 0;
	uint64_t *answered = malloc(options->connections * sizeof(*answered));
	size_t count = 0;

	if (answered == NULL)
		return fairness;
	for (unsigned i = 0; i < options->threads; i++) {
		for (unsigned j = 0; j < workers[i].conn_count; j++) {
			const struct bench_conn *conn = &workers[i].conns[j];

			if (conn->kind != BENCH_LOAD)
				continue;
			answered[count++] = conn->answered;
			sum += (double)conn->answered;
			squares += (double)conn->answered
				   * (double)conn->answered;
		}
	}
	if (count > 0) {
		qsort(answered, count, sizeof(*answered), compare);
		fairness.least = answered[0];
		fairness.median = answered[count / 2];
		fairness.most = answered[count - 1];
		if (squares > 0)
			fairness.jain = sum * sum / squares / (double)count;
	}
	free(answered);
	return fairness;
}

static void
print_us(double ns)
{
	if (ns >= 1e6)
		printf(" %8.2fms", ns / 1e6);
	else
		printf(" %8.1fus", ns / 1e3);
}

static void
print_row(const char *name, const struct bench_tally *tally, double seconds)
{
	printf("%-24s %10" PRIu64 " %10.0f", name, tally->answered,
	    (double)tally->answered / seconds);
	print_us(bench_histogram_mean(&tally->latency));
	for (size_t i = 0; i < QUANTILES; i++)
		print_us((double)bench_histogram_quantile(
		    &tally->latency, quantiles[i].share));
	printf(" %8" PRIu64 "\n", tally->not_2xx);
}

/* Was the rate reached, by the server and by this program? */
static void
print_open_loop(const struct bench_worker *all, const struct bench_tally *total)
{
	printf("\nof %" PRIu64 " due, %" PRIu64 " were answered and %" PRIu64
	       " sent",
	    all->counts.due, total->answered, all->behind.count);
	if (all->behind.count == 0)
		return;
	printf(", after they were due:");
	for (size_t i = 0; i < QUANTILES; i++) {
		printf("  %s", quantiles[i].name);
		print_us((double)bench_histogram_quantile(
		    &all->behind, quantiles[i].share));
	}
}

static void
print_text(struct bench_worker *all, const struct bench_tally *total,
    const struct fairness *fair, double seconds)
{
	const struct bench_options *options = all->options;

	printf("http://%s: ", options->host);
	if (options->rate > 0)
		printf("open loop, %.10g a second%s", options->rate,
		    options->poisson ? " at random" : "");
	else
		printf("closed loop");
	printf(", %u connections, depth %u, %u threads, %.2f s\n\n",
	    options->connections, options->depth, options->threads, seconds);
	printf(
	    "%-24s %10s %10s %10s", "path", "answered", "per second", "mean");
	for (size_t i = 0; i < QUANTILES; i++)
		printf(" %10s", quantiles[i].name);
	printf(" %8s\n", "not 2xx");
	for (unsigned i = 0; i < options->path_count; i++)
		print_row(options->paths[i].text, &all->tallies[i], seconds);
	if (options->path_count > 1)
		print_row("all", total, seconds);
	if (options->rate > 0)
		print_open_loop(all, total);
	printf("\nanswered by connection: least %" PRIu64 ", median %" PRIu64
	       ", most %" PRIu64 ", Jain's index %.4f\n",
	    fair->least, fair->median, fair->most, fair->jain);
	for (size_t i = 0; i < COUNTERS; i++) {
		if (*counter(&all->counts, i) > 0)
			printf("%s %" PRIu64 "%s", counters[i].name,
			    *counter(&all->counts, i), "  ");
	}
	printf("\n");
}

/* The paths of the command line: quotes and what is below a space. */
static void
print_json_string(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < ' ')
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void
print_json_quantiles(const struct bench_histogram *histogram)
{
	for (size_t i = 0; i < QUANTILES; i++)
		printf(",\"%s_us\":%.3f", quantiles[i].name,
		    (double)bench_histogram_quantile(
			histogram, quantiles[i].share)
			/ 1e3);
}

static void
print_json_tally(
    const char *name, const struct bench_tally *tally, double seconds)
{
	print_json_string(name);
	printf(":{\"answered\":%" PRIu64 ",\"rps\":%.3f,\"not_2xx\":%" PRIu64
	       ",\"mean_us\":%.3f,\"min_us\":%.3f",
	    tally->answered, (double)tally->answered / seconds, tally->not_2xx,
	    bench_histogram_mean(&tally->latency) / 1e3,
	    tally->latency.count > 0 ? (double)tally->latency.min / 1e3 : 0);
	print_json_quantiles(&tally->latency);
	printf("}");
}

/* Nothing, if there was nothing to watch. */
static void
print_json_watch(const struct bench_worker *worker)
{
	const struct bench_watch *from = &worker->watch[0];
	const struct bench_watch *to = &worker->watch[1];

	if (worker->options->watch_count == 0 || worker->watched < 2)
		return;
	printf(",\"watch\":{\"window_ns\":%" PRIu64 ",\"server_ns\":%" PRIu64
	       ",\"user_ns\":%" PRIu64 ",\"system_ns\":%" PRIu64
	       ",\"client_ns\":%" PRIu64 ",\"machine_ns\":%" PRIu64 "}",
	    to->at_ns - from->at_ns, to->server_ns - from->server_ns,
	    to->user_ns - from->user_ns, to->system_ns - from->system_ns,
	    to->client_ns - from->client_ns, to->machine_ns - from->machine_ns);
}

static void
print_json(struct bench_worker *all, const struct bench_tally *total,
    const struct fairness *fair, double seconds)
{
	const struct bench_options *options = all->options;

	printf("{\"seconds\":%.6f,\"rate\":%g,\"connections\":%u,"
	       "\"depth\":%u,\"threads\":%u,\"paths\":{",
	    seconds, options->rate, options->connections, options->depth,
	    options->threads);
	for (unsigned i = 0; i < options->path_count; i++) {
		if (i > 0)
			putchar(',');
		print_json_tally(
		    options->paths[i].text, &all->tallies[i], seconds);
	}
	printf("},");
	print_json_tally("all", total, seconds);
	printf(",\"fairness\":{\"least\":%" PRIu64 ",\"median\":%" PRIu64
	       ",\"most\":%" PRIu64 ",\"jain\":%.5f}",
	    fair->least, fair->median, fair->most, fair->jain);
	for (size_t i = 0; i < COUNTERS; i++)
		printf(",\"%s\":%" PRIu64, counters[i].name,
		    *counter(&all->counts, i));
	if (options->rate > 0) {
		printf(",\"behind\":{\"sent\":%" PRIu64, all->behind.count);
		print_json_quantiles(&all->behind);
		printf("}");
	}
	print_json_watch(all);
	printf("}\n");
}

uint64_t
bench_report(struct bench_worker *workers, uint64_t start_ns)
{
	static struct bench_tally total;
	const struct bench_options *options = workers->options;
	struct fairness fair = fairness_of(workers);
	double seconds = (double)options->duration_ns / BENCH_NS_PER_S;

	for (unsigned i = 1; i < options->threads; i++)
		add_up(&workers[0], &workers[i]);
	bench_histogram_init(&total.latency);
	for (unsigned i = 0; i < options->path_count; i++) {
		bench_histogram_add(
		    &total.latency, &workers->tallies[i].latency);
		total.answered += workers->tallies[i].answered;
		total.not_2xx += workers->tallies[i].not_2xx;
	}
	if (options->requests > 0 && workers->last_answer_ns > start_ns)
		seconds = (double)(workers->last_answer_ns - start_ns)
			  / BENCH_NS_PER_S;
	if (options->json)
		print_json(workers, &total, &fair, seconds);
	else
		print_text(workers, &total, &fair, seconds);
	return workers->counts.total_answered;
}
