/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The invariants. They read the server's structures between two of its
 * steps, so some words may be about to change: what holds at each step is
 * less than what holds when nobody can run.
 */

#include "tests/sim/check.h"

#include "tests/sim/app.h"
#include "tests/sim/client.h"
#include "tests/sim/kernel.h"
#include "tests/sim/stream.h"

#include "framework/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#define STEPS 8 /* each so many steps all descriptors are looked at */

static struct sp_engine *
engine_of_run(void)
{
	return sim_app.server != NULL ? sim_app.server->engine : NULL;
}

/* ------------------------------------------------------- each descriptor */

static void
check_open(struct sp_shard *shard, struct sp_poll_desc *pd)
{
	struct sim_file *file = sim_fd_file(pd->fd, SIM_CONN);
	uint32_t info = sp_load(&pd->info, relaxed);
	const struct sim_item *item;

	/* Being closed: its number may be somebody else's by now. */
	if (info & SP_POLL_CLOSING)
		return;
	if (file == NULL)
		sim_fail("descriptor %d is closed, and its connection is not",
		    pd->fd);
	item = sim_epoll_item(file, pd->fd);
	if (item == NULL || item->data != sp_poll_desc_handle(pd)
	    || item->epoll != sim_fds[shard->np.epfd])
		sim_fail("descriptor %d is not what its shard watches", pd->fd);
	if ((info & SP_POLL_HANGUP)
	    && !(sim_file_events(file) & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)))
		sim_fail(
		    "descriptor %d was told of a hang-up not its own", pd->fd);
}

struct count {
	struct sp_shard *shard;
	bool still;
	uint32_t open, parked, cut;
	uint64_t numbers[SIM_FDS / 64]; /* that were seen */
};

static void
count_one(struct sp_poll_desc *pd, struct count *count)
{
	uint64_t bit = UINT64_C(1) << pd->fd % 64;
	bool outgoing = strcmp(pd->task.service->name, "outgoing") == 0;

	/* A call belongs to a fiber that is one of those of its own. */
	count->open += !outgoing;
	count->parked += !outgoing
			 && sp_load(&pd->slot[SP_POLL_READ], relaxed)
				== SP_SLOT_TASK;
	check_open(count->shard, pd);
	if (count->still && sim_fd_file(pd->fd, SIM_CONN) != NULL)
		count->cut += sim_fds[pd->fd]->conn->cut;
	if (sp_load(&pd->info, relaxed) & SP_POLL_CLOSING)
		return;
	if (count->numbers[pd->fd / 64] & bit)
		sim_fail("descriptor %d is in two connections", pd->fd);
	count->numbers[pd->fd / 64] |= bit;
}

static void
count_shard(struct sp_shard *shard, struct count *count)
{
	const struct sp_slab_dir *dir = shard->cache.slab.dir;

	count->shard = shard;
	for (uint32_t i = 0; i < shard->cache.slab.fresh; i++) {
		struct sp_poll_desc *pd = sp_slab_at(dir, i);

		if (pd != NULL && (sp_load(&pd->gen, relaxed) & 1))
			count_one(pd, count);
	}
}

static void
check_step(void)
{
	struct sp_engine *engine = engine_of_run();
	struct count count = { .still = false };

	if (engine == NULL || sim_steps % STEPS != 0)
		return;
	for (uint32_t i = 0; i < engine->shard_count; i++)
		count_shard(engine->shards[i], &count);
}

/* ------------------------------------------------------------ at a stand */

static bool
is_resting(const struct sp_engine *engine)
{
	const struct sp_listener *listener = engine->listeners;

	for (; listener != NULL; listener = listener->next)
		if (listener->resting)
			return true;
	return false;
}

bool
sim_check_accepts_late(void)
{
	struct sp_engine *engine = engine_of_run();

	return engine == NULL || is_resting(engine);
}

static const struct sim_thread *
thread_of(const struct sp_worker *worker)
{
	return &sim_threads[worker->thread - 1];
}

/* Blocking ones stay until all others have left. */
static bool
has_worker(struct sp_shard *shard)
{
	uint32_t workers = sp_load(&shard->worker_count, relaxed);

	for (uint32_t i = 0; i < workers; i++) {
		struct sp_worker *worker = sp_load(&shard->workers[i], relaxed);

		if (!worker->blocking && thread_of(worker)->state != SIM_ENDED)
			return true;
	}
	return false;
}

bool
sim_check_waits_for_thread(const struct sim_request *request)
{
	struct sp_engine *engine = engine_of_run();

	if (!sim_app_is_blocking(request->kind) || engine == NULL)
		return false;
	if (request->begun == 0)
		return sp_blocking_depth(&engine->blocking) != 0;
	return thread_of(request->worker)->blocks;
}

/*
 * What may block waits only while each thread for it blocks already, or the
 * watcher is awake and about to make one.
 */
static void
check_blocking(struct sp_engine *engine)
{
	struct sp_blocking *pool = &engine->blocking;

	if (sp_blocking_depth(pool) == 0)
		return;
	if (sp_load(&pool->idle.set, relaxed) != 0)
		sim_fail("a request waits for a thread, and one is idle");
	if (sp_load(&pool->crowded, relaxed)
	    && sp_load(&pool->held.set, relaxed) != 0)
		sim_fail("a request waits for a thread, and one is held");
	if (sp_load(&pool->threads, relaxed) < pool->limit
	    && sp_load(&engine->sysmon_asleep, relaxed))
		sim_fail("a request waits for a thread that nobody makes");
}

/* Everybody sleeps: then nothing lies where somebody would look. */
static void
check_shard(struct sp_shard *shard)
{
	uint32_t workers = sp_load(&shard->worker_count, relaxed);

	if (!has_worker(shard))
		return;
	if (!sp_stack_empty(&shard->inbox))
		sim_fail("a message waits in shard %u", shard->id);
	if (!sp_stack_empty(&shard->runq) || shard->overflow.count != 0
	    || sp_ready_ring_depth(&shard->ring) != 0)
		sim_fail("a task waits in shard %u", shard->id);
	if (sim_epoll_has_news(sim_fds[shard->np.epfd]))
		sim_fail("an event waits in shard %u", shard->id);
	if (sp_token_free(&shard->token))
		sim_fail("nobody polls shard %u", shard->id);
	for (uint32_t i = 0; i < workers; i++) {
		struct sp_worker *worker = sp_load(&shard->workers[i], relaxed);

		if (thread_of(worker)->blocks)
			continue;
		if (!sp_stack_empty(&worker->resumed)
		    || worker->runnable != NULL
		    || sp_load(&worker->rest, relaxed) != NULL)
			sim_fail("work waits in worker %u.%u", shard->id, i);
	}
}

/*
 * Each connection is parked, or some fiber's that waits, or on its way to or
 * in a handler that may block.
 */
static void
check_owners(struct sp_engine *engine)
{
	struct count count = { .still = true };
	uint32_t kept = sim_app.blocks
	    + (uint32_t)sp_blocking_depth(&engine->blocking);
	uint32_t waiting = kept;

	for (uint32_t i = 0; i < engine->shard_count; i++) {
		struct sp_shard *shard = engine->shards[i];
		uint32_t workers = sp_load(&shard->worker_count, relaxed);

		count_shard(shard, &count);
		for (uint32_t j = 0; j < workers; j++) {
			struct sp_worker *worker = sp_load(
			    &shard->workers[j], relaxed);

			waiting += worker->waiting;
			if (thread_of(worker)->blocks)
				kept += worker->waiting;
		}
	}
	if (count.cut > kept)
		sim_fail("%u connections were closed, and %u may be open",
		    count.cut, kept);
	if (count.open != count.parked + waiting)
		sim_fail("of %u connections %u are parked and %u wait",
		    count.open, count.parked, waiting);
	if (sp_load(&engine->connections, relaxed) != count.open)
		sim_fail("%lld connections are counted, and %u are there",
		    (long long)sp_load(&engine->connections, relaxed),
		    count.open);
}

/* In two looks of the watcher, if it is awake; it may stand still between. */
static uint64_t
rest_is_seen_ns(void)
{
	return 6 * SIM_NS_PER_MS
	    + UINT64_C(4) * SIM_FROZEN_MAX * sim_sched.step_ns;
}

/* Those that lie behind a handler that keeps its worker. */
static struct {
	const struct sp_task *first;
	uint64_t since;
} rests[SIM_THREADS];

static void
check_rest(const struct sp_engine *engine, const struct sp_shard *shard,
    struct sp_worker *worker)
{
	const struct sim_thread *thread = thread_of(worker);
	const struct sp_task *rest = sp_load(&worker->rest, relaxed);
	bool sleeps = sp_load(&shard->wake.sig, relaxed) == SP_WAKE_BLOCKED;

	if (rest == NULL || rest != rests[thread->number].first || !sleeps
	    || sp_load(&engine->sysmon_asleep, relaxed)) {
		rests[thread->number].first = rest;
		rests[thread->number].since = sim_now;
	}
	if (sim_now - rests[thread->number].since > rest_is_seen_ns())
		sim_fail("a task waits behind a handler, and its shard sleeps");
}

/* A shard that sleeps is woken for what a handler keeps from its worker. */
static void
check_rests(struct sp_engine *engine)
{
	for (uint32_t i = 0; i < engine->shard_count; i++) {
		struct sp_shard *shard = engine->shards[i];
		uint32_t workers = sp_load(&shard->worker_count, relaxed);

		for (uint32_t j = 0; j < workers; j++)
			check_rest(engine, shard,
			    sp_load(&shard->workers[j], relaxed));
	}
}

static void
check_still(void)
{
	struct sp_engine *engine = engine_of_run();

	if (engine == NULL)
		return;
	check_rests(engine);
	if (sim_app.hogs != 0)
		return;
	for (uint32_t i = 0; i < engine->shard_count; i++)
		if (sp_load(&engine->shards[i]->worker_count, relaxed) == 0)
			return; /* it is being started */
	for (uint32_t i = 0; i < engine->shard_count; i++)
		check_shard(engine->shards[i]);
	check_blocking(engine);
	check_owners(engine);
	for (uint32_t i = 0; i < sim_plan.clients; i++)
		sim_client_check_still(&sim_clients[i]);
	for (uint32_t i = 0; i < sim_plan.streams; i++)
		sim_stream_check_still(&sim_streams[i]);
}

/* ------------------------------------------------------------ at the end */

struct totals {
#define X(name) uint64_t name;
	SP_COUNTERS(X)
#undef X
};

static struct totals all;

static void
add(struct totals *totals, struct sp_counters *counters)
{
#define X(name)                                                                \
	totals->name += sp_load(&counters->name, relaxed);                     \
	all.name += sp_load(&counters->name, relaxed);
	SP_COUNTERS(X)
#undef X
}

void
sim_check_print_counters(void)
{
#define X(name) printf("%-20s %12" PRIu64 "\n", #name, all.name);
	SP_COUNTERS(X)
#undef X
}

static uint64_t
answers(const struct totals *totals)
{
	return totals->responses_2xx + totals->responses_3xx
	       + totals->responses_4xx + totals->responses_5xx;
}

void
sim_check_stopped(void)
{
	struct sp_engine *engine = engine_of_run();
	struct totals totals = { 0 };

	for (uint32_t i = 0; i < engine->shard_count; i++) {
		struct sp_shard *shard = engine->shards[i];
		uint32_t workers = sp_load(&shard->worker_count, relaxed);

		if (sp_load(&shard->load, relaxed) != 0)
			sim_fail("shard %u is left with %d connections", i,
			    sp_load(&shard->load, relaxed));
		for (uint32_t j = 0; j < workers; j++)
			add(&totals,
			    &sp_load(&shard->workers[j], relaxed)->counters);
	}
	for (uint32_t i = 0; i < sim_app.request_count; i++)
		if (sim_app.requests[i].begun && !sim_app.requests[i].ended)
			sim_fail("the handler of request %u has not ended", i);
	if (totals.accepted != totals.closed)
		sim_fail("%" PRIu64 " connections were accepted, %" PRIu64
			 " closed",
		    totals.accepted, totals.closed);
	if (sp_load(&engine->blocking.refused, relaxed) < sim_app.refused)
		sim_fail("%" PRIu64 " were refused, and %" PRIu64 " say so",
		    sp_load(&engine->blocking.refused, relaxed),
		    sim_app.refused);
	if (answers(&totals) + totals.aborted < totals.requests)
		sim_fail("%" PRIu64 " requests, %" PRIu64 " answers, %" PRIu64
			 " aborted",
		    totals.requests, answers(&totals), totals.aborted);
}

void
sim_check_begin(void)
{
	memset(rests, 0, sizeof(rests));
	sim_check_step = check_step;
	sim_check_still = check_still;
}
