/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/engine.h"

#include "alloc/arena.h"
#include "shards/futex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sp_engine_options
sp_engine_options_default(void)
{
	return (struct sp_engine_options) {
		.workers = 1,
		.spares = 2,
		.max_connections = UINT32_MAX,
		.sweep_ms = 5000,
		.buffer_size = SP_BUFFER_SIZE,
		.max_fibers = 16384,
		.wake_us = 80,
		.ring_size = 4096,
		.slice_us = 100,
		.stall_ms = 20,
		.max_tasks = 65536,
		.offload_queue = 1024,
		.blocking_queue = 1024,
	};
}

static bool
options_are_valid(const struct sp_engine_options *options)
{
	return options->shards <= SP_TOPOLOGY_SHARDS_MAX
	    && options->workers >= 1 && options->workers <= SP_WORKERS_MAX
	    && options->spares <= SP_WORKERS_MAX
	    && options->workers + options->spares + options->heavy
		<= SP_WORKERS_MAX
	    && options->max_connections >= 1 && options->sweep_ms >= 1
	    && options->max_fibers >= 2 && options->ring_size >= 2
	    && options->offload_threads <= SP_OFFLOAD_THREADS_MAX
	    && options->offload_queue <= 1u << 20
	    && options->blocking_threads <= SP_BLOCKING_THREADS_MAX
	    && options->blocking_queue <= 1u << 20
	    && options->record_events <= SP_RECORDS_MAX
	    && (options->ring_size & (options->ring_size - 1)) == 0;
}

/* Whether the workers of a shard have a place, whatever comes. */
static bool
workers_fit(const struct sp_engine *engine)
{
	const struct sp_engine_options *options = &engine->options;
	uint32_t shards = engine->shard_count;

	return options->workers + options->spares + options->heavy
	    + (options->blocking_threads + shards - 1) / shards
	    <= SP_WORKERS_MAX;
}

static int
make_shards(struct sp_engine *engine)
{
	uint16_t cpus[SP_TOPOLOGY_CPUS_MAX];

	if (!workers_fit(engine))
		return -EINVAL;
	engine->shards = calloc(engine->shard_count, sizeof(*engine->shards));
	if (engine->shards == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < engine->shard_count; i++) {
		uint32_t count = sp_topology_shard_cpus(
		    &engine->topology, engine->shard_count, i, cpus);
		void *memory;
		int error;

		if (posix_memalign(&memory, SP_APART, sizeof(struct sp_shard)))
			return -ENOMEM;
		error = sp_shard_init(memory, engine, i, cpus[0]);
		if (error != 0) {
			free(memory);
			return error;
		}
		engine->shards[i] = memory;
		engine->shards[i]->cpu_count = (uint16_t)count;
	}
	return 0;
}

int
sp_engine_new(struct sp_engine **out, const struct sp_engine_options *options)
{
	struct sp_engine *engine;
	void *memory;
	int error;

	if (!options_are_valid(options))
		return -EINVAL;
	if (posix_memalign(&memory, SP_APART, sizeof(*engine)) != 0)
		return -ENOMEM;
	engine = memset(memory, 0, sizeof(*engine));
	sp_clock_init();
	engine->options = *options;
	engine->wake_cycles = options->wake_us * sp_cycles_per_us();
	engine->started_ns = sp_now_ns();
	engine->started_cycles = sp_cycles();
	sp_store(&engine->reserve_fd, -1, relaxed);
	if (options->max_per_peer != 0)
		engine->peers = sp_peers_new(options->max_per_peer);
	if (options->max_per_peer != 0 && engine->peers == NULL) {
		sp_engine_free(engine);
		return -ENOMEM;
	}
	error = sp_topology_read(&engine->topology);
	if (error == 0) {
		engine->shard_count = options->shards != 0
		    ? options->shards
		    : engine->topology.shards;
		error = make_shards(engine);
	}
	if (error == 0) {
		int reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);

		sp_store(&engine->reserve_fd, reserve, relaxed);
		if (reserve < 0)
			error = -errno;
	}
	if (error != 0) {
		sp_engine_free(engine);
		return error;
	}
	*out = engine;
	return 0;
}

void
sp_engine_free(struct sp_engine *engine)
{
	struct sp_listener *listener, *next;
	int reserve;

	if (engine == NULL)
		return;
	for (uint32_t i = 0; engine->shards && i < engine->shard_count; i++) {
		if (engine->shards[i] != NULL)
			sp_accept_stop(engine->shards[i]);
	}
	sp_rcu_barrier();
	for (uint32_t i = 0; engine->shards && i < engine->shard_count; i++) {
		if (engine->shards[i] == NULL)
			continue;
		sp_shard_messages(engine->shards[i], NULL);
		sp_shard_fini(engine->shards[i]);
		free(engine->shards[i]);
	}
	for (listener = engine->listeners; listener; listener = next) {
		next = listener->next;
		free(listener);
	}
	reserve = sp_load(&engine->reserve_fd, relaxed);
	if (reserve >= 0)
		close(reserve);
	sp_peers_free(engine->peers);
	free(engine->shards);
	free(engine);
}

static void
open_gate(struct sp_engine *engine)
{
	/* GATE release; the GATE acquire is in wait_at_gate(). */
	sp_store(&engine->gate, 1, release);
	sp_futex_wake_all(&engine->gate);
}

int
sp_engine_start(struct sp_engine *engine)
{
	int error = sp_offload_start(&engine->offload,
	    engine->options.offload_threads, engine->options.offload_queue);

	if (error == 0)
		error = sp_blocking_init(engine,
		    engine->options.blocking_threads,
		    engine->options.blocking_queue);
	/* No thread is made sooner: it would keep rights that are given up. */
	sp_rcu_start();
	sp_arena_background(true);
	for (uint32_t i = 0; i < engine->shard_count && error == 0; i++) {
		for (uint32_t j = 0; j < engine->options.workers; j++) {
			error = sp_shard_add_worker(
			    engine->shards[i], SP_WORKER_PRIMARY, true);
			if (error != 0)
				break;
		}
		if (error == 0 && engine->options.heavy)
			error = sp_shard_add_worker(
			    engine->shards[i], SP_WORKER_HEAVY, true);
	}
	if (error == 0)
		error = sp_blocking_start(engine);
	if (error == 0)
		error = sp_sysmon_start(engine);
	if (error == 0)
		open_gate(engine);
	else
		sp_engine_stop(engine);
	return error;
}

struct sp_poll_desc *
sp_engine_find(
    struct sp_engine *engine, sp_handle handle, struct sp_shard **shard)
{
	uint32_t id = sp_handle_shard(handle);
	struct sp_poll_desc *pd;

	if (id >= engine->shard_count)
		return NULL;
	*shard = engine->shards[id];
	pd = sp_poll_cache_find(&(*shard)->cache, handle);
	if (pd == NULL)
		sp_fetch_add(&(*shard)->stale_lookups, 1, relaxed);
	return pd;
}

/* --------------------------------------------------------------- ending */

static void
drain_one(struct sp_poll_desc *pd, void *arg)
{
	/*
	 * Tasks have nothing under way, and close. Fibers finish what they
	 * are at, but some wait for what may never come, and want to know.
	 */
	sp_fetch_or(&pd->info, SP_POLL_DRAIN, seq_cst); /* FLAG3 */
	/* FLAG4. */
	sp_run_woken(pd, arg, sp_slot_evict(&pd->slot[SP_POLL_READ]));
}

static void
drain_shard(
    struct sp_shard *shard, struct sp_worker *worker, struct sp_msg *msg)
{
	(void)worker;
	(void)msg;
	sp_accept_stop(shard);
	sp_poll_cache_each(&shard->cache, drain_one, shard);
}

void
sp_engine_drain(struct sp_engine *engine)
{
	if (sp_xchg(&engine->draining, 1, seq_cst))
		return;
	for (uint32_t i = 0; i < engine->shard_count; i++) {
		struct sp_shard *shard = engine->shards[i];

		shard->drain.fn = drain_shard;
		sp_shard_post(shard, &shard->drain);
	}
}

static void
cancel_one(struct sp_poll_desc *pd, void *arg)
{
	uintptr_t woken[SP_POLL_MODES];

	if (!sp_poll_unblock(pd, woken))
		return;
	sp_run_woken_all(pd, arg, woken);
}

static void
cancel_shard(
    struct sp_shard *shard, struct sp_worker *worker, struct sp_msg *msg)
{
	(void)worker;
	(void)msg;
	sp_accept_stop(shard);
	sp_poll_cache_each(&shard->cache, cancel_one, shard);
}

void
sp_engine_cancel(struct sp_engine *engine)
{
	if (sp_xchg(&engine->cancelling, 1, seq_cst))
		return;
	/* No need to drain after that; and this refuses newcomers. */
	sp_store(&engine->draining, 1, seq_cst);
	for (uint32_t i = 0; i < engine->shard_count; i++) {
		struct sp_shard *shard = engine->shards[i];

		shard->cancel.fn = cancel_shard;
		sp_shard_post(shard, &shard->cancel);
	}
}

/* All but the blocking ones, who end when there is nobody left to ask them. */
static void
join_workers(struct sp_engine *engine)
{
	for (uint32_t i = 0; i < engine->shard_count; i++) {
		struct sp_shard *shard = engine->shards[i];

		while (shard->joined < sp_load(&shard->worker_count, acquire)) {
			struct sp_worker *worker = sp_load(
			    &shard->workers[shard->joined++], acquire);

			if (!worker->blocking)
				sp_worker_join(worker);
		}
	}
}

void
sp_engine_stop(struct sp_engine *engine)
{
	for (uint32_t i = 0; i < engine->shard_count; i++)
		sp_shard_stop(engine->shards[i]);
	open_gate(engine);
	join_workers(engine);

	/*
	 * The watcher after that, as a handler may wait for what only a
	 * spare can run; and then the spares that it made meanwhile.
	 */
	sp_sysmon_stop(engine);
	join_workers(engine);
	sp_blocking_stop(engine);
	sp_offload_stop(&engine->offload);
}
