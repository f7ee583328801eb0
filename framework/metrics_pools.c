/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/metrics_pools.h"

#include "framework/view.h"

static const struct sp_label no_labels[SP_METRIC_LABELS];

static void
put(struct sp_metrics *out, const char *label, const char *value, uint64_t n)
{
	const struct sp_label labels[SP_METRIC_LABELS] = { { label, value } };

	sp_metrics_u64(out, labels, n);
}

/* One pool's families; the rows of the last are its own. */
static const struct names {
	const char *threads, *queued, *queued_help, *wait, *results;
} offload = { "spate_offload_threads", "spate_offload_queued",
	"Calls that wait for a thread.", "spate_offload_wait_seconds_total",
	"spate_offload_calls_total" },
  blocking = { "spate_blocking_threads", "spate_blocking_queued",
	  "Requests that wait for a thread.",
	  "spate_blocking_wait_seconds_total",
	  "spate_blocking_requests_total" };

static void
put_pool(struct sp_metrics *out, const struct names *names, uint64_t threads,
    uint64_t queued, uint64_t wait_us)
{
	sp_metrics_family(
	    out, names->threads, "gauge", "Threads for what blocks.");
	sp_metrics_u64(out, no_labels, threads);
	sp_metrics_family(out, names->queued, "gauge", names->queued_help);
	sp_metrics_u64(out, no_labels, queued);
	sp_metrics_family(out, names->wait, "counter",
	    "How long was waited for threads, all together.");
	sp_metrics_ns(out, no_labels, wait_us * 1000);
	sp_metrics_family(out, names->results, "counter",
	    "What was to have a thread, by what has become of it.");
}

static void
put_offload(struct sp_metrics *out, struct sp_offload *pool)
{
	put_pool(out, &offload, sp_load(&pool->threads, relaxed),
	    sp_offload_depth(pool), sp_load(&pool->wait_us, relaxed));
	put(out, "result", "begun", sp_load(&pool->jobs, relaxed));
	put(out, "result", "cancelled", sp_load(&pool->cancelled, relaxed));
	put(out, "result", "let_go", sp_load(&pool->let_go, relaxed));
	put(out, "result", "refused", sp_load(&pool->refused, relaxed));
}

static void
put_blocking(struct sp_metrics *out, struct sp_blocking *pool)
{
	put_pool(out, &blocking, sp_load(&pool->threads, relaxed),
	    sp_blocking_depth(pool), sp_load(&pool->wait_us, relaxed));
	put(out, "result", "begun", sp_load(&pool->begun, relaxed));
	put(out, "result", "left", sp_load(&pool->left, relaxed));
	put(out, "result", "refused", sp_load(&pool->refused, relaxed));
}

static void
put_refused(struct sp_metrics *out, struct spate_server *server)
{
	sp_metrics_family(out, "spate_route_refused_total", "counter",
	    "Requests that a route had no room for.");
	for (uint32_t i = 0; i < server->pattern_count; i++)
		put(out, "route", sp_view_pattern(server, i),
		    sp_route_refused(server, i));
}

void
sp_metrics_pools(struct sp_metrics *out, struct spate_server *server)
{
	put_offload(out, &server->engine->offload);
	put_blocking(out, &server->engine->blocking);
	put_refused(out, server);
}
