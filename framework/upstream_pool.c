/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/upstream_pool.h"

#include <stdlib.h>
#include <string.h>

struct sp_upstream_pool *
sp_upstream_pool_new(uint32_t capacity)
{
	struct sp_upstream_pool *pool = malloc(
	    sizeof(*pool) + (size_t)capacity * sizeof(pool->entries[0]));

	if (pool != NULL) {
		pool->count = 0;
		pool->capacity = capacity;
	}
	return pool;
}

static void
drop(struct sp_upstream_pool *pool, uint32_t i)
{
	pool->count--;
	memmove(&pool->entries[i], &pool->entries[i + 1],
	    (pool->count - i) * sizeof(pool->entries[0]));
}

struct sp_poll_desc *
sp_upstream_pool_take(struct sp_upstream_pool *pool, struct sp_worker *worker,
    const struct sockaddr_storage *address, socklen_t size)
{
	for (uint32_t i = pool->count; i-- > 0;) {
		struct sp_upstream_entry *entry = &pool->entries[i];
		struct sp_poll_desc *pd;
		bool gone;

		if (entry->size != size
		    || memcmp(&entry->address, address, size) != 0)
			continue;
		pd = sp_outgoing_take(worker, entry->handle, &gone);
		if (pd != NULL || gone)
			drop(pool, i);
		if (pd != NULL)
			return pd;
	}
	return NULL;
}

/*
 * Make room: entries that are stale go, and if there are none the oldest
 * that can be had. One that is being looked at by another worker at this
 * moment stays, and with it its entry.
 */
static void
make_room(struct sp_upstream_pool *pool, struct sp_worker *worker)
{
	for (uint32_t i = 0; i < pool->count; i++) {
		struct sp_poll_desc *pd;
		bool gone;

		pd = sp_outgoing_take(worker, pool->entries[i].handle, &gone);
		if (pd == NULL && !gone)
			continue;
		if (pd != NULL)
			sp_outgoing_close(worker, pd);
		drop(pool, i);
		return;
	}
}

void
sp_upstream_pool_put(struct sp_upstream_pool *pool, struct sp_worker *worker,
    struct sp_poll_desc *pd, const struct sockaddr_storage *address,
    socklen_t size, uint32_t idle_ms)
{
	struct sp_upstream_entry *entry;
	sp_handle handle;

	if (pool->count == pool->capacity)
		make_room(pool, worker);
	if (pool->count == pool->capacity) {
		sp_outgoing_close(worker, pd);
		return;
	}
	handle = sp_outgoing_park(worker, pd, idle_ms);
	if (handle == 0)
		return;
	entry = &pool->entries[pool->count++];
	entry->handle = handle;
	entry->size = size;
	memcpy(&entry->address, address, size);
}
