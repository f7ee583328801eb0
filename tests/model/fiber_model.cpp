/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: a fiber that is waited for as often as it is made ready, by two other
 * threads and by itself. Its worker has nothing else to do.
 *
 * Claim. It goes on once for each time that it was made ready. What was written
 * before that is seen by then (WAKES for who found it in a list already, RESUME
 * for who put it there), and who makes it ready anew touches it only after its
 * worker has taken it out of the list (LINK): anything else would be a data
 * race on payload or ready.
 *
 *     extract shards/worker.c: fiber_of sp_fiber_suspend sp_fiber_ready
 *     extract shards/worker.c: may_resume first_runnable next_runnable
 */

#include "tests/model/model.h"

/* As a plain word, but the checker knows who writes it. */
struct watched {
	rl::var<uint64_t> word;

	void
	operator=(uint64_t value)
	{
		word($) = value;
	}

	operator uint64_t()
	{
		return word($);
	}
};
#define STUB_READY watched

#include "tests/model/stub_shard.h"

#define SPATE_FIBERS 1
#define SP_RESUME_BUDGET 64
#define sp_counter_add(word, n) ((void)0)
#define sp_shard_break(shard) ((void)0)
#define take_spare(worker) nullptr
#define add_wait(waited, left, ready, now) ((void)(ready))

static void switch_to(struct sp_worker *worker, struct sp_fiber *fiber);

#include "worker.c.inc"

enum { WORKER, THREADS = 3, MOST = 5 };

static const struct scenario {
	const char *name;
	int wakes[THREADS]; /* by each */
} scenarios[] = {
	{ "one and another", { 0, 1, 1 } },
	{ "one twice", { 0, 2, 0 } },
	{ "two twice", { 0, 2, 2 } },
	{ "itself, and one twice", { 1, 2, 0 } },
	{ "all", { 1, 1, 1 } },
};
static const struct scenario *scenario;
static struct fiber_suite *suite;

struct fiber_suite : rl::test_suite<fiber_suite, THREADS> {
	struct sp_shard shard;
	struct sp_worker worker;
	struct sp_fiber fiber;
	rl::var<int> payload[THREADS * MOST];
	int wakes = 0, waits = 0;
	bool ended = false;

	void
	before()
	{
		suite = this;
		worker.shard = &shard;
		worker.idle = &shard.idle;
		sp_store(&shard.idle.set, 0, relaxed);
		sp_store(&worker.resumed.head, NULL, relaxed);
		sp_store(&worker.wake_word, 0, relaxed);
		sp_store(&worker.handler, NULL, relaxed);
		sp_store(&worker.begun, 0, relaxed);
		sp_store(&worker.counters.fiber_waits, 0, relaxed);
		worker.current = &fiber;
		fiber.home = &worker;
		fiber.ready = 0;
		sp_store(&fiber.wakes, 0, relaxed);
		for (rl::var<int> &one : payload)
			one($) = 0;
		for (int n : scenario->wakes)
			wakes += n;
	}

	void
	make_ready(int thread)
	{
		for (int i = 0; i < scenario->wakes[thread]; i++) {
			payload[thread * MOST + i]($) = 1;
			sp_fiber_ready(&fiber);
		}
	}

	/* As many as have been waited for, if not which. */
	void
	run_fiber()
	{
		make_ready(WORKER);
		for (int i = 0; i < wakes; i++) {
			sp_fiber_suspend(&worker);
			waits++;
		}
		for (int t = 0; t < THREADS; t++)
			for (int i = 0; i < scenario->wakes[t]; i++)
				RL_ASSERT(payload[t * MOST + i]($) == 1);
		RL_ASSERT(fiber.credits == 0
			  && sp_load(&fiber.wakes, relaxed) == 0);
		ended = true;
	}

	void
	thread(unsigned i)
	{
		if (i == WORKER)
			run_fiber();
		else
			make_ready(i);
	}

	void
	after()
	{
		RL_ASSERT(ended && waits == wakes);
		RL_ASSERT(worker.runnable == NULL
			  && sp_load(&worker.resumed.head, relaxed) == NULL);
	}
};

/* The loop goes on upon another fiber, until this one may. */
static void
switch_to(struct sp_worker *worker, struct sp_fiber *)
{
	struct sp_fiber *next = NULL;

	while (next == NULL) {
		rl::yield(1, $);
		next = next_runnable(worker);
	}
	RL_ASSERT(next == &suite->fiber);
}

void
sp_worker_wake(struct sp_worker *)
{
	RL_ASSERT(!"it never sleeps");
}

struct sp_worker *
sp_worker_self(void)
{
	return rl::thread_index() == WORKER ? &suite->worker : NULL;
}

int
main()
{
	bool held = true;

	for (const struct scenario &one : scenarios) {
		scenario = &one;
		held &= model_run<fiber_suite>(one.name);
	}
	return !held;
}
