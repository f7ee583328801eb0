/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Shard: its parts put together, what other threads leave with it, and the
 * life of its descriptors.
 */

#include "shards/shard.h"

#include "alloc/arena.h"
#include "shards/engine.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
sp_shard_init(struct sp_shard *shard, struct sp_engine *engine, uint32_t id,
    uint16_t cpu)
{
	int error;

	memset(shard, 0, sizeof(*shard));
	shard->engine = engine;
	shard->id = id;
	shard->cpu = cpu;
	shard->permanent
	    = UINT64_MAX >> (SP_WORKERS_MAX - engine->options.workers);
	/* The heavy worker comes after them, and before any spare. */
	shard->pollers = UINT64_MAX;
	if (engine->options.heavy)
		shard->pollers &= ~(UINT64_C(1) << engine->options.workers);
	sp_task_list_init(&shard->overflow);
	if (sp_arena_new(&shard->arena) != 0)
		shard->arena = UINT_MAX;
	sp_poll_cache_init(&shard->cache, id, 0);
	sp_wheel_init(&shard->wheel, sp_tick_of(sp_now_ns()));
	error = sp_ready_ring_init(&shard->ring, engine->options.ring_size);
	if (error == 0)
		error = sp_netpoll_generic_init(&shard->np);
	if (error != 0)
		sp_shard_fini(shard);
	return error;
}

void
sp_shard_fini(struct sp_shard *shard)
{
	for (unsigned i = 0; i < SP_WORKERS_MAX; i++)
		sp_worker_free(sp_load(&shard->workers[i], acquire));
	sp_netpoll_fini(&shard->np);
	sp_poll_cache_fini(&shard->cache);
	sp_ready_ring_fini(&shard->ring);
	if (shard->arena != UINT_MAX)
		sp_arena_free(shard->arena);
}

int
sp_shard_add_worker(
    struct sp_shard *shard, enum sp_worker_kind kind, bool wait)
{
	uint32_t number = sp_load(&shard->worker_count, relaxed);
	struct sp_worker *worker;
	int error;

	if (number == SP_WORKERS_MAX)
		return -EAGAIN;
	worker = sp_worker_new(shard, number, kind);
	if (worker == NULL)
		return -ENOMEM;
	SP_CHECK((kind == SP_WORKER_HEAVY)
		 == ((shard->pollers >> number & 1) == 0));

	/*
	 * In its place before it runs, as it may be claimed from there at
	 * once; counted when it runs, as whoever counts may look into it or
	 * join it.
	 */
	sp_store(&shard->workers[number], worker, release);
	if (worker->blocking)
		sp_blocking_place(worker, worker);
	error = sp_worker_start(worker, wait);
	if (error != 0) {
		sp_store(&shard->workers[number], NULL, release);
		if (worker->blocking)
			sp_blocking_place(worker, NULL);
		sp_worker_free(worker);
		return error;
	}
	sp_store(&shard->worker_count, number + 1, release);
	return 0;
}

/* --------------------------------------------------------------- ending */

bool
sp_engine_reserve(struct sp_engine *engine)
{
	if (sp_likely(sp_fetch_add(&engine->connections, 1, relaxed)
		< engine->options.max_connections))
		return true;
	sp_engine_unreserve(engine);
	return false;
}

void
sp_engine_unreserve(struct sp_engine *engine)
{
	sp_fetch_sub(&engine->connections, 1, relaxed);
}

bool
sp_shard_enter_reserved(struct sp_shard *shard)
{
	sp_fetch_add(&shard->load, 1, seq_cst); /* END1 */
	if (sp_likely(!sp_load(&shard->stopping, seq_cst))) /* END2 */
		return true;
	sp_shard_leave(shard);
	return false;
}

bool
sp_shard_enter(struct sp_shard *shard)
{
	return sp_engine_reserve(shard->engine)
	    && sp_shard_enter_reserved(shard);
}

static void
wake_all(struct sp_shard *shard)
{
	int worker;

	sp_shard_break(shard);
	while ((worker = sp_idle_claim_any(&shard->idle, UINT64_MAX)) >= 0)
		sp_worker_wake(sp_load(&shard->workers[worker], acquire));
}

void
sp_shard_leave(struct sp_shard *shard)
{
	sp_fetch_sub(&shard->engine->connections, 1, release); /* GONE */
	if (sp_fetch_sub(&shard->load, 1, seq_cst) == 1
	    && sp_load(&shard->stopping, seq_cst))
		wake_all(shard);
}

bool
sp_shard_enter_outgoing(struct sp_shard *shard)
{
	sp_fetch_add(&shard->outgoing, 1, seq_cst); /* END1 */
	if (!sp_load(&shard->stopping, seq_cst)) /* END2 */
		return true;
	sp_shard_leave_outgoing(shard);
	return false;
}

void
sp_shard_leave_outgoing(struct sp_shard *shard)
{
	if (sp_fetch_sub(&shard->outgoing, 1, seq_cst) == 1
	    && sp_load(&shard->stopping, seq_cst))
		wake_all(shard);
}

void
sp_shard_stop(struct sp_shard *shard)
{
	sp_store(&shard->stopping, 1, seq_cst); /* END3 */
	wake_all(shard);
}

bool
sp_shard_ended(struct sp_shard *shard)
{
	return sp_load(&shard->stopping, seq_cst)
	    && sp_load(&shard->load, seq_cst) == 0     /* END4 */
	    && sp_load(&shard->outgoing, seq_cst) == 0 /* END4 */
	    && sp_stack_empty(&shard->inbox) && sp_stack_empty(&shard->runq);
}

/* ------------------------------------------------- from other threads */

void
sp_shard_send_break(struct sp_shard *shard)
{
	struct sp_worker *worker = sp_worker_self();

	sp_fetch_add(&shard->breaks_sent, 1, relaxed);
	if (worker != NULL)
		sp_record(&worker->recorder, SP_RECORD_BREAK_SENT, sp_cycles(),
		    0, 0, shard->id);
	sp_netpoll_break(&shard->np);
}

void
sp_shard_break(struct sp_shard *shard)
{
	if (!sp_wake_notify(&shard->wake)) {
		sp_fetch_add(&shard->breaks_coalesced, 1, relaxed);
		return;
	}
	sp_shard_send_break(shard);
}

void
sp_shard_unattended(struct sp_shard *shard)
{
	int parked;

	if (!sp_token_left(&shard->token)) /* IDLE1 */
		return;
	parked = sp_idle_claim_any(&shard->idle, shard->pollers); /* IDLE2 */
	if (parked >= 0)
		sp_worker_wake(sp_load(&shard->workers[parked], acquire));
}

void
sp_shard_post(struct sp_shard *shard, struct sp_msg *msg)
{
	sp_stack_push(&shard->inbox, &msg->link); /* WAKE1 */
	sp_shard_break(shard);
}

void
sp_shard_run(struct sp_shard *shard, struct sp_poll_desc *pd)
{
	sp_stack_push(&shard->runq, &pd->link); /* WAKE1 */
	sp_shard_break(shard);
}

void
sp_run_woken(struct sp_poll_desc *pd, struct sp_shard *shard, uintptr_t woken)
{
	if (woken == SP_SLOT_TASK)
		sp_shard_run(shard, pd);
	else if (woken > SP_SLOT_TASK)
		sp_fiber_ready((struct sp_fiber *)woken);
}

void
sp_run_woken_all(struct sp_poll_desc *pd, struct sp_shard *shard,
    const uintptr_t woken[SP_POLL_MODES])
{
	for (int mode = 0; mode < SP_POLL_MODES; mode++)
		sp_run_woken(pd, shard, woken[mode]);
}

/* -------------------------------------------------------- descriptors */

static int
open_as(struct sp_shard *shard, int fd, const struct sp_service *service,
    uint32_t watch, uintptr_t reading, struct sp_poll_desc **out)
{
	struct sp_poll_desc *pd = sp_poll_cache_alloc(&shard->cache);
	sp_tick now = sp_tick_of(sp_now_ns());
	uint32_t look_ms = shard->engine->options.sweep_ms;
	int error;

	if (pd == NULL)
		return -ENOMEM;
	sp_poll_desc_reset(pd, fd, service);
	pd->interest = (uint16_t)watch;
	pd->born = now;
	sp_timer_init(&pd->timer);
	sp_store(&pd->slot[SP_POLL_READ], reading, relaxed);

	/*
	 * Nobody runs it before it has said something, so its first deadline
	 * can only be set here.
	 */
	if (reading == SP_SLOT_TASK && service->opening_ms != 0) {
		sp_poll_set_deadline(pd, SP_POLL_READ,
		    sp_tick_deadline(now, service->opening_ms));
		if (look_ms > service->opening_ms)
			look_ms = service->opening_ms;
	}

	/*
	 * Registered before it is found: its events wait for us to drop the
	 * poll token, but a thread that found it by handle might take the
	 * TASK at once, and then there would be no way back.
	 */
	error = fd < 0 ? 0
		       : sp_netpoll_open(&shard->np, fd,
			   sp_poll_cache_next_handle(pd), watch);
	if (error != 0) {
		sp_poll_cache_drop(&shard->cache, pd);
		return error;
	}
	sp_wheel_keep_up(&shard->wheel, now);
	sp_wheel_add(&shard->wheel, &pd->timer, now + look_ms);
	sp_poll_cache_publish(pd);
	*out = pd;
	return 0;
}

int
sp_shard_open(struct sp_shard *shard, int fd,
    const struct sp_service *service, uint32_t watch,
    struct sp_poll_desc **out)
{
	return open_as(shard, fd, service, watch, SP_SLOT_TASK, out);
}

int
sp_shard_open_owned(struct sp_shard *shard, int fd,
    const struct sp_service *service, uint32_t watch,
    struct sp_poll_desc **out)
{
	return open_as(shard, fd, service, watch, SP_SLOT_NIL, out);
}

static void
close_and_retire(struct sp_shard *shard, struct sp_poll_desc *pd)
{
	struct sp_worker *worker = sp_worker_self();

	if (worker != NULL)
		sp_record(&worker->recorder, SP_RECORD_CLOSE, sp_cycles(), 0,
		    sp_poll_desc_handle(pd), 0);
	/* FLAG3. */
	sp_fetch_or(&pd->info, SP_POLL_CLOSING, seq_cst);
	if (sp_likely(pd->fd >= 0))
		close(pd->fd);
	if (sp_unlikely(pd->peer != 0))
		sp_peers_leave(shard->engine->peers, pd->peer);
	sp_poll_cache_retire(&shard->cache, pd);
}

void
sp_shard_close(struct sp_shard *shard, struct sp_poll_desc *pd)
{
	close_and_retire(shard, pd);
	sp_shard_leave(shard);
}

void
sp_shard_forsake(struct sp_shard *shard, struct sp_poll_desc *pd)
{
	/* FLAG3. */
	sp_fetch_or(&pd->info, SP_POLL_CLOSING, seq_cst);
	sp_netpoll_close(&shard->np, pd->fd);
	sp_poll_cache_retire(&shard->cache, pd);
	sp_shard_leave(shard);
}

void
sp_shard_close_outgoing(struct sp_shard *shard, struct sp_poll_desc *pd)
{
	close_and_retire(shard, pd);
	sp_shard_leave_outgoing(shard);
}
