/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A worker before its thread has begun, and after it has ended.
 */

#include "shards/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_BUFFERS 64

/* What a task is thought to take before one was measured. */
#define FIRST_SERVICE_US 3

/* What blocks is in libraries that count on a thread's stack. */
#define BLOCKING_STACK (1024 * 1024)

static uint32_t
stack_size(const struct sp_worker *worker)
{
	uint32_t size = worker->engine->options.stack_size;

	return worker->blocking && size < BLOCKING_STACK ? BLOCKING_STACK
							 : size;
}

struct sp_worker *
sp_worker_new(
    struct sp_shard *shard, uint32_t number, enum sp_worker_kind kind)
{
	struct sp_worker *worker;
	void *memory;

	if (posix_memalign(&memory, SP_APART, sizeof(*worker)) != 0)
		return NULL;
	worker = memset(memory, 0, sizeof(*worker));
	worker->shard = shard;
	worker->engine = shard->engine;
	worker->number = number;
	worker->spare = kind == SP_WORKER_SPARE;
	worker->heavy = kind == SP_WORKER_HEAVY;
	worker->blocking = kind == SP_WORKER_BLOCKING;
	worker->place = worker->blocking
	    ? sp_load(&shard->engine->blocking.threads, relaxed)
	    : number;
	worker->idle = worker->blocking ? &shard->engine->blocking.held
					: &shard->idle;
	sp_task_list_init(&worker->handed);
	worker->runnable_tail = &worker->runnable;
	worker->random = ((shard->id + 1) * 2654435761u + number) | 1;
	worker->service_cycles = FIRST_SERVICE_US * sp_cycles_per_us();
	sp_wheel_init(&worker->timers, sp_tick_of(sp_now_ns()));
	if (sp_recorder_init(
		&worker->recorder, shard->engine->options.record_events)
	    != 0) {
		free(worker);
		return NULL;
	}
	sp_bufcache_init(&worker->buffers, shard->engine->options.buffer_size,
	    IDLE_BUFFERS);
	sp_stack_pool_init(&worker->stacks, stack_size(worker),
	    shard->engine->options.max_fibers, SP_IDLE_STACKS);
	return worker;
}

void
sp_worker_name(const struct sp_worker *worker, char name[SP_WORKER_NAME])
{
	snprintf(name, SP_WORKER_NAME, "spate/%u.%u", worker->shard->id,
	    worker->number);
}

void
sp_worker_join(struct sp_worker *worker)
{
	pthread_join(worker->thread, NULL);
}

void
sp_worker_free(struct sp_worker *worker)
{
	if (worker == NULL)
		return;
	sp_bufcache_fini(&worker->buffers);
	sp_stack_pool_fini(&worker->stacks);
	sp_recorder_fini(&worker->recorder);
	free(worker);
}
