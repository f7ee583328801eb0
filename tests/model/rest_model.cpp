/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: a worker with a list of three tasks, and two thieves that take the
 * rest of it and run that in the same way.
 *
 * Claim. Each task runs exactly once, and who runs it sees what its maker
 * wrote (REST): anything else would be a data race on payload.
 *
 *     extract shards/worker.c: run_list
 *     extract shards/steal.c: take_rest
 */

#include "tests/model/model.h"
#include "tests/model/stub_shard.h"

#include "steal.c.inc"
#include "worker.c.inc"

enum { OWNER, THIEF, THIEF_OF_BOTH, THREADS, TASKS = 3 };

static struct rest_suite *suite;
static void run_task(struct sp_worker *, struct sp_task *);
static const struct sp_service service = { .run = run_task };

struct rest_suite : rl::test_suite<rest_suite, THREADS> {
	struct sp_shard shard;
	struct sp_worker worker[THREADS];
	struct sp_task task[TASKS];
	rl::var<int> payload[TASKS];
	int ran[TASKS] = {};

	void
	before()
	{
		suite = this;
		sp_store(&shard.worker_count, 2, relaxed);
		for (int i = 0; i < THREADS; i++) {
			sp_store(&worker[i].rest, NULL, relaxed);
			sp_store(&worker[i].begun, 0, relaxed);
			sp_store(&worker[i].counters.fiber_waits, 0, relaxed);
		}
		sp_store(&shard.workers[0], &worker[OWNER], relaxed);
		sp_store(&shard.workers[1], &worker[THIEF], relaxed);
	}

	void
	thread(unsigned i)
	{
		struct sp_task_list list;
		struct sp_task *head;

		sp_task_list_init(&list);
		if (i == OWNER) {
			for (int k = 0; k < TASKS; k++) {
				payload[k]($) = 1;
				task[k].service = &service;
				sp_task_list_add(&list, &task[k]);
			}
			head = list.head;
		} else {
			head = take_rest(&worker[i], &shard);
		}
		if (head != NULL)
			run_list(&worker[i], head);
	}

	void
	after()
	{
		for (int k = 0; k < TASKS; k++)
			RL_ASSERT(ran[k] == 1);
	}
};

static void
run_task(struct sp_worker *, struct sp_task *task)
{
	int k = task - suite->task;

	RL_ASSERT(suite->payload[k]($) == 1);
	suite->ran[k]++;
}

int
main()
{
	return !model_run<rest_suite>("owner and two thieves");
}
