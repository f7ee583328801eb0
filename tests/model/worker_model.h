/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_WORKER_MODEL_H
#define SPATE_TESTS_WORKER_MODEL_H

/*
 * Workers of one shard that run the loop of worker.c, for the models that
 * say who wants something of them.
 *
 *     extract shards/netpoll.c: sp_poll_work sp_netpoll sp_shard_poll
 *     extract shards/netpoll.c: sp_shard_messages take_runq publish
 *     extract shards/shard.c: sp_shard_break sp_shard_send_break sp_shard_run
 *     extract shards/shard.c: sp_shard_post
 *     extract shards/shard.c: sp_shard_unattended sp_shard_enter wake_all
 *     extract shards/shard.c: sp_shard_leave sp_shard_stop sp_shard_ended
 *     extract shards/shard.c: sp_engine_reserve sp_engine_unreserve
 *     extract shards/shard.c: sp_shard_enter_reserved
 *     extract shards/handed.c: sp_shard_heavy heavy_next heavy_ended
 *     extract shards/handed.c: heavy_park run sp_handed_loop
 *     extract shards/worker.c: sp_worker_wake sp_worker_park park loop
 *     extract shards/worker.c: is_ended fiber_of sp_fiber_ready run_list
 *     extract shards/worker.c: may_resume first_runnable next_runnable
 *     extract shards/worker.c: sp_worker_next_fiber poll_shard leave take_list
 *     extract shards/steal.c: help take_rest
 */

#include "tests/model/model.h"
#include "tests/model/stub_shard.h"

static struct sp_task *sp_steal(struct sp_worker *worker);

#include "netpoll.c.inc"
#include "shard.c.inc"
#include "steal.c.inc"
#include "worker.c.inc"

/* blocking_model.cpp has those. */
#define sp_blocking_next(worker) NULL
#define sp_blocking_ended(worker) true
#define sp_blocking_park(worker) ((void)0)

#include "handed.c.inc"

/* What a thread does; all but the workers do it once. */
enum act {
	NOTHING,
	WORKER0,
	WORKER1,
	HEAVY1, /* the same one, as a heavy worker */
	POST,
	RUN,
	HAND,
	READY0,
	READY1,
	STRANGER,
	STOP,
	POST_STOP,
	RUN2_STOP,
	PLACE
};
enum { THREADS = 4, WORKERS = 2 };

static const struct scenario {
	const char *name;
	enum act act[THREADS];
} * scenario;

/* Thrown by who sleeps with nobody left to end it. */
struct for_good {};

static struct worker_suite *suite;

static void run_task(struct sp_worker *, struct sp_task *);
static void run_message(struct sp_shard *, struct sp_worker *, struct sp_msg *);
static const struct sp_service service = { .run = run_task };

struct worker_suite : rl::test_suite<worker_suite, THREADS> {
	struct sp_engine engine;
	struct sp_shard shard;
	struct sp_worker worker[WORKERS + 1]; /* the last is a stranger */
	model_sleep parked[WORKERS];
	struct sp_fiber fiber[THREADS];
	struct sp_msg msg[THREADS];
	struct sp_poll_desc pd[THREADS];
	rl::var<int> payload[THREADS];
	int placed = 0, done = 0, left = 0, polling = 0;

	void
	before()
	{
		suite = this;
		model_resting = stub_episodes = 0;
		sp_store(&shard.token.owner, 0, relaxed);
		sp_store(&shard.wake.sig, SP_WAKE_RUNNING, relaxed);
		sp_store(&shard.stopping, 0, relaxed);
		shard.engine = &engine;
		engine.options.max_connections = UINT32_MAX;
		sp_store(&shard.load, connections(), relaxed);
		sp_store(&shard.outgoing, 0, relaxed);
		sp_store(&engine.connections, connections(), relaxed);
		sp_store(&shard.stuck, 0, relaxed);
		sp_store(&shard.inbox.head, NULL, relaxed);
		sp_store(&shard.runq.head, NULL, relaxed);
		sp_store(&shard.breaks_sent, 0, relaxed);
		sp_store(&shard.breaks_coalesced, 0, relaxed);
		sp_store(&shard.ring.slot, NULL, relaxed);
		sp_store(&shard.heavy.head, NULL, relaxed);
		engine.options.workers = 1; /* if there is a heavy one */
		if (count(HEAVY1) != 0)
			shard.pollers = 1;
		sp_store(&shard.idle.set, 0, relaxed);
		sp_store(&shard.worker_count, WORKERS, relaxed);
		sp_task_list_init(&shard.overflow);
		for (uint32_t i = 0; i <= WORKERS; i++) {
			struct sp_worker *w = &worker[i];

			w->shard = &shard;
			w->number = w->place = i;
			w->idle = &shard.idle;
			w->heavy = i == 1 && count(HEAVY1) != 0;
			sp_task_list_init(&w->handed);
			sp_store(&w->rest, NULL, relaxed);
			sp_store(&w->begun, 0, relaxed);
			sp_store(&w->waiting, 0, relaxed);
			sp_store(&w->resumed.head, NULL, relaxed);
			sp_store(&w->wake_word, 0, relaxed);
			sp_store(&w->counters.fiber_waits, 0, relaxed);
			if (i < WORKERS)
				sp_store(&shard.workers[i], w, relaxed);
		}
		for (int i = 0; i < THREADS; i++) {
			enum act act = scenario->act[i];

			sp_store(&fiber[i].wakes, 0, relaxed);
			msg[i].fn = run_message;
			pd[i].task.service = &service;
			payload[i]($) = 0;
			if (act != READY0 && act != READY1)
				continue;
			fiber[i].home = &worker[act - READY0];
			sp_fetch_add(&fiber[i].home->waiting, 1, relaxed);
		}
	}

	/* Each task is a connection, which closes when it has run. */
	int
	connections()
	{
		return count(RUN) + count(HAND) + 2 * count(RUN2_STOP);
	}

	void
	run_worker(struct sp_worker *w)
	{
		try {
			w->heavy ? sp_handed_loop(w) : loop(w);
			left++;
			RL_ASSERT(sp_load(&w->waiting, relaxed) == 0
				  && w->runnable == NULL);
		} catch (struct for_good) {
		}
	}

	void
	thread(unsigned i)
	{
		enum act what = scenario->act[i];

		if (what == NOTHING)
			return (void)model_resting++;
		payload[i]($) = 1;
		if (what == WORKER0)
			run_worker(&worker[0]);
		if (what == WORKER1 || what == HEAVY1)
			run_worker(&worker[1]);
		if (what == POST || what == POST_STOP)
			sp_shard_post(&shard, &msg[i]);
		if (what == PLACE && sp_shard_enter(&shard)) {
			placed++;
			sp_shard_post(&shard, &msg[i]);
		}
		if (what == RUN2_STOP) {
			payload[THREADS - 1]($) = 1;
			sp_shard_run(&shard, &pd[i]);
			sp_shard_run(&shard, &pd[THREADS - 1]);
		}
		if (what == STOP || what == POST_STOP || what == RUN2_STOP)
			sp_shard_stop(&shard);
		if (what == RUN)
			sp_shard_run(&shard, &pd[i]);
		if (what == HAND)
			sp_shard_heavy(&shard, &pd[i]);
		if (what == READY0 || what == READY1)
			sp_fiber_ready(&fiber[i]);
		if (what == STRANGER) {
			struct sp_task *list = help(&worker[WORKERS], &shard);

			if (list != NULL)
				run_list(&worker[WORKERS], list);
		}
		model_resting++;
	}

	int
	count(enum act what)
	{
		int n = 0;

		for (enum act act : scenario->act)
			n += act == what;
		return n;
	}

	void
	after()
	{
		int workers
		    = count(WORKER0) + count(WORKER1) + count(HEAVY1);
		int stops = count(STOP) + count(POST_STOP) + count(RUN2_STOP);

		/* Nothing that was left for the shard is there still. */
		RL_ASSERT(done
			  == count(POST) + count(POST_STOP) + count(RUN)
				 + count(HAND) + 2 * count(RUN2_STOP) + placed
				 + count(READY0) + count(READY1));
		/* Somebody polls, or all have left because they should. */
		RL_ASSERT(
		    stops != 0 ? left == workers : left == 0 && polling == 1);
		/* A sleep costs one write to the eventfd at most. */
		RL_ASSERT(shard.np.eventfd.wakes <= stub_episodes);
		/* A park that has ended was ended by one wake-up. */
		for (int i = 0; i < WORKERS; i++)
			RL_ASSERT(
			    (int)sp_load(&worker[i].wake_word, seq_cst)
			    == worker[i].counters.parks - parked[i].asleep);
	}

	void
	run(unsigned i)
	{
		RL_ASSERT(payload[i]($) == 1);
		payload[i]($) = 2; /* once */
		done++;
	}
};

static void
run_task(struct sp_worker *, struct sp_task *task)
{
	suite->run(
	    sp_container_of(task, struct sp_poll_desc, task) - suite->pd);
	sp_shard_leave(&suite->shard);
}

static void
run_message(struct sp_shard *, struct sp_worker *, struct sp_msg *msg)
{
	suite->run(msg - suite->msg);
	if (scenario->act[msg - suite->msg] == PLACE)
		sp_shard_leave(&suite->shard);
}

void
sp_worker_resume(struct sp_worker *worker, struct sp_fiber *fiber)
{
	RL_ASSERT(fiber->home == worker
		  && sp_load(&worker->waiting, relaxed) != 0);
	sp_fetch_sub(&worker->waiting, 1, relaxed);
	suite->run(fiber - suite->fiber);
}

static struct sp_task *
sp_steal(struct sp_worker *)
{
	return NULL;
}

struct sp_worker *
sp_worker_self(void)
{
	enum act act = scenario->act[rl::thread_index()];

	if (act == WORKER0)
		return &suite->worker[0];
	return act == WORKER1 || act == HEAVY1 ? &suite->worker[1] : NULL;
}

/* Also a poll that does not sleep is told of a wake-up, and then it is over. */
unsigned
sp_netpoll_wait(struct sp_netpoll *np, int64_t delay)
{
	if (delay == 0)
		return np->eventfd.token = false;
	suite->polling++;
	if (!np->eventfd.wait(THREADS))
		throw for_good();
	suite->polling--;
	return 0;
}

void
sp_netpoll_break(struct sp_netpoll *np)
{
	np->eventfd.wake();
}

static model_sleep *
parked_on(SP_ATOMIC(uint32_t) * word)
{
	return &suite->parked[word == &suite->worker[1].wake_word];
}

/* The kernel compares and goes to sleep in one step. */
void
sp_futex_wait(SP_ATOMIC(uint32_t) * word, uint32_t value)
{
	if (sp_fetch_add(word, 0, relaxed) == value
	    && !parked_on(word)->wait(THREADS))
		throw for_good();
}

void
sp_futex_wake(SP_ATOMIC(uint32_t) * word)
{
	parked_on(word)->wake();
}

static int
run_scenarios(const struct scenario *scenarios, size_t count, unsigned rounds)
{
	for (size_t i = 0; i < count; i++) {
		scenario = &scenarios[i];
		if (!model_run<worker_suite>(scenario->name, rounds))
			return 1;
	}
	return 0;
}

#endif /* SPATE_TESTS_WORKER_MODEL_H */
