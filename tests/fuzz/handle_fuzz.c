/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Any numbers as handles, while descriptors come and go. Each byte is a step:
 *
 *     0-63     open one more           64-127   retire one that is open
 *     128-191  the next eight bytes    192-255  a handle that was once,
 *              as a handle                      with a bit changed
 *
 * What is open is found by its handle, and what is found has the handle that
 * was asked for; so what was retired is not found, whatever has its place.
 */

#include "shards/poll_cache.h"

#include "tests/fuzz/fuzz.h"

#include <string.h>

#define OPEN 32
#define ONCE 64

static const struct sp_service service = { .name = "none" };
static struct sp_poll_cache cache;
static struct sp_poll_desc *open_now[OPEN];
static sp_handle handles[OPEN], once[ONCE];
static unsigned open_count, once_count;

static void
forget(struct sp_poll_desc *pd, void *arg)
{
	(void)pd;
	(void)arg;
}

static void
open_one(void)
{
	struct sp_poll_desc *pd;
	sp_handle handle;

	if (open_count == OPEN)
		return;
	pd = sp_poll_cache_alloc(&cache);
	FUZZ_CLAIM(pd != NULL);
	sp_poll_desc_reset(pd, 3, &service);
	handle = sp_poll_cache_publish(pd);
	for (unsigned i = 0; i < open_count; i++)
		FUZZ_CLAIM(open_now[i] != pd && handles[i] != handle);
	open_now[open_count] = pd;
	handles[open_count++] = handle;
	once[once_count++ % ONCE] = handle;
}

static void
retire_one(unsigned which)
{
	sp_handle handle;

	if (open_count == 0)
		return;
	which %= open_count;
	handle = handles[which];
	sp_poll_cache_retire(&cache, open_now[which]);
	open_now[which] = open_now[--open_count];
	handles[which] = handles[open_count];
	FUZZ_CLAIM(sp_poll_cache_find(&cache, handle) == NULL);
	sp_poll_cache_reclaim(&cache, forget, NULL);
}

/* The shard in it is for whoever chooses the cache. */
static sp_handle
without_shard(sp_handle handle)
{
	return sp_handle_make(
	    sp_handle_gen(handle), 0, sp_handle_index(handle));
}

static void
find(sp_handle handle)
{
	struct sp_poll_desc *found = sp_poll_cache_find(&cache, handle);
	struct sp_poll_desc *want = NULL;

	for (unsigned i = 0; i < open_count; i++)
		if (without_shard(handles[i]) == without_shard(handle))
			want = open_now[i];
	FUZZ_CLAIM(found == want);
}

/* A grace period takes longer than a thousand steps, so not for each input. */
static void
settle(void)
{
	static unsigned inputs;

	while (open_count != 0)
		retire_one(0);
	if (inputs++ % 64 != 0)
		return;
	for (int turn = 0; turn < 3; turn++) {
		sp_poll_cache_reclaim(&cache, forget, NULL);
		sp_rcu_barrier();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at = data, *end = data + size;
	static bool begun;

	open_count = once_count = 0;
	if (!begun)
		sp_poll_cache_init(&cache, 0, 0);
	begun = true;
	while (at < end) {
		uint8_t step = *at++;
		sp_handle handle;

		if (step < 64) {
			open_one();
		} else if (step < 128) {
			retire_one(step);
		} else if (step < 192 && end - at >= 8) {
			memcpy(&handle, at, 8);
			at += 8;
			find(handle);
		} else if (once_count != 0) {
			handle =
			    once[step
				 % (once_count < ONCE ? once_count : ONCE)];
			find(handle);
			find(handle ^ UINT64_C(1) << (step & 63));
		}
		for (unsigned i = 0; i < open_count; i++)
			FUZZ_CLAIM(sp_poll_cache_find(&cache, handles[i])
				   == open_now[i]);
	}
	settle();
	return 0;
}
