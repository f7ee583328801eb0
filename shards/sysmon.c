/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The watcher: Go's sysmon. One thread looks at every shard each
 * millisecond, or each second one while all is well, and finds those where
 * nothing has gone forward since: nobody has polled or begun a task, for all
 * workers are in handlers. Such a shard gets help:
 *
 *     1. a parked worker of its own, if it has one, spare or not;
 *     2. else one spare more, up to options.spares;
 *     3. else a worker of another shard that sleeps in its poll.
 *
 * A shard may also be polled, by a worker that sleeps, while the handlers of
 * another keep what is left of its list. The sleeper looked for such before
 * it slept, but the list may have come later: it is woken, and takes it.
 *
 * On the same CPU the kernel then shares the time between the handler that
 * does not come back and the helper: that is our preemption.
 *
 * It also makes the threads of handlers that block (blocking.h).
 *
 * When every shard sleeps, so does the watcher, until a poller finds work.
 *
 *          watcher                           poller
 *   NUDGE1 asleep: -> 1               NUDGE3 wake sig: -> RUNNING
 *   NUDGE2 load every wake sig        NUDGE4 load asleep
 *
 * NUDGE3 and 4 are relaxed, as every poll makes them. So both may miss; the
 * watcher then oversleeps until the next poll that finds something, or until
 * its time-out.
 *
 *          watcher                           who ends it
 *   OVER1  asleep: -> 1               OVER3  stop: -> 1
 *   OVER2  load stop                  OVER4  asleep: -> 0
 *
 * These must not miss, for nobody polls any more: all four are seq_cst.
 */

#include "shards/engine.h"
#include "shards/futex.h"
#include "shards/signals.h"
#include "shards/steal.h"

#include <errno.h>

#define TICK_NS SP_NS_PER_MS
#define CALM_TICKS 16 /* without trouble, before it looks less often */
#define CALM_NS (2 * SP_NS_PER_MS)
#define IDLE_TICKS 16 /* before it goes to sleep */
#define SLEEP_S 1

void
sp_sysmon_wake(struct sp_engine *engine)
{
	if (sp_xchg(&engine->sysmon_asleep, 0, seq_cst) == 0)
		return;
	sp_futex_wake(&engine->sysmon_asleep);
}

/* Wake one worker that sleeps in its poll, of any shard but this one. */
static void
wake_elsewhere(struct sp_engine *engine, struct sp_shard *stuck)
{
	for (uint32_t i = 1; i < engine->shard_count; i++) {
		struct sp_shard *shard =
		    engine->shards[(stuck->id + i) % engine->shard_count];

		if (sp_wake_notify(&shard->wake)) {
			sp_shard_send_break(shard);
			return;
		}
	}
}

static void
help(struct sp_engine *engine, struct sp_shard *shard)
{
	int parked;

	sp_store(&shard->stuck, 1, relaxed);
	parked = sp_idle_claim_any(&shard->idle, shard->pollers);
	if (parked >= 0) {
		sp_worker_wake(sp_load(&shard->workers[parked], acquire));
		return;
	}
	if (shard->spares < engine->options.spares
	    && sp_shard_add_worker(shard, SP_WORKER_SPARE, false) == 0) {
		shard->spares++;
		return;
	}
	wake_elsewhere(engine, shard);
}

/*
 * Tasks begun by the workers of a shard, and polls: what goes forward. Those
 * that were handed over help nobody else.
 */
static uint64_t
progress(struct sp_shard *shard)
{
	uint32_t workers = sp_load(&shard->worker_count, acquire);
	uint64_t sum = sp_load(&shard->last_poll, relaxed);

	for (uint32_t i = 0; i < workers; i++) {
		struct sp_worker *worker = sp_load(&shard->workers[i], acquire);

		if (sp_worker_polls(worker))
			sum += sp_load(&worker->begun, relaxed);
	}
	return sum;
}

/*
 * A handler that has kept its worker for stall_ms is told of once. It is the
 * same one as long as nothing else was begun: no task, no request of one, and
 * no fiber has gone on.
 *
 * => Returns whether a handler runs.
 */
static bool
look_at_worker(struct sp_engine *engine, struct sp_worker *worker, uint64_t now)
{
	const char *handler = sp_load(&worker->handler, relaxed);
	uint64_t begun = sp_load(&worker->begun, relaxed)
	    + sp_load(&worker->counters.requests, relaxed);

	if (handler == NULL || begun != worker->watched) {
		worker->watched = begun;
		worker->watched_ns = now;
		worker->told = false;
	} else if (!worker->told
	    && now - worker->watched_ns
		>= engine->options.stall_ms * (uint64_t)SP_NS_PER_MS) {
		worker->told = true;
		sp_fetch_add(&engine->stalls, 1, relaxed);
		if (engine->options.stalled != NULL)
			engine->options.stalled(engine, worker, handler);
	}
	return handler != NULL;
}

/* Handlers in workers that do not poll are meant to take long. */
static bool
look_for_stalls(struct sp_engine *engine, struct sp_shard *shard)
{
	uint32_t workers = sp_load(&shard->worker_count, acquire);
	uint64_t now = sp_now_ns();
	bool runs = false;

	if (engine->options.stall_ms == 0)
		return false;
	for (uint32_t i = 0; i < workers; i++) {
		struct sp_worker *worker = sp_load(&shard->workers[i], acquire);

		if (sp_worker_polls(worker))
			runs |= look_at_worker(engine, worker, now);
	}
	return runs;
}

enum look { ASLEEP, CALM, TROUBLED };

/* Looks at one shard, which may be asleep while a handler keeps a worker. */
static enum look
look_at(struct sp_engine *engine, struct sp_shard *shard, uint64_t *last)
{
	uint64_t now = progress(shard);
	bool awake = sp_load(&shard->wake.sig, seq_cst) == SP_WAKE_RUNNING;
	bool stands = now == *last, runs;

	*last = now;
	if (sp_shard_ended(shard))
		return ASLEEP;
	runs = look_for_stalls(engine, shard);
	if (!awake && stands && sp_rest_waits(shard, NULL)) {
		sp_shard_break(shard);
		return TROUBLED;
	}
	if (!awake)
		return runs ? CALM : ASLEEP;
	if (!stands || !sp_token_free(&shard->token))
		return CALM;
	help(engine, shard);
	return TROUBLED;
}

static bool
may_sleep(struct sp_engine *engine)
{
	if (sp_load(&engine->sysmon_stop, seq_cst)) /* OVER2 */
		return false;
	for (uint32_t i = 0; i < engine->shard_count; i++) {
		/* NUDGE2. */
		if (sp_load(&engine->shards[i]->wake.sig, seq_cst)
		    == SP_WAKE_RUNNING)
			return false;
	}
	return !sp_blocking_look(engine); /* NUDGE2 */
}

static void
sleep_while_idle(struct sp_engine *engine)
{
	sp_store(&engine->sysmon_asleep, 1, seq_cst); /* NUDGE1, OVER1 */
	if (may_sleep(engine))
		sp_futex_wait_for(&engine->sysmon_asleep, 1,
		    (uint64_t)SLEEP_S * SP_NS_PER_S);
	sp_store(&engine->sysmon_asleep, 0, relaxed);
}

/* Looks at all shards. Returns the worst. */
static enum look
look_around(struct sp_engine *engine, uint64_t *last)
{
	enum look worst = ASLEEP;

	for (uint32_t i = 0; i < engine->shard_count; i++) {
		enum look look = look_at(engine, engine->shards[i], &last[i]);

		if (look > worst)
			worst = look;
	}
	return worst;
}

static void *
sysmon_main(void *arg)
{
	struct sp_engine *engine = arg;
	uint64_t last[SP_HANDLE_MAX_SHARDS] = { 0 };
	unsigned idle = 0, calm = 0;

	pthread_setname_np(pthread_self(), "spate/sysmon");
	while (!sp_load(&engine->sysmon_stop, acquire)) {
		enum look look;

		sp_futex_wait_for(&engine->sysmon_stop, 0,
		    calm >= CALM_TICKS ? CALM_NS : TICK_NS);
		look = look_around(engine, last);
		if (sp_blocking_look(engine))
			look = TROUBLED;
		calm = look == TROUBLED ? 0 : calm + 1;
		idle = look == ASLEEP ? idle + 1 : 0;
		if (idle >= IDLE_TICKS)
			sleep_while_idle(engine);
	}
	return NULL;
}

int
sp_sysmon_start(struct sp_engine *engine)
{
	sigset_t before;
	int error;

	sp_store(&engine->sysmon_stop, 0, relaxed);
	sp_signals_block(&before);
	error = pthread_create(&engine->sysmon, NULL, sysmon_main, engine);
	sp_signals_unblock(&before);
	engine->sysmon_runs = error == 0;
	return -error;
}

void
sp_sysmon_stop(struct sp_engine *engine)
{
	if (!engine->sysmon_runs)
		return;
	sp_store(&engine->sysmon_stop, 1, seq_cst); /* OVER3 */
	sp_futex_wake(&engine->sysmon_stop);
	sp_sysmon_wake(engine); /* OVER4 */
	pthread_join(engine->sysmon, NULL);
	engine->sysmon_runs = false;
}
