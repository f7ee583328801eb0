/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/metrics_counters.h"

#include "framework/stats.h"
#include "framework/view.h"

/*
 * Counters of workers, in order: those with the same name are one metric,
 * with a label to tell them apart.
 */
#define C(field) offsetof(struct sp_counters, field)

static const struct {
	const char *name, *help, *label, *value;
	size_t offset;
} counters[] = {
	{ "spate_connections_accepted_total", "Connections that began.", NULL,
	    NULL, C(accepted) },
	{ "spate_connections_closed_total", "Connections that ended.", NULL,
	    NULL, C(closed) },
	{ "spate_connections_handed_off_total",
	    "Connections accepted for another shard.", NULL, NULL,
	    C(handed_off) },
	{ "spate_connections_moved_total",
	    "Connections that moved to where their packets arrive.", NULL, NULL,
	    C(moved) },
	{ "spate_accept_errors_total", "Failures of accept(2).", "errno",
	    "EMFILE", C(accept_errors_emfile) },
	{ "spate_accept_errors_total", NULL, "errno", "ENFILE",
	    C(accept_errors_enfile) },
	{ "spate_accept_errors_total", NULL, "errno", "ENOBUFS",
	    C(accept_errors_enobufs) },
	{ "spate_accept_errors_total", NULL, "errno", "ENOMEM",
	    C(accept_errors_enomem) },
	{ "spate_accept_errors_total", NULL, "errno", "ECONNABORTED",
	    C(accept_errors_econnaborted) },
	{ "spate_accept_errors_total", NULL, "errno", "other",
	    C(accept_errors_other) },
	{ "spate_limited_total", "What was refused or put off, by the limit.",
	    "reason", "max_connections", C(limited) },
	{ "spate_limited_total", NULL, "reason", "max_connections_per_peer",
	    C(limited_peer) },
	{ "spate_limited_total", NULL, "reason", "age", C(aged) },
	{ "spate_limited_total", NULL, "reason", "max_head", C(limited_head) },
	{ "spate_limited_total", NULL, "reason", "max_fields",
	    C(limited_fields) },
	{ "spate_limited_total", NULL, "reason", "max_target",
	    C(limited_target) },
	{ "spate_limited_total", NULL, "reason", "max_body", C(limited_body) },
	{ "spate_limited_total", NULL, "reason", "max_unread",
	    C(limited_unread) },
	{ "spate_limited_total", NULL, "reason", "max_memory",
	    C(limited_memory) },
	{ "spate_limited_total", NULL, "reason", "max_pipelined",
	    C(limited_pipeline) },
	{ "spate_http_responses_total", "Answers by class of status.", "code",
	    "1xx", C(responses_1xx) },
	{ "spate_http_responses_total", NULL, "code", "2xx", C(responses_2xx) },
	{ "spate_http_responses_total", NULL, "code", "3xx", C(responses_3xx) },
	{ "spate_http_responses_total", NULL, "code", "4xx", C(responses_4xx) },
	{ "spate_http_responses_total", NULL, "code", "5xx", C(responses_5xx) },
	{ "spate_http_parse_errors_total", "Heads and bodies refused.", NULL,
	    NULL, C(parse_errors) },
	{ "spate_received_bytes_total", "Read from sockets.", NULL, NULL,
	    C(bytes_in) },
	{ "spate_sent_bytes_total", "Written to sockets.", NULL, NULL,
	    C(bytes_out) },
	{ "spate_timeouts_total", "Deadlines that passed.", "kind", "header",
	    C(timeouts_header) },
	{ "spate_timeouts_total", NULL, "kind", "body", C(timeouts_body) },
	{ "spate_timeouts_total", NULL, "kind", "rate", C(timeouts_rate) },
	{ "spate_timeouts_total", NULL, "kind", "write", C(timeouts_write) },
	{ "spate_timeouts_total", NULL, "kind", "idle", C(timeouts_idle) },
	{ "spate_timeouts_total", NULL, "kind", "route", C(timeouts_route) },
	{ "spate_shed_total", "Requests that a limit had answered with 503.",
	    "reason", "max_in_flight", C(refused_in_flight) },
	{ "spate_shed_total", NULL, "reason", "blocking_queue",
	    C(refused_queue) },
	{ "spate_shed_total", NULL, "reason", "deadline", C(timeouts_route) },
	{ "spate_shard_polls_total", "Times epoll was asked.", NULL, NULL,
	    C(polls) },
	{ "spate_shard_events_total", "Descriptors that epoll reported.", NULL,
	    NULL, C(events) },
	{ "spate_shard_wakeups_total", "What ended sleeps of the poller.",
	    "reason", "io", C(wakes_io) },
	{ "spate_shard_wakeups_total", NULL, "reason", "break",
	    C(wakes_break) },
	{ "spate_shard_wakeups_total", NULL, "reason", "timer",
	    C(wakes_timer) },
	{ "spate_shard_wakeups_total", NULL, "reason", "spurious",
	    C(wakes_spurious) },
	{ "spate_ring_full_total", "Ready lists that found the ring full.",
	    NULL, NULL, C(ring_full) },
	{ "spate_tasks_stolen_total", "Taken from another worker or shard.",
	    NULL, NULL, C(stolen) },
	{ "spate_fiber_waits_total", "Times that handlers waited.", NULL, NULL,
	    C(fiber_waits) },
	{ "spate_fibers_refused_total", "Waits refused for lack of a stack.",
	    NULL, NULL, C(fibers_refused) },
	{ "spate_upstream_connects_total", "Connections made to others.", NULL,
	    NULL, C(upstream_connects) },
	{ "spate_upstream_reused_total",
	    "Requests to others on a kept connection.", NULL, NULL,
	    C(upstream_reused) },
	{ "spate_upstream_errors_total", "Requests to others that failed.",
	    NULL, NULL, C(upstream_errors) },
};

#define COUNTERS (sizeof(counters) / sizeof(*counters))

void
sp_metrics_counters(struct sp_metrics *out, struct sp_engine *engine,
    const sp_shard_label *shards)
{
	for (size_t i = 0; i < COUNTERS; i++) {
		if (counters[i].help != NULL)
			sp_metrics_family(
			    out, counters[i].name, "counter", counters[i].help);
		for (uint32_t j = 0; j < engine->shard_count; j++) {
			const struct sp_label labels[SP_METRIC_LABELS] = {
				{ "shard", shards[j] },
				{ counters[i].label, counters[i].value },
			};

			sp_metrics_u64(out, labels,
			    sp_view_counter(
				engine->shards[j], counters[i].offset));
		}
		sp_render_pause();
	}
}
