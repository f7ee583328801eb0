/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_OFFLOAD_H
#define SPATE_SHARDS_OFFLOAD_H

/*
 * Offload: calls that block in the kernel or in somebody else's library, run
 * by a pool of threads while the fiber that wants them waits for an event.
 *
 *                    push                 pop              post
 *     fiber, waits ------> bounded queue -----> pool thread -----> fiber
 *
 *     a job's state      left by                        its memory is then
 *     -----------------  ----------------------------   -------------------
 *     QUEUED             the thread that begins it,     both sides'
 *                        or the fiber that gives up
 *     BEGUN              the thread, when fn returns,   both sides'
 *                        or a fiber that may let go
 *     ENDED              -                              the fiber's to free,
 *                                                       after the post
 *     CANCELLED          -                              the thread's to free
 *
 * A fiber that gives up leaves nothing behind that uses its frame: a job that
 * has not begun will not begin, and one that has is waited for; unless its
 * argument is not in the frame and there is somebody to drop it.
 *
 *   edge     release side             acquire side          what crosses
 *   ------   ----------------------   -------------------   ---------------
 *   GIVEUP   the fiber's exchange     the thread's two      a job given up,
 *                                                           to be freed
 *   EVENT    sp_event_post()          sp_event_wait()       fn's results,
 *                                                           and the job
 *   PLACE    who makes a thread, or   who takes the place   the thread, to be
 *            ends as one              of it, or stops       joined once
 *
 *          who pushes                       pool thread
 *   IDLE1  push (PUBLISH)            IDLE3  set its bit (idle.h)
 *   IDLE2  load the set              IDLE4  pop
 *
 *     a place's state    left by                        its thread is then
 *     ----------------   ----------------------------   -----------------
 *     NO_THREAD          who is about to make one       -
 *     THREAD_MADE        the same: made, refused, or    the maker's; it may
 *                        the stop was seen              run already
 *     THREAD_RUNS        the thread, at its end         the stop's to join
 *     THREAD_ENDED       who is about to make another   the maker's to join,
 *                                                       or the stop's
 *
 *           who makes a thread                  who stops the pool
 *   LEAVE1  the place to THREAD_MADE    LEAVE3  stopping to 1
 *   LEAVE2  load stopping               LEAVE4  load the place
 *
 * So the stop knows of each thread that is still made, and joins it; and who
 * sees the stop gives the place back, as he found it.
 *
 * Threads are made by threads: one that is about to run a job sees to it
 * that there is another to take the next one, up to the limit. So no worker
 * ever makes one, and the pool has one idle thread from the start on. Those
 * beyond that end when they have been idle for a while.
 */

#include "alloc/cacheline.h"
#include "shards/bounded_queue.h"
#include "shards/event.h"
#include "shards/idle.h"

#include <pthread.h>

#define SP_OFFLOAD_THREADS_MAX SP_IDLE_MAX

struct sp_offload;

struct sp_offload_job {
	SP_PLAIN(void (*)(void *)) fn;
	SP_PLAIN(void *) arg;
	void (*drop)(void *); /* constant; or NULL */
	uint64_t pushed_ns;
	SP_ATOMIC(uint32_t) state; /* SP_OFFLOAD_QUEUED and so on */
	struct sp_event done;
};

enum {
	SP_OFFLOAD_QUEUED,
	SP_OFFLOAD_BEGUN,
	SP_OFFLOAD_ENDED,
	SP_OFFLOAD_CANCELLED
};

enum {
	SP_OFFLOAD_NO_THREAD,
	SP_OFFLOAD_THREAD_MADE, /* is being made */
	SP_OFFLOAD_THREAD_RUNS,
	SP_OFFLOAD_THREAD_ENDED
};

struct sp_offload_thread {
	struct sp_offload *pool;
	uint32_t number;
	pthread_t thread;
	SP_ATOMIC(uint32_t) state; /* SP_OFFLOAD_NO_THREAD and so on */
	SP_ATOMIC(uint32_t) wake_word;
};

struct sp_offload {
	/* Constant while it runs. */
	uint32_t limit; /* of threads; 0: there is no pool */

	SP_ALIGN_APART struct sp_queue queue; /* of jobs */
	SP_ALIGN_APART struct sp_idle idle;
	SP_ATOMIC(uint32_t) stopping;
	SP_ATOMIC(uint32_t) threads;
	SP_ATOMIC(uint64_t) jobs;      /* that have begun */
	SP_ATOMIC(uint64_t) cancelled; /* before that */
	SP_ATOMIC(uint64_t) let_go;    /* after that, and before its end */
	SP_ATOMIC(uint64_t) refused;   /* the queue was full */
	SP_ATOMIC(uint64_t) wait_us;   /* from the push to that, in all */
	struct sp_offload_thread thread[SP_OFFLOAD_THREADS_MAX];
};

/*
 * sp_offload_start: with one thread. The queue is as long as asked for,
 * rounded up to a power of two.
 *
 * => Returns 0 or -errno. threads may be 0; then every job is refused.
 */
int sp_offload_start(struct sp_offload *pool, uint32_t threads, uint32_t queue);

/*
 * sp_offload_stop: when no fiber waits, and while the workers' memory is
 * there: a thread may be on its way out of a post. Also of a pool that did
 * not start.
 */
void sp_offload_stop(struct sp_offload *pool);

/*
 * sp_offload_run: run fn(arg) in a pool thread, and wait for it.
 *
 * => Returns 0: fn has returned. Without a drop that may be after the time
 *    was up or the client had gone: once begun, it is waited for.
 * => Returns -ETIMEDOUT or -ECANCELED, as sp_event_wait(); -EAGAIN: the
 *    queue is full; -ENOMEM. fn has not begun and never will, or has been
 *    let go: then the thread calls drop(arg) when it has returned. In all
 *    other cases with a drop, arg is the caller's again.
 * => *let_go tells which it was, if there is a drop; else it may be NULL.
 */
int sp_offload_run(struct sp_worker *worker, struct sp_offload *pool,
    void (*fn)(void *arg), void *arg, void (*drop)(void *arg), bool *let_go,
    uint32_t timeout_ms);

static inline uint64_t
sp_offload_depth(struct sp_offload *pool)
{
	return pool->limit != 0 ? sp_queue_depth(&pool->queue) : 0;
}

#endif /* SPATE_SHARDS_OFFLOAD_H */
