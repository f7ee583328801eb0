/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: a fiber that has a call run by a thread of the pool, and may give it
 * up at any moment of its wait.
 *
 * Claim. The call has run exactly if the fiber was told 0 or has let go of it,
 * and what it wrote is seen by the fiber, or by the drop (EVENT). The job is
 * freed once, by a side that sees all that the other did with it (GIVEUP,
 * EVENT).
 *
 *     extract shards/offload.c: pop run give_up sp_offload_run
 */

#include "tests/model/model.h"

#include "tests/model/stub_worker.h"

#include "shards/offload.h"

#include <cerrno>

enum { FIBER, THREAD, THREADS };

static struct sp_offload_job *make_job(void);
static void free_job(struct sp_offload_job *job);
static void call(void *arg);
static void drop_result(void *arg);
static void (*drop)(void *arg); /* of the scenario */

/* What a pool thread and a fiber do besides. */
#define malloc(size) make_job()
#define free(job) free_job(job)
#define sp_now_ns() 0
#define prepare(worker) 0
#define wake_one(pool) ((void)0)
#define make_thread(pool) ((void)0)
#define sp_event_wait_posted(worker, event)                                    \
	((void)sp_event_wait(worker, event, 0))

#include "offload.c.inc"

struct offload_suite : rl::test_suite<offload_suite, THREADS> {
	struct sp_offload pool;
	struct sp_queue_slot slot[2];
	struct sp_offload_job job;
	struct sp_worker worker;
	rl::var<int> uses;   /* written by who frees, read by who uses */
	rl::var<int> result; /* of the call */
	int made = 0, freed = 0;
	int dropped = 0;
	bool gave_up = false, let_go = false;

	void
	before()
	{
		suite = this;
		pool.limit = 1;
		sp_queue_init(&pool.queue, slot, 2);
		sp_store(&pool.idle.set, 0, relaxed);
		sp_store(&pool.jobs, 0, relaxed);
		sp_store(&pool.wait_us, 0, relaxed);
		sp_store(&pool.cancelled, 0, relaxed);
		sp_store(&pool.let_go, 0, relaxed);
		sp_store(&pool.refused, 0, relaxed);
		uses($) = 0;
		result($) = 0;
	}

	void
	thread(unsigned i)
	{
		if (i == FIBER) {
			int error = sp_offload_run(&worker, &pool, call,
			    &result, drop, drop != NULL ? &let_go : NULL, 1);

			if (error == 0)
				RL_ASSERT(result($) == 1);
			gave_up = error != 0;
			return;
		}
		struct sp_offload_job *found;

		while ((found = pop(&pool)) == NULL)
			rl::yield(1, $);
		::run(&pool, found);
	}

	void
	after()
	{
		RL_ASSERT(made == 1 && freed == 1);
		RL_ASSERT(dropped == let_go);
		RL_ASSERT(drop != NULL || !let_go);
		if (gave_up)
			RL_ASSERT(result($) == (let_go ? 2 : 0));
	}

	static struct offload_suite *suite;
};

struct offload_suite *offload_suite::suite;

static struct sp_offload_job *
make_job(void)
{
	offload_suite::suite->made++;
	return &offload_suite::suite->job;
}

static void
free_job(struct sp_offload_job *)
{
	offload_suite::suite->freed++;
	offload_suite::suite->uses($) = 1;
}

static void
call(void *arg)
{
	(*(rl::var<int> *)arg)($) = 1;
}

static void
drop_result(void *arg)
{
	RL_ASSERT((*(rl::var<int> *)arg)($) == 1);
	(*(rl::var<int> *)arg)($) = 2;
	offload_suite::suite->dropped++;
}

/* Like the engine's, by the slot; time passes at any moment. */
int
sp_event_wait(struct sp_worker *, struct sp_event *event, uint32_t timeout_ms)
{
	for (unsigned looks = 0; timeout_ms == 0 || looks < 3; looks++) {
		RL_ASSERT(offload_suite::suite->uses($) == 0);
		if (sp_slot_consume(&event->slot))
			return 0;
		rl::yield(1, $);
	}
	return -ETIMEDOUT;
}

void
sp_event_post(struct sp_event *event)
{
	RL_ASSERT(offload_suite::suite->uses($) == 0);
	sp_slot_ready(&event->slot);
}

int
main()
{
	if (!model_run<offload_suite>("a call that is given up"))
		return 1;
	drop = drop_result;
	return !model_run<offload_suite>("a call that is let go");
}
