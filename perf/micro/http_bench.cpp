/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Routes, heads and answers, and how they grow: with the number of routes,
 * which should be not at all, and of fields in a head, which is by the byte.
 */

#include "perf/micro/counted.hpp"
#include "perf/micro/http_parts.h"

static constexpr uint64_t BATCH = 256;

static void
http(benchmark::State &state, void (*run)(uint64_t, unsigned))
{
	run(1, static_cast<unsigned>(state.range(0)));
	for (auto _ : state)
		run(BATCH, static_cast<unsigned>(state.range(0)));
	count_each(state, BATCH);
}

#define PART(name) BENCHMARK_CAPTURE(http, name, part_##name)

PART(respond)->Arg(0)->Apply(counted);
PART(respond_any)->Arg(0)->Apply(counted);
PART(date)->Arg(0)->Apply(counted);
PART(route)->RangeMultiplier(10)->Range(10, 10000)->Apply(counted);
PART(route_params)->RangeMultiplier(10)->Range(10, 10000)->Apply(counted);
PART(histogram)->Arg(0)->Apply(counted);
PART(chunked)->Arg(16)->Arg(1024)->Apply(counted);
PART(head_again)->Arg(5)->Arg(20)->Apply(counted);
PART(head)->Arg(1)->Arg(5)->Arg(20)->Arg(100)->Apply(counted);
