/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_WORKER_H
#define SPATE_SHARDS_WORKER_H

/*
 * Worker: a thread that runs tasks. Each shard has some, all alike: whoever
 * holds the poll token polls, the others run what it found.
 *
 *                    found something
 *            ,------------------------------.
 *            v                              |
 *     +-------------+  nothing   +----------------+  token   +--------+
 *     | running     | ---------> | looking        | -------> | polling|
 *     |  rest       |            |  ring, resumed |  free    +--------+
 *     |  ring       |            |  other shards  |              |
 *     |  resumed    | <--------------------------------  events --'
 *     +-------------+            +----------------+
 *            ^                          | token taken, nothing to steal
 *            |        claimed           v
 *            `-------------------- +--------+
 *                                  | parked |  (idle.h)
 *                                  +--------+
 *
 * A list that a worker is busy with is not trapped behind the task that
 * runs: all but that task lie in rest, from which a worker with nothing to
 * do may swap them out.
 *
 *   edge   release side               acquire side            what crosses
 *   ----   ------------------------   ---------------------   ------------
 *   REST   store by run_list()        swap by run_list() or   the list
 *                                     by a thief
 *
 * Some workers never poll, and run what others hand over to them alone
 * (handed.h): the heavy one of a shard, and those that may block.
 *
 * What runs in a worker may keep a pointer to it for good: fibers do not
 * leave theirs.
 */

#include "alloc/bufcache.h"
#include "alloc/cacheline.h"
#include "alloc/stack.h"
#include "shards/counters.h"
#include "shards/fiber.h"
#include "shards/mpsc_stack.h"
#include "shards/poll_desc.h"
#include "shards/recorder.h"

#include <pthread.h>

struct sp_shard;
struct sp_engine;
struct sp_idle;

enum { SP_WORKER_STARTING, SP_WORKER_RUNS, SP_WORKER_FAILED };

struct sp_worker {
	/* Constant while it runs. */
	struct sp_shard *shard;
	struct sp_engine *engine;
	uint32_t number; /* within the shard */
	bool spare;      /* made on demand; wakes for stalls only */
	bool heavy;      /* runs what is handed over to it, and never polls */
	bool blocking;   /* likewise, and may block in it; blocking.h */
	uint32_t place;  /* its bit, in the sets that it parks in */
	struct sp_idle *idle; /* the one that who readies a fiber looks at */
	pthread_t thread;
	SP_ATOMIC(uint32_t) state; /* SP_WORKER_*, below */
	int error;                 /* why it failed */

	/* The worker's own. */
	struct sp_fiber *current;
	struct sp_link *spares; /* fibers in their loop, to go on with */
	uint32_t spare_count;
	uint32_t spare_least; /* of it, since the last trim */
	SP_ATOMIC(uint32_t) waiting; /* fibers that are suspended */
	struct sp_link *runnable; /* resumed fibers, oldest first */
	struct sp_link **runnable_tail;
	uint32_t resume_budget;
	uint64_t resume_until; /* cycles; when the budget is used up as well */
	uint64_t now_ns; /* as of the last poll, or look at the clock */
	sp_tick now;
	sp_tick trim_after;
	uint64_t service_cycles; /* of a task, a moving average */
	sp_handle running;       /* what its task is for; 0: nothing */
	uint32_t random;
	struct sp_fiber root;
	struct sp_bufcache buffers;
	struct sp_stack_pool stacks;
	struct sp_wheel timers; /* of fibers that wait; event.h */
	struct sp_task_list handed; /* of a heavy one: not yet begun */
	void *context; /* of the framework */
	sp_tick date_until; /* likewise: when its date is out of date */

	/* Thieves swap. */
	SP_ALIGN_APART SP_ATOMIC(struct sp_task *) rest;
	SP_ATOMIC(uint64_t) begun; /* tasks, and waits ended; sysmon compares */
	SP_ATOMIC(const char *) handler; /* that runs, by name, or NULL */

	/* The watcher's: what it saw last, since when, and if it said so. */
	uint64_t watched, watched_ns;
	bool told;

	/* Any thread. */
	SP_ALIGN_APART struct sp_mpsc_stack resumed;
	SP_ATOMIC(uint32_t) wake_word; /* what it sleeps on when parked */

	SP_ALIGN_APART struct sp_counters counters;
	SP_ATOMIC(uint64_t) started;      /* cycles; 0: not yet */
	SP_ATOMIC(uint64_t) asleep;       /* cycles, in all */
	SP_ATOMIC(uint64_t) asleep_since; /* 0: it is awake */
	SP_ATOMIC(void *) insight; /* of the framework; what others read */
	struct sp_recorder recorder;
} SP_ALIGN_APART;

/*
 * sp_worker_self: the worker that the calling thread is, or NULL. Never
 * inlined, so that no thread-local address is kept across a wait.
 */
struct sp_worker *sp_worker_self(void);

/* sp_worker_name: of its thread; docs/architecture.md lists them. */
#define SP_WORKER_NAME 16
void sp_worker_name(const struct sp_worker *worker, char name[SP_WORKER_NAME]);

/*
 * So much in a row, of one kind, before the others get their turn: a list
 * that is expected to take longer goes in pieces.
 */
#define SP_SLICE_US 50

/* Stacks that a worker keeps when nobody waits. */
#define SP_IDLE_STACKS 32

enum sp_worker_kind {
	SP_WORKER_PRIMARY,
	SP_WORKER_SPARE,
	SP_WORKER_HEAVY,
	SP_WORKER_BLOCKING
};

/* sp_worker_polls: or it runs what is handed over. */
static inline bool
sp_worker_polls(const struct sp_worker *worker)
{
	return !worker->heavy && !worker->blocking;
}

/*
 * sp_worker_new: a worker that has not started.
 *
 * => Returns NULL: no memory.
 */
struct sp_worker *sp_worker_new(
    struct sp_shard *shard, uint32_t number, enum sp_worker_kind kind);
void sp_worker_free(struct sp_worker *worker);

/*
 * sp_worker_start: its thread. Returns 0 or -errno: also what its
 * worker_begin() said, if that is waited for; else one that fails just ends.
 * sp_worker_join: until the thread has ended, which it does once its shard
 * has stopped (sp_shard_stopped).
 */
int sp_worker_start(struct sp_worker *worker, bool wait);
void sp_worker_join(struct sp_worker *worker);

/* sp_worker_wake: end a park. Only for whom the idle set gave it to. */
void sp_worker_wake(struct sp_worker *worker);

/* sp_worker_random: Marsaglia's xorshift; its own state, which is not 0. */
static inline uint32_t
sp_worker_random(struct sp_worker *worker)
{
	uint32_t x = worker->random;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return worker->random = x;
}

/*
 * sp_worker_park: sleep until somebody who has claimed the worker in the set
 * that it has announced itself in wakes it, or a wait of its own is over, or
 * there is memory to give back. word is its wake_word before it announced.
 */
void sp_worker_park(
    struct sp_worker *worker, struct sp_idle *set, uint32_t word);

/*
 * sp_worker_next_fiber: the next that can go on, or NULL; of SP_RESUME_BUDGET
 * in a row, in SP_SLICE_US, before others get their turn.
 * sp_worker_resume: go on in it; the running one becomes a spare. Context: the
 * worker's loop.
 */
#define SP_RESUME_BUDGET 64
struct sp_fiber *sp_worker_next_fiber(struct sp_worker *worker);
void sp_worker_resume(struct sp_worker *worker, struct sp_fiber *fiber);

/*
 * sp_worker_sleeps, sp_worker_awakes: around what may put its thread to
 * sleep. The second returns for how many cycles it was.
 */
static inline void
sp_worker_sleeps(struct sp_worker *worker)
{
	sp_store(&worker->asleep_since, sp_cycles(), relaxed);
}

static inline uint64_t
sp_worker_awakes(struct sp_worker *worker)
{
	uint64_t cycles
	    = sp_cycles() - sp_load(&worker->asleep_since, relaxed);

	sp_count(&worker->asleep, cycles);
	sp_store(&worker->asleep_since, 0, relaxed);
	return cycles;
}

/* sp_worker_look_at_clock: by each poll, and who has not polled just now. */
static inline void
sp_worker_look_at_clock(struct sp_worker *worker)
{
	worker->now_ns = sp_now_ns();
	worker->now = sp_tick_of(worker->now_ns);
}

/*
 * sp_worker_runs: it begins a task, or goes on with one after a wait.
 * sp_worker_ran: that has ended, or waits.
 */
static inline void
sp_worker_runs(struct sp_worker *worker, uint64_t now, sp_handle handle)
{
	worker->running = handle;
	sp_recorder_begin(&worker->recorder, now);
}

static inline void
sp_worker_ran(
    struct sp_worker *worker, uint64_t now, enum sp_record_kind kind)
{
	sp_record(&worker->recorder, kind, now,
	    sp_load(&worker->recorder.began, relaxed), worker->running,
	    (uint32_t)sp_load(&worker->counters.requests, relaxed));
}

/*
 * sp_fiber_reserve: make sure that a suspend will find a fiber to go on
 * with. Before anything is announced, since a suspend cannot fail.
 *
 * => Returns 0 or -ENOMEM.
 */
int sp_fiber_reserve(struct sp_worker *worker);

/*
 * sp_fiber_suspend: leave the running fiber until sp_fiber_ready(). Somebody
 * who will call that knows the fiber already. After sp_fiber_reserve().
 */
void sp_fiber_suspend(struct sp_worker *worker);

/*
 * sp_fiber_ready: Go's netpollgoready. Let a suspended fiber go on, in its
 * own worker. Any thread; exactly once for each suspend.
 */
void sp_fiber_ready(struct sp_fiber *fiber);

/*
 * sp_yield: Go's Gosched. Let all that is ready, and what the next poll
 * finds, go before the running fiber.
 *
 * => Returns 0, or -ENOMEM: it goes on at once.
 */
int sp_yield(struct sp_worker *worker);

/* How long the running fiber has been running, in cycles. */
static inline uint64_t
sp_worker_running_for(struct sp_worker *worker)
{
	return sp_cycles()
	       - (sp_load(&worker->recorder.began, relaxed)
		   & ~SP_RECORD_RESUMED);
}

/*
 * sp_poll_wait: Go's pollWait. Wait for an edge, in a fiber that owns pd.
 *
 * => Returns 0: try the I/O again. A read returns so also while there is
 *    something in outq, for which it is woken like for an edge: take that
 *    before waiting again.
 * => Returns what sp_netpoll_check_err() says, or -ENOMEM: no fiber to be
 *    had; then nothing was waited for.
 */
int sp_poll_wait(
    struct sp_worker *worker, struct sp_poll_desc *pd, enum sp_poll_mode mode);

/*
 * sp_poll_wait_unless: likewise, but not while any of these bits is set in
 * info; who sets one of them evicts the slot.
 */
int sp_poll_wait_unless(struct sp_worker *worker, struct sp_poll_desc *pd,
    enum sp_poll_mode mode, uint32_t bits);

/*
 * sp_poll_reset: Go's pollReset. Forget an edge, before the I/O.
 *
 * => Returns 0, or why not even to try.
 */
int sp_poll_reset(struct sp_poll_desc *pd, enum sp_poll_mode mode);

/*
 * sp_netpoll_block: Go's netpollblock. Announce, look, commit, suspend.
 *
 * => Returns true: there was an edge. Returns false: evicted, or an error.
 */
bool sp_netpoll_block(
    struct sp_worker *worker, struct sp_poll_desc *pd, enum sp_poll_mode mode);

/*
 * sp_run_woken: run or resume what a slot gave back, wherever one is. What
 * is a TASK goes to pd's shard. sp_run_woken_all: likewise, of both slots.
 */
void sp_run_woken(
    struct sp_poll_desc *pd, struct sp_shard *shard, uintptr_t woken);
void sp_run_woken_all(struct sp_poll_desc *pd, struct sp_shard *shard,
    const uintptr_t woken[SP_POLL_MODES]);

/*
 * sp_fiber_until: when a wait ends that is to end at when: then, or at the
 * fiber's own deadline. SP_DEADLINE_NONE: never.
 */
static inline sp_tick
sp_fiber_until(const struct sp_fiber *fiber, sp_tick when)
{
	if (!SPATE_FIBERS || sp_likely(fiber->until == SP_DEADLINE_NONE))
		return when;
	if (when != SP_DEADLINE_NONE && sp_tick_after(fiber->until, when))
		return when;
	return fiber->until;
}

/* sp_fiber_is_late: whether its own deadline has come. */
static inline bool
sp_fiber_is_late(const struct sp_fiber *fiber)
{
	return fiber->until != SP_DEADLINE_NONE
	    && !sp_tick_after(fiber->until, sp_tick_of(sp_now_ns()));
}

#endif /* SPATE_SHARDS_WORKER_H */
