/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The loop of workers that never poll; and the heavy ones.
 */

#include "shards/handed.h"

#include "shards/engine.h"
#include "shards/event.h"
#include "shards/trim.h"

/* ---------------------------------------------------------------- heavy */

void
sp_shard_heavy(struct sp_shard *shard, struct sp_poll_desc *pd)
{
	unsigned number = shard->engine->options.workers;

	sp_stack_push(&shard->heavy, &pd->link); /* IDLE1 */
	if (sp_idle_claim(&shard->idle, number)) /* IDLE2 */
		sp_worker_wake(sp_load(&shard->workers[number], acquire));
}

static struct sp_task *
heavy_next(struct sp_worker *worker)
{
	struct sp_link *link = sp_stack_reverse(
	    sp_stack_pop_all(&worker->shard->heavy));

	if (link != NULL)
		worker->handed.since = sp_cycles();
	while (link != NULL) {
		struct sp_poll_desc *pd = sp_container_of(
		    link, struct sp_poll_desc, link);

		link = link->next;
		sp_task_list_add(&worker->handed, &pd->task);
		pd->ready = worker->handed.since;
	}
	/* One by one: what lies in rest may be taken by others. */
	return sp_task_list_split(&worker->handed, 1);
}

/* A connection that was handed over is one of the shard's until it ends. */
static bool
heavy_ended(struct sp_worker *worker)
{
	return sp_load(&worker->shard->stopping, seq_cst)
	       && sp_load(&worker->shard->load, seq_cst) == 0 /* END4 */
	       && sp_load(&worker->waiting, relaxed) == 0;
}

static void
heavy_park(struct sp_worker *worker)
{
	struct sp_shard *shard = worker->shard;
	uint32_t word = sp_load(&worker->wake_word, relaxed);

	sp_idle_announce(&shard->idle, worker->place);
	/* IDLE4. */
	if ((!sp_stack_empty(&worker->resumed) || !sp_stack_empty(&shard->heavy)
		|| heavy_ended(worker))
	    && sp_idle_retract(&shard->idle, worker->place))
		return;
	sp_worker_park(worker, &shard->idle, word);
}

/* ----------------------------------------------------------------- loop */

static void
run(struct sp_worker *worker, struct sp_task *task)
{
	sp_count(&worker->begun, 1);
	sp_worker_runs(worker, sp_cycles(), sp_task_handle(task));
	task->service->run(worker, task);
	sp_worker_ran(worker, sp_cycles(), SP_RECORD_RUN);
}

void
sp_handed_loop(struct sp_worker *worker)
{
	bool heavy = worker->heavy;

	for (;;) {
		struct sp_fiber *fiber;
		struct sp_task *task;

		if (heavy)
			sp_rcu_quiescent();
		sp_worker_look_at_clock(worker);
		if (sp_unlikely(worker->timers.armed != 0))
			sp_worker_timers(worker);
		fiber = sp_worker_next_fiber(worker);
		if (fiber != NULL) {
			sp_worker_resume(worker, fiber);
			continue;
		}
		worker->resume_budget = SP_RESUME_BUDGET;
		task = heavy ? heavy_next(worker) : sp_blocking_next(worker);
		if (task != NULL) {
			run(worker, task);
			continue;
		}
		sp_worker_trim(worker);
		if (heavy ? heavy_ended(worker) : sp_blocking_ended(worker))
			return;
		if (worker->runnable != NULL)
			continue;
		if (heavy)
			heavy_park(worker);
		else
			sp_blocking_park(worker);
	}
}
