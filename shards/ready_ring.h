/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_READY_RING_H
#define SPATE_SHARDS_READY_RING_H

/*
 * Ready ring: lists of tasks on their way from a shard's poller to whichever
 * worker comes first.
 *
 *                   put                    take
 *     who           poll token's holder    any worker of any shard
 *     progress      wait-free              lock-free
 *     against put   X                      -
 *     against take  -                      -
 *
 * "X": never at the same time, which the poll token sees to; "-": at any
 * time. First in, first out. A slot carries a list and not a task, because
 * a slot that crosses between CPUs costs over a hundred nanoseconds, and a
 * list of sixteen costs no more than that. A full ring is an answer and not
 * an error: the poller keeps the rest, and polls again without sleeping.
 *
 * This is the one file that names Concurrency Kit. Its barriers are inline
 * assembly, which ThreadSanitizer cannot see; so the edge is told to it by
 * hand here, and it is asked to overlook the plain accesses to the slots.
 *
 *   edge   release side              acquire side            what crosses it
 *   ----   -----------------------   ---------------------   ----------------
 *   RING   sp_ready_ring_put()       sp_ready_ring_take()    the list
 *
 * On aarch64 the dequeue of 0.7.1 orders its copy of the slot against its
 * own head update with a store fence only. ready_ring_copy() below makes
 * that copy end in a store, which such a fence does order.
 */

#include "alloc/cacheline.h"
#include "alloc/check.h"
#include "alloc/tsan.h"

#include <ck_ring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

struct sp_task;

struct sp_ready_ring {
	ck_ring_t ring;
	ck_ring_buffer_t *slots; /* constant; owned */
} SP_ALIGN_APART;

/*
 * sp_ready_ring_init: room for count - 1 lists; count is a power of two.
 *
 * => Returns 0 or -ENOMEM.
 */
static inline int
sp_ready_ring_init(struct sp_ready_ring *ready, unsigned count)
{
	void *slots;

	SP_CHECK(count >= 2 && (count & (count - 1)) == 0);
	if (posix_memalign(&slots, SP_APART, count * sizeof(*ready->slots)))
		return -12; /* ENOMEM */
	ready->slots = slots;
	ck_ring_init(&ready->ring, count);
	return 0;
}

static inline void
sp_ready_ring_fini(struct sp_ready_ring *ready)
{
	free(ready->slots);
	ready->slots = NULL;
}

/*
 * sp_ready_ring_put: hand over a list.
 *
 * => Returns true: it is the ring's. Returns false: full, it is still yours.
 */
static inline bool
sp_ready_ring_put(struct sp_ready_ring *ready, struct sp_task *list)
{
	bool put;

	SP_TSAN_RELEASE(list); /* RING release. */
	SP_TSAN_IGNORE_BEGIN();
	put = ck_ring_enqueue_spmc(&ready->ring, ready->slots, list);
	SP_TSAN_IGNORE_END();
	return put;
}

/* Not inlined: *list is then memory to the compiler, never a register. */
static __attribute__((noinline, unused)) bool
ready_ring_copy(struct sp_ready_ring *ready, void **list)
{
	bool taken;

	SP_TSAN_IGNORE_BEGIN();
	taken = ck_ring_dequeue_spmc(&ready->ring, ready->slots, list);
	SP_TSAN_IGNORE_END();
	return taken;
}

/* Lists in the ring, by a racy count: a hint. */
static inline unsigned
sp_ready_ring_depth(const struct sp_ready_ring *ready)
{
	unsigned depth;

	SP_TSAN_IGNORE_BEGIN();
	depth = ck_ring_size(&ready->ring);
	SP_TSAN_IGNORE_END();
	return depth;
}

/*
 * sp_ready_ring_take: the list that has waited longest, now yours, or NULL.
 */
static inline struct sp_task *
sp_ready_ring_take(struct sp_ready_ring *ready)
{
	void *list = NULL;

	if (!ready_ring_copy(ready, &list))
		return NULL;
	SP_TSAN_ACQUIRE(list); /* RING acquire. */
	return list;
}

#endif /* SPATE_SHARDS_READY_RING_H */
