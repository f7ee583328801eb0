/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_HANDLE_H
#define SPATE_SHARDS_HANDLE_H

/*
 * Handle: the name of one use of one poll descriptor.
 *
 *     63          32 31       24 23                  0
 *     +-------------+-----------+--------------------+
 *     | generation  |   shard   |       index        |
 *     +-------------+-----------+--------------------+
 *
 * It is what epoll carries for us and what users keep. A pointer in either
 * place could come back after its descriptor was closed and used again; a
 * handle then finds another generation, that is, nothing.
 *
 * Generations start at 1, so 0 is never a handle.
 */

#include <stdint.h>

typedef uint64_t sp_handle;

#define SP_HANDLE_INDEX_BITS 24
#define SP_HANDLE_MAX_INDEX ((1u << SP_HANDLE_INDEX_BITS) - 1)
#define SP_HANDLE_MAX_SHARDS 256

/* Generation 0 is nobody's: the shard's own eventfd, alarm and listeners. */
#define SP_HANDLE_WAKE UINT64_C(1)
#define SP_HANDLE_ALARM UINT64_C(2)
#define SP_HANDLE_LISTENER UINT64_C(3) /* and on, by number */

static inline sp_handle
sp_handle_make(uint32_t gen, uint32_t shard, uint32_t index)
{
	return (uint64_t)gen << 32 | (uint64_t)shard << SP_HANDLE_INDEX_BITS
	    | index;
}

static inline uint32_t
sp_handle_gen(sp_handle handle)
{
	return (uint32_t)(handle >> 32);
}

static inline uint32_t
sp_handle_shard(sp_handle handle)
{
	return (uint32_t)handle >> SP_HANDLE_INDEX_BITS;
}

static inline uint32_t
sp_handle_index(sp_handle handle)
{
	return (uint32_t)handle & SP_HANDLE_MAX_INDEX;
}

#endif /* SPATE_SHARDS_HANDLE_H */
