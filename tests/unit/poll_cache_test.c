/* SPDX-License-Identifier: BSD-2-Clause */

/* Poll cache: what a handle finds, and when memory is used again. */

#include "shards/poll_cache.h"

#include "alloc/check.h"
#include "tests/harness.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

static const struct sp_service service = { .name = "none" };
static struct sp_poll_cache cache;

static struct sp_poll_desc *
open_desc(sp_handle *handle)
{
	struct sp_poll_desc *pd = sp_poll_cache_alloc(&cache);

	SP_CHECK(pd != NULL);
	sp_poll_desc_reset(pd, 3, &service);
	*handle = sp_poll_cache_publish(pd);
	return pd;
}

static void
count_one(struct sp_poll_desc *pd, void *arg)
{
	(void)pd;
	++*(unsigned *)arg;
}

/* Until all that is retired is free again. Returns how many were. */
static unsigned
reclaim_all(void)
{
	unsigned forgotten = 0;

	for (int turn = 0; turn < 3; turn++) {
		sp_poll_cache_reclaim(&cache, count_one, &forgotten);
		sp_rcu_barrier();
	}
	return forgotten;
}

static uint32_t
in_use(void)
{
	struct sp_slab_stats stats;

	sp_slab_stats_get(&cache.slab, &stats);
	return stats.in_use;
}

TEST(a_handle_finds_its_descriptor_while_it_is_open)
{
	struct sp_poll_desc *pd;
	sp_handle handle;

	sp_poll_cache_init(&cache, 9, 0);
	EXPECT(sp_poll_cache_find(&cache, sp_handle_make(1, 9, 0)) == NULL);
	pd = sp_poll_cache_alloc(&cache);
	sp_poll_desc_reset(pd, 3, &service);
	handle = sp_poll_cache_next_handle(pd);
	EXPECT(sp_poll_cache_find(&cache, handle) == NULL);
	EXPECT(sp_poll_cache_publish(pd) == handle);
	EXPECT(sp_poll_desc_handle(pd) == handle);
	EXPECT_EQ(sp_handle_shard(handle), 9);
	EXPECT(sp_poll_cache_find(&cache, handle) == pd);
	EXPECT(
	    sp_poll_cache_find(&cache, handle + (UINT64_C(1) << 32)) == NULL);
	EXPECT(
	    sp_poll_cache_find(&cache, handle + (UINT64_C(2) << 32)) == NULL);
	EXPECT(sp_poll_cache_find(&cache, 0) == NULL);
	EXPECT(sp_poll_cache_find(&cache, SP_HANDLE_WAKE) == NULL);
	sp_poll_cache_retire(&cache, pd);
	EXPECT(sp_poll_cache_find(&cache, handle) == NULL);
	EXPECT_ABORT(sp_poll_cache_retire(&cache, pd));
	EXPECT_EQ(reclaim_all(), 1);
	EXPECT_EQ(in_use(), 0);
	EXPECT(sp_poll_cache_find(&cache, handle) == NULL);
	sp_poll_cache_fini(&cache);
}

TEST(what_was_never_published_is_dropped)
{
	struct sp_poll_desc *pd;

	sp_poll_cache_init(&cache, 0, 0);
	pd = sp_poll_cache_alloc(&cache);
	EXPECT_EQ(in_use(), 1);
	sp_poll_cache_drop(&cache, pd);
	EXPECT_EQ(in_use(), 0);
	sp_poll_cache_fini(&cache);
}

TEST(generations_outlive_a_thousand_uses)
{
	static sp_handle handles[1000];
	struct sp_poll_desc *pd;

	sp_poll_cache_init(&cache, 0, 0);
	for (int i = 0; i < 1000; i++) {
		pd = open_desc(&handles[i]);
		for (int j = 0; j < i; j++)
			EXPECT(handles[j] != handles[i]);
		EXPECT(handles[i] >> 32 & 1);
		sp_poll_cache_retire(&cache, pd);
		if (i % 100 == 99)
			reclaim_all();
	}
	for (int i = 0; i < 1000; i++)
		EXPECT(sp_poll_cache_find(&cache, handles[i]) == NULL);
	EXPECT_EQ(in_use(), 0);
	sp_poll_cache_fini(&cache);
}

TEST(the_generation_after_the_last_is_the_first)
{
	struct sp_poll_desc *pd;
	sp_handle handle;

	sp_poll_cache_init(&cache, 0, 0);
	pd = sp_poll_cache_alloc(&cache);
	sp_poll_desc_reset(pd, 3, &service);
	sp_store(&pd->gen, UINT32_MAX - 1, relaxed);
	handle = sp_poll_cache_publish(pd);
	EXPECT(sp_poll_cache_find(&cache, handle) == pd);
	sp_poll_cache_retire(&cache, pd);
	EXPECT_EQ(sp_load(&pd->gen, relaxed), 0);
	EXPECT(sp_poll_cache_next_handle(pd) == sp_handle_make(1, 0, 0));
	reclaim_all();
	sp_poll_cache_fini(&cache);
}

/* ---------------------------------------------------------- RCU readers */

struct reader {
	SP_ATOMIC(int) entered, leave;
};

static void *
read_until_told(void *arg)
{
	struct reader *reader = arg;

	sp_rcu_enter();
	sp_store(&reader->entered, 1, release);
	while (!sp_load(&reader->leave, acquire))
		sched_yield();
	sp_rcu_exit();
	return NULL;
}

TEST(a_descriptor_is_not_used_again_while_somebody_reads)
{
	struct reader reader = { 0, 0 };
	unsigned forgotten = 0;
	pthread_t thread;
	sp_handle handle;

	sp_poll_cache_init(&cache, 0, 0);
	EXPECT_EQ(pthread_create(&thread, NULL, read_until_told, &reader), 0);
	while (!sp_load(&reader.entered, acquire))
		sched_yield();
	sp_poll_cache_retire(&cache, open_desc(&handle));
	/* It leaves its owner's hands at once, and waits after that. */
	for (int i = 0; i < 20000; i++) {
		sp_poll_cache_reclaim(&cache, count_one, &forgotten);
		sched_yield();
	}
	EXPECT_EQ(forgotten, 1);
	EXPECT_EQ(in_use(), 1);
	sp_store(&reader.leave, 1, release);
	pthread_join(thread, NULL);
	EXPECT_EQ(reclaim_all(), 0);
	EXPECT_EQ(in_use(), 0);
	sp_poll_cache_fini(&cache);
}

TEST(retired_descriptors_wait_in_batches)
{
	struct sp_poll_desc *pd[10];
	unsigned forgotten = 0;
	sp_handle handle;

	sp_poll_cache_init(&cache, 0, 0);
	for (int i = 0; i < 10; i++)
		pd[i] = open_desc(&handle);
	for (int i = 0; i < 4; i++)
		sp_poll_cache_retire(&cache, pd[i]);
	sp_poll_cache_reclaim(&cache, count_one, &forgotten);
	EXPECT_EQ(forgotten, 4);
	for (int i = 4; i < 10; i++)
		sp_poll_cache_retire(&cache, pd[i]);
	sp_rcu_barrier();
	sp_poll_cache_reclaim(&cache, count_one, &forgotten);
	EXPECT_EQ(forgotten, 10);
	EXPECT_EQ(in_use(), 6);
	EXPECT_EQ(reclaim_all(), 0);
	EXPECT_EQ(in_use(), 0);
	sp_poll_cache_fini(&cache);
}

/* What a late sender leaves is freed with the descriptor; ASan looks on. */
TEST(a_send_that_comes_too_late_is_freed)
{
	struct sp_poll_desc *pd;
	sp_handle handle;

	for (int reclaimed = 0; reclaimed < 3; reclaimed++) {
		unsigned forgotten = 0;

		sp_poll_cache_init(&cache, 0, 0);
		pd = open_desc(&handle);
		sp_stack_push(&pd->outq, malloc(sizeof(struct sp_link)));
		sp_poll_cache_retire(&cache, pd);
		if (reclaimed >= 1)
			sp_poll_cache_reclaim(&cache, count_one, &forgotten);
		sp_stack_push(&pd->outq, malloc(sizeof(struct sp_link)));
		sp_rcu_barrier();
		if (reclaimed == 2)
			reclaim_all();
		sp_poll_cache_fini(&cache);
	}
}

/* --------------------------------------------------------------- growth */

static SP_ATOMIC(int) grown;

static void *
find_all_along(void *arg)
{
	const sp_handle *first = arg;

	while (!sp_load(&grown, acquire)) {
		struct sp_poll_desc *pd;

		sp_rcu_enter();
		pd = sp_poll_cache_find(&cache, *first);
		EXPECT(pd != NULL && pd->fd == 3);
		sp_rcu_exit();
	}
	return NULL;
}

TEST(readers_go_on_while_the_directory_grows)
{
	static sp_handle handles[3 * SP_SLAB_CHUNK_OBJECTS];
	const unsigned count = sizeof(handles) / sizeof(handles[0]);
	unsigned seen = 0;
	pthread_t thread;

	sp_poll_cache_init(&cache, 2, count);
	open_desc(&handles[0]);
	EXPECT_EQ(
	    pthread_create(&thread, NULL, find_all_along, &handles[0]), 0);
	for (unsigned i = 1; i < count; i++)
		open_desc(&handles[i]);
	EXPECT(sp_poll_cache_alloc(&cache) == NULL);
	sp_store(&grown, 1, release);
	pthread_join(thread, NULL);
	for (unsigned i = 0; i < count; i++) {
		struct sp_poll_desc *pd = sp_poll_cache_find(
		    &cache, handles[i]);

		EXPECT(pd != NULL && sp_poll_desc_handle(pd) == handles[i]);
	}
	sp_poll_cache_each(&cache, count_one, &seen);
	EXPECT_EQ(seen, count);
	for (unsigned i = 0; i < count; i++)
		sp_poll_cache_retire(
		    &cache, sp_poll_cache_find(&cache, handles[i]));
	seen = 0;
	sp_poll_cache_each(&cache, count_one, &seen);
	EXPECT_EQ(seen, 0);
	EXPECT_EQ(reclaim_all(), count);
	EXPECT_EQ(in_use(), 0);
	sp_poll_cache_fini(&cache);
}
