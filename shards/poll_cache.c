/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Poll cache. A generation is odd while its handle is found and even while
 * the descriptor is free, retired or being made; so the very first handle
 * has generation 1, and 0 never finds anything.
 */

#include "shards/poll_cache.h"

#include <errno.h>
#include <stdlib.h>

enum { BATCH_NONE, BATCH_WAITING, BATCH_RECLAIMED };

void
sp_poll_cache_init(struct sp_poll_cache *cache, uint32_t shard, uint32_t max)
{
	sp_slab_init(&cache->slab, max, false);
	cache->shard = shard;
	sp_store(&cache->retired.head, NULL, relaxed);
	sp_store(&cache->batch_state, BATCH_NONE, relaxed);
	cache->batch = NULL;
}

/* Nobody can find these any more, nor push onto their queues. */
static void
free_all(struct sp_poll_cache *cache, struct sp_link *link)
{
	while (link != NULL) {
		struct sp_poll_desc *pd
		    = sp_container_of(link, struct sp_poll_desc, link);
		struct sp_link *unsent = sp_stack_pop_all(&pd->outq);

		link = link->next;
		while (unsent != NULL) {
			struct sp_link *next = unsent->next;

			free(unsent);
			unsent = next;
		}
		sp_slab_free(&cache->slab, sp_handle_index(pd->index));
	}
}

void
sp_poll_cache_fini(struct sp_poll_cache *cache)
{
	SP_CHECK(sp_load(&cache->batch_state, acquire) != BATCH_WAITING);
	free_all(cache, cache->batch);
	free_all(cache, sp_stack_pop_all(&cache->retired));
	cache->batch = NULL;
	sp_slab_fini(&cache->slab);
}

/* A directory on its way out: readers may still be in it. */
struct old_dir {
	struct sp_rcu_retired retired;
	struct sp_slab_dir *dir;
};

static void
free_dir(struct sp_rcu_retired *retired)
{
	struct old_dir *old = sp_container_of(retired, struct old_dir, retired);

	sp_slab_dir_free(old->dir);
	free(old);
}

static int
grow(struct sp_poll_cache *cache)
{
	struct old_dir *old = malloc(sizeof(*old));
	int error;

	if (old == NULL)
		return -ENOMEM;
	error = sp_slab_grow(&cache->slab, &old->dir);
	if (error == 0 && old->dir != NULL)
		sp_rcu_retire(&old->retired, free_dir);
	else
		free(old);
	return error;
}

struct sp_poll_desc *
sp_poll_cache_alloc(struct sp_poll_cache *cache)
{
	uint32_t index = sp_slab_alloc(&cache->slab);
	struct sp_poll_desc *pd;

	if (index == SP_SLAB_NONE) {
		if (grow(cache) != 0)
			return NULL;
		index = sp_slab_alloc(&cache->slab);
	}
	pd = sp_slab_at(sp_slab_dir(&cache->slab), index);
	pd->index = cache->shard << SP_HANDLE_INDEX_BITS | index;
	SP_CHECK((sp_load(&pd->gen, relaxed) & 1) == 0);
	return pd;
}

void
sp_poll_cache_drop(struct sp_poll_cache *cache, struct sp_poll_desc *pd)
{
	sp_slab_free(&cache->slab, sp_handle_index(pd->index));
}

void
sp_poll_cache_retire(struct sp_poll_cache *cache, struct sp_poll_desc *pd)
{
	uint32_t gen = sp_load(&pd->gen, relaxed);

	SP_CHECK(gen & 1);
	sp_store(&pd->gen, gen + 1, seq_cst);
	sp_stack_push(&cache->retired, &pd->link);
}

static void
reclaimed(struct sp_rcu_retired *retired)
{
	struct sp_poll_cache *cache
	    = sp_container_of(retired, struct sp_poll_cache, batch_rcu);

	sp_store(&cache->batch_state, BATCH_RECLAIMED, release);
}

static void
collect(struct sp_poll_cache *cache)
{
	free_all(cache, cache->batch);
	cache->batch = NULL;
	sp_store(&cache->batch_state, BATCH_NONE, relaxed);
}

void
sp_poll_cache_reclaim(struct sp_poll_cache *cache,
    void (*forget)(struct sp_poll_desc *pd, void *arg), void *arg)
{
	uint32_t state = sp_load(&cache->batch_state, acquire);

	if (state == BATCH_RECLAIMED)
		collect(cache);
	else if (state == BATCH_WAITING)
		return;
	cache->batch = sp_stack_pop_all(&cache->retired);
	if (cache->batch == NULL)
		return;
	for (struct sp_link *link = cache->batch; link; link = link->next)
		forget(sp_container_of(link, struct sp_poll_desc, link), arg);
	sp_store(&cache->batch_state, BATCH_WAITING, relaxed);
	sp_rcu_retire(&cache->batch_rcu, reclaimed);
}

void
sp_poll_cache_each(struct sp_poll_cache *cache,
    void (*visit)(struct sp_poll_desc *pd, void *arg), void *arg)
{
	const struct sp_slab_dir *dir = sp_slab_dir(&cache->slab);

	for (uint32_t i = 0; i < sp_slab_end(&cache->slab); i++) {
		struct sp_poll_desc *pd = sp_slab_at(dir, i);

		if (sp_load(&pd->gen, acquire) & 1)
			visit(pd, arg);
	}
}
