/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_IDLE_H
#define SPATE_SHARDS_IDLE_H

/*
 * Idle set: which workers of a shard are parked, one bit each.
 *
 *              announce
 *     +----+ ------------> +--------+
 *     | up | <------------ | parked |
 *     +----+    retract    +--------+
 *        ^       claim          |
 *        `----------------------'
 *
 *     event      raised by     up     parked
 *     --------   -----------   ----   -------------------------------
 *     announce   the worker    parked !
 *     retract    the worker    up     up   true: nobody has claimed it
 *     claim      any thread    -      up   true: the caller must wake it
 *
 * Clearing the bit is the right and the duty to wake: exactly one thread
 * has it, so a parked worker gets one wake-up and no more. A worker whose
 * retract returns false waits for the wake-up that is under way.
 *
 *          waker                            worker
 *   IDLE1  publish work              IDLE3  set the bit (announce)
 *   IDLE2  load the set              IDLE4  look for work
 *
 * Either IDLE2 sees the bit or IDLE4 sees the work; all four are seq_cst.
 */

#include "shards/atomics.h"

#include <stdbool.h>
#include <stdint.h>

#define SP_IDLE_MAX 64

struct sp_idle {
	SP_ATOMIC(uint64_t) set;
};

static inline void
sp_idle_announce(struct sp_idle *idle, unsigned worker)
{
	sp_fetch_or(&idle->set, UINT64_C(1) << worker, seq_cst); /* IDLE3 */
}

/* => Returns false: somebody has claimed the worker and will wake it. */
static inline bool
sp_idle_retract(struct sp_idle *idle, unsigned worker)
{
	const uint64_t bit = UINT64_C(1) << worker;

	return (sp_fetch_and(&idle->set, ~bit, seq_cst) & bit) != 0;
}

/* => Returns true: the worker was parked, and is the caller's to wake. */
static inline bool
sp_idle_claim(struct sp_idle *idle, unsigned worker)
{
	if (!(sp_load(&idle->set, seq_cst) >> worker & 1)) /* IDLE2 */
		return false;
	return sp_idle_retract(idle, worker);
}

/*
 * sp_idle_claim_any: one parked worker out of those in mask.
 *
 * => Returns its number, now the caller's to wake, or -1.
 */
static inline int
sp_idle_claim_any(struct sp_idle *idle, uint64_t mask)
{
	uint64_t set;

	while ((set = sp_load(&idle->set, seq_cst) & mask) != 0) { /* IDLE2 */
		int worker = __builtin_ctzll(set);

		if (sp_idle_retract(idle, (unsigned)worker))
			return worker;
	}
	return -1;
}

#endif /* SPATE_SHARDS_IDLE_H */
