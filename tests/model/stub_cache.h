/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_ALLOC_SLAB_H
#define SPATE_ALLOC_SLAB_H
#define SPATE_SHARDS_RCU_H

/*
 * alloc/slab.h, shards/rcu.h and shards/shard.h for a model: a slab of one
 * descriptor. The model says what a grace period is.
 */

#include "shards/poll_desc.h"

struct sp_slab {
	struct sp_poll_desc *pd;
};

struct sp_slab_dir;

static inline struct sp_poll_desc *
sp_slab_dir(struct sp_slab *slab)
{
	return slab->pd;
}

static inline struct sp_poll_desc *
sp_slab_at(struct sp_poll_desc *pd, uint32_t index)
{
	return index == 0 ? pd : nullptr;
}

void sp_slab_free(struct sp_slab *slab, uint32_t index);

struct sp_rcu_retired {
	void (*reclaim)(struct sp_rcu_retired *retired);
};

void sp_rcu_retire(struct sp_rcu_retired *retired,
    void (*reclaim)(struct sp_rcu_retired *retired));

#include "shards/poll_cache.h"
#include "shards/poll_desc.c"

enum { BATCH_NONE, BATCH_WAITING, BATCH_RECLAIMED };

#define sp_shard_leave(shard) ((void)0)

struct sp_engine {
	void *peers;
};

struct sp_shard {
	struct sp_engine *engine = nullptr;
	struct sp_poll_cache cache;
};

#define sp_peers_leave(peers, peer) ((void)0)

struct sp_worker;
#define sp_worker_self() ((struct sp_worker *)nullptr)
#define sp_record(...) ((void)0)

#endif /* SPATE_ALLOC_SLAB_H */
