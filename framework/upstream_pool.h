/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_UPSTREAM_POOL_H
#define SPATE_FRAMEWORK_UPSTREAM_POOL_H

/*
 * Upstream pool: a worker's connections that the next request to the same
 * address may use, oldest first.
 *
 *     +--------+--------+--------+------+
 *     | oldest |        | newest | room |   each an address and a handle
 *     +--------+--------+--------+------+
 *
 * The pool owns no descriptor. A kept one closes itself when its peer does,
 * when it is idle for too long and at a drain (shards/outgoing.h); its entry
 * is then found to be stale and dropped.
 *
 * Context: a fiber, in the pool's worker.
 */

#include "shards/outgoing.h"

struct sp_upstream_entry {
	sp_handle handle;
	socklen_t size;
	struct sockaddr_storage address;
};

struct sp_upstream_pool {
	uint32_t count, capacity;
	struct sp_upstream_entry entries[];
};

/*
 * sp_upstream_pool_new: room for this many. => Returns NULL: no memory.
 * Freed by free(), when the worker ends.
 */
struct sp_upstream_pool *sp_upstream_pool_new(uint32_t capacity);

/*
 * sp_upstream_pool_take: the one used last, now owned by the caller; or NULL.
 */
struct sp_poll_desc *
sp_upstream_pool_take(struct sp_upstream_pool *pool, struct sp_worker *worker,
    const struct sockaddr_storage *address, socklen_t size);

/*
 * sp_upstream_pool_put: keep one, for about idle_ms. If there is no room the
 * oldest makes some.
 */
void sp_upstream_pool_put(struct sp_upstream_pool *pool,
    struct sp_worker *worker, struct sp_poll_desc *pd,
    const struct sockaddr_storage *address, socklen_t size, uint32_t idle_ms);

#endif /* SPATE_FRAMEWORK_UPSTREAM_POOL_H */
