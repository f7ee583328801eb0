/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What has no memory says so, and begins when there is some again. The linker
 * sends the calls here (CMakeLists.txt); `make faults` has those of a whole
 * server fail.
 */

#include "alloc/check.h"
#include "shards/channel.h"
#include "shards/poll_cache.h"
#include "shards/ready_ring.h"
#include "shards/recorder.h"
#include "tests/harness.h"

#include <errno.h>
#include <stdlib.h>

/* Compilers know malloc(), and that it touches nothing of ours. */
static volatile bool none;
static volatile unsigned refused;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);

static bool
refuse(void)
{
	if (none)
		refused++;
	return none;
}

void *
__wrap_malloc(size_t size)
{
	return refuse() ? NULL : __real_malloc(size);
}

int
__wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
	return refuse() ? ENOMEM
			: __real_posix_memalign(memory, alignment, size);
}

static void
begin(void)
{
	none = true;
	refused = 0;
}

static void
end(void)
{
	none = false;
	EXPECT_EQ(refused, 1);
}

TEST(a_channel)
{
	struct sp_channel *channel = NULL;

	begin();
	EXPECT_EQ(sp_channel_new(&channel, 4, 1, NULL), -ENOMEM);
	end();
	EXPECT(channel == NULL);
	EXPECT_EQ(sp_channel_new(&channel, 4, 1, NULL), 0);
	sp_channel_put(channel);
}

TEST(a_ready_ring)
{
	struct sp_ready_ring *ring = NULL;

	SP_CHECK(posix_memalign((void **)&ring, SP_APART, sizeof(*ring)) == 0);
	begin();
	EXPECT_EQ(sp_ready_ring_init(ring, 8), -ENOMEM);
	end();
	EXPECT_EQ(sp_ready_ring_init(ring, 8), 0);
	sp_ready_ring_fini(ring);
	free(ring);
}

/* It can be written to and ended all the same: there is nothing in it. */
TEST(a_recorder)
{
	static struct sp_recorder recorder;
	struct sp_record out;

	begin();
	EXPECT_EQ(sp_recorder_init(&recorder, 8), -ENOMEM);
	end();
	sp_recorder_begin(&recorder, 1);
	EXPECT_EQ(sp_recorder_copy(&recorder, &out, 1), 0);
	sp_recorder_fini(&recorder);
	EXPECT_EQ(sp_recorder_init(&recorder, 8), 0);
	sp_recorder_fini(&recorder);
}

TEST(a_descriptor)
{
	static struct sp_poll_cache cache;
	struct sp_poll_desc *pd;

	sp_poll_cache_init(&cache, 0, 0);
	begin();
	EXPECT(sp_poll_cache_alloc(&cache) == NULL);
	end();
	pd = sp_poll_cache_alloc(&cache);
	EXPECT(pd != NULL);
	sp_poll_cache_drop(&cache, pd);
	sp_rcu_barrier();
	sp_poll_cache_fini(&cache);
}
