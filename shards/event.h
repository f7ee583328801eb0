/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_EVENT_H
#define SPATE_SHARDS_EVENT_H

/*
 * Event: what a fiber waits for when it is no edge of a descriptor: time to
 * pass, a job to be done elsewhere, a message. One fiber waits, anybody
 * posts; a post that comes first is remembered, once.
 *
 *     wait ends by      returns
 *     --------------    -------------------------------------------------
 *     a post            0
 *     its time          -ETIMEDOUT
 *     the connection    -ECANCELED, if the fiber handles one: closed by
 *                       handle, cancelled by a stop, or its peer has gone
 *
 * The slot is a poll slot (poll_slot.h), the time is in a wheel of the
 * worker's own: fibers do not leave their worker, so nobody else touches it.
 *
 * A peer that has sent its last is taken for gone, though it may have closed
 * one direction only: of a client that waits for its answer the two look the
 * same from here, and others (nginx, Go) decide so too. It goes for waits on
 * events alone; an answer under way is written to the end.
 *
 * A fiber that handles a connection waits in two slots at once, the event's
 * and the descriptor's, or in three, so several threads may each make it ready.
 * It goes on only when it has taken itself out of all, and has been woken by
 * each that had taken it already: a wake-up that came later would hit whatever
 * the fiber does by then.
 */

#include "shards/poll_desc.h"
#include "shards/timer_wheel.h"

struct sp_fiber;
struct sp_worker;

struct sp_event {
	sp_slot slot;
};

/* sp_timer.kind in a worker's wheel. */
#define SP_TIMER_WAIT 2

static inline void
sp_event_init(struct sp_event *event)
{
	sp_store(&event->slot, (uintptr_t)SP_SLOT_NIL, relaxed);
}

/*
 * sp_event_wait: until it is posted, for timeout_ms at least, or twelve
 * days. 0 is no limit of time.
 *
 * => Also -ETIMEDOUT when the fiber's own deadline has come (fiber.h).
 * => Also -ENOMEM: no fiber to go on with; nothing was waited for.
 * => After anything but 0 a post may still come. The event has to stay until
 *    nobody will post it, or the poster has to be told.
 */
int sp_event_wait(
    struct sp_worker *worker, struct sp_event *event, uint32_t timeout_ms);

/* sp_event_wait_until: likewise, until a tick or for SP_DEADLINE_NONE. */
int sp_event_wait_until(
    struct sp_worker *worker, struct sp_event *event, sp_tick until);

/*
 * sp_event_wait_posted: until it is posted, whatever becomes of the client
 * and of deadlines. After sp_fiber_reserve(), and for what is soon done: by
 * who has lent something to the poster.
 */
void sp_event_wait_posted(struct sp_worker *worker, struct sp_event *event);

/*
 * sp_edge_wait: for an edge of a descriptor that is not the connection the
 * fiber handles, in a fiber that owns it, as it would wait for an event:
 * also -ECANCELED when its own connection is gone. until is a tick of
 * sp_tick_deadline(), or SP_DEADLINE_NONE; the fiber's deadline holds too.
 *
 * => Returns 0: there was an edge; try the I/O again.
 * => Returns -ETIMEDOUT, -ENOMEM as above, or what sp_netpoll_check_err()
 *    says of pd.
 */
int sp_edge_wait(struct sp_worker *worker, struct sp_poll_desc *pd,
    enum sp_poll_mode mode, sp_tick until);

/*
 * sp_edge_wait_any: likewise for one in either direction; and, if own is true,
 * for one that says that the fiber's own connection may be read from, which
 * stays for who reads. An edge may be of what was read or sent long ago, so
 * who comes back asks the kernel what there is.
 */
int sp_edge_wait_any(
    struct sp_worker *worker, struct sp_poll_desc *pd, bool own, sp_tick until);

/* sp_event_post: any thread. */
void sp_event_post(struct sp_event *event);

/*
 * sp_worker_timers: let waits of this worker end whose time is up.
 * sp_worker_next_timer: how long until the next, or until there is something
 * to trim, or -1.
 */
void sp_worker_timers(struct sp_worker *worker);
int64_t sp_worker_next_timer(struct sp_worker *worker);

/*
 * sp_sleep: let time pass. Returns 0, -ECANCELED, -ENOMEM; -ETIMEDOUT: the
 * fiber's own deadline has come first.
 */
int sp_sleep(struct sp_worker *worker, uint32_t ms);

#endif /* SPATE_SHARDS_EVENT_H */
