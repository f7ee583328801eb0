/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_SPSC_RING_H
#define SPATE_SHARDS_SPSC_RING_H

/*
 * Single-producer ring: the numbers of slots of an array, which is the
 * caller's, on their way from one thread to one other and back.
 *
 *                        put
 *     +----------------+ ----> +----------------+
 *     | the producer's |       | the consumer's |
 *     +----------------+ <---- +----------------+
 *                        take
 *
 *     slot at position p            is
 *     ---------------------------   -----------------------------------
 *     head <= p < tail              the consumer's, put and not taken
 *     tail <= p < head + size       the producer's; it fills it at tail
 *
 *                   room, put       look, first, take
 *     who           the producer    the consumer
 *     progress      wait-free       wait-free
 *
 * What is handed over stays where it is: nothing is copied, and there is no
 * second queue for what is free. A full ring is an answer and not an error.
 *
 *   edge   release side            acquire side            what crosses
 *   ----   ---------------------   ---------------------   ----------------
 *   SLOT   sp_spsc_ring_put()      sp_spsc_ring_look()     what is in it
 *   ROOM   sp_spsc_ring_take()     sp_spsc_ring_room()     that it was read
 *
 * SLOT is seq_cst, being one half of a pair: put, then look whether the
 * consumer sleeps; say that one sleeps, then look at the ring. Concurrency
 * Kit's ring has no order between its put and such a look, hence this one.
 */

#include "alloc/cacheline.h"
#include "shards/atomics.h"

#include <stdbool.h>
#include <stdint.h>

struct sp_spsc_ring {
	uint64_t size;                           /* constant; a power of two */
	SP_ALIGN_APART SP_ATOMIC(uint64_t) tail; /* the producer's: put */
	SP_ALIGN_APART SP_ATOMIC(uint64_t) head; /* the consumer's: taken */
};

static inline void
sp_spsc_ring_init(struct sp_spsc_ring *ring, uint64_t size)
{
	ring->size = size;
	sp_store(&ring->tail, 0, relaxed);
	sp_store(&ring->head, 0, relaxed);
}

/*
 * sp_spsc_ring_room: the slot to fill next, which sp_spsc_ring_put() then
 * hands over.
 *
 * => Returns false: full.
 */
static inline bool
sp_spsc_ring_room(struct sp_spsc_ring *ring, uint64_t *slot)
{
	uint64_t tail = sp_load(&ring->tail, relaxed);

	/* ROOM acquire: or it might be filled while it is still read. */
	if (tail - sp_load(&ring->head, acquire) == ring->size)
		return false;
	*slot = tail & (ring->size - 1);
	return true;
}

static inline void
sp_spsc_ring_put(struct sp_spsc_ring *ring)
{
	uint64_t tail = sp_load(&ring->tail, relaxed);

	/* SLOT release; a swap, since a store would not come in order. */
	sp_xchg(&ring->tail, tail + 1, seq_cst);
}

/* sp_spsc_ring_look: how many slots are the consumer's. */
static inline uint64_t
sp_spsc_ring_look(struct sp_spsc_ring *ring)
{
	/* SLOT acquire. */
	return sp_load(&ring->tail, seq_cst) - sp_load(&ring->head, relaxed);
}

/* sp_spsc_ring_first: of those the one that was put first. */
static inline uint64_t
sp_spsc_ring_first(struct sp_spsc_ring *ring)
{
	return sp_load(&ring->head, relaxed) & (ring->size - 1);
}

/* sp_spsc_ring_take: that one has been read. */
static inline void
sp_spsc_ring_take(struct sp_spsc_ring *ring)
{
	uint64_t head = sp_load(&ring->head, relaxed);

	sp_store(&ring->head, head + 1, release); /* ROOM release. */
}

#endif /* SPATE_SHARDS_SPSC_RING_H */
