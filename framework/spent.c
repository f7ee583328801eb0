/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/spent.h"

#include "framework/request.h"

void
sp_spent_begin(struct sp_spent *spent, const struct spate_req *req)
{
	spent->begun = sp_cycles();
	spent->ready = req->times.worker != NULL ? req->times.ready
						 : spent->begun;
	spent->before = req->worker->current->waited;
}

/* Who counts waits may have begun anew. */
static uint64_t
since(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

void
sp_spent_look(const struct sp_spent *spent, const struct spate_req *req,
    uint64_t ns[SP_PHASES])
{
	const struct sp_waited *now = &req->worker->current->waited;
	uint64_t parked = since(now->parked, spent->before.parked);
	uint64_t blocked = since(now->blocked, spent->before.blocked);
	uint64_t queued = since(now->queued, spent->before.queued);
	uint64_t not_run = parked + blocked + queued;
	uint64_t took = sp_cycles() - spent->begun;

	ns[SP_PHASE_QUEUE] = sp_cycles_to_ns(
	    spent->begun - spent->ready + queued);
	ns[SP_PHASE_RUN] = sp_cycles_to_ns(took > not_run ? took - not_run : 0);
	ns[SP_PHASE_PARKED] = sp_cycles_to_ns(parked);
	ns[SP_PHASE_BLOCKED] = sp_cycles_to_ns(blocked);
}
