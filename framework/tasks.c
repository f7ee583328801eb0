/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What handlers have others do, and how they wait for it: spate/tasks.h.
 */

#include "framework/server.h"
#include "shards/channel.h"
#include "shards/event.h"
#include "shards/spawn.h"

#include <errno.h>

#define CAPACITY_MAX (1u << 20)
#define WAITERS_MAX (1u << 16)

int
spate_sleep(uint32_t ms)
{
	struct sp_worker *worker = sp_worker_self();

	return worker != NULL ? sp_sleep(worker, ms) : -EPERM;
}

int
spate_yield(void)
{
	struct sp_worker *worker = sp_worker_self();

	return worker != NULL ? sp_yield(worker) : -EPERM;
}

int
spate_offload(spate_offload_fn *fn, void *arg, uint32_t timeout_ms)
{
	struct sp_worker *worker = sp_worker_self();

	if (worker == NULL)
		return -EPERM;
	return sp_offload_run(
	    worker, &worker->engine->offload, fn, arg, NULL, NULL, timeout_ms);
}

int
spate_offload_owned(
    spate_offload_fn *fn, void *arg, spate_drop_fn *drop, uint32_t timeout_ms)
{
	struct sp_worker *worker = sp_worker_self();
	bool let_go = false;
	int error = -EPERM;

	if (drop == NULL)
		return -EINVAL;
	if (worker != NULL)
		error = sp_offload_run(worker, &worker->engine->offload, fn,
		    arg, drop, &let_go, timeout_ms);
	if (error != 0 && !let_go)
		drop(arg);
	return error;
}

/* ----------------------------------------------------------------- tasks */

int
spate_spawn(
    struct spate_server *server, spate_task_fn *fn, void *arg, unsigned flags)
{
	struct sp_worker *worker = sp_worker_self();
	struct sp_engine *engine = server != NULL ? server->engine : NULL;
	struct sp_shard *shard;

	if (engine == NULL)
		return -ESTALE;
	if (fn == NULL || (flags & ~(unsigned)SPATE_BACKGROUND) != 0)
		return -EINVAL;
	if (worker != NULL && worker->engine == engine)
		shard = worker->shard;
	else
		shard = engine->shards[sp_load(&engine->tasks_spawned, relaxed)
				       % engine->shard_count];
	return sp_spawn(shard, fn, arg, (flags & SPATE_BACKGROUND) != 0);
}

/* -------------------------------------------------------------- channels */

/* The engine's, under the name that it has for users. */
static struct sp_channel *
inner(struct spate_channel *channel)
{
	return (struct sp_channel *)(void *)channel;
}

int
spate_channel_new(struct spate_channel **out, size_t capacity, size_t waiters,
    spate_drop_fn *drop)
{
	struct sp_channel *channel;
	int error;

	if (capacity > CAPACITY_MAX || waiters > WAITERS_MAX)
		return -EINVAL;
	error = sp_channel_new(&channel, capacity, (uint32_t)waiters, drop);
	if (error == 0)
		*out = (struct spate_channel *)(void *)channel;
	return error;
}

void
spate_channel_hold(struct spate_channel *channel)
{
	if (channel != NULL)
		sp_channel_get(inner(channel));
}

void
spate_channel_release(struct spate_channel *channel)
{
	if (channel != NULL)
		sp_channel_put(inner(channel));
}

void
spate_channel_close(struct spate_channel *channel)
{
	sp_channel_close(inner(channel));
}

static sp_tick
until(uint32_t timeout_ms)
{
	return timeout_ms != 0 ? sp_tick_in(timeout_ms)
			       : (sp_tick)SP_DEADLINE_NONE;
}

int
spate_channel_send(
    struct spate_channel *channel, void *item, uint32_t timeout_ms)
{
	struct sp_worker *worker = sp_worker_self();

	if (worker == NULL)
		return -EPERM;
	return sp_channel_send(worker, inner(channel), item, until(timeout_ms));
}

int
spate_channel_receive(
    struct spate_channel *channel, void **item, uint32_t timeout_ms)
{
	struct sp_worker *worker = sp_worker_self();

	if (worker == NULL)
		return -EPERM;
	return sp_channel_receive(
	    worker, inner(channel), item, until(timeout_ms));
}

int
spate_channel_try_send(struct spate_channel *channel, void *item)
{
	return sp_channel_try_send(inner(channel), item);
}

int
spate_channel_try_receive(struct spate_channel *channel, void **item)
{
	return sp_channel_try_receive(inner(channel), item);
}
