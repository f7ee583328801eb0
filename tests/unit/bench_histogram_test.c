/* SPDX-License-Identifier: BSD-2-Clause */

/* The load tool's histogram: buckets, quantiles, the ends of the range. */

#include "perf/bench/histogram.c"
#include "tests/harness.h"

#include <stdlib.h>

static struct bench_histogram histogram, other;

TEST(every_value_is_in_the_bucket_that_holds_it)
{
	uint64_t last = 0;

	for (uint64_t value = 0; value < 1 << 16; value++) {
		uint64_t bucket = bucket_of(value);

		EXPECT(bucket >= last);
		EXPECT(value <= greatest_of(bucket));
		EXPECT(bucket == 0 || value > greatest_of(bucket - 1));
		last = bucket;
	}
}

TEST(a_bucket_is_no_wider_than_one_part_in_128)
{
	for (unsigned i = 1; i < BENCH_HISTOGRAM_BUCKETS; i++) {
		uint64_t least = greatest_of(i - 1) + 1;

		if (least > greatest_of(i))
			continue; /* too narrow for a number */
		EXPECT_EQ(bucket_of(least), i);
		EXPECT((greatest_of(i) - least) * 128 <= least);
		EXPECT_EQ(bucket_of(greatest_of(i)), i);
	}
}

TEST(quantiles_of_a_known_sequence)
{
	bench_histogram_init(&histogram);
	for (uint64_t value = 1; value <= 100; value++)
		bench_histogram_record(&histogram, value);
	EXPECT_EQ(bench_histogram_quantile(&histogram, 0), 1);
	EXPECT_EQ(bench_histogram_quantile(&histogram, 0.5), 50);
	EXPECT_EQ(bench_histogram_quantile(&histogram, 0.99), 99);
	EXPECT_EQ(bench_histogram_quantile(&histogram, 1), 100);
	EXPECT(bench_histogram_mean(&histogram) == 50.5);
}

TEST(a_quantile_is_off_by_less_than_a_hundredth)
{
	uint64_t seed = test_seed();

	bench_histogram_init(&histogram);
	for (uint64_t i = 1; i <= 100000; i++)
		bench_histogram_record(&histogram, i * 1000);
	for (int i = 0; i < 1000; i++) {
		uint64_t percent = test_random(&seed) % 100 + 1;
		uint64_t want = percent * 1000 * 1000;
		uint64_t got = bench_histogram_quantile(
		    &histogram, (double)percent / 100);

		EXPECT(got >= want && got - want <= want / 100);
	}
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Of every order of magnitude there is, as latencies are. */
TEST(quantiles_are_those_of_the_sorted_values)
{
	static uint64_t values[49999];
	const size_t count = sizeof(values) / sizeof(values[0]);
	uint64_t seed = test_seed();

	bench_histogram_init(&histogram);
	for (size_t i = 0; i < count; i++) {
		unsigned bits = (unsigned)(test_random(&seed)
					   % BENCH_HISTOGRAM_VALUE_BITS);

		values[i] = test_random(&seed) >> (63 - bits);
		bench_histogram_record(&histogram, values[i]);
	}
	qsort(values, count, sizeof(values[0]), by_value);
	for (unsigned share = 1; share <= 1000; share++) {
		double part = (double)share / 1000;
		size_t rank = (size_t)(part * (double)count);
		uint64_t got = bench_histogram_quantile(&histogram, part);
		uint64_t want;

		rank += (double)rank < part * (double)count;
		want = values[rank - 1];
		/* Nothing at all is counted as a nanosecond. */
		EXPECT(got >= want && got - want <= want / 128 + (want == 0));
	}
}

TEST(a_quantile_never_exceeds_the_maximum)
{
	bench_histogram_init(&histogram);
	bench_histogram_record(&histogram, 1000001);
	EXPECT_EQ(bench_histogram_quantile(&histogram, 0.5), 1000001);
	EXPECT_EQ(bench_histogram_quantile(&histogram, 1), 1000001);
}

TEST(what_is_too_great_is_counted_and_kept_as_the_maximum)
{
	bench_histogram_init(&histogram);
	bench_histogram_record(&histogram, 5);
	bench_histogram_record(&histogram, UINT64_MAX / 2);
	EXPECT_EQ(histogram.count, 2);
	EXPECT_EQ(histogram.min, 5);
	EXPECT(bench_histogram_quantile(&histogram, 1) == UINT64_MAX / 2);
	EXPECT_EQ(bench_histogram_quantile(&histogram, 0.5), 5);
}

TEST(nothing_recorded_gives_zero)
{
	bench_histogram_init(&histogram);
	EXPECT_EQ(bench_histogram_quantile(&histogram, 0.5), 0);
	EXPECT(bench_histogram_mean(&histogram) == 0);
}

TEST(two_together_are_as_one_that_saw_both)
{
	static struct bench_histogram both;

	bench_histogram_init(&histogram);
	bench_histogram_init(&other);
	bench_histogram_init(&both);
	for (uint64_t value = 0; value < 5000; value += 3) {
		bench_histogram_record(
		    value % 2 != 0 ? &histogram : &other, value);
		bench_histogram_record(&both, value);
	}
	bench_histogram_add(&histogram, &other);
	EXPECT(memcmp(&histogram, &both, sizeof(both)) == 0);
}
