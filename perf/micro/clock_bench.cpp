/* SPDX-License-Identifier: BSD-2-Clause */

/* What it costs to know the time: shards/clock.h. */

extern "C" {
#include "shards/clock.h"
}

#include "perf/micro/counted.hpp"

static void
clock_now_ns(benchmark::State &state)
{
	for (auto _ : state)
		benchmark::DoNotOptimize(sp_now_ns());
}
BENCHMARK(clock_now_ns)->Apply(counted);

static void
clock_cycles(benchmark::State &state)
{
	for (auto _ : state)
		benchmark::DoNotOptimize(sp_cycles());
}
BENCHMARK(clock_cycles)->Apply(counted);

static void
clock_tick_of(benchmark::State &state)
{
	uint64_t ns = sp_now_ns();

	sp_clock_init();
	for (auto _ : state) {
		benchmark::DoNotOptimize(ns);
		benchmark::DoNotOptimize(sp_tick_of(ns));
	}
}
BENCHMARK(clock_tick_of)->Apply(counted);

static void
clock_tick_deadline(benchmark::State &state)
{
	sp_tick now = 1000;

	for (auto _ : state) {
		benchmark::DoNotOptimize(now);
		benchmark::DoNotOptimize(sp_tick_deadline(now, 30000));
	}
}
BENCHMARK(clock_tick_deadline)->Apply(counted);
