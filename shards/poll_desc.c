/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Poll descriptor. poll_slot.h has the states and names the orderings.
 */

#include "shards/poll_desc.h"

#include <errno.h>
#include <stddef.h>

void
sp_poll_desc_reset(
    struct sp_poll_desc *pd, int fd, const struct sp_service *service)
{
	for (int mode = 0; mode < SP_POLL_MODES; mode++) {
		sp_store(&pd->slot[mode], SP_SLOT_NIL, relaxed);
		sp_store(&pd->deadline[mode], SP_DEADLINE_NONE, relaxed);
	}
	sp_store(&pd->info, 0, relaxed);
	sp_store(&pd->outq.head, NULL, relaxed);
	sp_store(&pd->out_bytes, 0, relaxed);
	pd->fd = fd;
	pd->task.service = service;
	pd->proto = NULL;
	pd->interest = 0;
	pd->near = (uint16_t)sp_handle_shard(pd->index);
	pd->peer = 0;
	pd->born = 0;
	pd->requests = 0;
	sp_store(&pd->deferred, 0, relaxed);
}

int
sp_netpoll_check_err(struct sp_poll_desc *pd, enum sp_poll_mode mode)
{
	uint32_t info = sp_poll_info(pd);

	if (info & SP_POLL_CLOSING)
		return -ECANCELED;
	if (sp_load(&pd->deadline[mode], seq_cst) == SP_DEADLINE_EXPIRED)
		return -ETIMEDOUT;
	if ((info & SP_POLL_EVENT_ERR) && mode == SP_POLL_READ)
		return -EIO;
	return 0;
}

/* FLAG2, for a task: is there a reason to run other than an edge? */
static bool
has_news(struct sp_poll_desc *pd)
{
	return (sp_poll_info(pd) & SP_POLL_ATTENTION) != 0
	    || sp_load(&pd->deadline[SP_POLL_READ], seq_cst)
	    == SP_DEADLINE_EXPIRED
	    || !sp_stack_empty(&pd->outq);
}

bool
sp_poll_park(struct sp_poll_desc *pd)
{
	if (!sp_slot_park(&pd->slot[SP_POLL_READ]))
		return false;
	if (sp_likely(!has_news(pd)))
		return true;
	return !sp_slot_unpark(&pd->slot[SP_POLL_READ]);
}

uintptr_t
sp_poll_expire(struct sp_poll_desc *pd, enum sp_poll_mode mode, sp_tick judged)
{
	/* FLAG3. */
	if (!sp_cas(&pd->deadline[mode], &judged, (sp_tick)SP_DEADLINE_EXPIRED,
		seq_cst, relaxed))
		return SP_SLOT_NIL;
	return sp_slot_evict(&pd->slot[mode]);
}

void
sp_poll_kick(
    struct sp_poll_desc *pd, uint32_t bits, uintptr_t woken[SP_POLL_MODES])
{
	if (bits != 0)
		sp_fetch_or(&pd->info, bits, seq_cst); /* FLAG3 */
	for (int mode = 0; mode < SP_POLL_MODES; mode++)
		woken[mode] = sp_slot_evict(&pd->slot[mode]);
}

bool
sp_poll_unblock(struct sp_poll_desc *pd, uintptr_t woken[SP_POLL_MODES])
{
	/* FLAG3. */
	if (sp_fetch_or(&pd->info, SP_POLL_CLOSING, seq_cst) & SP_POLL_CLOSING)
		return false;
	sp_poll_kick(pd, 0, woken);
	return true;
}
