/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Netpoll: from what epoll reports to tasks and fibers that can go on, and
 * one turn of the poll token around it.
 */

#include "shards/engine.h"
#include "shards/event.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/* A timer closer than this is worth a fresh look at the clock. */
#define NEAR_TICKS 64

bool
sp_poll_work(struct sp_shard *shard, struct sp_worker *worker)
{
	/* WAKE4. */
	return !sp_stack_empty(&shard->inbox) || !sp_stack_empty(&shard->runq)
	       || !sp_stack_empty(&worker->resumed)
	       || sp_ready_ring_depth(&shard->ring) != 0
	       || (sp_shard_ended(shard)
		   && sp_load(&worker->waiting, relaxed) == 0);
}

static void
run_or_resume(
    struct sp_poll_desc *pd, uintptr_t woken, struct sp_task_list *ready)
{
	if (woken == SP_SLOT_TASK) {
		sp_task_list_add(ready, &pd->task);
		pd->ready = ready->since;
	} else if (woken > SP_SLOT_TASK) {
		sp_fiber_ready((struct sp_fiber *)woken);
	}
}

void
sp_netpoll_ready(struct sp_shard *shard, struct sp_poll_desc *pd,
    uint32_t polled, struct sp_task_list *ready)
{
	(void)shard;
	/*
	 * The bits come before the edge: who takes the edge then sees them
	 * (sp_poll_info).
	 */
	if (polled & SP_POLLED_HANGUP)
		sp_fetch_or(&pd->info, SP_POLL_HANGUP, seq_cst);
	if (polled & SP_POLLED_URGENT)
		sp_fetch_or(&pd->info, SP_POLL_URGENT, seq_cst);
	if (polled & SP_POLLED_ERROR)
		sp_fetch_or(&pd->info, SP_POLL_EVENT_ERR, seq_cst);
	if (polled & SP_POLLED_READ)
		run_or_resume(
		    pd, sp_slot_ready(&pd->slot[SP_POLL_READ]), ready);
	if (polled & SP_POLLED_WRITE)
		run_or_resume(
		    pd, sp_slot_ready(&pd->slot[SP_POLL_WRITE]), ready);
}

/* An event of generation 0: the shard's own. */
static void
own_event(struct sp_shard *shard, struct sp_worker *worker, sp_handle handle)
{
	unsigned number;

	if (handle == SP_HANDLE_WAKE) {
		sp_count(&worker->counters.wakeups, 1);
		sp_record(&worker->recorder, SP_RECORD_BREAK_SEEN, sp_cycles(),
		    0, 0, 0);
		return;
	}
	/* The timers are looked at after every poll. */
	if (handle == SP_HANDLE_ALARM) {
		shard->alarm_set = false;
		return;
	}
	number = (unsigned)(handle - SP_HANDLE_LISTENER);
	SP_CHECK(number < shard->listener_count);
	sp_accept(shard->listeners[number], worker);
}

static void
dispatch(struct sp_shard *shard, struct sp_worker *worker, unsigned events,
    struct sp_task_list *ready)
{
	for (unsigned i = 0; i < events; i++) {
		struct sp_polled polled = sp_netpoll_event(&shard->np, i);
		struct sp_poll_desc *pd;

		if (sp_unlikely(sp_handle_gen(polled.handle) == 0)) {
			own_event(shard, worker, polled.handle);
			continue;
		}
		pd = sp_poll_cache_find(&shard->cache, polled.handle);
		if (sp_unlikely(pd == NULL)) {
			/*
			 * Closed since the kernel looked, or closed here but
			 * still open in another process.
			 */
			sp_count(&worker->counters.stale_events, 1);
			sp_record(&worker->recorder, SP_RECORD_STALE,
			    sp_cycles(), 0, polled.handle, 0);
			continue;
		}
		if (sp_likely(polled.bits == SP_POLLED_READ))
			run_or_resume(
			    pd, sp_slot_ready(&pd->slot[SP_POLL_READ]), ready);
		else
			sp_netpoll_ready(shard, pd, polled.bits, ready);
	}
}

/* What has ended a sleep of the poller. */
static enum sp_record_wake
count_wake(struct sp_shard *shard, struct sp_worker *worker, int64_t delay,
    unsigned events, uint64_t cycles)
{
	sp_handle first = 0;

	if (events != 0)
		first = sp_netpoll_event(&shard->np, 0).handle;
	if (events == 1 && first == SP_HANDLE_WAKE) {
		sp_count(&worker->counters.wakes_break, 1);
		return SP_RECORD_BY_BREAK;
	}
	if (events != 0) {
		sp_count(&worker->counters.wakes_io, 1);
		return SP_RECORD_BY_IO;
	}
	if (delay > 0 && cycles >= sp_ns_to_cycles((uint64_t)delay)) {
		sp_count(&worker->counters.wakes_timer, 1);
		return SP_RECORD_BY_TIMER;
	}
	sp_count(&worker->counters.wakes_spurious, 1);
	return SP_RECORD_BY_NOTHING;
}

unsigned
sp_netpoll(struct sp_shard *shard, struct sp_worker *worker, int64_t delay,
    struct sp_task_list *ready)
{
	enum sp_record_wake wake = SP_RECORD_BY_NOTHING;
	uint64_t slept = 0;
	unsigned events;

	if (delay != 0) {
		sp_wake_blocked(&shard->wake);
		if (sp_poll_work(shard, worker)) {
			sp_wake_running(&shard->wake);
			delay = 0;
		}
	}
	if (delay != 0) {
		sp_worker_sleeps(worker);
		sp_rcu_offline();
		events = sp_netpoll_wait(&shard->np, delay);
		sp_rcu_online();
		sp_wake_running(&shard->wake);
		sp_count(&worker->counters.polls_blocked, 1);
		slept = sp_worker_awakes(worker);
		wake = count_wake(shard, worker, delay, events, slept);
	} else {
		events = sp_netpoll_wait(&shard->np, 0);
	}
	ready->since = sp_cycles();
	sp_count(&worker->counters.polls, 1);
	sp_count(&worker->counters.events, events);
	if (events != 0 || slept != 0)
		sp_record(&worker->recorder, SP_RECORD_POLL, ready->since,
		    slept != 0 ? ready->since - slept : 0, wake, events);
	dispatch(shard, worker, events, ready);
	return events;
}

/*
 * Let the alarm end the wait, at tick or before.
 *
 * => Returns false: there is none.
 */
static bool
set_alarm(struct sp_shard *shard, struct sp_worker *worker, sp_tick tick)
{
	uint64_t now_ns = worker->now_ns;

	if (shard->alarm_set && !sp_tick_after(shard->alarm, tick))
		return true;
	if (sp_netpoll_alarm(
		&shard->np, now_ns + (uint64_t)sp_tick_delay_ns(tick, now_ns))
	    != 0)
		return false;
	shard->alarm = tick;
	shard->alarm_set = true;
	return true;
}

/* How long the poller may sleep: until the next timer. */
static int64_t
until_next_timer(struct sp_shard *shard, struct sp_worker *worker)
{
	int64_t own = sp_worker_next_timer(worker), delay;
	uint64_t now_ns = worker->now_ns;
	sp_tick tick;

	if (!sp_wheel_next(&shard->wheel, &tick))
		return own;
	if (!sp_tick_after(tick, worker->now + NEAR_TICKS))
		now_ns = sp_now_ns();
	else if (set_alarm(shard, worker, tick))
		return own;
	delay = sp_tick_delay_ns(tick, now_ns);
	return own >= 0 && own < delay ? own : delay;
}

void
sp_shard_messages(struct sp_shard *shard, struct sp_worker *worker)
{
	struct sp_link *link = sp_stack_reverse(
	    sp_stack_pop_all(&shard->inbox));

	while (link != NULL) {
		struct sp_msg *msg = sp_container_of(link, struct sp_msg, link);

		link = link->next;
		msg->fn(shard, worker, msg);
	}
}

/* Descriptors whose TASK somebody took, in the order they came. */
static void
take_runq(struct sp_shard *shard, struct sp_task_list *ready)
{
	struct sp_link *link = sp_stack_reverse(sp_stack_pop_all(&shard->runq));

	while (link != NULL) {
		struct sp_poll_desc *pd = sp_container_of(
		    link, struct sp_poll_desc, link);

		link = link->next;
		sp_task_list_add(ready, &pd->task);
		pd->ready = ready->since;
	}
}

/*
 * When to look at a descriptor's deadlines again: at the next one, or in
 * sweep_ms at what may have come nearer by then.
 */
static sp_tick
next_look(struct sp_shard *shard, struct sp_poll_desc *pd, sp_tick now)
{
	sp_tick next = now + shard->engine->options.sweep_ms;

	for (int mode = 0; mode < SP_POLL_MODES; mode++) {
		sp_tick when = sp_load(&pd->deadline[mode], relaxed);

		if (when > SP_DEADLINE_EXPIRED && sp_tick_after(next, when))
			next = when;
	}
	return next;
}

struct rearm {
	struct sp_msg msg;
	sp_handle handle;
};

static void
rearm(struct sp_shard *shard, struct sp_worker *worker, struct sp_msg *msg)
{
	struct rearm *rearmed = sp_container_of(msg, struct rearm, msg);
	struct sp_poll_desc *pd = sp_poll_cache_find(
	    &shard->cache, rearmed->handle);

	if (pd != NULL && worker != NULL)
		sp_wheel_add(&shard->wheel, &pd->timer,
		    next_look(shard, pd, worker->now));
	free(rearmed);
}

int
sp_shard_rearm(struct sp_shard *shard, struct sp_poll_desc *pd)
{
	struct rearm *rearmed = malloc(sizeof(*rearmed));

	if (rearmed == NULL)
		return -ENOMEM;
	rearmed->msg.fn = rearm;
	rearmed->handle = sp_poll_desc_handle(pd);
	sp_shard_post(shard, &rearmed->msg);
	return 0;
}

/* A descriptor's timer fired: evict what has passed its deadline. */
static void
pd_timer_fired(struct sp_shard *shard, struct sp_worker *worker,
    struct sp_poll_desc *pd, struct sp_task_list *ready)
{
	sp_tick now = worker->now;

	if ((sp_load(&pd->gen, relaxed) & 1) == 0)
		return;
	for (int mode = 0; mode < SP_POLL_MODES; mode++) {
		sp_tick when = sp_load(&pd->deadline[mode], relaxed);

		if (when <= SP_DEADLINE_EXPIRED || sp_tick_after(when, now))
			continue;
		sp_record(&worker->recorder, SP_RECORD_TIMER, sp_cycles(), 0,
		    sp_poll_desc_handle(pd), 0);
		run_or_resume(pd,
		    sp_poll_expire(pd, (enum sp_poll_mode)mode, when), ready);
	}
	sp_wheel_add(&shard->wheel, &pd->timer, next_look(shard, pd, now));
}

static void
run_timers(struct sp_shard *shard, struct sp_worker *worker,
    struct sp_task_list *ready)
{
	struct sp_timer_list expired = { NULL };
	struct sp_timer *timer;

	if (sp_wheel_advance(&shard->wheel, worker->now, &expired) == 0)
		return;
	while ((timer = sp_timer_list_pop(&expired)) != NULL) {
		if (timer->kind == SP_TIMER_LISTENER)
			sp_accept_resume(
			    sp_container_of(timer, struct sp_listener, timer));
		else
			pd_timer_fired(shard, worker,
			    sp_container_of(timer, struct sp_poll_desc, timer),
			    ready);
	}
}

static void
forget_timer(struct sp_poll_desc *pd, void *arg)
{
	struct sp_shard *shard = arg;

	sp_wheel_del(&shard->wheel, &pd->timer);
}

unsigned
sp_list_length(const struct sp_worker *worker)
{
	uint64_t slice = SP_SLICE_US * sp_cycles_per_us();
	uint64_t fit = slice / (worker->service_cycles + 1);

	return fit < 1 ? 1 : fit > SP_LIST_MAX ? SP_LIST_MAX : (unsigned)fit;
}

/*
 * Keep the first list, put the rest on the ring. What does not fit there
 * waits here for the next turn, which then does not sleep.
 */
static struct sp_task *
publish(struct sp_shard *shard, struct sp_worker *worker,
    struct sp_task_list *ready)
{
	unsigned length = sp_list_length(worker), published = 0;
	struct sp_task *first = sp_task_list_split(ready, length);

	while (ready->count != 0) {
		unsigned before = ready->count;
		struct sp_task *list = sp_task_list_split(ready, length);

		if (!sp_ready_ring_put(&shard->ring, list)) {
			sp_count(&worker->counters.ring_full, 1);
			while (list != NULL) {
				struct sp_task *next = list->next;

				sp_task_list_add(&shard->overflow, list);
				list = next;
			}
			while ((list = sp_task_list_split(ready, 1)) != NULL)
				sp_task_list_add(&shard->overflow, list);
			break;
		}
		published += before - ready->count;
	}
	if (published != 0) {
		sp_count(&worker->counters.ready_published, published);
		sp_record(&worker->recorder, SP_RECORD_PUBLISH, sp_cycles(), 0,
		    0, published);
	}
	return first;
}

/* Sleeps are no part of it: it ends before one, and begins after. */
static void
loop_ends(struct sp_shard *shard)
{
	uint64_t cycles = sp_cycles() - shard->looked;

	if (shard->looked == 0)
		return;
	sp_count(&shard->loop.cycles, cycles);
	sp_count(&shard->loop.counts[sp_loglinear_bucket(
		     cycles | 1, SP_LOOP_BITS)],
	    1);
}

static void
loop_begins(struct sp_shard *shard, const struct sp_task_list *ready)
{
	shard->looked = ready->since;
}

struct sp_task *
sp_shard_poll(struct sp_shard *shard, struct sp_worker *worker, bool may_block)
{
	struct sp_task_list ready;
	struct sp_task *first;
	int64_t delay = 0;

	loop_ends(shard);
	sp_task_list_init(&ready);
	while ((first = sp_task_list_split(&shard->overflow, 1)) != NULL)
		sp_task_list_add(&ready, first);
	if (may_block && ready.count == 0)
		delay = until_next_timer(shard, worker);
	sp_netpoll(shard, worker, delay, &ready);
	loop_begins(shard, &ready);

	sp_worker_look_at_clock(worker);
	sp_shard_messages(shard, worker);
	take_runq(shard, &ready);
	if (worker->now != shard->wheel.now)
		run_timers(shard, worker, &ready);
	sp_poll_cache_reclaim(&shard->cache, forget_timer, shard);

	if (ready.count != 0)
		sp_sysmon_nudge(shard->engine);
	/* Before the lists: who takes one compares it with his clock. */
	sp_store(&shard->last_poll, worker->now_ns, relaxed);
	first = publish(shard, worker, &ready);
	sp_store(&shard->stuck, 0, relaxed);
	sp_token_drop(&shard->token);
	return first;
}
