/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/tools/top.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX 512
#define CELL 24

static const char bold[] = "\033[1m", reverse[] = "\033[7m",
		  plain[] = "\033[0m", to_end[] = "\033[K";

/* What is drawn so far. */
struct drawing {
	FILE *out;
	const struct sp_top_view *view;
	unsigned lines;
};

/* ---------------------------------------------------------------- numbers */

/* Three digits that count. */
static const char *
in_units(char cell[CELL], double value, double step, const char *const *units)
{
	int i = 0;

	while (value >= step - 0.5 && units[i + 1] != NULL) {
		value /= step;
		i++;
	}
	snprintf(cell, CELL, "%.*f%s",
	    i == 0 || value >= 99.95 ? 0
	    : value >= 9.995         ? 1
				     : 2,
	    value, units[i]);
	return cell;
}

static const char *
in_time(char cell[CELL], uint64_t ns)
{
	static const char *const units[] = { "ns", "us", "ms", "s", NULL };

	return ns == SP_TOP_NO_TIME ? "-"
				    : in_units(cell, (double)ns, 1000, units);
}

static const char *
in_bytes(char cell[CELL], uint64_t bytes)
{
	static const char *const units[] = { "B", "K", "M", "G", "T", "P",
		NULL };

	return in_units(cell, (double)bytes, 1024, units);
}

static const char *
in_rate(char cell[CELL], double rate)
{
	snprintf(cell, CELL, "%.*f", rate > 0 && rate < 9.95 ? 1 : 0, rate);
	return cell;
}

/* ------------------------------------------------------------------ lines */

/* A line, cut off at the edge; the last one has no end, or it would scroll. */
static void
put_line(struct drawing *drawing, const char *how, const char *text)
{
	const struct sp_top_view *view = drawing->view;
	bool more = view->height == 0 || drawing->lines < view->height;
	int width = view->width != 0 ? (int)view->width : LINE_MAX;

	if (!more)
		return;
	if (drawing->lines++ != 0)
		fputc('\n', drawing->out);
	if (view->bright)
		fprintf(drawing->out, "%s%.*s%s%s", how, width, text, plain,
		    to_end);
	else
		fprintf(drawing->out, "%.*s", width, text);
}

static void
put_head(struct drawing *drawing, const struct sp_top_figures *figures)
{
	uint64_t s = figures->uptime_s;
	char line[LINE_MAX], a[CELL], b[CELL], c[CELL], d[CELL], e[CELL];

	snprintf(line, sizeof(line),
	    "spate %s, pid %" PRIu64 ", up %" PRIu64 ":%02" PRIu64 ":%02" PRIu64
	    ", %s; %zu shards, %" PRIu64 " connections, %" PRIu64
	    " descriptors",
	    figures->version, figures->pid, s / 3600, s / 60 % 60, s % 60,
	    figures->state, figures->shard_count, figures->connections,
	    figures->descriptors);
	put_line(drawing, bold, line);
	snprintf(line, sizeof(line),
	    "%s requests/s, p50 %s, p99 %s, p99.9 %s; %s errors/s; "
	    "%.2f CPUs; ",
	    in_rate(a, figures->requests), in_time(b, figures->p50_ns),
	    in_time(c, figures->p99_ns), in_time(d, figures->p999_ns),
	    in_rate(e, figures->errors), figures->cpu);
	snprintf(line + strlen(line), sizeof(line) - strlen(line),
	    "%s resident; %" PRIu64 " requests in all",
	    in_bytes(a, figures->resident), figures->total);
	put_line(drawing, "", line);
	if (drawing->view->note != NULL)
		put_line(drawing, reverse, drawing->view->note);
	else
		put_line(drawing, "", "");
}

static void
put_shards(struct drawing *drawing, const struct sp_top_figures *figures)
{
	char line[LINE_MAX];

	snprintf(line, sizeof(line),
	    "%5s %4s %9s %8s %9s %7s %6s %8s %8s %8s %7s %7s %7s %7s", "SHARD",
	    "CPU", "BUSY", "CONN", "REQ/S", "P99", "DEPTH", "STOLEN/S",
	    "BREAKS/S", "IO/S", "BRK/S", "TIMER/S", "SPUR/S", "MEMORY");
	put_line(drawing, reverse, line);
	for (size_t i = 0; i < figures->shard_count; i++) {
		const struct sp_top_shard *shard = &figures->shards[i];
		char busy[CELL], cell[9][CELL];

		snprintf(busy, sizeof(busy), "%.2f/%" PRIu64, shard->busy,
		    shard->workers);
		snprintf(line, sizeof(line),
		    "%5" PRIu64 " %4" PRIu64 " %9s %8" PRIu64
		    " %9s %7s %6" PRIu64 " %8s %8s %8s %7s %7s %7s %7s",
		    shard->id, shard->cpu, busy, shard->connections,
		    in_rate(cell[0], shard->requests),
		    in_time(cell[1], shard->p99_ns), shard->depth,
		    in_rate(cell[2], shard->stolen),
		    in_rate(cell[3], shard->breaks),
		    in_rate(cell[4], shard->wakes[SP_TOP_IO]),
		    in_rate(cell[5], shard->wakes[SP_TOP_BREAK]),
		    in_rate(cell[6], shard->wakes[SP_TOP_TIMER]),
		    in_rate(cell[7], shard->wakes[SP_TOP_SPURIOUS]),
		    in_bytes(cell[8], shard->memory));
		put_line(drawing, "", line);
	}
}

static void
put_pools(struct drawing *drawing, const struct sp_top_figures *figures)
{
	char line[LINE_MAX];

	put_line(drawing, "", "");
	snprintf(line, sizeof(line), "%-8s %8s %8s %9s %7s %10s %10s", "POOL",
	    "THREADS", "QUEUED", "BEGUN/S", "WAIT", "REFUSED/S", "REFUSED");
	put_line(drawing, reverse, line);
	for (int i = 0; i < SP_TOP_POOLS; i++) {
		const struct sp_top_pool *pool = &figures->pools[i];
		char cell[3][CELL];

		snprintf(line, sizeof(line),
		    "%-8s %8" PRIu64 " %8" PRIu64 " %9s %7s %10s %10" PRIu64,
		    pool->name, pool->threads, pool->queued,
		    in_rate(cell[0], pool->begun),
		    in_time(cell[1], pool->wait_ns),
		    in_rate(cell[2], pool->refused), pool->total_refused);
		put_line(drawing, "", line);
	}
}

/* ----------------------------------------------------------------- routes */

static uint64_t
time_or_none(uint64_t ns)
{
	return ns == SP_TOP_NO_TIME ? 0 : ns;
}

static double
weight(const struct sp_top_route *route, char sort)
{
	switch (sort) {
	case 'r':
		return route->requests;
	case 'p':
		return (double)time_or_none(route->p99_ns);
	case 'm':
		return (double)time_or_none(route->mean_ns);
	case 't':
		return (double)route->total;
	default:
		return 0;
	}
}

/* The heaviest first; of the same weight, as the program has them. */
static int
compare(const void *a, const void *b, void *arg)
{
	const struct sp_top_view *view = arg;
	const struct sp_top_route *first = a, *second = b;
	double difference = weight(second, view->sort)
			    - weight(first, view->sort);

	if (difference != 0)
		return difference < 0 ? -1 : 1;
	return first->number < second->number ? -1 : 1;
}

static void
put_routes(struct drawing *drawing, struct sp_top_figures *figures)
{
	char line[LINE_MAX];

	put_line(drawing, "", "");
	snprintf(line, sizeof(line),
	    "%-24s %-10s %9s %7s %7s %7s %6s %6s %6s %7s %11s", "ROUTE",
	    "METHODS", "REQ/S", "P50", "P99", "MEAN", "QUEUE", "RUN", "PARK",
	    "BLOCKED", "TOTAL");
	put_line(drawing, reverse, line);
	qsort_r(figures->routes, figures->route_count, sizeof(*figures->routes),
	    compare, (void *)(uintptr_t)drawing->view);
	for (size_t i = 0; i < figures->route_count; i++) {
		const struct sp_top_route *route = &figures->routes[i];
		char cell[4][CELL];

		snprintf(line, sizeof(line),
		    "%-24.24s %-10.10s %9s %7s %7s %7s %5.0f%% %5.0f%% %5.0f%% "
		    "%6.0f%% %11" PRIu64,
		    route->name, route->methods,
		    in_rate(cell[0], route->requests),
		    in_time(cell[1], route->p50_ns),
		    in_time(cell[2], route->p99_ns),
		    in_time(cell[3], route->mean_ns),
		    100 * route->part[SP_TOP_QUEUE],
		    100 * route->part[SP_TOP_RUN],
		    100 * route->part[SP_TOP_PARKED],
		    100 * route->part[SP_TOP_BLOCKED], route->total);
		put_line(drawing, "", line);
	}
	if (figures->route_count == 0)
		put_line(drawing, "", "no request yet, or record_times is off");
}

void
sp_top_draw(
    FILE *out, struct sp_top_figures *figures, const struct sp_top_view *view)
{
	struct drawing drawing = { out, view, 0 };

	if (view->bright)
		fputs("\033[H", out);
	put_head(&drawing, figures);
	put_shards(&drawing, figures);
	put_pools(&drawing, figures);
	put_routes(&drawing, figures);
	fputs(view->bright ? "\033[J" : "\n\n", out);
	fflush(out);
}
