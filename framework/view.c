/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/view.h"

#include "alloc/arena.h"
#include "alloc/counter.h"

#include <limits.h>
#include <string.h>

/* Not polled for so long, a shard that is awake is not alive. */
#define ALIVE_NS (10 * (uint64_t)SP_NS_PER_S)

/* What the arenas say is dear to look at. */
#define FRESH_NS (100 * (uint64_t)SP_NS_PER_MS)

const char *const sp_phase_names[SP_PHASES] = { "queue", "run", "parked",
	"blocked" };

struct sp_worker *
sp_view_worker(struct sp_shard *shard, uint32_t i)
{
	return sp_load(&shard->workers[i], acquire);
}

uint32_t
sp_view_workers(struct sp_shard *shard)
{
	return sp_load(&shard->worker_count, acquire);
}

static void
add_counters(struct sp_sums *sums, struct sp_worker *worker)
{
#define X(name) sums->name += sp_load(&worker->counters.name, relaxed);
	SP_COUNTERS(X)
#undef X
}

uint64_t
sp_view_counter(struct sp_shard *shard, size_t offset)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < sp_view_workers(shard); i++) {
		struct sp_worker *worker = sp_view_worker(shard, i);

		if (worker != NULL)
			sum += sp_load(
			    (SP_ATOMIC(
				uint64_t) *)(void *)((char *)&worker->counters
						     + offset),
			    relaxed);
	}
	return sum;
}

/* A sleep that goes on is idle time, too. */
static uint64_t
busy_of(struct sp_worker *worker)
{
	uint64_t started = sp_load(&worker->started, relaxed);
	uint64_t since = sp_load(&worker->asleep_since, relaxed);
	uint64_t asleep = sp_load(&worker->asleep, relaxed);
	uint64_t now = sp_cycles();

	/* What blocks in the system takes no CPU. */
	if (started == 0 || worker->blocking)
		return 0;
	if (since != 0 && since < now)
		asleep += now - since;
	return now - started > asleep ? now - started - asleep : 0;
}

uint64_t
sp_view_busy(struct sp_shard *shard)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < sp_view_workers(shard); i++) {
		struct sp_worker *worker = sp_view_worker(shard, i);

		if (worker != NULL)
			sum += busy_of(worker);
	}
	return sum;
}

static void
add_times(struct sp_shard_view *view, struct sp_worker_times *times)
{
	sp_times_add_all(&view->latency, view->phase, times);
	for (int phase = 0; phase < SP_PHASES; phase++)
		sp_histogram_add(&view->phases[phase], &times->phase[phase]);
}

/* The times of the worker at a place, or NULL. */
static struct sp_worker_times *
times_at(struct sp_shard *shard, uint32_t i)
{
	struct sp_worker *worker = sp_view_worker(shard, i);

	return worker != NULL ? sp_times_of(worker) : NULL;
}

void
sp_view_shard(struct sp_shard_view *view, struct sp_shard *shard)
{
	memset(view, 0, sizeof(*view));
	for (uint32_t i = 0; i < sp_view_workers(shard); i++) {
		struct sp_worker *worker = sp_view_worker(shard, i);
		struct sp_worker_times *times = times_at(shard, i);

		if (worker == NULL)
			continue;
		add_counters(&view->counters, worker);
		view->busy += busy_of(worker);
		if (times != NULL)
			add_times(view, times);
	}
}

uint64_t
sp_view_phase(
    struct sp_histogram_sum *sum, struct sp_shard *shard, enum sp_phase phase)
{
	uint64_t cycles = 0;

	memset(sum, 0, sizeof(*sum));
	for (uint32_t i = 0; i < sp_view_workers(shard); i++) {
		struct sp_worker_times *times = times_at(shard, i);

		if (times == NULL)
			continue;
		sp_histogram_add(sum, &times->phase[phase]);
		for (uint32_t number = 0; number < times->routes; number++)
			cycles += sp_times_phase(times, number, phase);
	}
	return cycles;
}

uint64_t
sp_view_loop(struct sp_histogram_sum *sum, struct sp_shard *shard)
{
	memset(sum, 0, sizeof(*sum));
	sp_histogram_add_coarse(sum, shard->loop.counts, SP_LOOP_BITS);
	return sp_load(&shard->loop.cycles, relaxed);
}

/* Most routes of most servers are not asked for, and their sums are large. */
const struct sp_route_sum *
sp_view_route(
    struct sp_route_sum *sum, struct sp_engine *engine, uint32_t number)
{
	static const struct sp_route_sum nothing;
	bool any = false;

	for (uint32_t i = 0; i < engine->shard_count; i++) {
		struct sp_shard *shard = engine->shards[i];

		for (uint32_t j = 0; j < sp_view_workers(shard); j++) {
			struct sp_worker_times *times = times_at(shard, j);

			if (times == NULL || !sp_times_any(times, number))
				continue;
			if (!any)
				memset(sum, 0, sizeof(*sum));
			any = true;
			sp_times_add(sum, times, number);
		}
	}
	return any ? sum : &nothing;
}

void
sp_view_route_phases(
    uint64_t phase[SP_PHASES], struct sp_engine *engine, uint32_t number)
{
	memset(phase, 0, SP_PHASES * sizeof(*phase));
	for (uint32_t i = 0; i < engine->shard_count; i++) {
		struct sp_shard *shard = engine->shards[i];

		for (uint32_t j = 0; j < sp_view_workers(shard); j++) {
			struct sp_worker_times *times = times_at(shard, j);

			for (int k = 0; times != NULL && k < SP_PHASES; k++)
				phase[k] += sp_times_phase(
				    times, number, (enum sp_phase)k);
		}
	}
}

uint64_t
sp_view_answers(
    struct sp_answers *answers, struct sp_shard *shard, uint32_t number)
{
	uint64_t sum = 0;

	memset(answers, 0, sizeof(*answers));
	for (uint32_t i = 0; i < sp_view_workers(shard); i++) {
		struct sp_worker_times *times = times_at(shard, i);

		if (times != NULL)
			sum += sp_times_answers(answers->by, times, number);
	}
	return sum;
}

const char *
sp_view_pattern(const struct spate_server *server, uint32_t number)
{
	if (number < server->pattern_count)
		return server->patterns[number].text;
	return number == sp_server_no_route(server) ? "none" : "admin";
}

struct sp_fibers_view
sp_view_fibers(struct sp_shard *shard)
{
	struct sp_fibers_view view = { 0 };

	for (uint32_t i = 0; i < sp_view_workers(shard); i++) {
		struct sp_worker *worker = sp_view_worker(shard, i);

		if (worker == NULL)
			continue;
		view.waiting += sp_load(&worker->waiting, relaxed);
		view.stacks += sp_counter_get(&worker->stacks.in_use);
		view.kept += sp_counter_get(&worker->stacks.hot_count);
	}
	return view;
}

uint64_t
sp_view_connections(struct sp_shard *shard)
{
	int32_t load = sp_load(&shard->load, relaxed);

	return load > 0 ? (uint64_t)load : 0;
}

bool
sp_view_is_due(SP_ATOMIC(uint64_t) * seen_ns, uint64_t fresh_ns)
{
	uint64_t seen = sp_load(seen_ns, relaxed), now = sp_now_ns();

	return now - seen >= fresh_ns
	       && sp_cas(seen_ns, &seen, now, relaxed, relaxed);
}

void
sp_view_refresh_memory(struct spate_server *server)
{
	struct sp_arena_stats arena;

	/* It takes jemalloc's locks. */
	if (sp_view_is_due(&server->memory_seen_ns, FRESH_NS))
		sp_arena_stats_get(server->engine->shards[0]->arena, &arena);
}

struct sp_memory_view
sp_view_memory(struct sp_shard *shard)
{
	struct sp_memory_view view = { .descriptors = 0 };
	struct sp_slab_stats slab;

	if (shard->arena != UINT_MAX)
		sp_arena_stats_last(shard->arena, &view.arena);
	sp_slab_stats_get(&shard->cache.slab, &slab);
	view.descriptors = (uint64_t)slab.in_use_max * SP_SLAB_OBJECT_SIZE;
	return view;
}

uint64_t
sp_view_memory_sum(const struct sp_memory_view *view)
{
	return view->arena.allocated + view->descriptors;
}

bool
sp_view_alive(struct sp_shard *shard)
{
	uint64_t polled = sp_load(&shard->last_poll, relaxed);
	uint64_t now = sp_now_ns();

	if (sp_load(&shard->wake.sig, relaxed) != SP_WAKE_RUNNING)
		return true;
	/* It may be polled at this moment, by a later look at the clock. */
	return polled >= now || now - polled < ALIVE_NS
	       || now - shard->engine->started_ns < ALIVE_NS;
}
