/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The engine's parts, one thread, nothing contended: what a request pays for
 * each of them. Those in engine_parts.h do n at a time, so that the call is
 * not part of the figure.
 */

#include "perf/micro/counted.hpp"
#include "perf/micro/engine_parts.h"

static constexpr uint64_t BATCH = 1024;

static void
part(benchmark::State &state, void (*run)(uint64_t))
{
	static const bool ready = (part_setup(), true);

	benchmark::DoNotOptimize(ready);
	for (auto _ : state)
		run(BATCH);
	count_each(state, BATCH);
}

#define PART(name) BENCHMARK_CAPTURE(part, name, part_##name)->Apply(counted)

PART(ring_put_take);
PART(stack_push_pop);
PART(wake_awake);
PART(wake_blocked);
PART(break_eventfd);
PART(poll_empty);
PART(slot_ready_park);
PART(slot_ready_fiber);
PART(desc_find);
PART(desc_find_stale);
PART(slab_alloc_free);
PART(buffer_get_put);
PART(token);
PART(idle);
PART(quiescent);
PART(offline_online);
PART(wheel_move);
PART(wheel_next);
PART(fiber_switch);
PART(record);
PART(spsc_put_take);
