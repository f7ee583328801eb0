/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/spawn.h"

#include "alloc/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct spawned {
	struct sp_poll_desc closed; /* if the shard has none for it */
	struct sp_msg msg;
	struct sp_shard *shard;
	void (*fn)(void *arg);
	void *arg;
	bool background;
};

static void run_with_desc(struct sp_worker *worker, struct sp_task *task);
static void run_cancelled(struct sp_worker *worker, struct sp_task *task);

static const struct sp_service spawned_service = { .run = run_with_desc,
	.name = "task" };
static const struct sp_service cancelled_service = { .run = run_cancelled,
	.name = "cancelled task" };

static void
uncount(struct sp_engine *engine, bool background)
{
	if (!background)
		sp_fetch_sub(&engine->tasks_awaited, 1, release); /* GONE */
	sp_fetch_sub(&engine->tasks, 1, relaxed);
}

static void
call(struct sp_worker *worker, struct spawned *spawned, struct sp_poll_desc *pd)
{
	worker->current->pd = pd;
	sp_store(&worker->handler, "a task", relaxed);
	spawned->fn(spawned->arg);
	sp_store(&worker->handler, NULL, relaxed);
	worker->current->pd = NULL;
}

/* The shard is not left before all else is done: the engine may then end. */
static void
run_with_desc(struct sp_worker *worker, struct sp_task *task)
{
	struct sp_poll_desc *pd = sp_container_of(
	    task, struct sp_poll_desc, task);
	struct spawned *spawned = pd->proto;
	struct sp_shard *shard = spawned->shard;

	pd->proto = NULL;
	call(worker, spawned, pd);
	uncount(shard->engine, spawned->background);
	free(spawned);
	sp_shard_close_outgoing(shard, pd);
}

/* It looks at this as at its own connection, which seems to be closed. */
static void
run_cancelled(struct sp_worker *worker, struct sp_task *task)
{
	struct spawned *spawned = sp_container_of(
	    task, struct spawned, closed.task);
	struct sp_shard *shard = spawned->shard;

	sp_store(&spawned->closed.info, SP_POLL_CLOSING, relaxed);
	call(worker, spawned, &spawned->closed);
	uncount(shard->engine, spawned->background);
	free(spawned);
	sp_shard_leave_outgoing(shard);
}

/*
 * With the poll token. Who cancels has said so before the descriptors are
 * walked over under the token: this one is seen then, or cancelled now.
 */
static void
begin(struct sp_shard *shard, struct sp_worker *worker, struct sp_msg *msg)
{
	struct spawned *spawned = sp_container_of(msg, struct spawned, msg);
	uintptr_t woken[SP_POLL_MODES];
	struct sp_poll_desc *pd;

	SP_CHECK(worker != NULL);
	if (sp_shard_open_owned(shard, -1, &spawned_service, 0, &pd) != 0) {
		memset(&spawned->closed, 0, sizeof(spawned->closed));
		spawned->closed.task.service = &cancelled_service;
		sp_task_list_add(&shard->overflow, &spawned->closed.task);
		return;
	}
	pd->proto = spawned;
	if (sp_load(&shard->engine->cancelling, seq_cst))
		sp_poll_unblock(pd, woken);
	sp_shard_run(shard, pd);
}

static int
count(struct sp_engine *engine, bool background)
{
	if (sp_fetch_add(&engine->tasks, 1, relaxed)
	    >= engine->options.max_tasks) {
		sp_fetch_sub(&engine->tasks, 1, relaxed);
		sp_fetch_add(&engine->tasks_refused, 1, relaxed);
		return -EAGAIN;
	}
	if (!background)
		sp_fetch_add(&engine->tasks_awaited, 1, relaxed);
	return 0;
}

int
sp_spawn(struct sp_shard *shard, void (*fn)(void *), void *arg, bool background)
{
	struct sp_engine *engine = shard->engine;
	struct spawned *spawned;
	void *memory = NULL;
	int error;

	error = count(engine, background);
	if (error != 0)
		return error;
	error = -posix_memalign(&memory, SP_APART, sizeof(*spawned));
	spawned = memory;
	if (error != 0)
		spawned = NULL;
	else if (!sp_shard_enter_outgoing(shard))
		error = -ECANCELED;
	if (error != 0) {
		free(spawned);
		uncount(engine, background);
		return error;
	}
	spawned->shard = shard;
	spawned->fn = fn;
	spawned->arg = arg;
	spawned->background = background;
	spawned->msg.fn = begin;
	sp_fetch_add(&engine->tasks_spawned, 1, relaxed);
	sp_shard_post(shard, &spawned->msg);
	return 0;
}
