/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_PERF_BENCH_HISTOGRAM_H
#define SPATE_PERF_BENCH_HISTOGRAM_H

/*
 * Histogram of nanoseconds, in the buckets of alloc/loglinear.h, with 128 for
 * every power of two: a quantile is never off by more than 0.8 %. What takes
 * 2^42 ns and more, over an hour, is counted in the last one, and exact in
 * max.
 *
 * A histogram belongs to one thread until that has ended; bench_histogram_add
 * then puts several together.
 */

#include "alloc/loglinear.h"

#include <stdint.h>

#define BENCH_HISTOGRAM_STEP_BITS 7
#define BENCH_HISTOGRAM_VALUE_BITS 42
#define BENCH_HISTOGRAM_BUCKETS                                                \
	SP_LOGLINEAR_BUCKETS(                                                  \
	    BENCH_HISTOGRAM_STEP_BITS, BENCH_HISTOGRAM_VALUE_BITS)

struct bench_histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t min; /* UINT64_MAX while there is nothing */
	uint64_t max;
	uint64_t buckets[BENCH_HISTOGRAM_BUCKETS];
};

void bench_histogram_init(struct bench_histogram *histogram);
void bench_histogram_record(struct bench_histogram *histogram, uint64_t value);

/*
 * bench_histogram_add: count in one what another has counted.
 */
void bench_histogram_add(
    struct bench_histogram *into, const struct bench_histogram *from);

/*
 * bench_histogram_quantile: the value that a share of all values does not
 * exceed, for 0 <= share <= 1.
 *
 * => Returns the greatest value of its bucket, but no more than the maximum;
 *    0 if nothing was recorded.
 */
uint64_t
bench_histogram_quantile(const struct bench_histogram *histogram, double share);

/* 0 if nothing was recorded. */
double bench_histogram_mean(const struct bench_histogram *histogram);

#endif /* SPATE_PERF_BENCH_HISTOGRAM_H */
