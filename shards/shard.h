/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_SHARD_H
#define SPATE_SHARDS_SHARD_H

/*
 * Shard: one CPU's share of the server. It has an epoll instance, the
 * descriptors registered there, a timing wheel, a ready ring, and workers.
 *
 *                      +--------------- shard ----------------+
 *     other threads -> | inbox, runq      (any thread pushes) |
 *     the kernel ----> | epoll instance   \                   |
 *                      | timing wheel      > poll token's     |
 *                      | poll cache       /  holder           |
 *                      |        |                             |
 *                      |        v                             |
 *                      | ready ring  -------> workers --------+--> thieves
 *                      +--------------------------------------+
 *
 * Groups of fields are apart by who writes them.
 */

#include "alloc/loglinear.h"
#include "shards/counters.h"
#include "shards/idle.h"
#include "shards/netpoll.h"
#include "shards/poll_cache.h"
#include "shards/ready_ring.h"
#include "shards/timer_wheel.h"
#include "shards/token.h"
#include "shards/topology.h"
#include "shards/wake.h"
#include "shards/worker.h"

#define SP_WORKERS_MAX SP_IDLE_MAX
#define SP_LISTENERS_MAX 16
#define SP_LIST_MAX 16 /* tasks in one slot of the ready ring */

struct sp_engine;

/*
 * Message: something for the holder of the poll token to do. Whoever posts
 * owns it until fn is called, which may free it. What is posted to a shard
 * that has ended is called by sp_engine_free(), and worker is then NULL.
 */
struct sp_msg {
	struct sp_link link;
	void (*fn)(struct sp_shard *shard, struct sp_worker *worker,
	    struct sp_msg *msg);
};

struct sp_listener; /* accept.h */

/*
 * How long it took from one look at epoll to the next, in buckets of
 * alloc/loglinear.h: so long what comes may lie in the kernel unseen.
 */
#define SP_LOOP_BITS 2
#define SP_LOOP_BUCKETS SP_LOGLINEAR_BUCKETS(SP_LOOP_BITS, 64)
struct sp_loop_times {
	SP_ATOMIC(uint64_t) cycles; /* all together */
	SP_ATOMIC(uint64_t) counts[SP_LOOP_BUCKETS];
};

struct sp_shard {
	/* Constant. */
	struct sp_engine *engine;
	uint32_t id;
	uint16_t cpu; /* the first of its CPUs */
	uint16_t cpu_count;
	unsigned arena;     /* jemalloc's; UINT_MAX: none */
	uint64_t permanent; /* workers that are no spares, as bits */
	uint64_t pollers;   /* all but the heavy worker, of those in idle */

	SP_ALIGN_APART struct sp_token token;
	struct sp_wake wake;           /* netpollWakeSig */
	SP_ATOMIC(uint64_t) last_poll; /* ns; when the token was last held */
	SP_ATOMIC(uint32_t) stopping;
	SP_ATOMIC(uint32_t) stuck; /* sysmon: nobody polls, help */

	SP_ALIGN_APART struct sp_mpsc_stack inbox; /* messages */
	struct sp_mpsc_stack runq;   /* descriptors whose TASK was taken */
	struct sp_mpsc_stack heavy;  /* of those, for its worker; handed.h */
	struct sp_msg drain, cancel; /* posted at most once each */
	SP_ATOMIC(uint64_t) breaks_sent;
	SP_ATOMIC(uint64_t) breaks_coalesced;
	SP_ATOMIC(uint64_t) outq_full; /* sends refused, or left out */

	struct sp_ready_ring ring;

	SP_ALIGN_APART struct sp_idle idle;
	SP_ATOMIC(uint32_t) worker_count; /* workers[] that have started */
	uint32_t joined;                  /* of those; sp_engine_stop()'s */
	uint32_t spares; /* of those; who makes them */

	SP_ALIGN_APART SP_ATOMIC(int32_t) load; /* connections it has */
	SP_ATOMIC(int32_t) outgoing; /* of its fibers to others; outgoing.h */
	SP_ATOMIC(uint64_t) stale_lookups;

	/* The poll token's holder's. */
	SP_ALIGN_APART struct sp_netpoll np;
	struct sp_poll_cache cache;
	struct sp_task_list overflow; /* what the ring had no room for */
	struct sp_listener *listeners[SP_LISTENERS_MAX];
	unsigned listener_count;
	/* Connections accepted here, by the shard that they went to. */
	SP_ATOMIC(uint64_t) placed[SP_TOPOLOGY_SHARDS_MAX];
	sp_tick alarm;  /* when np's goes off */
	bool alarm_set; /* that was not yet seen */
	struct sp_wheel wheel;
	uint64_t looked; /* cycles; when epoll last said something; 0: never */
	struct sp_loop_times loop;

	SP_ATOMIC(struct sp_worker *) workers[SP_WORKERS_MAX];
};

int sp_shard_init(struct sp_shard *shard, struct sp_engine *engine, uint32_t id,
    uint16_t cpu);
void sp_shard_fini(struct sp_shard *shard);

/*
 * sp_shard_add_worker: one worker more, and its thread, as for
 * sp_worker_start(). Not concurrently.
 *
 * => Returns 0 or -errno.
 */
int sp_shard_add_worker(
    struct sp_shard *shard, enum sp_worker_kind kind, bool wait);

/*
 * sp_shard_enter, sp_shard_leave: count a connection of the shard, from the
 * moment that it is placed there until it is closed.
 *
 *          placing                         ending
 *   END1   load, outgoing: + 1      END3   stopping: -> 1
 *   END2   load stopping            END4   load both
 *
 * Either END2 sees that the shard is to end, and the connection is refused,
 * or END4 sees the connection, and the shard stays for it.
 *
 * => sp_shard_enter() returns false: it is to end, or max_connections are
 *    there. Nothing is counted.
 *
 * sp_engine_reserve: one of max_connections, before accept(2) is called: a
 * connection that there is no place for stays in the kernel's queue, while
 * one that was accepted could only be reset.
 *
 * => Returns false: they are all there.
 * => sp_shard_enter_reserved() takes the place over, also if it fails.
 */
bool sp_shard_enter(struct sp_shard *shard);
bool sp_engine_reserve(struct sp_engine *engine);
void sp_engine_unreserve(struct sp_engine *engine);
bool sp_shard_enter_reserved(struct sp_shard *shard);
void sp_shard_leave(struct sp_shard *shard);

/*
 * sp_shard_enter_outgoing, sp_shard_leave_outgoing: likewise for what a
 * fiber has connected to. It is not a connection of the engine: neither
 * max_connections nor a drain waits for it, but the shard's end does.
 */
bool sp_shard_enter_outgoing(struct sp_shard *shard);
void sp_shard_leave_outgoing(struct sp_shard *shard);

/*
 * sp_shard_stop: end the workers as soon as no connection and no message is
 * left. Any thread.
 */
void sp_shard_stop(struct sp_shard *shard);

/* Whether it was told to, and has nothing left. It stays so. */
bool sp_shard_ended(struct sp_shard *shard);

/* sp_shard_messages: run what is in the inbox. The poll token's holder. */
void sp_shard_messages(struct sp_shard *shard, struct sp_worker *worker);

/*
 * sp_shard_post: leave a message and wake the poller if it sleeps. Any
 * thread.
 */
void sp_shard_post(struct sp_shard *shard, struct sp_msg *msg);

/*
 * sp_shard_run: let the shard run a descriptor whose TASK the caller took.
 * Any thread.
 */
void sp_shard_run(struct sp_shard *shard, struct sp_poll_desc *pd);

/*
 * sp_shard_rearm: a deadline was moved to before what the timer is armed
 * for; let the poller see to it. Any thread, for what it owns or has found.
 *
 * => Returns 0; or -ENOMEM, and the next sweep sees it.
 */
int sp_shard_rearm(struct sp_shard *shard, struct sp_poll_desc *pd);

/*
 * sp_shard_break: Go's netpollBreak. Any thread, after leaving something.
 * sp_shard_send_break: what it does if sp_wake_notify() told it to.
 */
void sp_shard_break(struct sp_shard *shard);
void sp_shard_send_break(struct sp_shard *shard);

/*
 * sp_shard_unattended: the caller has dropped the poll token and will not be
 * back to poll. If nobody polls now, this wakes a worker who parked because
 * somebody did.
 */
void sp_shard_unattended(struct sp_shard *shard);

/*
 * sp_netpoll: Go's netpoll. Ask epoll, and collect what is ready.
 *
 * => Tasks that the caller now owns are added to ready. Fibers are made
 *    ready in their workers.
 * => delay as for sp_netpoll_wait(). A wait that may be long is not begun
 *    while sp_poll_work() says that there is something to do.
 * => Returns how many events there were. Context: the poll token's holder.
 */
unsigned sp_netpoll(struct sp_shard *shard, struct sp_worker *worker,
    int64_t delay, struct sp_task_list *ready);

/*
 * sp_netpoll_ready: Go's netpollready. A descriptor has SP_POLLED_* events.
 */
void sp_netpoll_ready(struct sp_shard *shard, struct sp_poll_desc *pd,
    uint32_t polled, struct sp_task_list *ready);

/*
 * sp_poll_work: Go's pollWork. Whether there is something for worker to do
 * here that does not come from epoll.
 */
bool sp_poll_work(struct sp_shard *shard, struct sp_worker *worker);

/* How many tasks of the usual length make one list; 1 to SP_LIST_MAX. */
unsigned sp_list_length(const struct sp_worker *worker);

/*
 * sp_shard_poll: one turn of the poll token: poll, inbox, timers, and the
 * ready list split between the caller and the ring.
 *
 * => Returns the caller's part, or NULL. The token has been dropped.
 */
struct sp_task *
sp_shard_poll(struct sp_shard *shard, struct sp_worker *worker, bool may_block);

/*
 * sp_shard_open: register an fd that nobody else knows, as a descriptor in
 * the parked state. The caller has entered the shard for it, and leaves it
 * if this fails; else sp_shard_close() does. Context: the poll token's
 * holder.
 *
 * => Returns 0 and *out, published; or -errno, and the fd is the caller's.
 */
int
sp_shard_open(struct sp_shard *shard, int fd, const struct sp_service *service,
    uint32_t watch, struct sp_poll_desc **out);

/*
 * sp_shard_open_owned: likewise, but as a descriptor that is in nobody's
 * slot: the caller's own. It has entered the shard as outgoing. An fd of -1:
 * it has none, and nothing is watched.
 */
int sp_shard_open_owned(struct sp_shard *shard, int fd,
    const struct sp_service *service, uint32_t watch,
    struct sp_poll_desc **out);

/*
 * sp_shard_close: close a descriptor's fd and retire it. Context: its owner,
 * in any worker. What is left in outq is freed with it (poll_cache.h).
 */
void sp_shard_close(struct sp_shard *shard, struct sp_poll_desc *pd);

/*
 * sp_shard_forsake: likewise, but leaves the fd open, for somebody else to
 * have; epoll watches it no more.
 */
void sp_shard_forsake(struct sp_shard *shard, struct sp_poll_desc *pd);

/* sp_shard_close_outgoing: likewise, of sp_shard_open_owned(). */
void sp_shard_close_outgoing(struct sp_shard *shard, struct sp_poll_desc *pd);

#endif /* SPATE_SHARDS_SHARD_H */
