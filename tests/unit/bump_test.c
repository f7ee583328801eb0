/* SPDX-License-Identifier: BSD-2-Clause */

/* Bump arena: alignment, bounds, limit, and that a reset takes it all. */

#include "alloc/bump.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

#define LIMIT ((size_t)1 << 20)

static bool
poisoned(const void *address)
{
#if SP_ASAN
	return __asan_address_is_poisoned(address);
#else
	(void)address;
	return false;
#endif
}

TEST(a_request_that_allocates_nothing_takes_nothing)
{
	struct sp_bump bump;

	sp_bump_init(&bump, NULL, 0, LIMIT);
	for (int i = 0; i < 3; i++)
		sp_bump_reset(&bump);
	EXPECT(bump.first == NULL);
	EXPECT(bump.blocks == NULL);
	sp_bump_fini(&bump);
}

TEST(the_first_block_is_made_once_and_kept)
{
	struct sp_bump bump;
	void *first;

	sp_bump_init(&bump, NULL, 0, 0);
	first = sp_bump_alloc(&bump, 100);
	EXPECT(first != NULL);
	for (int i = 0; i < 3; i++) {
		sp_bump_reset(&bump);
		EXPECT(sp_bump_alloc(&bump, 8) == first);
	}
	sp_bump_fini(&bump);
}

TEST(a_lent_block_is_used_from_its_first_aligned_byte)
{
	_Alignas(16) unsigned char lent[256];
	struct sp_bump bump;
	unsigned char *a;
	unsigned count = 0;

	sp_bump_init(&bump, lent + 1, sizeof(lent) - 1, 0);
	EXPECT((a = sp_bump_alloc(&bump, 1)) == lent + 16);
	EXPECT(sp_bump_alloc(&bump, 16) == a + 16);
	while (sp_bump_alloc(&bump, 16) != NULL)
		count++;
	EXPECT_EQ(count, 256 / 16 - 3);
	sp_bump_fini(&bump);

	/* One that holds nothing is none. */
	sp_bump_init(&bump, lent + 1, 16, LIMIT);
	a = sp_bump_alloc(&bump, 1);
	EXPECT(a != NULL);
	EXPECT(a < lent || a >= lent + sizeof(lent));
	sp_bump_fini(&bump);
}

/*
 * Goal: allocations are aligned, and none overlaps another.
 * Method: fill each with a pattern of its own, and look at all at the end.
 */
TEST(allocations_are_aligned_and_apart)
{
	static unsigned char *got[2000];
	static size_t size[2000];
	struct sp_bump bump;
	uint64_t seed = test_seed();

	sp_bump_init(&bump, NULL, 0, 64 * LIMIT);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 2000; i++) {
			size[i] = test_random(&seed) % 300;
			if (test_random(&seed) % 50 == 0)
				size[i] = test_random(&seed) % 100000;
			got[i] = sp_bump_alloc(&bump, size[i]);
			EXPECT(got[i] != NULL);
			EXPECT_EQ((uintptr_t)got[i] % SP_BUMP_ALIGN, 0);
			if (got[i] != NULL)
				memset(got[i], i & 0xff, size[i]);
		}
		for (int i = 0; i < 2000; i++) {
			for (size_t j = 0; got[i] != NULL && j < size[i]; j++)
				EXPECT_EQ(got[i][j], i & 0xff);
		}
		sp_bump_reset(&bump);
		EXPECT(bump.blocks == NULL);
		EXPECT_EQ(bump.taken, 0);
	}
	sp_bump_fini(&bump);
}

TEST(the_limit_bounds_what_all_blocks_take)
{
	struct sp_bump bump;
	size_t sum = 0;

	sp_bump_init(&bump, NULL, 0, 100000);
	for (int round = 0; round < 2; round++) {
		for (sum = 0; sp_bump_alloc(&bump, 1000) != NULL; sum += 1000)
			EXPECT(bump.taken <= 100000);
		EXPECT(sum > 95000);
		EXPECT(sum <= 100000 + SP_BUMP_FIRST_SIZE);
		EXPECT(sp_bump_alloc(&bump, 100000) == NULL);
		sp_bump_reset(&bump);
	}
	EXPECT(sp_bump_alloc(&bump, 100001) == NULL);
	EXPECT(sp_bump_alloc(&bump, SIZE_MAX) == NULL);
	EXPECT(sp_bump_alloc(&bump, SIZE_MAX - 15) == NULL);
	EXPECT(sp_bump_alloc(&bump, SIZE_MAX - 16) == NULL);
	EXPECT(sp_bump_alloc(&bump, 90000) != NULL);
	EXPECT(sp_bump_alloc(&bump, 0) != NULL);
	sp_bump_fini(&bump);
}

TEST(nothing_has_an_address_of_its_own)
{
	struct sp_bump bump;
	void *a;

	sp_bump_init(&bump, NULL, 0, 0);
	a = sp_bump_alloc(&bump, 0);
	EXPECT(a != NULL);
	EXPECT(sp_bump_alloc(&bump, 0) != a);
	sp_bump_fini(&bump);
}

TEST(a_big_one_leaves_the_current_block_current)
{
	struct sp_bump bump;
	unsigned char *a, *b;

	sp_bump_init(&bump, NULL, 0, LIMIT);
	a = sp_bump_alloc(&bump, 16);
	EXPECT(sp_bump_alloc(&bump, 50000) != NULL);
	b = sp_bump_alloc(&bump, 16);
	EXPECT(b == a + 16);
	sp_bump_fini(&bump);
}

TEST(a_first_block_of_any_size_is_filled)
{
	struct sp_bump bump;

	sp_bump_init(&bump, NULL, 20000, 0);
	EXPECT(sp_bump_alloc(&bump, 19000) != NULL);
	EXPECT(sp_bump_alloc(&bump, 1001) == NULL);
	EXPECT(sp_bump_alloc(&bump, 900) != NULL);
	sp_bump_fini(&bump);
}

TEST(strings_are_copied_to_the_byte)
{
	struct sp_bump bump;
	char *copy;

	sp_bump_init(&bump, NULL, 0, LIMIT);
	copy = sp_bump_strndup(&bump, "ab\0cdef", 5);
	EXPECT_EQ(memcmp(copy, "ab\0cd", 6), 0);
	copy = sp_bump_strndup(&bump, NULL, 0);
	EXPECT_EQ(copy[0], '\0');
	EXPECT(sp_bump_strndup(&bump, "", SIZE_MAX) == NULL);
	sp_bump_fini(&bump);
}

TEST(printf_of_any_length_is_whole)
{
	struct sp_bump bump;
	char *got, want[1024];

	sp_bump_init(&bump, NULL, 0, LIMIT);
	for (int length = 0; length < 1000; length++) {
		snprintf(want, sizeof(want), "<%*d>", length, length);
		got = sp_bump_printf(&bump, "<%*d>", length, length);
		EXPECT(got != NULL && strcmp(got, want) == 0);
	}
	sp_bump_fini(&bump);

	sp_bump_init(&bump, want, 64, 0);
	EXPECT(sp_bump_printf(&bump, "%100d", 1) == NULL);
	EXPECT(sp_bump_printf(&bump, "%1000d", 1) == NULL);
	EXPECT(sp_bump_printf(&bump, "%10d", 1) != NULL);
	sp_bump_fini(&bump);
}

TEST(what_is_not_allocated_is_poisoned)
{
	struct sp_bump bump;
	char *a, *b, *late = NULL;

	sp_bump_init(&bump, NULL, 0, LIMIT);
	a = sp_bump_alloc(&bump, 13);
	EXPECT(!poisoned(a + 12));
	EXPECT_EQ(poisoned(a + 13), SP_ASAN);
	EXPECT_EQ(poisoned(a + 16), SP_ASAN);
	b = sp_bump_alloc(&bump, 16);
	EXPECT(!poisoned(b) && !poisoned(b + 15));
	EXPECT_EQ(poisoned(b + 16), SP_ASAN);
	sp_bump_reset(&bump);
	EXPECT_EQ(poisoned(a), SP_ASAN);
	EXPECT_EQ(poisoned(b), SP_ASAN);
	while (bump.blocks == NULL)
		late = sp_bump_alloc(&bump, 100);
	EXPECT(!poisoned(late + 99));
	EXPECT_EQ(poisoned(late + 100), SP_ASAN);
	sp_bump_fini(&bump);
}
