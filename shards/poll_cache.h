/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_POLL_CACHE_H
#define SPATE_SHARDS_POLL_CACHE_H

/*
 * Poll cache: Go's pollCache. The descriptors of one shard, and how a handle
 * finds one of them.
 *
 *               alloc                    retire
 *     +------+ -------> +-------------+ -------> +---------+
 *     | free |          | in use: the |          | retired |
 *     +------+          | generation  |          +---------+
 *        ^              | is found    |               | reclaim starts a
 *        |              +-------------+               v grace period
 *        |    reclaim collects       reclaimed   +---------+
 *        `-------------------------------------- | waiting |
 *                                                +---------+
 *
 *                 find            retire       alloc, reclaim
 *     who         any thread      the owner    poll token's holder
 *     context     online RCU      any worker
 *
 * Guarantees.
 *  1. A handle finds its descriptor from alloc to retire, and nothing after.
 *  2. What find returned keeps its memory and its generation until the
 *     reader's section ends, or a new generation but no new use.
 *  3. Memory of descriptors is unmapped by sp_poll_cache_fini() only.
 *
 *   edge   release side              acquire side         what crosses it
 *   ----   -----------------------   ------------------   -------------------
 *   GEN    sp_poll_cache_publish()   sp_poll_cache_find() the descriptor
 */

#include "alloc/slab.h"
#include "shards/poll_desc.h"
#include "shards/rcu.h"

struct sp_poll_cache {
	struct sp_slab slab;
	uint32_t shard;

	/* Any worker pushes. */
	SP_ALIGN_APART struct sp_mpsc_stack retired;

	/* One batch waits for a grace period at a time. */
	SP_ATOMIC(uint32_t) batch_state;
	struct sp_link *batch;
	struct sp_rcu_retired batch_rcu;
};

void sp_poll_cache_init(
    struct sp_poll_cache *cache, uint32_t shard, uint32_t max);

/* After sp_rcu_barrier(), when nobody looks in it any more. */
void sp_poll_cache_fini(struct sp_poll_cache *cache);

/*
 * sp_poll_cache_alloc: a descriptor that no handle finds yet.
 *
 * => Returns NULL: the limit of descriptors, or no memory.
 */
struct sp_poll_desc *sp_poll_cache_alloc(struct sp_poll_cache *cache);

/* The handle that sp_poll_cache_publish() will give it. */
static inline sp_handle
sp_poll_cache_next_handle(struct sp_poll_desc *pd)
{
	uint32_t gen = sp_load(&pd->gen, relaxed) + 1;

	return (uint64_t)gen << 32 | pd->index;
}

/*
 * sp_poll_cache_publish: let its handle find the descriptor.
 *
 * => Returns the handle.
 */
static inline sp_handle
sp_poll_cache_publish(struct sp_poll_desc *pd)
{
	sp_handle handle = sp_poll_cache_next_handle(pd);

	sp_store(&pd->gen, sp_handle_gen(handle), release); /* GEN release. */
	return handle;
}

/*
 * sp_poll_cache_find: resolve a handle.
 *
 * => Returns NULL: stale, or never was one.
 */
static inline struct sp_poll_desc *
sp_poll_cache_find(struct sp_poll_cache *cache, sp_handle handle)
{
	struct sp_poll_desc *pd
	    = sp_slab_at(sp_slab_dir(&cache->slab), sp_handle_index(handle));

	/* GEN acquire. */
	if (pd == NULL || sp_load(&pd->gen, acquire) != sp_handle_gen(handle)
	    || (sp_handle_gen(handle) & 1) == 0)
		return NULL;
	return pd;
}

/*
 * sp_poll_cache_retire: no handle finds it from here on, and it is free a
 * grace period later. The owner is done with it, the fd is closed.
 *
 * => What is in outq then, or is pushed by somebody who found it before, is
 *    freed when the grace period is over. So each link in an outq begins an
 *    allocation of malloc().
 */
void sp_poll_cache_retire(
    struct sp_poll_cache *cache, struct sp_poll_desc *pd);

/*
 * sp_poll_cache_drop: give back one that was never published.
 */
void sp_poll_cache_drop(struct sp_poll_cache *cache, struct sp_poll_desc *pd);

/*
 * sp_poll_cache_reclaim: move retired descriptors along. Called now and
 * then; forget is called for each as it leaves the owner's hands, under the
 * poll token.
 */
void sp_poll_cache_reclaim(struct sp_poll_cache *cache,
    void (*forget)(struct sp_poll_desc *pd, void *arg), void *arg);

/*
 * sp_poll_cache_each: call visit for each published descriptor. For the
 * poll token's holder; not on the path of a request.
 */
void sp_poll_cache_each(struct sp_poll_cache *cache,
    void (*visit)(struct sp_poll_desc *pd, void *arg), void *arg);

#endif /* SPATE_SHARDS_POLL_CACHE_H */
