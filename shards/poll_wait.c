/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Waiting for a descriptor in a fiber: Go's netpollblock, pollReset and
 * pollWait. poll_slot.h names the orderings.
 */

#include "shards/worker.h"

#include <errno.h>

/* bits of info that are a reason not to wait. */
static bool
block(struct sp_worker *worker, struct sp_poll_desc *pd,
    enum sp_poll_mode mode, uint32_t bits)
{
	sp_slot *slot = &pd->slot[mode];
	struct sp_fiber *fiber = worker->current;
	uint64_t parked = fiber->waited.parked;

	if (!sp_slot_announce(slot))
		return true;
	/*
	 * FLAG2, after the announcement: or nobody would wake this fiber. Who
	 * waits for room to write has no use for more to send, and if told
	 * of it would try, and be told again, until there is room.
	 */
	if (sp_netpoll_check_err(pd, mode) == 0
	    && (sp_poll_info(pd) & bits) == 0
	    && (mode == SP_POLL_WRITE || sp_stack_empty(&pd->outq))
	    && sp_slot_commit(slot, (uintptr_t)fiber))
		sp_fiber_suspend(worker);
	if (mode == SP_POLL_WRITE) {
		fiber->waited.blocked += fiber->waited.parked - parked;
		fiber->waited.parked = parked;
	}
	return sp_slot_consume(slot);
}

bool
sp_netpoll_block(
    struct sp_worker *worker, struct sp_poll_desc *pd, enum sp_poll_mode mode)
{
	return block(worker, pd, mode, 0);
}

int
sp_poll_reset(struct sp_poll_desc *pd, enum sp_poll_mode mode)
{
	int error = sp_netpoll_check_err(pd, mode);

	if (error == 0)
		sp_slot_consume(&pd->slot[mode]);
	return error;
}

int
sp_poll_wait(
    struct sp_worker *worker, struct sp_poll_desc *pd, enum sp_poll_mode mode)
{
	return sp_poll_wait_unless(worker, pd, mode, 0);
}

int
sp_poll_wait_unless(struct sp_worker *worker, struct sp_poll_desc *pd,
    enum sp_poll_mode mode, uint32_t bits)
{
	int error = sp_netpoll_check_err(pd, mode);

	if (error == 0)
		error = sp_fiber_reserve(worker);
	if (error != 0)
		return error;
	if (worker->current->before_wait != NULL)
		worker->current->before_wait(worker->current->before_wait_arg);
	block(worker, pd, mode, bits);
	return sp_netpoll_check_err(pd, mode);
}
