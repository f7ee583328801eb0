/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_HANDED_H
#define SPATE_SHARDS_HANDED_H

/*
 * Handed: workers that never have the poll token, and run what others have
 * read and then handed over to them.
 *
 *                       heavy                    blocking (blocking.h)
 *     --------------    ----------------------   ------------------------
 *     how many          one for each shard       as many as are needed
 *     what it runs      what computes for long   what may block anywhere
 *     one at a time     but for those that wait  unless there are too few
 *     its queue         the shard's, unbounded   the engine's, bounded
 *     of the CPU        leaves it to pollers     likewise; is on any
 *
 * Those that poll have asked for a shorter slice (options.slice_us), and so
 * win the CPU that they share with one of these when they wake.
 */

#include "shards/shard.h"

/*
 * sp_shard_heavy: let the shard's heavy worker run a descriptor that the
 * caller owns. Any thread; only if there is such a worker.
 *
 *          who hands over                   the heavy worker
 *   IDLE1  push                      IDLE3  set its bit (idle.h)
 *   IDLE2  load the set              IDLE4  look at the stack
 */
void sp_shard_heavy(struct sp_shard *shard, struct sp_poll_desc *pd);

/* sp_handed_loop: what such a worker does. */
void sp_handed_loop(struct sp_worker *worker);

#endif /* SPATE_SHARDS_HANDED_H */
