/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_POLL_DESC_H
#define SPATE_SHARDS_POLL_DESC_H

/*
 * Poll descriptor: Go's pollDesc. There is one for each open descriptor
 * that a shard polls: connections, listeners, and what users register.
 *
 *     FREE --alloc--> OPEN --park--> PARKED --ready--> in a list --> RUNNING
 *      ^                                 ^                              |
 *      |                                 `------------ park ------------+
 *      `-- grace period -- RETIRED <-- close ---------------------------'
 *
 * Who may touch what:
 *
 *     slot, info, deadline, outq,
 *     deferred                        any thread that found it by handle
 *     gen                             any thread reads; the owner bumps it
 *     task                            whoever owns the descriptor
 *     timer                           the holder of the shard's poll token
 *     proto, out_bytes, requests,
 *     interest, the fd                the owner
 *     fd, index (the numbers),
 *     peer, born, near                constant while open
 *
 * The owner is the thread that took the TASK out of the read slot
 * (poll_slot.h), until it parks again. It alone reads, writes and closes
 * the file descriptor, so a number is never closed while it is in use.
 *
 * Lifetime. Memory of descriptors is type-stable: it is never unmapped while
 * the shard lives. A handle is resolved inside an RCU read-side section
 * (poll_cache.h), and the slot is used again only a grace period after its
 * generation has changed. So a thread that found a descriptor may post to
 * it: at worst nobody looks at the post.
 *
 * Two lines of 64 bytes: the first is all that a request touches.
 */

#include "alloc/cacheline.h"
#include "shards/atomics.h"
#include "shards/clock.h"
#include "shards/handle.h"
#include "shards/mpsc_stack.h"
#include "shards/poll_slot.h"
#include "shards/task.h"
#include "shards/timer_wheel.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum sp_poll_mode { SP_POLL_READ, SP_POLL_WRITE, SP_POLL_MODES };

/* Bits of info. */
enum {
	SP_POLL_CLOSING = 1u << 0,   /* never cleared */
	SP_POLL_EVENT_ERR = 1u << 1, /* epoll cannot watch it; never cleared */
	SP_POLL_HANGUP = 1u << 2,    /* peer is done: read until the end */
	SP_POLL_DRAIN = 1u << 3,     /* close as soon as nothing is under way */
	SP_POLL_URGENT = 1u << 4,    /* EPOLLPRI was seen */
	SP_POLL_AWAY = 1u << 5,      /* near is another shard; it may move */
	SP_POLL_ATTENTION = SP_POLL_CLOSING | SP_POLL_DRAIN,
};

/* Values of deadline that are no time; see sp_tick_deadline(). */
enum { SP_DEADLINE_NONE, SP_DEADLINE_EXPIRED };

struct sp_poll_desc {
	sp_slot slot[SP_POLL_MODES]; /* rg and wg */
	SP_ATOMIC(uint32_t) info;
	int32_t fd;
	uint32_t index; /* shard and index, as in the handle */
	SP_ATOMIC(uint32_t) gen;
	SP_ATOMIC(sp_tick) deadline[SP_POLL_MODES];
	struct sp_task task;
	struct sp_mpsc_stack outq; /* sends from other threads */

	/* Second line. */
	struct sp_timer timer;
	void *proto;                   /* of the service; NULL while idle */
	SP_ATOMIC(uint32_t) out_bytes; /* in outq */
	uint16_t interest;             /* what epoll watches */
	uint16_t near;                 /* the shard where its packets arrive */
	union {
		struct sp_link link; /* runq, heavy, retired, free lists */
		uint64_t ready; /* cycles; when it was put on a ready list */
	};
	uint32_t peer;                 /* peers.h; 0: not counted */
	sp_tick born;                  /* when it was opened */
	uint32_t requests;             /* on it, if somebody counts them */
	SP_ATOMIC(uint32_t) deferred;  /* the answer promised; 0: none */
} SP_ALIGN_APART;

#ifndef SP_ATOMICS_MODEL
static_assert(offsetof(struct sp_poll_desc, gen)
		  == offsetof(struct sp_poll_desc, index) + sizeof(uint32_t),
    "the two halves of the handle");
static_assert(sizeof(struct sp_poll_desc) == 128, "two lines");
static_assert(
    offsetof(struct sp_poll_desc, timer) == 64, "the hot line is full");
#endif

static inline sp_handle
sp_poll_desc_handle(struct sp_poll_desc *pd)
{
	return (uint64_t)sp_load(&pd->gen, relaxed) << 32 | pd->index;
}

#ifndef SP_ATOMICS_MODEL
/*
 * sp_task_handle: the handle of the descriptor that a task is in, by one load.
 * For its owner, during whose time it does not change.
 */
static inline sp_handle
sp_task_handle(const struct sp_task *task)
{
	sp_handle handle;

	memcpy(&handle,
	    (const char *)task - offsetof(struct sp_poll_desc, task)
		+ offsetof(struct sp_poll_desc, index),
	    sizeof(handle));
	return handle;
}
#endif

/*
 * sp_poll_info: the bits of info. Any thread.
 *
 * Those that come with an edge (hang-up, urgent) are seen by who asks after
 * taking the edge. In order on purpose: an edge that finds READY in the slot
 * already writes nothing there, so there is no release to acquire.
 */
static inline uint32_t
sp_poll_info(struct sp_poll_desc *pd)
{
	return sp_load(&pd->info, seq_cst); /* FLAG2 */
}

/*
 * sp_poll_is_over: the peer is done, or the descriptor is to be closed. Any
 * thread.
 */
static inline bool
sp_poll_is_over(struct sp_poll_desc *pd)
{
	return (sp_poll_info(pd) & (SP_POLL_CLOSING | SP_POLL_HANGUP)) != 0;
}

/*
 * sp_poll_desc_reset: make a descriptor fresh for a new fd. Its generation
 * stays. The caller is alone with it.
 */
void sp_poll_desc_reset(
    struct sp_poll_desc *pd, int fd, const struct sp_service *service);

/*
 * sp_poll_take_drain: the owner has seen the request to drain. It is seen
 * once; later on engine.draining tells.
 */
static inline void
sp_poll_take_drain(struct sp_poll_desc *pd)
{
	if (sp_unlikely(sp_load(&pd->info, relaxed) & SP_POLL_DRAIN))
		sp_fetch_and(&pd->info, ~(uint32_t)SP_POLL_DRAIN, seq_cst);
}

/*
 * sp_netpoll_check_err: Go's netpollcheckerr. Why one may not wait, or 0.
 *
 * => -ECANCELED: closing. -ETIMEDOUT: the deadline has passed. -EIO: epoll
 *    cannot watch it (reads only: a write meets the fault in its own system
 *    call, which can say more).
 */
int sp_netpoll_check_err(struct sp_poll_desc *pd, enum sp_poll_mode mode);

/*
 * sp_poll_park: let go of the descriptor until it is readable or there is
 * news (closing, draining, a passed deadline, a send from elsewhere).
 *
 * => Returns true: not the caller's any more, touch nothing.
 * => Returns false: still the owner; run again.
 */
bool sp_poll_park(struct sp_poll_desc *pd);

/*
 * sp_poll_set_deadline: Go's pollSetDeadline, for one mode. when is a tick
 * from sp_tick_deadline() or SP_DEADLINE_NONE; it replaces one that has
 * passed. Any thread. This only stores it: whoever moves a deadline to
 * before what the timer is armed for has to tell the poller
 * (sp_shard_rearm).
 */
static inline void
sp_poll_set_deadline(
    struct sp_poll_desc *pd, enum sp_poll_mode mode, sp_tick when)
{
	sp_store(&pd->deadline[mode], when, relaxed);
}

/*
 * sp_poll_expire: Go's netpolldeadlineimpl. The deadline of one mode has
 * passed, unless it has just been moved.
 *
 * The poller compares and swaps the value that it judged, so a deadline
 * that its owner moves at the same moment is never taken for passed. This
 * does the work of Go's rseq and wseq.
 *
 * => Returns what waited, as sp_slot_evict().
 */
uintptr_t sp_poll_expire(
    struct sp_poll_desc *pd, enum sp_poll_mode mode, sp_tick judged);

/*
 * sp_poll_unblock: Go's pollUnblock (evict). Let nobody wait here again.
 *
 * => Returns what waited in each slot, now the caller's, in woken[].
 * => Returns false: it was closing already, and nothing is woken.
 */
bool sp_poll_unblock(
    struct sp_poll_desc *pd, uintptr_t woken[SP_POLL_MODES]);

/*
 * sp_poll_kick: make the owner look at its descriptor: after a push onto
 * outq, or with a bit of info to set. Spurious for a fiber that waits.
 *
 * => woken[] as for sp_poll_unblock().
 */
void sp_poll_kick(struct sp_poll_desc *pd, uint32_t bits,
    uintptr_t woken[SP_POLL_MODES]);

#endif /* SPATE_SHARDS_POLL_DESC_H */
