/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_POLL_SLOT_H
#define SPATE_SHARDS_POLL_SLOT_H

/*
 * Poll slot: Go's rg and wg. One direction of a descriptor, where the poller
 * and the one that does the I/O meet. It remembers one readiness edge, or
 * holds who waits for one, never both.
 *
 *                announce                 commit
 *        ,-----------------> +------+ -------------> +-------+
 *        |      consume      | WAIT |                | fiber |
 *     +-----+ <------------- +------+                +-------+
 *     | NIL | <--------------- |  evict                |   |
 *     +-----+ <----------------|------------ evict ----'   |
 *      | | ^                   | ready                     |
 *      | | |     consume       v                           |
 *      | | `-------------- +-------+ <-------- ready ------'
 *      | `---------------> | READY |
 *      |        ready      +-------+
 *      |  park                             +------+
 *      `---------------------------------> | TASK | -- ready, evict, unpark
 *                                          +------+    --> NIL
 *
 * What each event does in each state. "+": and the waiter is now the
 * caller's, to run or to resume, exactly once. "!": only a bug can ask for
 * this, and it aborts.
 *
 *    event      raised by           NIL     READY   WAIT    TASK    fiber
 *    --------   ----------------    -----   -----   -----   -----   -------
 *    announce   the owner           WAIT    NIL -   !       !       !
 *    commit     the owner           NIL -   READY - fiber   !       !
 *    consume    the owner           NIL     NIL     NIL     !       !
 *    park       the owner           TASK    NIL -   !       !       !
 *    unpark     who parked it       NIL -   READY - WAIT -  NIL     fiber -
 *    retract    the owner           NIL -   READY - WAIT -  TASK -  NIL
 *    ready      the poller          READY   READY   READY   NIL +   READY +
 *    evict      any thread          NIL     READY   NIL     NIL +   NIL +
 *
 * "-": the call returns false. tests/unit/poll_slot_test.c holds this table
 * once more; change both or neither.
 *
 * The owner is the one thread that may do I/O on the descriptor: the fiber
 * that runs its handler. A fiber that waits keeps the descriptor; a parked
 * TASK has let go of it, and whoever takes the TASK out of the slot is the
 * next owner. That is why ready leaves NIL behind a TASK and READY behind a
 * fiber: the first hands the edge over together with the descriptor, the
 * second still has a consume to come.
 *
 *   edge    release side                acquire side              crosses
 *   -----   -------------------------   -----------------------   ----------
 *   OWNER   sp_slot_park(),             sp_slot_ready(),          all that
 *           sp_slot_commit()            sp_slot_evict()           is owned
 *   EVENT   sp_slot_ready()             sp_slot_announce(),       what came
 *                                       sp_slot_consume(),        before the
 *                                       sp_slot_park()            edge
 *
 * And a pair that is no edge, since each side stores its own word and then
 * loads the other's (poll_desc.h has the words):
 *
 *          owner                            closer, deadline, sender
 *   FLAG1  slot: -> WAIT or TASK     FLAG3  info, deadline or out-queue
 *   FLAG2  load those three          FLAG4  load the slot
 *
 * Either FLAG2 sees the news, and the owner does not wait, or FLAG4 sees the
 * waiter, and evicts it. tests/model/poll_slot_model.cpp weakens each.
 *
 * The same pair stands in for EVENT where ready finds READY: it then writes
 * nothing and releases nothing. What crosses all the same is what both sides
 * touch in order: the socket, by its lock, and info, by sp_poll_info().
 *
 * Progress: ready and evict are lock-free, they try again only when another
 * thread has moved the slot; the rest is wait-free.
 */

#include "alloc/cacheline.h"
#include "alloc/check.h"
#include "shards/atomics.h"

#include <stdbool.h>
#include <stdint.h>

/* Anything greater than these in a slot is a pointer to a fiber. */
enum { SP_SLOT_NIL, SP_SLOT_READY, SP_SLOT_WAIT, SP_SLOT_TASK };

typedef SP_ATOMIC(uintptr_t) sp_slot;

/*
 * announce: about to wait.
 *
 * => Returns false: there was an edge, now taken. Do the I/O instead.
 */
static inline bool
sp_slot_announce(sp_slot *slot)
{
	uintptr_t seen = SP_SLOT_NIL;

	/* FLAG1. */
	if (sp_cas(slot, &seen, (uintptr_t)SP_SLOT_WAIT, seq_cst, seq_cst))
		return true;
	SP_CHECK(seen == SP_SLOT_READY);
	/* EVENT acquire. */
	sp_xchg(slot, (uintptr_t)SP_SLOT_NIL, seq_cst);
	return false;
}

/*
 * commit: wait for real. The fiber may be made ready before this returns.
 *
 * => Returns false: there was an edge or an eviction. consume, and look.
 */
static inline bool
sp_slot_commit(sp_slot *slot, uintptr_t fiber)
{
	uintptr_t seen = SP_SLOT_WAIT;

	SP_DEBUG_CHECK(fiber > SP_SLOT_TASK);
	/* OWNER release. */
	if (sp_likely(sp_cas(slot, &seen, fiber, release, relaxed)))
		return true;
	SP_CHECK(seen <= SP_SLOT_READY);
	return false;
}

/*
 * consume: forget the edge, before doing the I/O that it spoke of. Doing it
 * after the I/O would forget an edge that came in between. A swap and not a
 * store: a store could reach memory after the I/O.
 *
 * => Returns true: there was an edge.
 */
static inline bool
sp_slot_consume(sp_slot *slot)
{
	/* EVENT acquire. */
	uintptr_t seen = sp_xchg(slot, (uintptr_t)SP_SLOT_NIL, seq_cst);

	SP_CHECK(seen <= SP_SLOT_WAIT);
	return seen == SP_SLOT_READY;
}

/*
 * park: let go of the descriptor until there is an edge.
 *
 * => Returns true: parked, and perhaps already run by somebody else. Check
 *    FLAG2 and sp_slot_unpark(), and touch nothing else.
 * => Returns false: there was an edge, now taken. Still the owner.
 */
static inline bool
sp_slot_park(sp_slot *slot)
{
	uintptr_t seen = SP_SLOT_NIL;

	/* FLAG1, OWNER release. */
	if (sp_cas(slot, &seen, (uintptr_t)SP_SLOT_TASK, seq_cst, seq_cst))
		return true;
	SP_CHECK(seen == SP_SLOT_READY);
	/* EVENT acquire. */
	sp_xchg(slot, (uintptr_t)SP_SLOT_NIL, seq_cst);
	return false;
}

/*
 * unpark: take the TASK back. The owner does that when FLAG2 had news; it is
 * also an evict that leaves fibers alone.
 *
 * => Returns true: the owner again. Returns false: somebody else is.
 */
static inline bool
sp_slot_unpark(sp_slot *slot)
{
	uintptr_t seen = SP_SLOT_TASK;

	/* FLAG4, also by failing: that is to have seen that nobody waits. */
	return sp_cas(slot, &seen, (uintptr_t)SP_SLOT_NIL, seq_cst, seq_cst);
}

/*
 * retract: the fiber has gone on for another reason, and takes itself out.
 *
 * => Returns false: somebody has taken it out before, and wakes it for that.
 */
static inline bool
sp_slot_retract(sp_slot *slot, uintptr_t fiber)
{
	return sp_cas(slot, &fiber, (uintptr_t)SP_SLOT_NIL, seq_cst, seq_cst);
}

/*
 * ready: there is an edge (netpollunblock with ioready).
 *
 * => Returns SP_SLOT_TASK or a fiber: it was waiting, and is the caller's.
 * => Returns SP_SLOT_NIL: nobody waited; the slot remembers.
 */
static inline uintptr_t
sp_slot_ready(sp_slot *slot)
{
	/* As it is with nearly all connections; or the CAS will tell. */
	uintptr_t seen = SP_SLOT_TASK;
	uintptr_t next = SP_SLOT_NIL;

	/* EVENT release, OWNER acquire; FLAG4, also if it fails. */
	while (!sp_cas(slot, &seen, next, seq_cst, seq_cst)) {
		if (seen == SP_SLOT_READY)
			return SP_SLOT_NIL;
		next = seen == SP_SLOT_TASK ? SP_SLOT_NIL : SP_SLOT_READY;
	}
	return seen >= SP_SLOT_TASK ? seen : (uintptr_t)SP_SLOT_NIL;
}

/*
 * evict: no edge, but there is news (netpollunblock without ioready).
 *
 * => Returns as sp_slot_ready(). On SP_SLOT_NIL the owner is running and
 *    sees the news before it waits.
 */
static inline uintptr_t
sp_slot_evict(sp_slot *slot)
{
	uintptr_t seen = sp_load(slot, seq_cst); /* FLAG4 */

	do {
		if (seen <= SP_SLOT_READY)
			return SP_SLOT_NIL;
		/* OWNER acquire. */
	} while (
	    !sp_cas(slot, &seen, (uintptr_t)SP_SLOT_NIL, seq_cst, seq_cst));
	return seen >= SP_SLOT_TASK ? seen : (uintptr_t)SP_SLOT_NIL;
}

#endif /* SPATE_SHARDS_POLL_SLOT_H */
