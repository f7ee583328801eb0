/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Buffer cache: idle buffers in a list through their first words.
 *
 * idle_least is how deep the list was at its shortest since the last trim:
 * that many buffers lay below everything that happened, and it is those, at
 * the cold end of the list, that a trim frees.
 */

#include "alloc/bufcache.h"

#include "alloc/asan.h"
#include "alloc/cacheline.h"
#include "alloc/check.h"
#include "alloc/counter.h"

#include <stdlib.h>
#include <string.h>

void
sp_bufcache_init(struct sp_bufcache *cache, size_t size, uint32_t idle_max)
{
	SP_CHECK(size >= sizeof(void *));
	memset(cache, 0, sizeof(*cache));
	cache->size = size;
	cache->idle_max = idle_max;
}

static void *
buffer_new(size_t size)
{
	size_t whole = (size + SP_BUFFER_PAD + SP_CACHELINE - 1)
		       & ~(size_t)(SP_CACHELINE - 1);
	unsigned char *buffer;

	if (whole < size)
		return NULL;
	buffer = aligned_alloc(SP_CACHELINE, whole);
	if (buffer != NULL)
		memset(buffer + size, 0, whole - size);
	return buffer;
}

static void *
idle_pop(struct sp_bufcache *cache)
{
	void *buffer = cache->idle;

	SP_ASAN_UNPOISON(buffer, cache->size);
	memcpy(&cache->idle, buffer, sizeof(void *));
	sp_counter_add(&cache->cached, -1);
	return buffer;
}

static void
idle_push(struct sp_bufcache *cache, void *buffer)
{
	memcpy(buffer, &cache->idle, sizeof(void *));
	SP_ASAN_POISON(buffer, cache->size);
	cache->idle = buffer;
	sp_counter_add(&cache->cached, 1);
}

void
sp_bufcache_fini(struct sp_bufcache *cache)
{
	while (cache->idle != NULL)
		free(idle_pop(cache));
}

void *
sp_bufcache_get(struct sp_bufcache *cache)
{
	void *buffer;

	if (cache->idle != NULL) {
		buffer = idle_pop(cache);
		if (sp_counter_get(&cache->cached) < cache->idle_least)
			cache->idle_least = sp_counter_get(&cache->cached);
	} else {
		buffer = buffer_new(cache->size);
		if (buffer == NULL)
			return NULL;
		sp_counter_add(&cache->misses, 1);
	}
	sp_counter_up(&cache->in_use, &cache->in_use_max);
	return buffer;
}

void
sp_bufcache_put(struct sp_bufcache *cache, void *buffer)
{
	if (buffer == NULL)
		return;
	sp_counter_add(&cache->in_use, -1);
	if (sp_counter_get(&cache->cached) >= cache->idle_max)
		free(buffer);
	else
		idle_push(cache, buffer);
}

uint32_t
sp_bufcache_trim(struct sp_bufcache *cache)
{
	uint32_t freed = cache->idle_least;
	uint32_t keep = sp_counter_get(&cache->cached) - freed;
	struct sp_bufcache cold = { .size = cache->size };
	void *kept = NULL, *buffer;

	/* Set the warm ones aside, free the rest, put the warm ones back. */
	cold.idle = cache->idle;
	cold.cached = keep + freed;
	cache->idle = NULL;
	sp_counter_set(&cache->cached, 0);
	for (uint32_t i = 0; i < keep; i++) {
		buffer = idle_pop(&cold);
		memcpy(buffer, &kept, sizeof(void *));
		kept = buffer;
	}
	sp_bufcache_fini(&cold);
	while ((buffer = kept) != NULL) {
		memcpy(&kept, buffer, sizeof(void *));
		idle_push(cache, buffer);
	}
	cache->idle_least = keep;
	return freed;
}
