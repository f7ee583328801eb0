/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_RCU_H
#define SPATE_SHARDS_RCU_H

/*
 * Read-copy-update: the one file that names liburcu.
 *
 * The flavor is QSBR. A worker has a natural quiescent state, the top of its
 * loop, and readers then cost nothing. The price is two duties:
 *
 *     Go offline around whatever may block. A worker that sleeps in the
 *     kernel while online holds up every grace period.
 *
 *     Keep no pointer that was found under RCU across a wait: the fiber may
 *     go on after a quiescent state.
 *
 * What runs where:
 *
 *                           read    retire   wait for a grace period
 *     worker, online        yes     yes      no
 *     any other thread      between sp_rcu_enter() and sp_rcu_exit()
 *     a reclaim callback    no      yes      no
 *
 * Guarantee. What a reader finds stays what it was until the reader's next
 * quiescent state, going offline or sp_rcu_exit(), if it is taken out of
 * reach before it is retired and changed only by the reclaim callback.
 *
 * liburcu 0.13 tells ThreadSanitizer nothing, so its two edges, GRACE and
 * RETIRE, are told here, and the library's own accesses are excused in
 * tests/tsan.supp.
 *
 *   edge      release side                 acquire side
 *   -------   --------------------------   ---------------------------
 *   GRACE     sp_rcu_quiescent(),          the reclaim callback
 *             sp_rcu_offline()
 *   RETIRE    sp_rcu_retire()              the reclaim callback
 */

#include "alloc/tsan.h"

#if !SP_TSAN
#define _LGPL_SOURCE /* inline readers: short functions, as the LGPL allows */
#endif
#include <urcu-qsbr.h>

extern char sp_rcu_edge; /* an address for ThreadSanitizer to hang GRACE on */

/*
 * sp_rcu_start: make the thread that runs callbacks, if there is none yet.
 * It inherits name and CPUs, so not from a worker.
 */
void sp_rcu_start(void);

/* Workers: once at the beginning and once at the end of the thread. */
void sp_rcu_register(void);
void sp_rcu_unregister(void);

static inline void
sp_rcu_quiescent(void)
{
	/* GRACE release; GRACE acquire is in rcu.c. */
	SP_TSAN_RELEASE(&sp_rcu_edge);
	rcu_quiescent_state();
}

static inline void
sp_rcu_offline(void)
{
	SP_TSAN_RELEASE(&sp_rcu_edge); /* GRACE release. */
	rcu_thread_offline();
}

static inline void
sp_rcu_online(void)
{
	rcu_thread_online();
}

/*
 * sp_rcu_enter, sp_rcu_exit: a read-side section of any thread. A thread
 * that is no worker is registered by its first enter and unregistered when
 * it ends; between its sections it is offline. Sections may lie in each
 * other. In a worker both do nothing.
 */
void sp_rcu_enter(void);
void sp_rcu_exit(void);

/*
 * Of this process: what was retired and not yet reclaimed, what was, and how
 * long that had waited, all together: a grace period each, and until the helper
 * came to it. Any thread; each number by itself is right.
 */
struct sp_rcu_stats {
	uint64_t pending, reclaimed, wait_ns;
};

void sp_rcu_stats_get(struct sp_rcu_stats *stats);

/* Something on its way to being used again; a member of it. */
struct sp_rcu_retired {
	struct rcu_head head;
	uint64_t since_ns;
	void (*reclaim)(struct sp_rcu_retired *retired);
};

/*
 * sp_rcu_retire: have reclaim called after a grace period, in a helper
 * thread. Never blocks; allocates nothing.
 */
void sp_rcu_retire(struct sp_rcu_retired *retired,
    void (*reclaim)(struct sp_rcu_retired *retired));

/*
 * sp_rcu_barrier: until every callback of earlier retires has run. Not for
 * workers while they serve.
 */
void sp_rcu_barrier(void);

#endif /* SPATE_SHARDS_RCU_H */
