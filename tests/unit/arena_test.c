/* SPDX-License-Identifier: BSD-2-Clause */

/* Arenas: ids that come round, who allocates where, and what is counted. */

#include "alloc/arena.h"
#include "tests/harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#ifdef SPATE_JEMALLOC
#include <jemalloc/jemalloc.h>
#define COUNTED true
#else
#define COUNTED false
#endif

#define BLOCK 4000
#define BLOCKS 1000

static void *blocks[BLOCKS];
static _Atomic(void *) passing; /* keeps the compiler from eliding it */

struct bound {
	unsigned arena;
	uint64_t allocated, freed;
};

static void *
allocate_bound(void *arg)
{
	struct bound *bound = arg;
	uint64_t allocated, freed;

	EXPECT_EQ(sp_arena_bind(bound->arena), 0);
	allocated = sp_arena_thread_allocated();
	freed = sp_arena_thread_freed();
	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(BLOCK);
		memset(blocks[i], 1, BLOCK);
	}
	passing = malloc(2 * BLOCK);
	free(passing);
	bound->allocated = sp_arena_thread_allocated() - allocated;
	bound->freed = sp_arena_thread_freed() - freed;
	return NULL;
}

static void
run_bound(struct bound *bound)
{
	pthread_t thread;

	EXPECT_EQ(pthread_create(&thread, NULL, allocate_bound, bound), 0);
	pthread_join(thread, NULL);
}

TEST(a_bound_thread_allocates_from_its_arena_and_anyone_frees)
{
	struct sp_arena_stats before, after, freed;
	struct bound bound = { 0 };

	EXPECT_EQ(sp_arena_new(&bound.arena), 0);
	EXPECT_EQ(sp_arena_stats_get(bound.arena, &before), 0);
	run_bound(&bound);
	EXPECT_EQ(sp_arena_stats_get(bound.arena, &after), 0);
	if (COUNTED || after.mapped != 0) { /* valgrind's malloc() has none */
		EXPECT(after.allocated >= before.allocated + BLOCKS * BLOCK);
		EXPECT(after.active >= after.allocated);
		EXPECT(after.resident >= after.active);
	}
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	sp_arena_purge(bound.arena);
	EXPECT_EQ(sp_arena_stats_get(bound.arena, &freed), 0);
	EXPECT(freed.allocated < after.allocated || after.mapped == 0);
	EXPECT_EQ(freed.dirty, 0);
	sp_arena_free(bound.arena);
}

TEST(a_thread_counts_what_it_allocates_and_frees)
{
	struct bound bound = { 0 };

	EXPECT_EQ(sp_arena_new(&bound.arena), 0);
	run_bound(&bound);
	if (COUNTED) {
		EXPECT(bound.allocated >= (BLOCKS + 2) * BLOCK);
		EXPECT(bound.freed >= 2 * BLOCK);
		EXPECT(bound.freed < bound.allocated);
	} else {
		EXPECT_EQ(bound.allocated, 0);
		EXPECT_EQ(bound.freed, 0);
	}
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	sp_arena_free(bound.arena);
}

TEST(a_hundred_servers_one_after_the_other_use_the_same_arenas)
{
	unsigned ids[4], highest = 0;
	bool seen[SP_ARENAS_MAX] = { false };
	unsigned distinct = 0;

	for (int server = 0; server < 100; server++) {
		for (int i = 0; i < 4; i++) {
			EXPECT_EQ(sp_arena_new(&ids[i]), 0);
			if (!seen[ids[i]])
				distinct++;
			seen[ids[i]] = true;
			highest = ids[i] > highest ? ids[i] : highest;
			for (int j = 0; j < i; j++)
				EXPECT(ids[i] != ids[j]);
		}
		for (int i = 0; i < 4; i++)
			sp_arena_free(ids[i]);
	}
	EXPECT_EQ(distinct, 4);
	EXPECT(highest < 1000);
}

TEST(memory_outlives_the_id_it_came_from)
{
	struct bound bound = { 0 };

	EXPECT_EQ(sp_arena_new(&bound.arena), 0);
	run_bound(&bound);
	sp_arena_free(bound.arena);
	for (int i = 0; i < BLOCKS; i++) {
		EXPECT_EQ(((char *)blocks[i])[BLOCK - 1], 1);
		free(blocks[i]);
	}
}

TEST(ids_that_nobody_made_are_refused)
{
	struct sp_arena_stats stats;
	unsigned id;

	EXPECT_EQ(sp_arena_bind(SP_ARENAS_MAX), -EINVAL);
	EXPECT_EQ(sp_arena_bind(SP_ARENAS_MAX - 1), -EINVAL);
	EXPECT_EQ(sp_arena_stats_get(SP_ARENAS_MAX - 1, &stats), -EINVAL);
	EXPECT_EQ(sp_arena_stats_last(UINT32_MAX, &stats), -EINVAL);
	EXPECT_EQ(sp_arena_new(&id), 0);
	sp_arena_free(id);
	EXPECT_ABORT(sp_arena_free(id));
	EXPECT_ABORT(sp_arena_free(SP_ARENAS_MAX - 1));
}

TEST(the_last_numbers_are_those_of_the_last_refresh)
{
	struct sp_arena_stats got, last;
	unsigned id;

	EXPECT_EQ(sp_arena_new(&id), 0);
	EXPECT_EQ(sp_arena_stats_get(id, &got), 0);
	EXPECT_EQ(sp_arena_stats_last(id, &last), 0);
	EXPECT_EQ(memcmp(&got, &last, sizeof(got)), 0);
	sp_arena_free(id);
}

TEST(the_process_is_set_up)
{
#ifdef SPATE_JEMALLOC
	size_t value = 0, size = sizeof(value);
	bool on = false;
	size_t on_size = sizeof(on);

	EXPECT_EQ(mallctl("opt.tcache_max", &value, &size, NULL, 0), 0);
	EXPECT_EQ(value, 1 << 16);
	EXPECT_EQ(sp_arena_background(true), 0);
	EXPECT_EQ(mallctl("background_thread", &on, &on_size, NULL, 0), 0);
	EXPECT(on);
	EXPECT_EQ(sp_arena_background(false), 0);
	EXPECT_EQ(mallctl("background_thread", &on, &on_size, NULL, 0), 0);
	EXPECT(!on);
	EXPECT_EQ(sp_arena_background(true), 0);
#else
	EXPECT_EQ(sp_arena_background(true), -ENOSYS);
#endif
}
