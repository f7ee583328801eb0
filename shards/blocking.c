/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/blocking.h"

#include "shards/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------- waking */

static void
wake(struct sp_blocking *pool, int place)
{
	/* PLACED acquire. */
	sp_worker_wake(sp_load(&pool->worker[place], acquire));
}

/*
 * Something is queued: see to it that somebody looks. If nobody is free, and
 * there may be more workers, the watcher is to make one, or to try again what
 * the system has refused before; all others take what comes next when they
 * are done.
 */
static void
wake_one(struct sp_engine *engine)
{
	struct sp_blocking *pool = &engine->blocking;
	int place = sp_idle_claim_any(&pool->idle, UINT64_MAX); /* IDLE2 */

	if (place < 0 && sp_load(&pool->crowded, seq_cst)) /* IDLE2 */
		place = sp_idle_claim_any(&pool->held, UINT64_MAX);
	if (place >= 0)
		wake(pool, place);
	else if (sp_load(&pool->threads, relaxed) < pool->limit)
		sp_sysmon_wake(engine); /* NUDGE4 */
}

bool
sp_blocking_full(struct sp_blocking *pool)
{
	return pool->limit == 0 || !sp_queue_can_push(&pool->queue);
}

bool
sp_blocking_hand(struct sp_engine *engine, struct sp_poll_desc *pd)
{
	pd->ready = sp_cycles();
	/* PUBLISH release; IDLE1, NUDGE3. */
	if (!sp_queue_push(&engine->blocking.queue, pd))
		return false;
	wake_one(engine);
	return true;
}

/* ---------------------------------------------------------- the worker */

struct sp_task *
sp_blocking_next(struct sp_worker *worker)
{
	struct sp_blocking *pool = &worker->engine->blocking;
	struct sp_poll_desc *pd;
	void *item;

	/* At both this and the queue it looks in order before it parks. */
	if (sp_load(&worker->waiting, relaxed) != 0
	    && !sp_load(&pool->crowded, relaxed))
		return NULL;
	if (!sp_queue_pop(&pool->queue, &item)) /* PUBLISH acquire. */
		return NULL;
	/* IDLE1: who pushed it may have woken the same worker as the last. */
	if (sp_queue_can_pop(&pool->queue))
		wake_one(worker->engine);
	pd = item;
	sp_fetch_add(&pool->begun, 1, relaxed);
	sp_fetch_add(&pool->wait_us,
	    sp_cycles_to_ns(sp_cycles() - pd->ready) / 1000, relaxed);
	return &pd->task;
}

bool
sp_blocking_ended(struct sp_worker *worker)
{
	return sp_load(&worker->engine->blocking.stopping, relaxed)
	       && sp_load(&worker->waiting, relaxed) == 0;
}

/* IDLE4. */
static bool
has_work(struct sp_worker *worker, bool held)
{
	struct sp_blocking *pool = &worker->engine->blocking;

	if (!held)
		return sp_queue_can_pop(&pool->queue)
		       || sp_load(&pool->stopping, seq_cst);
	return !sp_stack_empty(&worker->resumed)
	       || (sp_load(&pool->crowded, seq_cst)
		   && sp_queue_can_pop(&pool->queue));
}

void
sp_blocking_park(struct sp_worker *worker)
{
	struct sp_blocking *pool = &worker->engine->blocking;
	bool held = sp_load(&worker->waiting, relaxed) != 0;
	struct sp_idle *set = held ? &pool->held : &pool->idle;
	uint32_t word = sp_load(&worker->wake_word, relaxed);

	sp_idle_announce(set, worker->place);
	if (has_work(worker, held) && sp_idle_retract(set, worker->place))
		return;
	sp_worker_park(worker, set, word);
}

void
sp_blocking_place(struct sp_worker *worker, struct sp_worker *placed)
{
	struct sp_blocking *pool = &worker->engine->blocking;

	/* PLACED release. */
	sp_store(&pool->worker[worker->place], placed, release);
}

/* --------------------------------------------------------- the watcher */

static int
add_thread(struct sp_engine *engine, bool wait)
{
	struct sp_blocking *pool = &engine->blocking;
	uint32_t place = sp_load(&pool->threads, relaxed);
	struct sp_shard *shard = engine->shards[place % engine->shard_count];
	int error = sp_shard_add_worker(shard, SP_WORKER_BLOCKING, wait);

	if (error == 0)
		sp_store(&pool->threads, place + 1, relaxed);
	return error;
}

static void
add_threads(struct sp_engine *engine)
{
	struct sp_blocking *pool = &engine->blocking;
	uint64_t needed = sp_queue_depth(&pool->queue);
	uint32_t threads = sp_load(&pool->threads, relaxed);
	int error = 0;

	while (error == 0 && needed-- > 0 && threads < pool->limit) {
		error = add_thread(engine, false);
		threads += error == 0;
	}
	/* IDLE1, of wake_one() after this. */
	sp_store(&pool->crowded, error != 0 || threads == pool->limit, seq_cst);
}

bool
sp_blocking_look(struct sp_engine *engine)
{
	struct sp_blocking *pool = &engine->blocking;

	if (sp_load(&pool->threads, relaxed) == pool->limit
	    || !sp_queue_can_pop(&pool->queue)) /* NUDGE2 */
		return false;
	/* Of one who is free somebody is about to make use. */
	if (sp_load(&pool->idle.set, relaxed) == 0)
		add_threads(engine);
	wake_one(engine);
	return true;
}

/* ------------------------------------------------------- start and stop */

int
sp_blocking_init(struct sp_engine *engine, uint32_t threads, uint32_t queue)
{
	struct sp_blocking *pool = &engine->blocking;
	uint64_t size = sp_queue_size(queue);
	struct sp_queue_slot *slots;

	memset(pool, 0, sizeof(*pool));
	if (threads == 0)
		return 0;
	slots = calloc(size, sizeof(*slots));
	if (slots == NULL)
		return -ENOMEM;
	sp_queue_init(&pool->queue, slots, size);
	pool->limit = threads;
	sp_store(&pool->crowded, threads == 1, relaxed);
	return 0;
}

int
sp_blocking_start(struct sp_engine *engine)
{
	return engine->blocking.limit != 0 ? add_thread(engine, true) : 0;
}

static void
tell_all(struct sp_blocking *pool)
{
	int place;

	sp_store(&pool->stopping, 1, seq_cst); /* IDLE1 */
	/* IDLE2. */
	while ((place = sp_idle_claim_any(&pool->idle, UINT64_MAX)) >= 0)
		wake(pool, place);
}

void
sp_blocking_stop(struct sp_engine *engine)
{
	struct sp_blocking *pool = &engine->blocking;

	if (pool->limit == 0)
		return;
	tell_all(pool);
	for (uint32_t i = 0; i < sp_load(&pool->threads, relaxed); i++)
		sp_worker_join(sp_load(&pool->worker[i], relaxed));
	free(pool->queue.slot);
	pool->queue.slot = NULL;
	pool->limit = 0;
}
