/* SPDX-License-Identifier: BSD-2-Clause */

/* Slab: what survives a free, what is touched, and when an index returns. */

#include "tests/harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

static bool refuse_maps, refuse_memory;

static void *
test_mmap(
    void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (refuse_maps)
		return MAP_FAILED;
	return mmap(address, size, protection, flags, fd, offset);
}

static void *
test_calloc(size_t count, size_t size)
{
	return refuse_memory ? NULL : calloc(count, size);
}

#define mmap test_mmap
#define calloc test_calloc
#include "alloc/slab.c"
#undef mmap
#undef calloc

static void
grow(struct sp_slab *slab)
{
	struct sp_slab_dir *old;

	EXPECT_EQ(sp_slab_grow(slab, &old), 0);
	if (old != NULL)
		sp_slab_dir_free(old);
}

static uint32_t
alloc(struct sp_slab *slab)
{
	uint32_t index = sp_slab_alloc(slab);

	if (index == SP_SLAB_NONE) {
		grow(slab);
		index = sp_slab_alloc(slab);
	}
	EXPECT(index != SP_SLAB_NONE);
	return index;
}

/* Pages of the first chunk that are in memory. */
static unsigned
pages_touched(struct sp_slab *slab)
{
	static unsigned char in_core[SP_SLAB_CHUNK_SIZE / 4096];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned touched = 0;

	memset(in_core, 0, sizeof(in_core));
	EXPECT_EQ(mincore(sp_slab_at(sp_slab_dir(slab), 0), SP_SLAB_CHUNK_SIZE,
		      in_core),
	    0);
	for (size_t i = 0; i < SP_SLAB_CHUNK_SIZE / page; i++)
		touched += in_core[i] & 1;
	return touched;
}

TEST(without_chunks_there_is_nothing_at_any_index)
{
	struct sp_slab slab;

	sp_slab_init(&slab, 0, false);
	EXPECT_EQ(sp_slab_alloc(&slab), SP_SLAB_NONE);
	EXPECT(sp_slab_at(sp_slab_dir(&slab), 0) == NULL);
	EXPECT(!sp_slab_in_use(&slab, 0));
	sp_slab_fini(&slab);
}

TEST(an_object_is_zero_at_first_and_keeps_its_content_when_freed)
{
	struct sp_slab slab;
	uint32_t first, index;
	unsigned char *object;
	static const unsigned char zeros[SP_SLAB_OBJECT_SIZE];

	sp_slab_init(&slab, 0, false);
	first = alloc(&slab);
	object = sp_slab_at(sp_slab_dir(&slab), first);
	EXPECT_EQ((uintptr_t)object % SP_SLAB_OBJECT_SIZE, 0);
	EXPECT_EQ(memcmp(object, zeros, sizeof(zeros)), 0);
	memset(object, 0x5a, SP_SLAB_OBJECT_SIZE);
	sp_slab_free(&slab, first);
	EXPECT(!sp_slab_in_use(&slab, first));
	EXPECT(sp_slab_at(sp_slab_dir(&slab), first) == object);
	do {
		index = alloc(&slab);
		sp_slab_free(&slab, index);
	} while (index != first);
	for (int i = 0; i < SP_SLAB_OBJECT_SIZE; i++)
		EXPECT_EQ(object[i], 0x5a);
	sp_slab_fini(&slab);
}

TEST(an_index_rests_for_64_frees_before_it_is_used_again)
{
	struct sp_slab slab;
	unsigned frees[1024] = { 0 }, now = 0;
	uint64_t seed = test_seed();
	uint32_t held[40], index;
	unsigned count = 0;
	bool reused = false;

	sp_slab_init(&slab, 0, false);
	for (unsigned i = 0; i < 100000; i++) {
		if (count < 40 && (count == 0 || test_random(&seed) % 2)) {
			index = alloc(&slab);
			EXPECT(index < 1024);
			if (index < 1024 && frees[index] != 0) {
				reused = true;
				EXPECT(now - frees[index] >= SP_SLAB_REUSE);
			}
			held[count++] = index;
		} else {
			unsigned which = test_random(&seed) % count;

			sp_slab_free(&slab, held[which]);
			frees[held[which]] = ++now;
			held[which] = held[--count];
		}
	}
	EXPECT(reused);
	EXPECT(sp_slab_end(&slab) <= 40 + SP_SLAB_REUSE + 1);
	sp_slab_fini(&slab);
}

TEST(a_full_slab_hands_out_what_was_just_freed)
{
	struct sp_slab slab;

	sp_slab_init(&slab, 1, false);
	for (uint32_t i = 0; i < SP_SLAB_CHUNK_OBJECTS; i++)
		EXPECT_EQ(alloc(&slab), i);
	EXPECT_EQ(sp_slab_alloc(&slab), SP_SLAB_NONE);
	sp_slab_free(&slab, 77);
	EXPECT_EQ(sp_slab_alloc(&slab), 77);
	EXPECT_EQ(sp_slab_alloc(&slab), SP_SLAB_NONE);
	sp_slab_fini(&slab);
}

TEST(ten_connections_touch_ten_pages_at_most)
{
	struct sp_slab slab;
	uint32_t index[10];

	sp_slab_init(&slab, 0, true);
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 10; i++) {
			index[i] = alloc(&slab);
			memset(sp_slab_at(sp_slab_dir(&slab), index[i]), 1,
			    SP_SLAB_OBJECT_SIZE);
		}
		for (int i = 0; i < 10; i++)
			sp_slab_free(&slab, index[i]);
	}
	EXPECT(pages_touched(&slab) > 0);
	EXPECT(pages_touched(&slab) <= 10);
	sp_slab_fini(&slab);
}

TEST(growing_leaves_objects_and_old_directories_as_they_were)
{
	struct sp_slab slab;
	struct sp_slab_dir *old[3];
	void *object;

	sp_slab_init(&slab, 3 * SP_SLAB_CHUNK_OBJECTS - 1, false);
	EXPECT_EQ(sp_slab_grow(&slab, &old[0]), 0);
	EXPECT(old[0] == NULL);
	object = sp_slab_at(sp_slab_dir(&slab), 5);
	EXPECT_EQ(sp_slab_grow(&slab, &old[1]), 0);
	EXPECT_EQ(sp_slab_grow(&slab, &old[2]), 0);
	EXPECT_EQ(old[1]->chunks, 1);
	EXPECT_EQ(old[2]->chunks, 2);
	EXPECT(sp_slab_at(old[1], 5) == object);
	EXPECT(sp_slab_at(old[2], 5) == object);
	EXPECT(sp_slab_at(sp_slab_dir(&slab), 5) == object);
	EXPECT(sp_slab_at(old[1], SP_SLAB_CHUNK_OBJECTS) == NULL);
	EXPECT(sp_slab_at(old[2], SP_SLAB_CHUNK_OBJECTS) != NULL);
	sp_slab_dir_free(old[1]);
	sp_slab_dir_free(old[2]);
	EXPECT_EQ(sp_slab_grow(&slab, &old[0]), -ENOSPC);
	EXPECT(old[0] == NULL);
	EXPECT(sp_slab_at(sp_slab_dir(&slab), SP_SLAB_NONE) == NULL);
	sp_slab_fini(&slab);
}

TEST(out_of_memory_changes_nothing)
{
	struct sp_slab slab;
	struct sp_slab_dir *old;
	const struct sp_slab_dir *dir;

	sp_slab_init(&slab, 0, false);
	grow(&slab);
	dir = sp_slab_dir(&slab);
	refuse_maps = true;
	EXPECT_EQ(sp_slab_grow(&slab, &old), -ENOMEM);
	EXPECT(old == NULL);
	refuse_maps = false;
	refuse_memory = true;
	EXPECT_EQ(sp_slab_grow(&slab, &old), -ENOMEM);
	EXPECT(old == NULL);
	refuse_memory = false;
	EXPECT(sp_slab_dir(&slab) == dir);
	EXPECT_EQ(dir->chunks, 1);
	grow(&slab);
	EXPECT_EQ(sp_slab_dir(&slab)->chunks, 2);
	sp_slab_fini(&slab);
}

TEST(chunks_begin_where_huge_pages_can)
{
	struct sp_slab slab;

	sp_slab_init(&slab, 0, true);
	for (uint32_t i = 0; i < 4; i++) {
		grow(&slab);
		EXPECT_EQ((uintptr_t)sp_slab_at(
			      sp_slab_dir(&slab), i * SP_SLAB_CHUNK_OBJECTS)
			      % SP_SLAB_CHUNK_SIZE,
		    0);
	}
	sp_slab_fini(&slab);
}

TEST(counters_follow)
{
	struct sp_slab slab;
	struct sp_slab_stats stats;
	uint32_t a, b;

	sp_slab_init(&slab, 0, false);
	a = alloc(&slab);
	b = alloc(&slab);
	sp_slab_free(&slab, a);
	sp_slab_stats_get(&slab, &stats);
	EXPECT_EQ(stats.in_use, 1);
	EXPECT_EQ(stats.in_use_max, 2);
	EXPECT_EQ(stats.chunks, 1);
	EXPECT(stats.bytes >= SP_SLAB_CHUNK_SIZE);
	EXPECT(sp_slab_in_use(&slab, b));
	EXPECT(!sp_slab_in_use(&slab, a));
	EXPECT_EQ(sp_slab_end(&slab), 2);
	sp_slab_fini(&slab);
}

TEST(a_second_free_aborts)
{
	struct sp_slab slab;
	uint32_t index;

	sp_slab_init(&slab, 0, false);
	index = alloc(&slab);
	sp_slab_free(&slab, index);
	EXPECT_ABORT(sp_slab_free(&slab, index));
	EXPECT_ABORT(sp_slab_free(&slab, index + 1));
	EXPECT_ABORT(sp_slab_free(&slab, SP_SLAB_NONE));
	sp_slab_fini(&slab);
}

/*
 * Goal: a reader never meets a directory that lists a chunk it cannot read.
 * Method: one thread grows eight times, the other reads the last object of
 * whatever directory it finds. Old directories are kept until both are done.
 */
#define GROWN 8

static void *
read_ends(void *arg)
{
	struct sp_slab *slab = arg;
	const struct sp_slab_dir *dir;
	uint32_t end;

	do {
		dir = sp_slab_dir(slab);
		end = dir->chunks * SP_SLAB_CHUNK_OBJECTS;
		if (end != 0)
			EXPECT_EQ(*(char *)sp_slab_at(dir, end - 1), 0);
		EXPECT(sp_slab_at(dir, end) == NULL);
	} while (dir->chunks != GROWN);
	return NULL;
}

TEST(readers_find_what_a_directory_lists)
{
	struct sp_slab slab;
	struct sp_slab_dir *old[GROWN];
	pthread_t reader;

	sp_slab_init(&slab, 0, false);
	EXPECT_EQ(pthread_create(&reader, NULL, read_ends, &slab), 0);
	for (int i = 0; i < GROWN; i++)
		EXPECT_EQ(sp_slab_grow(&slab, &old[i]), 0);
	pthread_join(reader, NULL);
	for (int i = 0; i < GROWN; i++)
		sp_slab_dir_free(old[i]);
	sp_slab_fini(&slab);
}
