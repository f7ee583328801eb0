/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The prices that the design counts with: shards/atomics.h, alone and with
 * a second thread at the same word.
 */

#include "shards/atomics.h"

#include <benchmark/benchmark.h>
#include <cstdint>

static SP_ATOMIC(uint64_t) word;

static void
atomics_count(benchmark::State &state)
{
	for (auto _ : state)
		sp_count(&word, 1);
}
BENCHMARK(atomics_count);

static void
atomics_fetch_add(benchmark::State &state)
{
	for (auto _ : state)
		benchmark::DoNotOptimize(sp_fetch_add(&word, 1, relaxed));
}
BENCHMARK(atomics_fetch_add)->Threads(1)->Threads(2);

static void
atomics_xchg(benchmark::State &state)
{
	for (auto _ : state)
		benchmark::DoNotOptimize(sp_xchg(&word, 1, acq_rel));
}
BENCHMARK(atomics_xchg)->Threads(1)->Threads(2);

/* A slot goes from one state to the next and back, as when parking. */
static void
atomics_cas_pair(benchmark::State &state)
{
	static SP_ATOMIC(uintptr_t) slot;

	for (auto _ : state) {
		uintptr_t nil = 0, waits = 2;

		benchmark::DoNotOptimize(
		    sp_cas(&slot, &nil, 2, seq_cst, seq_cst));
		benchmark::DoNotOptimize(
		    sp_cas(&slot, &waits, 0, seq_cst, seq_cst));
	}
}
BENCHMARK(atomics_cas_pair);

static void
atomics_store_seq_cst(benchmark::State &state)
{
	for (auto _ : state)
		sp_store(&word, 1, seq_cst);
}
BENCHMARK(atomics_store_seq_cst);
