/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_WAITERS_H
#define SPATE_SHARDS_WAITERS_H

/*
 * Waiters: fibers of any workers that wait for one thing, each in a place of
 * its own with an event of its own; whoever has the thing wakes one of them.
 *
 *                enter              announce
 *     +------+ --------> +-------+ ---------> +--------+
 *     | free |           | taken | <--------- | parked |
 *     +------+ <-------- +-------+  retract,  +--------+
 *                leave              claim
 *
 * Both the free places and those that are parked are sets of bits as in
 * idle.h: to clear a bit is to have the place, and who clears a parked one has
 * to post its event. A fiber that leaves for another reason may find that it
 * was claimed; then it wakes somebody else for it. The post that it did not
 * wait for ends the next wait in that place too early, which is no harm: who
 * has been woken looks, and waits again.
 *
 *          who has something                fiber
 *   IDLE1  make it seen              IDLE3  set the bit (announce)
 *   IDLE2  load count, then a bit    IDLE4  look for it
 *
 * count is set before the bit, so who sees 0 need not look at the bits.
 *
 * Those that are claimed take turns, as far as that can be had for an add: the
 * search begins somewhere else each time.
 */

#include "alloc/cacheline.h"
#include "shards/event.h"
#include "shards/idle.h"

struct sp_waiters {
	/* Constant; the arrays are the owner's. */
	uint32_t words;
	struct sp_idle *free;
	struct sp_idle *parked;
	struct sp_event *event; /* 64 for each word */

	SP_ALIGN_APART SP_ATOMIC(uint32_t) count; /* taken places */
	SP_ATOMIC(uint32_t) turn;
};

/* sp_waiters_init: all are free. The arrays are filled in already. */
static inline void
sp_waiters_init(struct sp_waiters *set)
{
	for (uint32_t i = 0; i < set->words; i++) {
		sp_store(&set->free[i].set, UINT64_MAX, relaxed);
		sp_store(&set->parked[i].set, 0, relaxed);
	}
	for (uint32_t i = 0; i < set->words * SP_IDLE_MAX; i++)
		sp_event_init(&set->event[i]);
	sp_store(&set->count, 0, relaxed);
	sp_store(&set->turn, 0, relaxed);
}

/* => Returns a place, now the caller's, or -1: there is none left. */
static inline int
sp_waiters_enter(struct sp_waiters *set)
{
	for (uint32_t i = 0; i < set->words; i++) {
		int bit = sp_idle_claim_any(&set->free[i], UINT64_MAX);

		if (bit < 0)
			continue;
		sp_fetch_add(&set->count, 1, seq_cst); /* IDLE3 */
		return (int)(i * SP_IDLE_MAX) + bit;
	}
	return -1;
}

static inline void
sp_waiters_leave(struct sp_waiters *set, int place)
{
	unsigned at = (unsigned)place;

	/* Who still sees it counted looks at some bits in vain. */
	sp_fetch_sub(&set->count, 1, relaxed);
	sp_idle_announce(&set->free[at / SP_IDLE_MAX], at % SP_IDLE_MAX);
}

static inline void
sp_waiters_announce(struct sp_waiters *set, int place)
{
	unsigned at = (unsigned)place;

	/* IDLE3. */
	sp_idle_announce(&set->parked[at / SP_IDLE_MAX], at % SP_IDLE_MAX);
}

/* => Returns false: somebody has claimed it. */
static inline bool
sp_waiters_retract(struct sp_waiters *set, int place)
{
	unsigned at = (unsigned)place;

	return sp_idle_retract(
	    &set->parked[at / SP_IDLE_MAX], at % SP_IDLE_MAX);
}

/* => Returns a place that was parked, the caller's to post; or -1. */
static inline int
sp_waiters_claim(struct sp_waiters *set)
{
	uint32_t turn;

	if (sp_likely(sp_load(&set->count, seq_cst) == 0)) /* IDLE2 */
		return -1;
	turn = sp_fetch_add(&set->turn, 1, relaxed);
	for (uint32_t i = 0; i <= set->words; i++) {
		uint32_t word = (turn / SP_IDLE_MAX + i) % set->words;
		uint64_t mask = UINT64_MAX;
		int bit;

		/* Half a word, all others, and then the other half. */
		if (i == 0)
			mask <<= turn % SP_IDLE_MAX;
		bit = sp_idle_claim_any(&set->parked[word], mask);
		if (bit >= 0)
			return (int)(word * SP_IDLE_MAX) + bit;
	}
	return -1;
}

#endif /* SPATE_SHARDS_WAITERS_H */
