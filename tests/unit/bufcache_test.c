/* SPDX-License-Identifier: BSD-2-Clause */

/* Buffer cache: the order, the bound, and what a trim leaves. */

#include "alloc/asan.h"
#include "alloc/bufcache.h"
#include "tests/harness.h"

#include <string.h>

TEST(the_last_one_put_is_the_first_one_got)
{
	struct sp_bufcache cache;
	void *a, *b;

	sp_bufcache_init(&cache, SP_BUFFER_SIZE, 8);
	a = sp_bufcache_get(&cache);
	b = sp_bufcache_get(&cache);
	EXPECT(a != NULL && b != NULL && a != b);
	sp_bufcache_put(&cache, a);
	sp_bufcache_put(&cache, b);
	EXPECT_EQ(cache.cached, 2);
	EXPECT(sp_bufcache_get(&cache) == b);
	EXPECT(sp_bufcache_get(&cache) == a);
	EXPECT_EQ(cache.misses, 2);
	sp_bufcache_put(&cache, a);
	sp_bufcache_put(&cache, b);
	sp_bufcache_fini(&cache);
	EXPECT_EQ(cache.cached, 0);
}

TEST(the_bytes_after_a_buffer_can_be_read_and_are_zero)
{
	struct sp_bufcache cache;
	unsigned char *buffer;
	const size_t size = 1001;

	sp_bufcache_init(&cache, size, 8);
	for (int round = 0; round < 2; round++) {
		buffer = sp_bufcache_get(&cache);
		EXPECT_EQ((uintptr_t)buffer % 64, 0);
		memset(buffer, 0xff, size);
		for (int i = 0; i < SP_BUFFER_PAD; i++)
			EXPECT_EQ(buffer[size + (size_t)i], 0);
		sp_bufcache_put(&cache, buffer);
	}
	sp_bufcache_fini(&cache);
}

TEST(no_more_than_idle_max_are_kept)
{
	struct sp_bufcache cache;
	void *buffer[5];

	sp_bufcache_init(&cache, 256, 3);
	for (int i = 0; i < 5; i++)
		buffer[i] = sp_bufcache_get(&cache);
	EXPECT_EQ(cache.in_use, 5);
	for (int i = 0; i < 5; i++)
		sp_bufcache_put(&cache, buffer[i]);
	sp_bufcache_put(&cache, NULL);
	EXPECT_EQ(cache.in_use, 0);
	EXPECT_EQ(cache.in_use_max, 5);
	EXPECT_EQ(cache.cached, 3);
	sp_bufcache_fini(&cache);
}

TEST(a_trim_frees_what_was_not_needed_since_the_last)
{
	struct sp_bufcache cache;
	void *buffer[6], *hot;

	sp_bufcache_init(&cache, 256, 8);
	for (int i = 0; i < 6; i++)
		buffer[i] = sp_bufcache_get(&cache);
	for (int i = 0; i < 6; i++)
		sp_bufcache_put(&cache, buffer[i]);
	EXPECT_EQ(sp_bufcache_trim(&cache), 0); /* all were needed */

	/* Two go round. */
	for (int i = 0; i < 3; i++) {
		buffer[0] = sp_bufcache_get(&cache);
		buffer[1] = sp_bufcache_get(&cache);
		sp_bufcache_put(&cache, buffer[1]);
		sp_bufcache_put(&cache, hot = buffer[0]);
	}
	EXPECT_EQ(sp_bufcache_trim(&cache), 4);
	EXPECT_EQ(cache.cached, 2);
	EXPECT(sp_bufcache_get(&cache) == hot); /* still in order */
	sp_bufcache_put(&cache, hot);
	EXPECT_EQ(sp_bufcache_trim(&cache), 1);
	EXPECT_EQ(sp_bufcache_trim(&cache), 1);
	EXPECT_EQ(sp_bufcache_trim(&cache), 0);
	EXPECT_EQ(cache.cached, 0);
	sp_bufcache_fini(&cache);
}

TEST(buffers_move_between_caches_and_the_sum_stays_right)
{
	struct sp_bufcache a, b;
	void *buffer;

	sp_bufcache_init(&a, 256, 8);
	sp_bufcache_init(&b, 256, 8);
	for (int i = 0; i < 3; i++) {
		buffer = sp_bufcache_get(&a);
		sp_bufcache_put(&b, buffer);
	}
	EXPECT_EQ(a.in_use, 3);
	EXPECT_EQ(b.in_use, -3);
	EXPECT_EQ(b.cached, 3);
	sp_bufcache_fini(&a);
	sp_bufcache_fini(&b);
}

TEST(sizes_that_cannot_be_give_no_buffer)
{
	struct sp_bufcache cache;

	sp_bufcache_init(&cache, SIZE_MAX - 8, 8);
	EXPECT(sp_bufcache_get(&cache) == NULL);
	EXPECT_EQ(cache.in_use, 0);
	sp_bufcache_fini(&cache);
}

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

TEST(an_idle_buffer_is_as_good_as_freed)
{
	struct sp_bufcache cache;
	char *buffer;

	sp_bufcache_init(&cache, 256, 8);
	buffer = sp_bufcache_get(&cache);
	EXPECT(!poisoned(buffer + 255));
	sp_bufcache_put(&cache, buffer);
	EXPECT_EQ(poisoned(buffer), SP_ASAN);
	EXPECT_EQ(poisoned(buffer + 255), SP_ASAN);
	EXPECT(sp_bufcache_get(&cache) == buffer);
	EXPECT(!poisoned(buffer));
	sp_bufcache_put(&cache, buffer);
	sp_bufcache_fini(&cache);
}
