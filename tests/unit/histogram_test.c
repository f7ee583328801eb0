/* SPDX-License-Identifier: BSD-2-Clause */

/* Histograms that one thread records into while others read. */

#include "framework/histogram.h"
#include "tests/harness.h"

#include <pthread.h>
#include <string.h>

static struct sp_histogram one, two;
static struct sp_histogram_sum sum, both;

static void
forget(void)
{
	memset(&one, 0, sizeof(one));
	memset(&two, 0, sizeof(two));
	memset(&sum, 0, sizeof(sum));
	memset(&both, 0, sizeof(both));
}

static void
expect_in_bucket(uint64_t value)
{
	uint64_t bucket = sp_loglinear_bucket(value, SP_HISTOGRAM_BITS);
	uint64_t greatest = sp_histogram_greatest(bucket);

	EXPECT(bucket < SP_HISTOGRAM_BUCKETS);
	EXPECT(value <= greatest);
	if (bucket == 0)
		return;
	EXPECT(value > sp_histogram_greatest(bucket - 1));
	EXPECT(
	    (greatest - sp_histogram_greatest(bucket - 1) - 1) * 16 <= value);
}

TEST(every_value_is_in_a_bucket_no_wider_than_a_sixteenth_of_it)
{
	uint64_t seed = test_seed();

	for (uint64_t value = 1; value < 1 << 12; value++)
		expect_in_bucket(value);
	for (int bit = 4; bit < 53; bit++) {
		expect_in_bucket((UINT64_C(1) << bit) - 1);
		expect_in_bucket(UINT64_C(1) << bit);
		expect_in_bucket((UINT64_C(1) << bit)
				 + test_random(&seed) % (UINT64_C(1) << bit));
	}
}

TEST(the_greatest_of_all_values_has_a_bucket)
{
	forget();
	sp_histogram_record(&one, INT64_MAX, 3);
	sp_histogram_add(&sum, &one);
	EXPECT_EQ(sum.count, 3);
	EXPECT(sp_histogram_quantile(&sum, 500) >= INT64_MAX);
}

TEST(what_is_below_0_goes_by_its_distance)
{
	const uint64_t below[] = { 1, 40, 1000, INT64_MAX, UINT64_C(1) << 63 };

	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		uint64_t bucket = sp_loglinear_bucket(
		    -below[i], SP_HISTOGRAM_BITS);

		EXPECT(bucket < SP_HISTOGRAM_BUCKETS);
		EXPECT(bucket - sp_loglinear_bucket(below[i], SP_HISTOGRAM_BITS)
		       <= 1);
	}
}

TEST(quantiles_of_a_known_sequence)
{
	forget();
	for (uint64_t value = 0; value < 20; value++)
		sp_histogram_record(&one, value, 1);
	sp_histogram_add(&sum, &one);
	EXPECT_EQ(sp_histogram_quantile(&sum, 0), 1);
	EXPECT_EQ(sp_histogram_quantile(&sum, 500), 9);
	EXPECT_EQ(sp_histogram_quantile(&sum, 501), 11);
	EXPECT_EQ(sp_histogram_quantile(&sum, 900), 17);
	EXPECT_EQ(sp_histogram_quantile(&sum, 1000), 19);
}

TEST(of_nothing_every_quantile_is_0)
{
	forget();
	sp_histogram_add(&sum, &one);
	EXPECT_EQ(sum.count, 0);
	EXPECT_EQ(sp_histogram_quantile(&sum, 0), 0);
	EXPECT_EQ(sp_histogram_quantile(&sum, 1000), 0);
}

TEST(a_sum_is_the_histogram_of_all_values)
{
	uint64_t seed = test_seed();

	forget();
	for (int i = 0; i < 1000; i++) {
		uint64_t value = test_random(&seed) >> test_random(&seed) % 60;

		sp_histogram_record(i % 3 != 0 ? &one : &two, value, 2);
		both.buckets[sp_loglinear_bucket(
		    value | 1, SP_HISTOGRAM_BITS)] += 2;
	}
	sp_histogram_add(&sum, &one);
	both.count = sum.count;
	memset(&sum, 0, sizeof(sum));
	sp_histogram_add(&sum, &two);
	both.count += sum.count;
	EXPECT_EQ(both.count, 2000);
	memset(&sum, 0, sizeof(sum));
	sp_histogram_add(&sum, &one);
	sp_histogram_add(&sum, &two);
	EXPECT_EQ(sum.count, both.count);
	EXPECT(memcmp(sum.buckets, both.buckets, sizeof(sum.buckets)) == 0);
	EXPECT(sum.begin < sum.end && sum.end <= SP_HISTOGRAM_BUCKETS);
	for (unsigned i = 0; i < SP_HISTOGRAM_BUCKETS; i++)
		EXPECT(sum.buckets[i] == 0 || (i >= sum.begin && i < sum.end));
}

TEST(each_bucket_alone_is_found)
{
	for (unsigned i = 0; i < SP_HISTOGRAM_BUCKETS; i++) {
		forget();
		sp_count(&one.buckets[i], 3);
		sp_histogram_add(&sum, &one);
		EXPECT_EQ(sum.count, 3);
		EXPECT_EQ(sum.buckets[i], 3);
		EXPECT(i >= sum.begin && i < sum.end);
		EXPECT_EQ(sp_histogram_quantile(&sum, 500),
		    sp_histogram_greatest(i));
	}
}

#define RECORDS 200000

static SP_ATOMIC(unsigned) recorded;

static void *
record(void *arg)
{
	(void)arg;
	for (uint64_t i = 0; i < RECORDS; i++)
		sp_histogram_record(&one, i, 1);
	sp_store(&recorded, 1, release);
	return NULL;
}

TEST(who_reads_meanwhile_sees_no_count_go_back)
{
	uint64_t last = 0;
	pthread_t thread;
	bool done;

	forget();
	EXPECT_EQ(pthread_create(&thread, NULL, record, NULL), 0);
	do {
		done = sp_load(&recorded, acquire);
		memset(&sum, 0, sizeof(sum));
		sp_histogram_add(&sum, &one);
		EXPECT(sum.count >= last);
		last = sum.count;
	} while (!done);
	pthread_join(thread, NULL);
	EXPECT_EQ(last, RECORDS);
}

TEST(coarser_buckets_are_added_by_their_greatest_value)
{
	enum { BITS = 2 };
	static SP_ATOMIC(uint64_t) coarse[SP_LOGLINEAR_BUCKETS(BITS, 64)];
	static const uint64_t values[] = { 1, 2, 3, 7, 100, 1000, 123456789,
		UINT64_C(1) << 62 };
	const unsigned count = sizeof(values) / sizeof(*values);

	memset(&sum, 0, sizeof(sum));
	for (unsigned i = 0; i < count; i++)
		sp_count(&coarse[sp_loglinear_bucket(values[i], BITS)], 1);
	sp_histogram_add_coarse(&sum, coarse, BITS);
	EXPECT_EQ(sum.count, count);
	for (unsigned i = 0; i < count; i++) {
		uint64_t told = sp_histogram_quantile(
		    &sum, (i + 1) * 1000 / count);

		EXPECT(told >= values[i]);
		EXPECT(told - values[i] <= values[i] / 4 + values[i] / 8 + 1);
	}
}
