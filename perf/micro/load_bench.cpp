/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What the load tool itself spends on an answer: spate-bench shares the
 * machine with the server, so its own cost must be known.
 */

extern "C" {
#include "perf/bench/histogram.h"
#include "perf/bench/response.h"
}

#include <benchmark/benchmark.h>
#include <cstring>

static void
load_histogram_record(benchmark::State &state)
{
	static struct bench_histogram histogram;
	uint64_t value = 1000;

	bench_histogram_init(&histogram);
	for (auto _ : state) {
		bench_histogram_record(&histogram, value);
		value = value * 5 % 1000003;
	}
}
BENCHMARK(load_histogram_record);

static void
load_response(benchmark::State &state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\n"
				     "Server: spate\r\n"
				     "Date: Mon, 23 Nov 2026 12:42:55 GMT\r\n"
				     "Content-Type: text/plain\r\n"
				     "Content-Length: 13\r\n"
				     "\r\n"
				     "Hello, World!";
	struct bench_response response;
	size_t used;

	bench_response_init(&response);
	response.to_head = false;
	for (auto _ : state) {
		if (bench_response_feed(
			&response, answer, sizeof(answer) - 1, &used)
		    != BENCH_DONE)
			state.SkipWithError("the answer was not read");
	}
	state.SetBytesProcessed(
	    (int64_t)(state.iterations() * (sizeof(answer) - 1)));
}
BENCHMARK(load_response);
