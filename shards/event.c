/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/event.h"

#include "alloc/cacheline.h"
#include "alloc/check.h"
#include "shards/trim.h"
#include "shards/worker.h"

#include <errno.h>
#include <stddef.h>

/* One wait, in the waiting fiber's frame. */
struct wait {
	struct sp_timer timer;
	struct sp_fiber *fiber;
	sp_slot *slot[SP_POLL_MODES]; /* an event's, or one or two of of's */
	unsigned slots;
	struct sp_poll_desc *of; /* an edge of this one, or NULL */
	enum sp_poll_mode mode[SP_POLL_MODES];
	struct sp_poll_desc *pd; /* of the connection, or NULL */
	bool own;                /* an edge of pd ends it as well */
	bool edge;               /* pd had one, which is not for us to eat */
	bool late;               /* the time is up */
};

/* Whether the connection that the fiber handles is gone, or is to go. */
static bool
is_gone(struct sp_poll_desc *pd)
{
	return pd != NULL && sp_poll_is_over(pd);
}

/*
 * Get into the descriptor's slot.
 *
 * => Returns true: in it, to be taken out by sp_slot_retract() or somebody
 *    else. The look at info comes after the announcement (FLAG2), so what is
 *    set later evicts.
 */
static bool
enter_reading(struct wait *wait)
{
	sp_slot *slot = &wait->pd->slot[SP_POLL_READ];

	if (!sp_slot_announce(slot)) {
		wait->edge = true;
		return false;
	}
	if (!is_gone(wait->pd)
	    && sp_slot_commit(slot, (uintptr_t)wait->fiber))
		return true;
	wait->edge |= sp_slot_consume(slot);
	return false;
}

/* Why one may not wait for an edge, or 0. For an event always 0. */
static int
edge_error(const struct wait *wait)
{
	int error = 0;

	for (unsigned i = 0; i < wait->slots && wait->of != NULL; i++) {
		if (error == 0)
			error = sp_netpoll_check_err(wait->of, wait->mode[i]);
	}
	return error;
}

/*
 * Get into all slots but pd's, and wait unless one had something.
 *
 * => Returns how many it is in still, from the first on.
 */
static unsigned
enter_and_wait(struct sp_worker *worker, struct wait *wait, bool *posted,
    int *woken)
{
	unsigned announced = 0, in = 0;

	while (announced < wait->slots
	    && sp_slot_announce(wait->slot[announced]))
		announced++;
	/* That one has been consumed by it. */
	*posted = announced < wait->slots;
	/* FLAG2, for a descriptor: or nobody would wake this fiber. */
	if (*posted || edge_error(wait) != 0)
		return 0;
	while (in < wait->slots
	    && sp_slot_commit(wait->slot[in], (uintptr_t)wait->fiber))
		in++;
	if (in == wait->slots) {
		sp_fiber_suspend(worker);
		*woken = 1;
	}
	return in;
}

/*
 * Wait once, in all slots, and leave all.
 *
 * => Returns whether the event was posted, or there was an edge.
 */
static bool
wait_once(struct sp_worker *worker, struct wait *wait)
{
	uintptr_t fiber = (uintptr_t)wait->fiber;
	bool reading = wait->pd != NULL, posted = false;
	int taken = 0, woken = 0;
	unsigned in = 0;

	if (!reading || enter_reading(wait))
		in = enter_and_wait(worker, wait, &posted, &woken);
	else
		reading = false;
	for (unsigned i = 0; i < in; i++)
		taken += !sp_slot_retract(wait->slot[i], fiber);
	for (unsigned i = 0; i < wait->slots; i++)
		posted |= sp_slot_consume(wait->slot[i]);
	if (reading) {
		sp_slot *slot = &wait->pd->slot[SP_POLL_READ];

		taken += !sp_slot_retract(slot, fiber);
		wait->edge |= sp_slot_consume(slot);
	}
	for (; woken < taken; woken++)
		sp_fiber_suspend(worker);
	return posted || (wait->own && wait->edge);
}

static int
wait_until(struct sp_worker *worker, struct wait *wait)
{
	for (;;) {
		int error = is_gone(wait->pd) ? -ECANCELED : edge_error(wait);

		if (error != 0)
			return error;
		if (wait->late)
			return -ETIMEDOUT;
		if (wait_once(worker, wait))
			return 0;
	}
}

static void
arm(struct sp_worker *worker, struct sp_timer *timer, sp_tick until)
{
	if (worker->timers.armed == 0)
		sp_wheel_keep_up(&worker->timers, sp_tick_of(sp_now_ns()));
	sp_wheel_add(&worker->timers, timer, until);
}

static int
wait_for(struct sp_worker *worker, struct wait *wait, sp_tick until)
{
	struct sp_fiber *fiber = worker->current;
	int error = sp_fiber_reserve(worker);

	if (error != 0)
		return error;
	wait->fiber = fiber;
	wait->pd = fiber->pd;
	if (fiber->before_wait != NULL)
		fiber->before_wait(fiber->before_wait_arg);
	sp_timer_init(&wait->timer);
	wait->timer.kind = SP_TIMER_WAIT;
	until = sp_fiber_until(fiber, until);
	if (until != SP_DEADLINE_NONE)
		arm(worker, &wait->timer, until);
	error = wait_until(worker, wait);
	sp_wheel_del(&worker->timers, &wait->timer);

	/* Whoever reads next has to look at what came meanwhile. */
	if (wait->edge)
		sp_slot_ready(&wait->pd->slot[SP_POLL_READ]);
	return error;
}

int
sp_event_wait_until(
    struct sp_worker *worker, struct sp_event *event, sp_tick until)
{
	struct wait wait = { .slot = { &event->slot }, .slots = 1 };

	return wait_for(worker, &wait, until);
}

int
sp_event_wait(
    struct sp_worker *worker, struct sp_event *event, uint32_t timeout_ms)
{
	sp_tick until = SP_DEADLINE_NONE;

	/* Of the tick that is under way nobody knows how much is left. */
	if (timeout_ms != 0)
		until = sp_tick_in(timeout_ms < UINT32_MAX ? timeout_ms + 1
							   : timeout_ms);
	return sp_event_wait_until(worker, event, until);
}

void
sp_event_wait_posted(struct sp_worker *worker, struct sp_event *event)
{
	struct sp_fiber *fiber = worker->current;
	struct sp_poll_desc *pd = fiber->pd;
	sp_tick until = fiber->until;
	int error;

	fiber->pd = NULL;
	fiber->until = SP_DEADLINE_NONE;
	error = sp_event_wait(worker, event, 0);
	SP_CHECK(error == 0);
	fiber->pd = pd;
	fiber->until = until;
}

int
sp_edge_wait(struct sp_worker *worker, struct sp_poll_desc *pd,
    enum sp_poll_mode mode, sp_tick until)
{
	struct wait wait = { .slot = { &pd->slot[mode] },
		.slots = 1,
		.of = pd,
		.mode = { mode } };

	return wait_for(worker, &wait, until);
}

int
sp_edge_wait_any(
    struct sp_worker *worker, struct sp_poll_desc *pd, bool own, sp_tick until)
{
	struct wait wait
	    = { .slot = { &pd->slot[SP_POLL_READ], &pd->slot[SP_POLL_WRITE] },
		      .slots = 2,
		      .of = pd,
		      .mode = { SP_POLL_READ, SP_POLL_WRITE },
		      .own = own };

	return wait_for(worker, &wait, until);
}

void
sp_event_post(struct sp_event *event)
{
	uintptr_t woken = sp_slot_ready(&event->slot);

	if (woken > SP_SLOT_TASK)
		sp_fiber_ready((struct sp_fiber *)woken);
}

int
sp_sleep(struct sp_worker *worker, uint32_t ms)
{
	struct sp_event never;
	int error;

	if (ms == 0)
		return 0;
	sp_event_init(&never);
	error = sp_event_wait(worker, &never, ms);
	if (error == -ETIMEDOUT && !sp_fiber_is_late(worker->current))
		return 0;
	return error;
}

/* ------------------------------------------------------ by the worker */

void
sp_worker_timers(struct sp_worker *worker)
{
	struct sp_timer_list expired = { NULL };
	struct sp_timer *timer;

	sp_wheel_advance(
	    &worker->timers, sp_tick_of(sp_now_ns()), &expired);
	while ((timer = sp_timer_list_pop(&expired)) != NULL) {
		struct wait *wait = sp_container_of(timer, struct wait, timer);
		uintptr_t woken;

		wait->late = true;
		woken = sp_slot_evict(wait->slot[0]);
		if (woken > SP_SLOT_TASK)
			sp_fiber_ready((struct sp_fiber *)woken);
	}
}

int64_t
sp_worker_next_timer(struct sp_worker *worker)
{
	int64_t trim = sp_worker_next_trim(worker), wait;
	sp_tick tick;

	if (sp_likely(worker->timers.armed == 0)
	    || !sp_wheel_next(&worker->timers, &tick))
		return trim;
	wait = sp_tick_delay_ns(tick, sp_now_ns());
	return trim >= 0 && trim < wait ? trim : wait;
}
