/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_WAKE_H
#define SPATE_SHARDS_WAKE_H

/*
 * netpollWakeSig: whether the thread that polls a shard sleeps in the
 * kernel, and who writes the eventfd that ends its sleep (netpollBreak).
 *
 *                     blocked              notify
 *     +---------+ ----------------> +---------+ ---------> +----------+
 *     | RUNNING |                   | BLOCKED |            | NOTIFIED |
 *     +---------+ <---------------- +---------+            +----------+
 *          ^            running                                 |
 *          `----------------------------------------------------'
 *                               running
 *
 *     event     raised by                RUNNING   BLOCKED     NOTIFIED
 *     -------   ----------------------   -------   ---------   --------
 *     blocked   the poll token's holder  BLOCKED   !           !
 *     running   the poll token's holder  RUNNING   RUNNING     RUNNING
 *     notify    any thread               RUNNING   NOTIFIED +  NOTIFIED
 *
 * "+": and whoever raised it writes the eventfd, once. "!": never asked for.
 * So one blocking episode costs at most one write, and a breaker of a shard
 * that is awake pays one load.
 *
 *          breaker                          poller
 *   WAKE1  push onto the inbox       WAKE3  sig: -> BLOCKED
 *   WAKE2  load sig                  WAKE4  load the inbox
 *
 * Either WAKE2 sees BLOCKED, and the breaker writes the eventfd, or WAKE4
 * sees the message, and the poller does not sleep. With anything weaker
 * than seq_cst at one of the four both could miss, and the message would
 * wait for some later event. tests/model/wake_model.cpp weakens each.
 *
 * A poller that wakes for another reason goes back to RUNNING while a
 * breaker is still on its way to the write. That write is then spurious: it
 * costs the next poll one empty return, and nothing else.
 */

#include "shards/atomics.h"

#include <stdbool.h>
#include <stdint.h>

enum { SP_WAKE_RUNNING, SP_WAKE_BLOCKED, SP_WAKE_NOTIFIED };

struct sp_wake {
	SP_ATOMIC(uint32_t) sig;
};

/*
 * sp_wake_blocked: about to sleep. Look at everything that a breaker may
 * have left, after this and before sleeping.
 */
static inline void
sp_wake_blocked(struct sp_wake *wake)
{
	sp_xchg(&wake->sig, SP_WAKE_BLOCKED, seq_cst); /* WAKE3 */
}

/* sp_wake_running: awake again, or not asleep after all. */
static inline void
sp_wake_running(struct sp_wake *wake)
{
	sp_store(&wake->sig, SP_WAKE_RUNNING, relaxed);
}

/*
 * sp_wake_notify: after leaving something for the poller.
 *
 * => Returns true: write the eventfd. Returns false: nobody needs waking.
 */
static inline bool
sp_wake_notify(struct sp_wake *wake)
{
	uint32_t seen = SP_WAKE_BLOCKED;

	if (sp_load(&wake->sig, seq_cst) != SP_WAKE_BLOCKED) /* WAKE2 */
		return false;
	return sp_cas(&wake->sig, &seen, SP_WAKE_NOTIFIED, acq_rel, relaxed);
}

#endif /* SPATE_SHARDS_WAKE_H */
