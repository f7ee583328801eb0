/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_BOUNDED_QUEUE_H
#define SPATE_SHARDS_BOUNDED_QUEUE_H

/*
 * Bounded queue: pointers, first in first out, that any thread may push and
 * any thread may pop. An array of slots with a sequence number each:
 *
 *     sequence     slot at position p is
 *     ----------   -----------------------------------------------------
 *     p            free, for the push at p
 *     p + 1        published, for the pop at p
 *     p + size     free again, for the push one round later
 *
 * Who finds a slot in between, because another thread has claimed it and not
 * yet come to the end, does not wait for that thread: a pop takes the queue
 * for empty and a push takes it for full. That is why Concurrency Kit's ring
 * is not used here: its producers wait for those before them.
 *
 * So nothing may be concluded from an empty queue but that there was nothing
 * to pop; who pushes tells somebody afterwards, and who pops and is to go on
 * to something else tells the next, if there is more.
 *
 *   edge      release side            acquire side         what crosses
 *   -------   ---------------------   ------------------   ---------------
 *   PUBLISH   push: sequence, p + 1   pop: sequence        the item, and
 *                                                          what it points to
 *   EMPTY     pop: sequence, + size   push: sequence       the slot
 *
 * The accesses of the sequence that publish and that look are seq_cst, each
 * being one half of a pair: push, then look who waits; say that one waits,
 * then look at the queue. offload.h and channel.h have the other halves.
 */

#include "alloc/cacheline.h"
#include "shards/atomics.h"

#include <stdbool.h>
#include <stdint.h>

struct sp_queue_slot {
	SP_ATOMIC(uint64_t) sequence;
	SP_PLAIN(void *) item;
};

struct sp_queue {
	/* Constant. */
	struct sp_queue_slot *slot;
	uint64_t size; /* a power of two, at least 2 */

	SP_ALIGN_APART SP_ATOMIC(uint64_t) tail; /* pushes */
	SP_ALIGN_APART SP_ATOMIC(uint64_t) head; /* pops */
};

/*
 * sp_queue_size: how many slots hold at least count items, for sp_queue_init.
 */
static inline uint64_t
sp_queue_size(uint64_t count)
{
	uint64_t size = 2;

	while (size < count)
		size *= 2;
	return size;
}

/* sp_queue_init: empty. slot is an array of that size, on loan for good. */
static inline void
sp_queue_init(struct sp_queue *queue, struct sp_queue_slot *slot, uint64_t size)
{
	queue->slot = slot;
	queue->size = size;
	for (uint64_t i = 0; i < size; i++)
		sp_store(&slot[i].sequence, i, relaxed);
	sp_store(&queue->tail, 0, relaxed);
	sp_store(&queue->head, 0, relaxed);
}

/* => Returns false: full. Lock-free. */
static inline bool
sp_queue_push(struct sp_queue *queue, void *item)
{
	uint64_t at = sp_load(&queue->tail, relaxed);
	struct sp_queue_slot *slot;

	for (;;) {
		int64_t ahead;

		slot = &queue->slot[at & (queue->size - 1)];
		/* EMPTY acquire; seq_cst for who then waits for room. */
		ahead = (int64_t)(sp_load(&slot->sequence, seq_cst) - at);
		if (ahead < 0)
			return false;
		if (ahead > 0)
			at = sp_load(&queue->tail, relaxed);
		else if (sp_cas(&queue->tail, &at, at + 1, relaxed, relaxed))
			break;
	}
	sp_put(&slot->item, item);
	/* PUBLISH release; a swap, since a store would not come in order. */
	sp_xchg(&slot->sequence, at + 1, seq_cst);
	return true;
}

/* => Returns false: empty. Lock-free. */
static inline bool
sp_queue_pop(struct sp_queue *queue, void **item)
{
	uint64_t at = sp_load(&queue->head, relaxed);
	struct sp_queue_slot *slot;

	for (;;) {
		int64_t ahead;

		slot = &queue->slot[at & (queue->size - 1)];
		/* PUBLISH acquire. */
		ahead = (int64_t)(sp_load(&slot->sequence, seq_cst) - (at + 1));
		if (ahead < 0)
			return false;
		if (ahead > 0)
			at = sp_load(&queue->head, relaxed);
		else if (sp_cas(&queue->head, &at, at + 1, relaxed, relaxed))
			break;
	}
	*item = sp_get(&slot->item);
	/* EMPTY release. */
	sp_xchg(&slot->sequence, at + queue->size, seq_cst);
	return true;
}

/*
 * sp_queue_can_pop, sp_queue_can_push: whether it is worth trying. In order
 * with other threads' pushes and pops, unlike the depth.
 */
static inline bool
sp_queue_can_pop(struct sp_queue *queue)
{
	uint64_t at = sp_load(&queue->head, relaxed);
	struct sp_queue_slot *slot = &queue->slot[at & (queue->size - 1)];

	return (int64_t)(sp_load(&slot->sequence, seq_cst) - (at + 1)) >= 0;
}

static inline bool
sp_queue_can_push(struct sp_queue *queue)
{
	uint64_t at = sp_load(&queue->tail, relaxed);
	struct sp_queue_slot *slot = &queue->slot[at & (queue->size - 1)];

	return (int64_t)(sp_load(&slot->sequence, seq_cst) - at) >= 0;
}

/* Items in it, by a racy count: a hint, and exact when nobody else is in. */
static inline uint64_t
sp_queue_depth(struct sp_queue *queue)
{
	uint64_t head = sp_load(&queue->head, relaxed);
	uint64_t tail = sp_load(&queue->tail, relaxed);

	return tail > head ? tail - head : 0;
}

#endif /* SPATE_SHARDS_BOUNDED_QUEUE_H */
