/* SPDX-License-Identifier: BSD-2-Clause */

#include "perf/bench/histogram.h"

#include <string.h>

static uint64_t
bucket_of(uint64_t value)
{
	if (value >> BENCH_HISTOGRAM_VALUE_BITS != 0)
		return BENCH_HISTOGRAM_BUCKETS - 1;
	return sp_loglinear_bucket(
	    value + (value == 0), BENCH_HISTOGRAM_STEP_BITS);
}

static uint64_t
greatest_of(unsigned bucket)
{
	return sp_loglinear_greatest(bucket, BENCH_HISTOGRAM_STEP_BITS);
}

void
bench_histogram_init(struct bench_histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
	histogram->min = UINT64_MAX;
}

void
bench_histogram_record(struct bench_histogram *histogram, uint64_t value)
{
	histogram->buckets[bucket_of(value)]++;
	histogram->count++;
	histogram->sum += value;
	if (value < histogram->min)
		histogram->min = value;
	if (value > histogram->max)
		histogram->max = value;
}

void
bench_histogram_add(
    struct bench_histogram *into, const struct bench_histogram *from)
{
	for (unsigned i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
	into->count += from->count;
	into->sum += from->sum;
	if (from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
}

uint64_t
bench_histogram_quantile(const struct bench_histogram *histogram, double share)
{
	double wanted = share * (double)histogram->count;
	uint64_t seen = 0, value;

	for (unsigned i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++) {
		if (histogram->buckets[i] == 0)
			continue;
		seen += histogram->buckets[i];
		if ((double)seen < wanted)
			continue;
		value = i == BENCH_HISTOGRAM_BUCKETS - 1 ? histogram->max
							 : greatest_of(i);
		return value < histogram->max ? value : histogram->max;
	}
	return histogram->max;
}

double
bench_histogram_mean(const struct bench_histogram *histogram)
{
	if (histogram->count == 0)
		return 0;
	return (double)histogram->sum / (double)histogram->count;
}
