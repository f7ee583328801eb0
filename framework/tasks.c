/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What a handler may wait for besides its client: spate/tasks.h.
 */

#include "framework/server.h"
#include "shards/event.h"

#include <errno.h>

int
spate_sleep(uint32_t ms)
{
	struct sp_worker *worker = sp_worker_self();

	return worker != NULL ? sp_sleep(worker, ms) : -EPERM;
}

int
spate_offload(spate_offload_fn *fn, void *arg, uint32_t timeout_ms)
{
	struct sp_worker *worker = sp_worker_self();

	if (worker == NULL)
		return -EPERM;
	return sp_offload_run(
	    worker, &worker->engine->offload, fn, arg, timeout_ms);
}
