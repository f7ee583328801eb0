/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/recorder.h"
#include "tests/harness.h"

#include <pthread.h>

#define SIZE 8

static struct sp_recorder recorder;
static struct sp_record out[SIZE];

static void
write_one(uint64_t n)
{
	sp_recorder_begin(&recorder, n);
	sp_record(&recorder, (enum sp_record_kind)(n % SP_RECORD_KINDS), n, n,
	    n, (uint32_t)n);
}

static void
expect_one(const struct sp_record *record, uint64_t n)
{
	EXPECT_EQ(record->when, n);
	EXPECT_EQ(record->since, n);
	EXPECT_EQ(record->what, n);
	EXPECT_EQ(record->kind, n % SP_RECORD_KINDS);
	EXPECT_EQ(record->number, (uint32_t)n);
}

TEST(the_last_records_are_copied_oldest_first)
{
	EXPECT_EQ(sp_recorder_init(&recorder, SIZE), 0);
	EXPECT_EQ(sp_recorder_copy(&recorder, out, SIZE), 0);
	EXPECT_EQ(sp_recorder_began(&recorder), 0);
	for (uint64_t n = 0; n < 5; n++)
		write_one(n);
	EXPECT_EQ(sp_recorder_copy(&recorder, out, SIZE), 5);
	for (uint64_t n = 0; n < 5; n++)
		expect_one(&out[n], n);
	EXPECT_EQ(sp_recorder_copy(&recorder, out, 2), 2);
	expect_one(&out[0], 3);
	EXPECT_EQ(sp_recorder_began(&recorder), 4);
	sp_recorder_fini(&recorder);
}

/* The place of the oldest is where the next may be written at any time. */
TEST(of_a_full_ring_all_but_the_oldest_are_copied)
{
	EXPECT_EQ(sp_recorder_init(&recorder, SIZE), 0);
	for (uint64_t n = 0; n < 3 * SIZE + 1; n++)
		write_one(n);
	EXPECT_EQ(sp_recorder_copy(&recorder, out, SIZE), SIZE - 1);
	for (uint64_t n = 0; n < SIZE - 1; n++)
		expect_one(&out[n], 2 * SIZE + 2 + n);
	sp_recorder_fini(&recorder);
}

TEST(a_size_is_rounded_up_and_none_records_nothing)
{
	EXPECT_EQ(sp_recorder_init(&recorder, SIZE - 1), 0);
	EXPECT_EQ(recorder.mask, SIZE - 1);
	sp_recorder_fini(&recorder);
	EXPECT_EQ(sp_recorder_init(&recorder, 0), 0);
	write_one(1);
	EXPECT_EQ(sp_recorder_copy(&recorder, out, SIZE), 0);
	sp_recorder_fini(&recorder);
}

static SP_ATOMIC(uint32_t) stop;

static void *
write_on(void *arg)
{
	(void)arg;
	for (uint64_t n = 0; !sp_load(&stop, relaxed); n++)
		write_one(n);
	return NULL;
}

/*
 * Goal: what is copied while the ring is written over again and again is
 * whole, in order, and has no gap.
 * Method: a ring of eight, so that most copies lose some, and records of
 * which each word is their number.
 */
TEST(a_copy_of_a_ring_in_use_is_whole_and_in_order)
{
	unsigned rounds = test_rounds(20000);
	uint64_t copied = 0;
	pthread_t writer;

	EXPECT_EQ(sp_recorder_init(&recorder, SIZE), 0);
	sp_store(&stop, 0, relaxed);
	EXPECT_EQ(pthread_create(&writer, NULL, write_on, NULL), 0);
	for (unsigned i = 0; i < rounds || copied == 0; i++) {
		size_t count = sp_recorder_copy(&recorder, out, SIZE);

		for (size_t k = 0; k < count; k++)
			expect_one(&out[k], out[0].when + k);
		copied += count;
	}
	sp_store(&stop, 1, relaxed);
	pthread_join(writer, NULL);
	sp_recorder_fini(&recorder);
}
