/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_SPAWN_H
#define SPATE_SHARDS_SPAWN_H

/*
 * Spawn: work that no connection brings: a function that is called from a
 * worker's loop like any handler, and may wait like one.
 *
 *                 post               poll token              a worker's loop
 *     sp_spawn() ------> inbox of a ------------> runq, ring ---------> fn(arg)
 *     any thread         shard       descriptor
 *
 * It gets a descriptor without a file. So all that ends waits of a connection
 * ends its waits too: a cancel, which walks over the descriptors. What is
 * spawned when there is no memory for that runs as if it was cancelled.
 *
 * The shard stays until it has returned, as for what fibers connect to
 * (sp_shard_enter_outgoing). Who stops the engine looks at tasks_awaited to
 * let them come to their end first; those in the background have none of
 * their own, and are cancelled.
 *
 *   edge   release side                  acquire side        what crosses
 *   ----   ---------------------------   -----------------   --------------
 *   GONE   sp_shard_leave(): one         who stops, looks    that a task was
 *          connection less               at connections      spawned by it
 *   GONE   uncount(): one task less      and then at tasks   what it did
 *
 * In the other order a task of the last connection could be overlooked.
 */

#include "shards/engine.h"

/*
 * sp_spawn: have fn(arg) called once, soon, by a worker of the shard or one
 * that helps it. Any thread.
 *
 * => Returns 0; -EAGAIN: max_tasks are there; -ECANCELED: the engine ends;
 *    -ENOMEM. fn is then not called.
 */
int sp_spawn(
    struct sp_shard *shard, void (*fn)(void *), void *arg, bool background);

#endif /* SPATE_SHARDS_SPAWN_H */
