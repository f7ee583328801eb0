/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_BLOCKING_H
#define SPATE_SHARDS_BLOCKING_H

/*
 * Blocking: workers of the whole engine for handlers that may block in the
 * kernel or in somebody else's library, for any time.
 *
 *            push                    pop                   sp_shard_run()
 *     worker ----> bounded queue -----> blocking worker ------> its shard
 *
 * One is a worker of some shard by its memory, counters and fibers, so what
 * runs in it may call all that is for handlers. It never polls, runs on any
 * CPU, and is no RCU reader but between sp_rcu_enter() and sp_rcu_exit(): it
 * may stand still anywhere else without keeping anybody.
 *
 * The watcher makes one when something is queued and none is free, up to the
 * limit, and they stay until the engine stops.
 *
 *     a worker that         is in    takes from the queue
 *     -------------------   ------   -------------------------------------
 *     runs a handler        -        when that has returned
 *     has nothing to do     idle     yes
 *     has fibers that wait  held     if it is crowded: no more workers are
 *                                    to be had, because of the limit or of
 *                                    the system
 *
 * So a handler has a thread to itself, while there are enough; and handlers
 * that wait, for clients that are slow, do not keep the others out.
 *
 *          who pushes, or pops and              blocking worker
 *          leaves some behind
 *   IDLE1  push (bounded_queue.h)        IDLE3  set its bit in idle or held
 *   IDLE2  load idle; crowded and held   IDLE4  look at the queue; if held,
 *                                               at crowded before
 *
 * The same for the watcher, whose IDLE1 is to set crowded; and for who stops
 * the engine, by stopping. As for the watcher's sleep (sysmon.c):
 *
 *          who pushes                           the watcher
 *   NUDGE3 push                          NUDGE1 asleep: -> 1
 *   NUDGE4 asleep: -> 0                  NUDGE2 look at the queue
 *
 * Here all four are seq_cst, for who finds no worker free has to be heard.
 *
 *   edge     release side               acquire side      what crosses
 *   -------  -------------------------  ----------------  --------------
 *   PUBLISH  sp_blocking_hand()         sp_blocking_next  the descriptor
 *   PLACED   the maker: worker[place]   who wakes it      the worker
 */

#include "alloc/cacheline.h"
#include "shards/bounded_queue.h"
#include "shards/idle.h"

#define SP_BLOCKING_THREADS_MAX SP_IDLE_MAX

struct sp_engine;
struct sp_poll_desc;
struct sp_task;
struct sp_worker;

struct sp_blocking {
	/* Constant while it runs. */
	uint32_t limit; /* of threads; 0: there are none, and no queue */

	SP_ALIGN_APART struct sp_queue queue; /* of descriptors */
	SP_ALIGN_APART struct sp_idle idle;
	struct sp_idle held;
	SP_ATOMIC(uint32_t) crowded; /* the watcher's */
	SP_ATOMIC(uint32_t) stopping;
	SP_ATOMIC(uint32_t) threads; /* who makes them, one at a time */
	SP_ATOMIC(uint64_t) begun;
	SP_ATOMIC(uint64_t) refused; /* the queue was full */
	SP_ATOMIC(uint64_t) left;    /* in it, by their clients */
	SP_ATOMIC(uint64_t) wait_us; /* in it, all together */
	SP_ATOMIC(struct sp_worker *) worker[SP_BLOCKING_THREADS_MAX];
};

/*
 * sp_blocking_init: the queue, as long as asked for, rounded up to a power of
 * two. Before any worker is there: they may hand over at once.
 * sp_blocking_start: the first thread, so that whatever the system says later
 * one is there. After the shards' workers, and before the watcher.
 *
 * => Both return 0 or -errno. threads may be 0; then the queue is always full.
 */
int
sp_blocking_init(struct sp_engine *engine, uint32_t threads, uint32_t queue);
int sp_blocking_start(struct sp_engine *engine);

/*
 * sp_blocking_stop: when no connection is left, and the watcher has ended.
 * Also of what has not started.
 */
void sp_blocking_stop(struct sp_engine *engine);

/*
 * sp_blocking_full: whether to hand over is not worth trying.
 *
 * sp_blocking_hand: let one of the threads run a descriptor that the caller
 * owns. Any thread.
 *
 * => Returns false: the queue is full, and the descriptor the caller's still.
 */
bool sp_blocking_full(struct sp_blocking *pool);
bool sp_blocking_hand(struct sp_engine *engine, struct sp_poll_desc *pd);

/*
 * sp_blocking_look: what the watcher does for it, each time that it looks.
 *
 * => Returns whether it has to look again soon.
 */
bool sp_blocking_look(struct sp_engine *engine);

static inline uint64_t
sp_blocking_depth(struct sp_blocking *pool)
{
	return pool->limit != 0 ? sp_queue_depth(&pool->queue) : 0;
}

/*
 * sp_blocking_place: a worker that is about to start, in its place; or NULL.
 */
void sp_blocking_place(struct sp_worker *worker, struct sp_worker *placed);

/* For the loop of such a worker; handed.c. */
struct sp_task *sp_blocking_next(struct sp_worker *worker);
bool sp_blocking_ended(struct sp_worker *worker);
void sp_blocking_park(struct sp_worker *worker);

#endif /* SPATE_SHARDS_BLOCKING_H */
