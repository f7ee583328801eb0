/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_PERF_MICRO_COUNTED_HPP
#define SPATE_PERF_MICRO_COUNTED_HPP

/*
 * Benchmarks that can be told how many iterations to make: two runs that
 * differ in nothing else, under callgrind, tell the instructions of one.
 *
 *     BENCHMARK(ring_put_take)->Apply(counted);
 *     SPATE_ITERATIONS=100 ring_bench --benchmark_filter=ring_put_take
 */

#include <benchmark/benchmark.h>
#include <cstdlib>

static inline void
counted(benchmark::internal::Benchmark *one)
{
	const char *iterations = getenv("SPATE_ITERATIONS");

	if (iterations != nullptr)
		one->Iterations(atoi(iterations));
}

/* Each iteration does n of them: seconds for one, which perf/parts shows. */
static inline void
count_each(benchmark::State &state, uint64_t n)
{
	state.counters["batch"] = static_cast<double>(n);
	state.counters["each"] = benchmark::Counter(
	    static_cast<double>(state.iterations() * n),
	    benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

#endif /* SPATE_PERF_MICRO_COUNTED_HPP */
