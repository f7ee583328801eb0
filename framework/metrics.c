/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/metrics.h"

#include "framework/log.h"
#include "framework/metrics_counters.h"
#include "framework/metrics_out.h"
#include "framework/metrics_pools.h"
#include "framework/process.h"
#include "framework/request.h"
#include "framework/stats.h"
#include "framework/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE "text/plain; version=0.0.4; charset=utf-8"

static const struct sp_label no_labels[SP_METRIC_LABELS];

/* What is written, and what it is about. */
struct scrape {
	struct sp_metrics out;
	struct spate_server *server;
	struct sp_engine *engine;
	struct sp_route_sum *route; /* scratch */
	sp_shard_label *shard;      /* numbers as text */
	struct sp_memory_view *memory; /* each shard's */
};

#define C(field) offsetof(struct sp_counters, field)

/* ---------------------------------------------------------------- shards */

static uint64_t
breaks_sent(struct sp_shard *shard)
{
	return sp_load(&shard->breaks_sent, relaxed);
}

static uint64_t
breaks_coalesced(struct sp_shard *shard)
{
	return sp_load(&shard->breaks_coalesced, relaxed);
}

static uint64_t
ring_depth(struct sp_shard *shard)
{
	return sp_ready_ring_depth(&shard->ring);
}

static uint64_t
waiting(struct sp_shard *shard)
{
	return sp_view_fibers(shard).waiting;
}

static uint64_t
stacks(struct sp_shard *shard)
{
	return sp_view_fibers(shard).stacks;
}

static uint64_t
outq_full(struct sp_shard *shard)
{
	return sp_load(&shard->outq_full, relaxed);
}

static uint64_t
worker_count(struct sp_shard *shard)
{
	return sp_load(&shard->worker_count, relaxed);
}

static uint64_t
is_up(struct sp_shard *shard)
{
	return sp_view_alive(shard);
}

/* What is the shard's own. */
static const struct {
	const char *name, *type, *help;
	uint64_t (*value)(struct sp_shard *shard);
} values[] = {
	{ "spate_shard_up", "gauge", "Whether it looks after its connections.",
	    is_up },
	{ "spate_shard_workers", "gauge", "Threads, spares included.",
	    worker_count },
	{ "spate_connections", "gauge", "Connections now.",
	    sp_view_connections },
	{ "spate_ring_depth", "gauge", "Lists that wait for a worker.",
	    ring_depth },
	{ "spate_fibers_waiting", "gauge", "Handlers and tasks that wait.",
	    waiting },
	{ "spate_fiber_stacks", "gauge", "Stacks in use, spare fibers' too.",
	    stacks },
	{ "spate_shard_break_sent_total", "counter",
	    "Times another thread woke the poller.", breaks_sent },
	{ "spate_shard_break_coalesced_total", "counter",
	    "Times it needed not to, as it was awake.", breaks_coalesced },
	{ "spate_outq_full_total", "counter",
	    "Sends refused, as the stream takes too little.", outq_full },
};

static void
put_value(struct scrape *scrape, uint32_t shard, uint64_t value)
{
	const struct sp_label labels[SP_METRIC_LABELS] = {
		{ "shard", scrape->shard[shard] },
	};

	sp_metrics_u64(&scrape->out, labels, value);
}

static void
put_values(struct scrape *scrape)
{
	struct sp_engine *engine = scrape->engine;

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		sp_metrics_family(&scrape->out, values[i].name, values[i].type,
		    values[i].help);
		for (uint32_t j = 0; j < engine->shard_count; j++)
			put_value(
			    scrape, j, values[i].value(engine->shards[j]));
		sp_render_pause();
	}
	sp_metrics_family(&scrape->out, "spate_shard_busy_seconds_total",
	    "counter", "Time that workers did not sleep, added up.");
	for (uint32_t j = 0; j < engine->shard_count; j++) {
		const struct sp_label labels[SP_METRIC_LABELS] = {
			{ "shard", scrape->shard[j] },
		};

		sp_metrics_ns(&scrape->out, labels,
		    sp_cycles_to_ns(sp_view_busy(engine->shards[j])));
	}
}

/* What the parts of a shard's memory are called. */
static const struct {
	const char *name;
	size_t offset;
} arena_parts[] = {
	{ "allocated", offsetof(struct sp_arena_stats, allocated) },
	{ "active", offsetof(struct sp_arena_stats, active) },
	{ "dirty", offsetof(struct sp_arena_stats, dirty) },
	{ "mapped", offsetof(struct sp_arena_stats, mapped) },
	{ "resident", offsetof(struct sp_arena_stats, resident) },
};

static void
put_arena(struct scrape *scrape, uint32_t shard)
{
	const struct sp_memory_view *view = &scrape->memory[shard];
	const size_t parts = sizeof(arena_parts) / sizeof(*arena_parts);

	for (size_t i = 0; i < parts; i++) {
		const struct sp_label labels[SP_METRIC_LABELS] = {
			{ "shard", scrape->shard[shard] },
			{ "kind", arena_parts[i].name },
		};
		uint64_t bytes;

		memcpy(&bytes,
		    (const char *)&view->arena + arena_parts[i].offset,
		    sizeof(bytes));
		sp_metrics_u64(&scrape->out, labels, bytes);
	}
}

static void
put_memory(struct scrape *scrape)
{
	const struct sp_memory_view *memory = scrape->memory;
	uint32_t shards = scrape->engine->shard_count;

	for (uint32_t i = 0; i < shards; i++)
		scrape->memory[i] = sp_view_memory(scrape->engine->shards[i]);
	sp_metrics_family(&scrape->out, "spate_descriptor_bytes", "gauge",
	    "Descriptors of connections, used or kept.");
	for (uint32_t i = 0; i < shards; i++)
		put_value(scrape, i, memory[i].descriptors);
	sp_metrics_family(&scrape->out, "spate_memory_bytes", "gauge",
	    "Allocated in the arena, and descriptors.");
	for (uint32_t i = 0; i < shards; i++)
		put_value(scrape, i, sp_view_memory_sum(&memory[i]));
	sp_metrics_family(&scrape->out, "spate_arena_bytes", "gauge",
	    "The arena of a shard, by what its pages are.");
	for (uint32_t i = 0; i < shards; i++)
		put_arena(scrape, i);
	sp_metrics_family(&scrape->out, "spate_idle_connection_bytes", "gauge",
	    "What a connection takes when it is idle, the kernel's aside.");
	sp_metrics_u64(&scrape->out, no_labels, SP_SLAB_OBJECT_SIZE);
}

static void
put_states(struct scrape *scrape)
{
	struct spate_server *server = scrape->server;

	sp_states_refresh(server);
	sp_metrics_family(&scrape->out, "spate_connection_states", "gauge",
	    "Connections now, by what they are at.");
	for (uint32_t i = 0; i < scrape->engine->shard_count; i++) {
		for (int j = 0; j < SP_STATES; j++) {
			const struct sp_label labels[SP_METRIC_LABELS] = {
				{ "shard", scrape->shard[i] },
				{ "state", sp_state_names[j] },
			};

			sp_metrics_u64(&scrape->out, labels,
			    sp_states_get(server, scrape->engine->shards[i],
				(enum sp_state)j));
		}
	}
}

static void
put_rcu(struct sp_metrics *out)
{
	struct sp_rcu_stats rcu;

	sp_rcu_stats_get(&rcu);
	sp_metrics_family(out, "spate_rcu_callbacks_pending", "gauge",
	    "What was retired and not yet reclaimed.");
	sp_metrics_u64(out, no_labels, rcu.pending);
	sp_metrics_family(out, "spate_rcu_grace_period_seconds", "summary",
	    "How long what was retired waited to be reclaimed.");
	sp_metrics_summary(out, no_labels, rcu.reclaimed, rcu.wait_ns);
}

static void
put_stale(struct scrape *scrape)
{
	sp_metrics_family(&scrape->out, "spate_stale_events_total", "counter",
	    "For connections that were closed meanwhile.");
	for (uint32_t i = 0; i < scrape->engine->shard_count; i++) {
		struct sp_shard *shard = scrape->engine->shards[i];
		struct sp_label labels[SP_METRIC_LABELS] = {
			{ "shard", scrape->shard[i] },
			{ "kind", "epoll" },
		};

		sp_metrics_u64(&scrape->out, labels,
		    sp_view_counter(shard, C(stale_events)));
		labels[1].value = "handle";
		sp_metrics_u64(&scrape->out, labels,
		    sp_load(&shard->stale_lookups, relaxed));
	}
}

/* ---------------------------------------------------------------- routes */

static void
put_answers(struct scrape *scrape, uint32_t shard, uint32_t number)
{
	static const char *const codes[SP_CODES] = { "aborted", NULL, "2xx",
		"3xx", "4xx", "5xx" };
	struct sp_answers answers;

	if (sp_view_answers(&answers, scrape->engine->shards[shard], number)
	    == 0)
		return;
	for (unsigned method = 0; method < SP_HTTP_METHODS; method++) {
		for (unsigned code = 0; code < SP_CODES; code++) {
			const struct sp_label labels[SP_METRIC_LABELS] = {
				{ "shard", scrape->shard[shard] },
				{ "route",
				    sp_view_pattern(scrape->server, number) },
				{ "method", sp_http_method_name(
						(enum sp_http_method)method) },
				{ "code", codes[code] },
			};

			if (answers.by[method][code] != 0)
				sp_metrics_u64(&scrape->out, labels,
				    answers.by[method][code]);
		}
	}
}

static void
put_requests(struct scrape *scrape)
{
	sp_metrics_family(&scrape->out, "spate_http_requests_total", "counter",
	    "Requests, by what they have come to.");
	for (uint32_t i = 0; i < scrape->engine->shard_count; i++) {
		for (uint32_t j = 0; j < sp_server_counted(scrape->server);
		     j++) {
			put_answers(scrape, i, j);
			sp_render_pause();
		}
	}
}

static uint64_t
total(const uint64_t phase[SP_PHASES])
{
	uint64_t cycles = 0;

	for (int i = 0; i < SP_PHASES; i++)
		cycles += phase[i];
	return cycles;
}

static void
put_latencies(struct scrape *scrape)
{
	sp_metrics_family(&scrape->out, "spate_http_request_duration_seconds",
	    "histogram", "From ready to be read to answered.");
	for (uint32_t i = 0; i < sp_server_counted(scrape->server); i++) {
		const struct sp_label labels[SP_METRIC_LABELS] = {
			{ "route", sp_view_pattern(scrape->server, i) },
		};
		const struct sp_route_sum *sum = sp_view_route(
		    scrape->route, scrape->engine, i);

		if (sum->latency.count != 0)
			sp_metrics_histogram(&scrape->out, labels,
			    &sum->latency, total(sum->phase));
		sp_render_pause();
	}
}

static void
put_route_phases(struct scrape *scrape)
{
	sp_metrics_family(&scrape->out, "spate_http_route_phase_seconds_total",
	    "counter", "What the time of requests went to.");
	for (uint32_t i = 0; i < sp_server_counted(scrape->server); i++) {
		uint64_t phase[SP_PHASES];

		sp_render_pause();
		sp_view_route_phases(phase, scrape->engine, i);
		if (total(phase) == 0)
			continue;
		for (int j = 0; j < SP_PHASES; j++) {
			const struct sp_label labels[SP_METRIC_LABELS] = {
				{ "route", sp_view_pattern(scrape->server, i) },
				{ "phase", sp_phase_names[j] },
			};

			sp_metrics_ns(
			    &scrape->out, labels, sp_cycles_to_ns(phase[j]));
		}
	}
}

static void
put_phases(struct scrape *scrape)
{
	struct sp_histogram_sum *sum = &scrape->route->latency;

	sp_metrics_family(&scrape->out, "spate_http_phase_seconds", "histogram",
	    "Parts of the time that requests took.");
	for (uint32_t i = 0; i < scrape->engine->shard_count; i++) {
		for (int j = 0; j < SP_PHASES; j++) {
			const struct sp_label labels[SP_METRIC_LABELS] = {
				{ "shard", scrape->shard[i] },
				{ "phase", sp_phase_names[j] },
			};
			uint64_t cycles = sp_view_phase(
			    sum, scrape->engine->shards[i], (enum sp_phase)j);

			sp_metrics_histogram(&scrape->out, labels, sum, cycles);
			sp_render_pause();
		}
	}
}

static void
put_loops(struct scrape *scrape)
{
	struct sp_histogram_sum *sum = &scrape->route->latency;

	sp_metrics_family(&scrape->out, "spate_shard_loop_duration_seconds",
	    "histogram", "From one look at epoll to the next, but for sleeps.");
	for (uint32_t i = 0; i < scrape->engine->shard_count; i++) {
		const struct sp_label labels[SP_METRIC_LABELS] = {
			{ "shard", scrape->shard[i] },
		};
		uint64_t cycles = sp_view_loop(sum, scrape->engine->shards[i]);

		sp_metrics_histogram(&scrape->out, labels, sum, cycles);
		sp_render_pause();
	}
}

/* ----------------------------------------------------------------- whole */

/* The fullest shard by the mean; 1 if there is nothing to be uneven. */
static uint64_t
imbalance_thousandths(struct sp_engine *engine)
{
	uint64_t most = 0, sum = 0;

	for (uint32_t i = 0; i < engine->shard_count; i++) {
		uint64_t n = sp_view_connections(engine->shards[i]);

		sum += n;
		most = n > most ? n : most;
	}
	return sum == 0 ? 1000 : most * 1000 * engine->shard_count / sum;
}

static void
put_server(struct scrape *scrape)
{
	struct sp_engine *engine = scrape->engine;
	const struct sp_label version[SP_METRIC_LABELS] = {
		{ "version", spate_version() },
	};

	sp_metrics_family(&scrape->out, "spate_build_info", "gauge",
	    "The version, as a label.");
	sp_metrics_u64(&scrape->out, version, 1);
	sp_metrics_family(&scrape->out, "spate_shards", "gauge", "Shards.");
	sp_metrics_u64(&scrape->out, no_labels, engine->shard_count);
	sp_metrics_family(
	    &scrape->out, "spate_uptime_seconds", "gauge", "Since the start.");
	sp_metrics_ns(
	    &scrape->out, no_labels, sp_now_ns() - engine->started_ns);
	sp_metrics_family(&scrape->out, "spate_shard_imbalance_ratio", "gauge",
	    "Connections of the fullest shard, by the mean.");
	sp_metrics_ms(&scrape->out, no_labels, imbalance_thousandths(engine));
}

/* Threads that are of no shard have one "none". */
static void
put_log(struct scrape *scrape, struct sp_log *log)
{
	struct sp_label labels[SP_METRIC_LABELS] = {
		{ "shard", "none" },
		{ "reason", "full" },
	};

	if (log == NULL)
		return;
	sp_metrics_family(&scrape->out, "spate_log_lines_total", "counter",
	    "Lines of the log that were written.");
	sp_metrics_u64(
	    &scrape->out, no_labels, sp_load(&log->written, relaxed));
	sp_metrics_family(&scrape->out, "spate_log_dropped_total", "counter",
	    "Lines that were not, by who said them and why.");
	sp_metrics_u64(&scrape->out, labels, sp_load(&log->dropped, relaxed));
	for (uint32_t i = 0; i < scrape->engine->shard_count; i++) {
		labels[0].value = scrape->shard[i];
		sp_metrics_u64(&scrape->out, labels,
		    sp_view_counter(scrape->engine->shards[i], C(log_dropped)));
	}
	labels[0].value = "none";
	labels[1].value = "write";
	sp_metrics_u64(&scrape->out, labels, sp_load(&log->lost, relaxed));
}

static void
put_process(struct scrape *scrape)
{
	struct sp_process process;

	sp_process_look(&scrape->server->process, &process);
	sp_metrics_family(&scrape->out, "process_cpu_seconds_total", "counter",
	    "CPU time of all threads.");
	sp_metrics_ns(&scrape->out, no_labels, process.cpu_ns);
	sp_metrics_family(&scrape->out, "process_resident_memory_bytes",
	    "gauge", "Memory that is in RAM.");
	sp_metrics_u64(&scrape->out, no_labels, process.resident_bytes);
	sp_metrics_family(
	    &scrape->out, "process_open_fds", "gauge", "Descriptors.");
	sp_metrics_u64(&scrape->out, no_labels, process.descriptors);
	sp_metrics_family(&scrape->out, "process_max_fds", "gauge",
	    "The most that there can be.");
	sp_metrics_u64(&scrape->out, no_labels, process.descriptors_max);
	sp_metrics_family(&scrape->out, "process_threads", "gauge", "Threads.");
	sp_metrics_u64(&scrape->out, no_labels, process.threads);
	sp_metrics_family(&scrape->out, "process_start_time_seconds", "gauge",
	    "When it was started, since 1970.");
	sp_metrics_ms(&scrape->out, no_labels, process.started_ms);
	sp_metrics_family(&scrape->out, "spate_sandbox_refused_total",
	    "counter", "System calls that the sandbox has refused.");
	sp_metrics_u64(&scrape->out, no_labels,
	    sp_load(&scrape->server->sandbox.refused, relaxed));
}

static void
put_all(struct scrape *scrape)
{
	sp_view_refresh_memory(scrape->server);
	put_server(scrape);
	put_log(scrape, scrape->server->log);
	put_values(scrape);
	sp_metrics_counters(&scrape->out, scrape->engine, scrape->shard);
	put_states(scrape);
	put_loops(scrape);
	put_stale(scrape);
	put_rcu(&scrape->out);
	put_memory(scrape);
	sp_metrics_pools(&scrape->out, scrape->server);
	if (scrape->server->options.record_times) {
		put_requests(scrape);
		put_latencies(scrape);
		put_route_phases(scrape);
		put_phases(scrape);
	}
	put_process(scrape);
}

static void
render(struct sp_text *text, struct spate_server *server, void *arg)
{
	uint32_t shards = server->engine->shard_count;
	struct scrape scrape = {
		.out = { .text = text },
		.server = server,
		.engine = server->engine,
		.route = malloc(sizeof(*scrape.route)),
		.shard = malloc(shards * sizeof(*scrape.shard)),
		.memory = malloc(shards * sizeof(*scrape.memory)),
	};

	(void)arg;
	if (scrape.route == NULL || scrape.shard == NULL
	    || scrape.memory == NULL) {
		text->overflow = true;
	} else {
		for (uint32_t i = 0; i < shards; i++)
			snprintf(scrape.shard[i], sizeof(scrape.shard[i]), "%u",
			    (unsigned)(uint8_t)i);
		put_all(&scrape);
	}
	free(scrape.route);
	free(scrape.shard);
	free(scrape.memory);
}

int
sp_metrics_handler(struct spate_req *req, void *arg)
{
	(void)arg;
	return sp_render_answer(req, TYPE, render, NULL);
}
