/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_MPSC_STACK_H
#define SPATE_SHARDS_MPSC_STACK_H

/*
 * Push, and pop all: how other threads leave things with a shard or a
 * worker.
 *
 *                   push          pop all
 *     who           any thread    the owner, one at a time
 *     progress      lock-free     wait-free
 *
 * A ring would have to be bounded, and Concurrency Kit's many-producer ring
 * makes each producer wait for those before it, so one preempted producer
 * would hide everybody's messages. Here a push that loses tries again at
 * once, and the owner takes the whole chain with one swap. The chain comes
 * back newest first; sp_stack_reverse() restores the order.
 *
 *   edge   release side          acquire side            what crosses it
 *   ----   -------------------   ---------------------   ------------------
 *   PUSH   sp_stack_push()       sp_stack_pop_all()      *link, and all that
 *                                                        its owner wrote
 *
 * The accesses are seq_cst, because every use is one half of a pair: push,
 * then look whether the owner sleeps; go to sleep, then look at the stack.
 * wake.h and idle.h are the other halves.
 */

#include "shards/atomics.h"

#include <stdbool.h>
#include <stddef.h>

struct sp_link {
	struct sp_link *next;
};

struct sp_mpsc_stack {
	SP_ATOMIC(struct sp_link *) head;
};

/*
 * sp_stack_push: hand link over. It is the owner's from here on.
 */
static inline void
sp_stack_push(struct sp_mpsc_stack *stack, struct sp_link *link)
{
	struct sp_link *seen = sp_load(&stack->head, relaxed);

	do {
		link->next = seen;
		/* PUSH release. */
	} while (!sp_cas(&stack->head, &seen, link, seq_cst, relaxed));
}

/*
 * sp_stack_pop_all: everything pushed so far, newest first, or NULL.
 */
static inline struct sp_link *
sp_stack_pop_all(struct sp_mpsc_stack *stack)
{
	/* In order, as sp_stack_empty(): seeing nothing is half of a pair. */
	if (sp_load(&stack->head, seq_cst) == NULL)
		return NULL;
	/* PUSH acquire. */
	return sp_xchg(&stack->head, (struct sp_link *)NULL, acquire);
}

/* A glance before sleeping; see the pairs above. */
static inline bool
sp_stack_empty(struct sp_mpsc_stack *stack)
{
	return sp_load(&stack->head, seq_cst) == NULL;
}

static inline struct sp_link *
sp_stack_reverse(struct sp_link *link)
{
	struct sp_link *reversed = NULL;

	while (link != NULL) {
		struct sp_link *next = link->next;

		link->next = reversed;
		reversed = link;
		link = next;
	}
	return reversed;
}

#endif /* SPATE_SHARDS_MPSC_STACK_H */
