/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_CHANNEL_H
#define SPATE_SHARDS_CHANNEL_H

/*
 * Channel: pointers on their way from fibers to fibers, of whichever worker
 * and shard, in a bounded queue; and two sets of waiters.
 *
 *     fibers that send                             fibers that receive
 *          |                +-------------+                ^
 *          |   push         | queue       |   pop          |
 *          +--------------> |  | | | | |  | ---------------+
 *          |                +-------------+                |
 *          | full: wait                         empty: wait|
 *          v                                               v
 *     +---------+   a pop wakes one      a push   +-----------+
 *     | senders | <------------------   --------> | receivers |
 *     +---------+                                 +-----------+
 *
 * A push or a pop may come upon a slot that somebody else is in the middle of,
 * and take the queue for full or empty though there is more behind it
 * (bounded_queue.h). So whoever has got through wakes the next one of his own
 * kind as well, if that could get through, too; and so does who was woken but
 * leaves for another reason.
 *
 * The orderings are those of bounded_queue.h and waiters.h; what closes
 * stores closed (IDLE1) and then wakes all.
 */

#include "shards/bounded_queue.h"
#include "shards/waiters.h"

struct sp_channel {
	struct sp_queue queue;
	struct sp_waiters receivers, senders;
	SP_ATOMIC(uint32_t) closed;
	SP_ATOMIC(uint32_t) references;
	void (*drop)(void *item); /* constant; or NULL */
};

/*
 * sp_channel_new: with one reference, the caller's.
 *
 * => capacity is rounded up to a power of two, at least 2; and waiters, of
 *    each kind, to a multiple of 64. drop gets what is left at the end.
 * => Returns 0 or -ENOMEM.
 */
int sp_channel_new(struct sp_channel **out, uint64_t capacity, uint32_t waiters,
    void (*drop)(void *item));

/*
 * sp_channel_get, sp_channel_put: one reference more, or less. Any thread,
 * with a reference, as for all that follows.
 */
void sp_channel_get(struct sp_channel *channel);
void sp_channel_put(struct sp_channel *channel);

/*
 * sp_channel_close: no more is sent; what is there can still be received.
 * Ends all waits for the rest.
 */
void sp_channel_close(struct sp_channel *channel);

/*
 * sp_channel_try_send, sp_channel_try_receive: without waiting.
 *
 * => Return 0; -EAGAIN: full, or empty; -EPIPE: closed, and for who receives
 *    also empty. On failure an item is the caller's still.
 */
int sp_channel_try_send(struct sp_channel *channel, void *item);
int sp_channel_try_receive(struct sp_channel *channel, void **item);

/*
 * sp_channel_send, sp_channel_receive: wait until it can be done, in a fiber.
 *
 * => Also return what sp_event_wait_until() does; -EAGAIN: too many wait.
 */
int sp_channel_send(struct sp_worker *worker, struct sp_channel *channel,
    void *item, sp_tick until);
int sp_channel_receive(struct sp_worker *worker, struct sp_channel *channel,
    void **item, sp_tick until);

#endif /* SPATE_SHARDS_CHANNEL_H */
