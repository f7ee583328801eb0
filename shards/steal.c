/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/steal.h"

#include "shards/engine.h"

/* Other shards to look at before giving up; there may be 255. */
#define LOOK_AT 8

/* The i-th other shard, counted from a random one on. */
static struct sp_shard *
other_shard(struct sp_worker *worker, uint32_t start, uint32_t i)
{
	struct sp_engine *engine = worker->engine;
	uint32_t others = engine->shard_count - 1;
	uint32_t pick = (start + i) % others;

	return engine->shards[pick + (pick >= worker->shard->id)];
}

static uint32_t
others_to_look_at(const struct sp_worker *worker)
{
	uint32_t others = worker->engine->shard_count - 1;

	return others < LOOK_AT ? others : LOOK_AT;
}

static unsigned
count(const struct sp_task *list)
{
	unsigned n = 0;

	for (; list != NULL; list = list->next)
		n++;
	return n;
}

static struct sp_task *
take_rest(struct sp_worker *thief, struct sp_shard *shard)
{
	uint32_t workers = sp_load(&shard->worker_count, acquire);

	for (uint32_t i = 0; i < workers; i++) {
		struct sp_worker *worker = sp_load(&shard->workers[i], acquire);
		struct sp_task *list;

		if (worker == NULL || worker == thief
		    || sp_load(&worker->rest, relaxed) == NULL)
			continue;
		list = sp_xchg(&worker->rest, NULL, acquire);
		if (list != NULL)
			return list;
	}
	return NULL;
}

bool
sp_rest_waits(struct sp_shard *shard, const struct sp_worker *thief)
{
	uint32_t workers = sp_load(&shard->worker_count, acquire);

	for (uint32_t i = 0; i < workers; i++) {
		struct sp_worker *worker = sp_load(&shard->workers[i], acquire);

		if (worker != NULL && worker != thief
		    && sp_load(&worker->rest, relaxed) != NULL)
			return true;
	}
	return false;
}

/*
 * Nobody polls it. The watcher may have said so at the very moment that its
 * own worker went to sleep in the poll: then it is not stuck, and whoever
 * believed it would spin for as long as that worker sleeps. And one that is
 * to end is not helped, so nobody would ever say that it is not stuck.
 */
static bool
is_stuck(struct sp_shard *shard)
{
	return sp_load(&shard->stuck, relaxed) && sp_token_free(&shard->token)
	    && !sp_load(&shard->stopping, seq_cst);
}

bool
sp_surplus_elsewhere(struct sp_worker *worker)
{
	uint32_t n = others_to_look_at(worker);
	uint32_t start;

	if (sp_load(&worker->shard->worker_count, relaxed) > 1
	    && sp_rest_waits(worker->shard, worker))
		return true;
	start = n != 0 ? sp_worker_random(worker) : 0;
	for (uint32_t i = 0; i < n; i++) {
		struct sp_shard *shard = other_shard(worker, start, i);

		if (sp_ready_ring_depth(&shard->ring) != 0 || is_stuck(shard))
			return true;
	}
	return false;
}

/* Do for another shard what its own workers are too busy for. */
static struct sp_task *
help(struct sp_worker *worker, struct sp_shard *shard)
{
	struct sp_task *list = take_rest(worker, shard);

	if (list != NULL)
		return list;
	if (!sp_token_try(&shard->token, worker->number))
		return NULL;
	if (sp_load(&shard->stopping, seq_cst)) {
		/* Its workers may be gone: who would run the rest? */
		sp_token_drop(&shard->token);
	} else {
		sp_count(&worker->counters.helped_polls, 1);
		list = sp_shard_poll(shard, worker, false);
	}
	/* One of its workers may have parked, seeing the token taken. */
	sp_shard_unattended(shard);
	return list;
}

struct sp_task *
sp_steal(struct sp_worker *worker)
{
	uint32_t n = others_to_look_at(worker);
	uint32_t start;
	struct sp_task *list = NULL;

	if (sp_load(&worker->shard->worker_count, relaxed) > 1)
		list = take_rest(worker, worker->shard);
	start = n != 0 ? sp_worker_random(worker) : 0;
	for (uint32_t i = 0; list == NULL && i < n; i++) {
		struct sp_shard *shard = other_shard(worker, start, i);

		list = sp_ready_ring_take(&shard->ring);
		if (list == NULL && is_stuck(shard))
			list = help(worker, shard);
	}
	if (list != NULL) {
		unsigned tasks = count(list);

		sp_worker_look_at_clock(worker);
		sp_count(&worker->counters.stolen, tasks);
		sp_record(&worker->recorder, SP_RECORD_STEAL, sp_cycles(), 0, 0,
		    tasks);
	}
	return list;
}

void
sp_wake_helper(struct sp_worker *worker, unsigned depth)
{
	struct sp_shard *shard = worker->shard;
	uint32_t n = others_to_look_at(worker);
	uint32_t start;
	int sibling;
	uint64_t backlog
	    = depth * sp_list_length(worker) * worker->service_cycles;

	if (depth == 0 || backlog < worker->engine->wake_cycles)
		return;
	if (shard->cpu_count > 1) {
		/* IDLE2. */
		sibling = sp_idle_claim_any(&shard->idle, shard->permanent);
		if (sibling >= 0) {
			sp_count(&worker->counters.helper_wakes, 1);
			sp_worker_wake(
			    sp_load(&shard->workers[sibling], acquire));
			return;
		}
	}
	start = n != 0 ? sp_worker_random(worker) : 0;
	for (uint32_t i = 0; i < n; i++) {
		struct sp_shard *other = other_shard(worker, start, i);

		if (other->cpu == shard->cpu || !sp_wake_notify(&other->wake))
			continue;
		sp_count(&worker->counters.helper_wakes, 1);
		sp_shard_send_break(other);
		return;
	}
}
