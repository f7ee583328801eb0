/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The loop of a worker: run what there is, poll when nobody else does, help
 * others, and park when there is nothing to do.
 */

#include "alloc/arena.h"
#include "alloc/counter.h"
#include "shards/engine.h"
#include "shards/event.h"
#include "shards/futex.h"
#include "shards/handed.h"
#include "shards/signals.h"
#include "shards/slice.h"
#include "shards/steal.h"
#include "shards/trim.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/prctl.h>

#define TIMER_SLACK_NS 1000

/* The weight of a list in the moving average of what a task takes: 1/8. */
#define SERVICE_SHIFT 3

static __thread struct sp_worker *self;

__attribute__((noinline)) struct sp_worker *
sp_worker_self(void)
{
	__asm__ __volatile__("" ::: "memory");
	return self;
}

/* ------------------------------------------------------------- sleeping */

void
sp_worker_wake(struct sp_worker *worker)
{
	/* WORD release; the kernel compares the word under its own lock. */
	sp_fetch_add(&worker->wake_word, 1, release);
	sp_futex_wake(&worker->wake_word);
}

void
sp_worker_park(struct sp_worker *worker, struct sp_idle *set, uint32_t word)
{
	int64_t ns = sp_worker_next_timer(worker);
	uint64_t now, slept;

	sp_count(&worker->counters.parks, 1);
	sp_worker_sleeps(worker);
	if (!worker->blocking)
		sp_rcu_offline();
	/* WORD acquire. */
	while (sp_load(&worker->wake_word, acquire) == word) {
		if (ns < 0) {
			sp_futex_wait(&worker->wake_word, word);
			continue;
		}
		sp_futex_wait_for(&worker->wake_word, word, (uint64_t)ns);
		/* Or it is being woken right now: then wait for that. */
		if (sp_idle_retract(set, worker->place))
			break;
		ns = -1;
	}
	if (!worker->blocking)
		sp_rcu_online();
	slept = sp_worker_awakes(worker);
	now = sp_cycles();
	sp_record(
	    &worker->recorder, SP_RECORD_PARK, now, now - slept, 0, 0);
	/* It may have been weeks, and what comes next need not be a poll. */
	sp_worker_look_at_clock(worker);
	if (ns >= 0)
		sp_worker_trim(worker);
}

/* Nothing left in the shard, nor of what was taken from elsewhere. */
static bool
is_ended(struct sp_worker *worker)
{
	return sp_shard_ended(worker->shard)
	    && sp_load(&worker->waiting, relaxed) == 0;
}

/*
 * Sleep until somebody has work for this worker. Somebody else holds the
 * poll token, so the shard is being looked after: they poll again, or wake
 * somebody when they leave. That goes for the time of stopping, too.
 */
static void
park(struct sp_worker *worker)
{
	struct sp_shard *shard = worker->shard;
	uint32_t word = sp_load(&worker->wake_word, relaxed);

	sp_idle_announce(&shard->idle, worker->number);
	/* IDLE4. */
	if (!sp_stack_empty(&worker->resumed)
	    || sp_ready_ring_depth(&shard->ring) != 0
	    || sp_token_free(&shard->token)) {
		if (sp_idle_retract(&shard->idle, worker->number))
			return;
	}
	sp_worker_park(worker, &shard->idle, word);
}

/* -------------------------------------------------------------- fibers */

static void loop(struct sp_worker *worker);

static struct sp_fiber *
fiber_of(struct sp_link *link)
{
	return sp_container_of(link, struct sp_fiber, link);
}

static void
add_spare(struct sp_worker *worker, struct sp_fiber *fiber)
{
	fiber->link.next = worker->spares;
	worker->spares = &fiber->link;
	worker->spare_count++;
}

static struct sp_fiber *
take_spare(struct sp_worker *worker)
{
	struct sp_fiber *fiber = fiber_of(worker->spares);

	worker->spares = worker->spares->next;
	worker->spare_count--;
	if (worker->spare_count < worker->spare_least)
		worker->spare_least = worker->spare_count;
	return fiber;
}

static void
switch_to(struct sp_worker *worker, struct sp_fiber *fiber)
{
	struct sp_fiber *from = worker->current;

	worker->current = fiber;
	sp_fiber_switch(from, fiber);
}

static void
run_to_end(struct sp_worker *worker)
{
	if (sp_worker_polls(worker))
		loop(worker);
	else
		sp_handed_loop(worker);
}

/* The bottom of every fiber but the root. */
static void
enter_loop(struct sp_worker *worker)
{
	run_to_end(worker);
	add_spare(worker, worker->current);
	switch_to(worker, &worker->root);
}

int
sp_fiber_reserve(struct sp_worker *worker)
{
	struct sp_fiber *fiber;

	if (sp_likely(worker->spares != NULL))
		return 0;
	fiber = SPATE_FIBERS
	    ? sp_fiber_new(worker, &worker->stacks, enter_loop)
	    : NULL;
	if (fiber == NULL) {
		sp_count(&worker->counters.fibers_refused, 1);
		return -ENOMEM;
	}
	add_spare(worker, fiber);
	return 0;
}

/* It goes on, after a wait that began at left. */
static void
add_wait(
    struct sp_waited *waited, uint64_t left, uint64_t ready, uint64_t now)
{
	/* It may have been made ready before it has left. */
	if (ready < left || ready > now)
		ready = left;
	waited->parked += ready - left;
	waited->queued += now - ready;
}

void
sp_fiber_suspend(struct sp_worker *worker)
{
	struct sp_fiber *fiber = worker->current;
	uint64_t left, ready, now;
	const char *handler = sp_load(&worker->handler, relaxed);
	sp_handle running = worker->running;
	uint32_t wakes;

	if (fiber->credits != 0) {
		fiber->credits--;
		return;
	}
	sp_count(&worker->counters.fiber_waits, 1);
	sp_counter_add(&worker->waiting, 1);
	left = sp_cycles();
	sp_worker_ran(worker, left, SP_RECORD_WAIT);
	sp_store(&worker->handler, NULL, relaxed);
	switch_to(worker, take_spare(worker));
	sp_store(&worker->handler, handler, relaxed);
	now = sp_cycles();
	sp_worker_runs(worker, now | SP_RECORD_RESUMED, running);
	sp_count(&worker->begun, 1);
	sp_counter_add(&worker->waiting, -1);
	/*
	 * All at once, now that link is in no list: the next to come puts it
	 * there again, and must not do so before this worker has read it,
	 * and when the fiber was made ready.
	 * WAKES acquire, LINK release.
	 */
	ready = fiber->ready;
	wakes = sp_xchg(&fiber->wakes, 0, acq_rel);
	SP_CHECK(wakes != 0);
	fiber->credits = wakes - 1;
	add_wait(&fiber->waited, left, ready, now);
}

void
sp_worker_resume(struct sp_worker *worker, struct sp_fiber *fiber)
{
	add_spare(worker, worker->current);
	switch_to(worker, fiber);
}

void
sp_fiber_ready(struct sp_fiber *fiber)
{
	struct sp_worker *home = fiber->home;

	/* WAKES release, LINK acquire. */
	if (sp_fetch_add(&fiber->wakes, 1, acq_rel) != 0)
		return;
	fiber->ready = sp_cycles();
	if (home == sp_worker_self()) {
		fiber->link.next = NULL;
		*home->runnable_tail = &fiber->link;
		home->runnable_tail = &fiber->link.next;
		return;
	}
	/* RESUME release; IDLE1 and WAKE1. */
	sp_stack_push(&home->resumed, &fiber->link);
	if (sp_idle_claim(home->idle, home->place))
		sp_worker_wake(home);
	else if (sp_worker_polls(home))
		sp_shard_break(home->shard);
}

int
sp_yield(struct sp_worker *worker)
{
	int error = sp_fiber_reserve(worker);

	if (error != 0)
		return error;
	/* Outside of a wait there are as many suspends as wakes. */
	SP_CHECK(worker->current->credits == 0);
	sp_count(&worker->counters.yields, 1);
	worker->resume_budget = 0;
	sp_fiber_ready(worker->current);
	sp_fiber_suspend(worker);
	return 0;
}

/* A thousand bodies of which a byte comes at once are as many fibers. */
static bool
may_resume(struct sp_worker *worker)
{
	uint64_t now = sp_cycles();

	if (worker->resume_budget == SP_RESUME_BUDGET)
		worker->resume_until = now + SP_SLICE_US * sp_cycles_per_us();
	if (worker->resume_budget == 0 || now > worker->resume_until)
		return false;
	worker->resume_budget--;
	return true;
}

static struct sp_fiber *
first_runnable(struct sp_worker *worker)
{
	struct sp_link *link;

	if (!sp_stack_empty(&worker->resumed)) {
		/* RESUME acquire. */
		link = sp_stack_reverse(sp_stack_pop_all(&worker->resumed));
		*worker->runnable_tail = link;
		for (; link != NULL; link = link->next)
			worker->runnable_tail = &link->next;
	}
	link = worker->runnable;
	if (link == NULL || !may_resume(worker))
		return NULL;
	worker->runnable = link->next;
	if (worker->runnable == NULL)
		worker->runnable_tail = &worker->runnable;
	return fiber_of(link);
}

/* The next fiber to go on with, or NULL. */
static inline struct sp_fiber *
next_runnable(struct sp_worker *worker)
{
	bool none = worker->runnable == NULL
	    && sp_stack_empty(&worker->resumed);

	return !SPATE_FIBERS || sp_likely(none) ? NULL : first_runnable(worker);
}

struct sp_fiber *
sp_worker_next_fiber(struct sp_worker *worker)
{
	return next_runnable(worker);
}

/* ------------------------------------------------------------- running */

static void
measure(struct sp_worker *worker, uint64_t cycles, unsigned tasks)
{
	uint64_t mean = cycles / tasks;

	worker->service_cycles += (mean >> SERVICE_SHIFT)
	    - (worker->service_cycles >> SERVICE_SHIFT);
}

static void
run_list(struct sp_worker *worker, struct sp_task *task)
{
	uint64_t start = sp_cycles(), now = start;
	uint64_t waits = sp_load(&worker->counters.fiber_waits, relaxed);
	unsigned tasks = 0;

	sp_count(&worker->counters.ready_lists, 1);
	while (task != NULL) {
		struct sp_task *next = task->next;

		/* REST release. */
		if (next != NULL)
			sp_store(&worker->rest, next, release);
		sp_count(&worker->begun, 1);
		sp_worker_runs(worker, now, sp_task_handle(task));
		task->service->run(worker, task);
		now = sp_cycles();
		sp_worker_ran(worker, now, SP_RECORD_RUN);
		tasks++;
		if (next == NULL && sp_load(&worker->rest, relaxed) == NULL)
			break;
		/* REST acquire: what a thief left, which is all or nothing. */
		task = sp_xchg(&worker->rest, NULL, acquire);
	}
	/* What waited took time, but not the worker's. */
	if (waits == sp_load(&worker->counters.fiber_waits, relaxed))
		measure(worker, now - start, tasks);
}

/* Look at the shard, with the poll token, which is gone afterwards. */
static struct sp_task *
poll_shard(struct sp_worker *worker)
{
	struct sp_shard *shard = worker->shard;
	bool busy = worker->runnable != NULL
	    || sp_load(&worker->rest, relaxed) != NULL;
	struct sp_task *list;

	worker->resume_budget = SP_RESUME_BUDGET;
	list = sp_shard_poll(
	    shard, worker, !busy && !sp_surplus_elsewhere(worker));
	if (list == NULL)
		sp_worker_trim(worker);
	else
		sp_wake_helper(worker, sp_ready_ring_depth(&shard->ring));
	return list;
}

/*
 * Whether the worker leaves for good, and with that drops the poll token: it
 * was told to, and nothing lies here that somebody would have to see to.
 *
 * It looks with the token in hand, for whoever polls has popped what he has
 * not yet handed on. A stranger who takes the token after this sees the stop
 * as well, and stays out. Who does not leave polls with the same token: two
 * workers that took it once for each could keep it from each other for ever.
 */
static bool
leave(struct sp_worker *worker)
{
	struct sp_shard *shard = worker->shard;

	if (sp_likely(!is_ended(worker)) || !sp_stack_empty(&worker->resumed)
	    || shard->overflow.count != 0
	    || sp_ready_ring_depth(&shard->ring) != 0)
		return false;
	sp_token_drop(&shard->token);
	sp_shard_unattended(shard);
	return true;
}

/*
 * What somebody else has polled, or this worker did. If others poll all the
 * time, a worker may live on their lists without ever coming to it.
 */
static struct sp_task *
take_list(struct sp_worker *worker)
{
	struct sp_shard *shard = worker->shard;
	struct sp_task *list = sp_ready_ring_take(&shard->ring);

	if (list != NULL
	    && sp_load(&shard->last_poll, relaxed) != worker->now_ns)
		sp_worker_look_at_clock(worker);
	return list;
}

static void
loop(struct sp_worker *worker)
{
	struct sp_shard *shard = worker->shard;

	for (;;) {
		struct sp_task *list;
		struct sp_fiber *fiber;

		sp_rcu_quiescent();
		if (sp_unlikely(worker->timers.armed != 0))
			sp_worker_timers(worker);
		list = sp_xchg(&worker->rest, NULL, acquire);
		if (list == NULL) {
			fiber = next_runnable(worker);
			if (fiber != NULL) {
				sp_worker_resume(worker, fiber);
				continue;
			}
			list = take_list(worker);
		}
		if (list == NULL
		    && sp_token_try(&shard->token, worker->number)) {
			if (leave(worker))
				return;
			list = poll_shard(worker);
		}
		if (list == NULL && worker->runnable == NULL)
			list = sp_steal(worker);
		if (list != NULL) {
			run_list(worker, list);
			continue;
		}
		worker->resume_budget = SP_RESUME_BUDGET;
		if (worker->runnable != NULL)
			sp_worker_look_at_clock(worker);
		else if (!sp_token_free(&shard->token))
			park(worker);
	}
}

/* -------------------------------------------------------------- thread */

/* Ready to run its loop, or not to be had. */
static void
tell(struct sp_worker *worker, int error)
{
	worker->error = error;
	sp_store(&worker->state,
	    error == 0 ? SP_WORKER_RUNS : SP_WORKER_FAILED, release);
	sp_futex_wake(&worker->state);
}

static void
wait_at_gate(struct sp_worker *worker)
{
	SP_ATOMIC(uint32_t) *gate = &worker->engine->gate;

	if (!worker->blocking)
		sp_rcu_offline();
	/* GATE acquire; the GATE release is in open_gate(). */
	while (sp_load(gate, acquire) == 0)
		sp_futex_wait(gate, 0);
	if (!worker->blocking)
		sp_rcu_online();
}

/* The loop, on a fiber of its own like every later one. */
static void
run_loop(struct sp_worker *worker)
{
	struct sp_engine *engine = worker->engine;
	struct sp_fiber *first = SPATE_FIBERS
	    ? sp_fiber_new(worker, &worker->stacks, enter_loop)
	    : &worker->root;
	int error = first != NULL ? 0 : -ENOMEM;

	if (error == 0 && engine->options.worker_begin != NULL)
		error = engine->options.worker_begin(worker);
	tell(worker, error);
	if (error == 0)
		wait_at_gate(worker);
	if (error == 0 && !SPATE_FIBERS)
		run_to_end(worker);
	else if (error == 0)
		switch_to(worker, first);
	else if (SPATE_FIBERS && first != NULL)
		add_spare(worker, first);
	while (worker->spares != NULL)
		sp_fiber_free(take_spare(worker), &worker->stacks);
	if (error == 0 && engine->options.worker_end != NULL)
		engine->options.worker_end(worker);
}

static void *
worker_main(void *arg)
{
	struct sp_worker *worker = arg;
	struct sp_engine *engine = worker->engine;
	char name[SP_WORKER_NAME];

	self = worker;
	sp_worker_name(worker, name);
	pthread_setname_np(pthread_self(), name);
	prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
	if (sp_worker_polls(worker))
		sp_slice_ask(engine->options.slice_us);
	if (!worker->blocking)
		sp_topology_pin_shard(
		    &engine->topology, engine->shard_count, worker->shard->id);
	if (worker->shard->arena != UINT_MAX)
		sp_arena_bind(worker->shard->arena);
	if (!worker->blocking)
		sp_rcu_register();
	sp_store(&worker->started, sp_cycles(), relaxed);
	sp_fiber_root(&worker->root, worker);
	worker->current = &worker->root;
	sp_worker_look_at_clock(worker);
	run_loop(worker);
	if (!worker->blocking)
		sp_rcu_unregister();
	return NULL;
}

int
sp_worker_start(struct sp_worker *worker, bool wait)
{
	sigset_t before;
	int error;

	sp_signals_block(&before);
	error = pthread_create(&worker->thread, NULL, worker_main, worker);
	sp_signals_unblock(&before);
	if (error != 0 || !wait)
		return -error;
	while (sp_load(&worker->state, acquire) == SP_WORKER_STARTING)
		sp_futex_wait(&worker->state, SP_WORKER_STARTING);
	if (sp_load(&worker->state, acquire) == SP_WORKER_RUNS)
		return 0;
	pthread_join(worker->thread, NULL);
	return worker->error;
}
