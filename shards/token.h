/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_TOKEN_H
#define SPATE_SHARDS_TOKEN_H

/*
 * Poll token: the right to poll a shard, and to touch what only its poller
 * may touch (slab, timers, the ready ring's producer side).
 *
 *     +------+   try    +-----------------+
 *     | free | -------> | held by a worker |
 *     +------+ <------- +-----------------+
 *                drop
 *
 * A worker holds it while it polls and sorts what it found, and drops it
 * before it runs a handler, so that a slow handler never keeps the shard
 * from being polled. Nobody waits for it: a try that fails says that some
 * other worker is polling right now.
 *
 *   edge    release side       acquire side      what crosses it
 *   -----   ----------------   ---------------   --------------------------
 *   TOKEN   sp_token_drop()    sp_token_try()    all that the poller owns
 *
 * A worker that finds the token taken may park, for whoever has it is up and
 * will come back to poll. One that will not come back, being of another
 * shard or about to end, has to say so: sp_token_left(), which is IDLE1 to
 * sp_token_free()'s IDLE4 (idle.h). sp_shard_unattended() does it.
 */

#include "shards/atomics.h"

#include <stdbool.h>
#include <stdint.h>

struct sp_token {
	SP_ATOMIC(uint32_t) owner; /* worker number + 1, or 0 */
};

static inline bool
sp_token_try(struct sp_token *token, uint32_t worker)
{
	uint32_t nobody = 0;

	if (sp_load(&token->owner, relaxed) != 0)
		return false;
	/* TOKEN acquire. */
	return sp_cas(&token->owner, &nobody, worker + 1, acquire, relaxed);
}

static inline void
sp_token_drop(struct sp_token *token)
{
	sp_store(&token->owner, 0, release); /* TOKEN release. */
}

static inline bool
sp_token_free(struct sp_token *token)
{
	return sp_load(&token->owner, seq_cst) == 0;
}

/*
 * sp_token_left: after a drop, by who will not try again. The drop is a
 * release and so no half of a pair; this adds nothing to the word, in the
 * one order of all seq_cst accesses.
 *
 * => Returns true: nobody has it. Wake one who parked while the caller did.
 * => Returns false: somebody else does by now, and it is theirs to see to.
 */
static inline bool
sp_token_left(struct sp_token *token)
{
	return sp_fetch_add(&token->owner, 0, seq_cst) == 0; /* IDLE1 */
}

#endif /* SPATE_SHARDS_TOKEN_H */
