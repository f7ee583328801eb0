/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/trim.h"

#include "alloc/cacheline.h"
#include "alloc/counter.h"
#include "shards/worker.h"

#define TRIM_MS 1000
#define TRIM_AGAIN_MS 10
#define TRIM_STACKS 64 /* in one go: 2 us each, and more with many pages */

/* Fibers that nobody has needed since this was called last. */
static void
trim_fibers(struct sp_worker *worker)
{
	while (
	    worker->spare_least > 0 && worker->spare_count > SP_IDLE_STACKS) {
		struct sp_fiber *fiber = sp_container_of(
		    worker->spares, struct sp_fiber, link);

		worker->spares = worker->spares->next;
		worker->spare_count--;
		worker->spare_least--;
		sp_fiber_free(fiber, &worker->stacks);
	}
	worker->spare_least = worker->spare_count;
}

void
sp_worker_trim(struct sp_worker *worker)
{
	if (!sp_tick_after(worker->now, worker->trim_after))
		return;
	if (sp_stack_pool_trim(&worker->stacks, TRIM_STACKS) == TRIM_STACKS) {
		worker->trim_after = worker->now + TRIM_AGAIN_MS;
		return;
	}
	worker->trim_after = worker->now + TRIM_MS;
	trim_fibers(worker);
	sp_bufcache_trim(&worker->buffers);
}

int64_t
sp_worker_next_trim(const struct sp_worker *worker)
{
	if (sp_likely(worker->spare_count <= SP_IDLE_STACKS
		      && sp_counter_get(&worker->stacks.hot_count)
			     <= worker->stacks.keep_hot))
		return -1;
	/* It is time when the tick has passed. */
	return sp_tick_delay_ns(worker->trim_after + 1, sp_now_ns());
}
