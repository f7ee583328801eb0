/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_ALLOC_BUFCACHE_H
#define SPATE_ALLOC_BUFCACHE_H

/*
 * Buffer cache: I/O buffers of one size, kept by one worker.
 *
 *     buffer    |<------------ size ------------>|<- 64 ->|
 *               +--------------------------------+--------+
 *               | the caller's                   | zeros  |
 *               +--------------------------------+--------+
 *
 * The 64 bytes after a buffer may be read, so that a parser can load whole
 * vectors at its end. Nobody writes there.
 *
 * A buffer is held only while there are bytes in it; an idle connection has
 * none. So the same few go round, and the one put back last is the one that
 * is still in the CPU's cache: last in, first out.
 *
 * A cache belongs to one thread at a time. A buffer does not belong to a
 * cache: it may be put into any cache of the same size, or be the only one
 * ever put there. Over all caches "in use" adds up.
 */

#include <stddef.h>
#include <stdint.h>

#include <stdatomic.h>

#define SP_BUFFER_PAD 64

/*
 * With its padding this is 16 KiB, which is a size that malloc() has. One
 * byte more would cost 20 KiB.
 */
#define SP_BUFFER_SIZE (16384 - SP_BUFFER_PAD)

struct sp_bufcache {
	void *idle;          /* linked through their first word */
	uint32_t idle_max;   /* constant */
	uint32_t idle_least; /* since the last trim */
	size_t size;         /* constant */

	/* Written by the owner, read by any thread. */
	_Atomic(uint32_t) cached;
	_Atomic(int32_t) in_use;     /* got, less put; below 0 by migration */
	_Atomic(int32_t) in_use_max; /* the most there ever were */
	_Atomic(uint64_t) misses;    /* gets that went to malloc() */
};

/*
 * sp_bufcache_init: keep at most idle_max idle buffers of this size.
 *
 * => size is at least a pointer's. idle_max 0 keeps none.
 */
void
sp_bufcache_init(struct sp_bufcache *cache, size_t size, uint32_t idle_max);

/*
 * sp_bufcache_fini: free what is idle. Buffers that are out stay valid: put
 * them into another cache.
 */
void sp_bufcache_fini(struct sp_bufcache *cache);

/*
 * sp_bufcache_get: a buffer with anything in it, aligned to a cache line,
 * now the caller's.
 *
 * => Returns NULL: there is no memory.
 */
void *sp_bufcache_get(struct sp_bufcache *cache);

/*
 * sp_bufcache_put: take a buffer over; NULL is none.
 */
void sp_bufcache_put(struct sp_bufcache *cache, void *buffer);

/*
 * sp_bufcache_trim: free the buffers that nobody needed since the last
 * trim. For idle time; call it now and then, not after each request.
 *
 * => Returns how many it freed.
 */
uint32_t sp_bufcache_trim(struct sp_bufcache *cache);

#endif /* SPATE_ALLOC_BUFCACHE_H */
