/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: blocking workers, those who hand something to them or make their
 * fibers ready, and the watcher, who makes one when it is told to (IDLE,
 * NUDGE). A handler may block until another one has run.
 *
 * Claim. All that was handed over runs, once, also if it takes a worker that
 * was not there yet, or one whose handler waits. Each fiber goes on once. All
 * workers leave when they are told to.
 *
 *     extract shards/blocking.c: wake wake_one sp_blocking_hand
 *     extract shards/blocking.c: sp_blocking_next sp_blocking_ended has_work
 *     extract shards/blocking.c: sp_blocking_park add_threads sp_blocking_look
 *     extract shards/blocking.c: tell_all
 *     extract shards/handed.c: run sp_handed_loop
 *     extract shards/sysmon.c: sp_sysmon_wake may_sleep sleep_while_idle
 *     extract shards/worker.c: sp_worker_wake sp_worker_park fiber_of
 *     extract shards/worker.c: sp_fiber_ready may_resume first_runnable
 *     extract shards/worker.c: next_runnable sp_worker_next_fiber
 */

#include "tests/model/model.h"
#include "tests/model/stub_shard.h"

#include <cerrno>

#undef sp_futex_wait_for
#define sp_futex_wait_for(word, value, ns) sp_futex_wait(word, value)
#define SP_NS_PER_S 1
#define SLEEP_S 1
#define heavy_next(worker) NULL
#define heavy_ended(worker) true
#define heavy_park(worker) ((void)0)

void sp_sysmon_wake(struct sp_engine *engine);
static int add_thread(struct sp_engine *engine, bool wait);

#include "worker.c.inc"
#include "handed.c.inc"
#include "blocking.c.inc"
#include "sysmon.c.inc"

enum act {
	NOTHING,
	FREE,    /* a worker with nothing to do */
	HOLDS,   /* with a fiber that waits for good */
	WAITS,   /* for READY */
	LATER,   /* made by the watcher */
	READY,   /* the fiber of the first worker */
	HAND,    /* one connection */
	DEPENDS, /* one for each worker; they block until the last has run */
	WATCH,
	STOP, /* when all has run */
};
enum { THREADS = 6, WORKERS = 4, ITEMS = THREADS * WORKERS, SLOTS = 32 };

static const struct scenario {
	const char *name;
	enum act act[THREADS];
	bool crowded; /* from the start on */
} * scenario;

/* Thrown by who sleeps with nobody left to end it. */
struct for_good {};

static struct blocking_suite *suite;

static void run_task(struct sp_worker *, struct sp_task *);
static const struct sp_service service = { .run = run_task };

struct blocking_suite : rl::test_suite<blocking_suite, THREADS> {
	struct sp_engine engine;
	struct sp_queue_slot slot[SLOTS];
	struct sp_worker worker[WORKERS];
	struct sp_shard shard;
	model_sleep parked[WORKERS], watcher, born, finished[ITEMS];
	rl::atomic<int> created; /* as by pthread_create() */
	struct sp_fiber fiber;
	struct sp_poll_desc pd[ITEMS];
	rl::var<int> payload[ITEMS];
	int done = 0, resumed = 0, left = 0;

	void
	before()
	{
		struct sp_blocking *pool = &engine.blocking;

		suite = this;
		model_resting = 0;
		/* If nobody is to be made, the system refuses it. */
		pool->limit = workers() + (count(WATCH) && !count(LATER));
		sp_queue_init(&pool->queue, slot, SLOTS);
		sp_store(&pool->idle.set, 0, relaxed);
		sp_store(&pool->held.set, 0, relaxed);
		sp_store(&pool->crowded, scenario->crowded, relaxed);
		sp_store(&pool->stopping, 0, relaxed);
		sp_store(&pool->threads, workers() - count(LATER), relaxed);
		sp_store(&pool->begun, 0, relaxed);
		sp_store(&pool->wait_us, 0, relaxed);
		sp_store(&engine.sysmon_asleep, 0, relaxed);
		sp_store(&engine.sysmon_stop, 0, relaxed);
		for (uint32_t i = 0; i < WORKERS; i++) {
			struct sp_worker *w = &worker[i];
			enum act act = scenario->act[i];

			w->engine = &engine;
			w->shard = &shard;
			w->blocking = true;
			w->place = i;
			w->idle = &pool->held;
			sp_store(&w->begun, 0, relaxed);
			sp_store(&w->waiting, act == HOLDS || act == WAITS,
			    relaxed);
			sp_store(&w->resumed.head, NULL, relaxed);
			sp_store(&w->wake_word, 0, relaxed);
			sp_store(&pool->worker[i],
			    act == LATER ? NULL : w, relaxed);
		}
		created.store(0, rl::mo_relaxed, $);
		fiber.home = &worker[0];
		sp_store(&fiber.wakes, 0, relaxed);
		for (int i = 0; i < ITEMS; i++) {
			pd[i].task.service = &service;
			payload[i]($) = 0;
		}
	}

	void
	hand(unsigned item)
	{
		payload[item]($) = 1;
		RL_ASSERT(sp_blocking_hand(&engine, &pd[item]));
	}

	void
	watch()
	{
		for (;;) {
			if (!sp_blocking_look(&engine))
				sleep_while_idle(&engine);
			rl::yield(1, $);
		}
	}

	void
	act(unsigned i)
	{
		enum act what = scenario->act[i];

		if (what == LATER) {
			if (!born.wait(THREADS))
				throw for_good();
			while (created.load(rl::mo_acquire, $) == 0)
				rl::yield(1, $);
		}
		if (is_worker(what)) {
			sp_handed_loop(&worker[i]);
			RL_ASSERT(sp_load(&worker[i].waiting, relaxed) == 0);
			left++;
		}
		for (int n = 0; n < items(what); n++)
			hand(i * WORKERS + n);
		if (what == READY)
			sp_fiber_ready(&fiber);
		if (what == WATCH)
			watch();
		if (what == STOP) {
			while (done < expected())
				rl::yield(1, $);
			tell_all(&engine.blocking);
		}
	}

	void
	thread(unsigned i)
	{
		if (scenario->act[i] != NOTHING) {
			try {
				act(i);
			} catch (struct for_good) {
				return;
			}
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

	static bool
	is_worker(enum act what)
	{
		return what >= FREE && what <= LATER;
	}

	int
	workers()
	{
		return count(FREE) + count(HOLDS) + count(WAITS)
		       + count(LATER);
	}

	int
	items(enum act what)
	{
		return what == HAND ? 1 : what == DEPENDS ? workers() : 0;
	}

	int
	expected()
	{
		return count(HAND) + count(DEPENDS) * workers();
	}

	void
	after()
	{
		RL_ASSERT(done == expected());
		RL_ASSERT(resumed == count(READY));
		RL_ASSERT(left == (count(STOP) ? workers() : 0));
	}

	void
	run(unsigned item)
	{
		RL_ASSERT(payload[item]($) == 1);
		payload[item]($) = 2; /* once */
		if (scenario->act[item / WORKERS] == DEPENDS) {
			if (item % WORKERS + 1 < workers()) {
				if (!finished[item].wait(THREADS))
					throw for_good();
			} else {
				for (model_sleep &other : finished)
					other.wake();
			}
		}
		done++;
	}
};

static void
run_task(struct sp_worker *, struct sp_task *task)
{
	suite->run(
	    sp_container_of(task, struct sp_poll_desc, task) - suite->pd);
}

void
sp_worker_resume(struct sp_worker *worker, struct sp_fiber *fiber)
{
	RL_ASSERT(fiber->home == worker);
	sp_fetch_sub(&worker->waiting, 1, relaxed);
	suite->resumed++;
}

/* Where there is none to be made the system has refused it. */
static int
add_thread(struct sp_engine *engine, bool)
{
	int place = 0;

	while (place < WORKERS && scenario->act[place] != LATER)
		place++;
	if (place == WORKERS)
		return -EAGAIN;
	sp_store(
	    &engine->blocking.worker[place], &suite->worker[place], release);
	sp_store(&engine->blocking.threads, suite->workers(), relaxed);
	suite->created.store(1, rl::mo_release, $);
	suite->born.wake();
	return 0;
}

struct sp_worker *
sp_worker_self(void)
{
	return NULL;
}

void
sp_shard_break(struct sp_shard *)
{
	RL_ASSERT(!"for who polls");
}

static model_sleep *
sleeper_on(SP_ATOMIC(uint32_t) * word)
{
	if (word == &suite->engine.sysmon_asleep)
		return &suite->watcher;
	for (int i = 0; i < WORKERS; i++) {
		if (word == &suite->worker[i].wake_word)
			return &suite->parked[i];
	}
	RL_ASSERT(!"nobody sleeps there");
	return NULL;
}

/* The kernel compares and goes to sleep in one step. */
void
sp_futex_wait(SP_ATOMIC(uint32_t) * word, uint32_t value)
{
	if (sp_fetch_add(word, 0, relaxed) == value
	    && !sleeper_on(word)->wait(THREADS))
		throw for_good();
}

void
sp_futex_wake(SP_ATOMIC(uint32_t) * word)
{
	sleeper_on(word)->wake();
}

#define NO NOTHING

static const struct scenario scenarios[] = {
	{ "one and one", { FREE, FREE, NO, NO, HAND }, true },
	{ "two and two", { FREE, FREE, NO, NO, HAND, HAND }, true },
	{ "one blocks", { FREE, FREE, NO, NO, DEPENDS }, true },
	{ "one blocks, one waits", { FREE, HOLDS, NO, NO, DEPENDS }, true },
	{ "one is to be made", { FREE, LATER, NO, NO, DEPENDS, WATCH } },
	{ "one was refused", { FREE, LATER, NO, NO, DEPENDS, WATCH }, true },
	{ "none is to be had", { FREE, HOLDS, NO, NO, DEPENDS, WATCH } },
	{ "made, and not enough",
	    { FREE, HOLDS, HOLDS, LATER, DEPENDS, WATCH } },
	{ "a fiber", { WAITS, FREE, NO, NO, READY, HAND }, true },
	{ "a fiber, not crowded", { WAITS, FREE, NO, NO, READY, HAND } },
	{ "a stop", { FREE, FREE, NO, NO, HAND, STOP }, true },
	{ "a stop, a pair", { FREE, FREE, NO, NO, DEPENDS, STOP }, true },
};

int
main()
{
	for (const struct scenario &s : scenarios) {
		scenario = &s;
		if (!model_run<blocking_suite>(s.name))
			return 1;
	}
	return 0;
}
