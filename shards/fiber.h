/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_FIBER_H
#define SPATE_SHARDS_FIBER_H

/*
 * Fiber: a stack that a worker runs on. It is the G of Go's netpoll.
 *
 * Every fiber has the worker's loop at its bottom, so a handler is a plain
 * call from the loop and costs nothing as long as it does not wait:
 *
 *     fiber A                        fiber B
 *     +----------------------+
 *     | worker loop          |
 *     |   handler            |
 *     |     waits: suspend() ---+    +-----------------------+
 *     :                      :  `--> | worker loop goes on,  |
 *     :   (parked)           :       |   runs other handlers |
 *     :                      :  .--- |   A is ready: resume  |
 *     |     goes on  <----------'    :   (spare)             :
 *     |   handler returns    |
 *     | worker loop goes on  |
 *     +----------------------+
 *
 * Only a handler that waits keeps its fiber; the loop goes on upon a spare
 * one, and the fiber it leaves to resume another becomes a spare itself.
 *
 * A fiber never leaves the worker that made it. Thread-local addresses that
 * the compiler keeps across a switch (errno has one) stay right, and a fiber
 * may be made ready before it has switched away: its worker, who is the only
 * one to resume it, is busy with that very switch.
 *
 *     sp_fiber_suspend    the fiber itself, in its worker
 *     sp_fiber_ready      any thread, once for each suspend
 *     sp_fiber_resume     the worker's loop
 *
 *   edge     release side           acquire side
 *   ------   --------------------   ----------------------------------------
 *   RESUME   push onto resumed      pop by the worker (mpsc_stack.h's PUSH)
 *   WAKES    sp_fiber_ready()       sp_fiber_suspend() as it goes on; for
 *                                   those that found it in a list already
 *   LINK     sp_fiber_suspend()     sp_fiber_ready(), the first to come after
 *            as it goes on          that: link, to put it in a list again,
 *                                   and ready
 */

#include "alloc/stack.h"
#include "shards/clock.h"
#include "shards/mpsc_stack.h"

#include <stdbool.h>
#include <stdint.h>

struct sp_poll_desc;
struct sp_worker;

/*
 * SPATE_FIBERS=0 is for measuring alone: the loop runs on its thread's own
 * stack, and every wait is refused as if there were no stack for another.
 */
#ifndef SPATE_FIBERS
#define SPATE_FIBERS 1
#endif

/* What waits have taken, in cycles. */
struct sp_waited {
	uint64_t parked;  /* until the fiber could go on */
	uint64_t blocked; /* likewise, for room to write */
	uint64_t queued;  /* from then on, until it did */
};

static inline bool
sp_waited_any(const struct sp_waited *waited)
{
	return SPATE_FIBERS
	    && (waited->parked | waited->blocked | waited->queued) != 0;
}

struct sp_fiber {
	void *sp; /* while it does not run */
	struct sp_link link;
	struct sp_worker *home;  /* constant */
	struct sp_stack *stack;  /* constant; NULL for the thread's own */
	const void *asan_low;    /* AddressSanitizer: the stack's lowest byte */
	size_t asan_size;
	void *asan_fake;
	void *tsan;

	/*
	 * Called by the fiber itself before it switches away, if set: what
	 * the running handler has put off has to be done now.
	 */
	void (*before_wait)(void *arg);
	void *before_wait_arg;

	/* No wait lasts beyond this tick; SP_DEADLINE_NONE: no limit. */
	sp_tick until;

	/* The connection that it handles, or NULL; see event.h. */
	struct sp_poll_desc *pd;

	/*
	 * A fiber that waits in two slots may be made ready twice before it
	 * goes on, but link is in one list at a time: the first puts it
	 * there, and the others are counted.
	 */
	SP_ATOMIC(uint32_t) wakes; /* since it last went on; any thread */
	uint32_t credits;          /* taken and not yet used; its own */

	uint64_t ready; /* cycles; as of the wake that puts it in the list */
	struct sp_waited waited; /* since whoever asks has set it to 0 */
} __attribute__((aligned(16)));

/*
 * sp_fiber_root: make a worker's own thread its first fiber. Its loop does
 * not run here: switch to a new one for that.
 */
void sp_fiber_root(struct sp_fiber *root, struct sp_worker *home);
void sp_fiber_root_end(struct sp_fiber *root);

/*
 * sp_fiber_new: a fiber that begins in entry(home).
 *
 * => Returns NULL: no stack to be had.
 */
struct sp_fiber *sp_fiber_new(struct sp_worker *home,
    struct sp_stack_pool *stacks, void (*entry)(struct sp_worker *));

/* sp_fiber_free: one that does not run. Its stack goes back to the pool. */
void sp_fiber_free(struct sp_fiber *fiber, struct sp_stack_pool *stacks);

/*
 * sp_fiber_switch: leave from, go on in to. Returns when somebody switches
 * back to from.
 */
void sp_fiber_switch(struct sp_fiber *from, struct sp_fiber *to);

#endif /* SPATE_SHARDS_FIBER_H */
