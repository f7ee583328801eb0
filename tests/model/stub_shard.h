/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_SHARD_H
#define SPATE_SHARDS_SHARD_H

/*
 * shards/shard.h and what it brings, for a model: one shard with workers
 * whose loop is the engine's own. Left out are the kernel, timers, memory,
 * and RCU, which has a model of its own. The ready ring is one slot.
 */

#include "tests/model/stub_worker.h"

#include "shards/blocking.h"
#include "shards/idle.h"
#include "shards/recorder.h"
#include "shards/task.h"
#include "shards/token.h"
#include "shards/wake.h"

struct sp_msg {
	struct sp_link link;
	void (*fn)(struct sp_shard *, struct sp_worker *, struct sp_msg *);
};

struct sp_netpoll {
	model_sleep eventfd;
};

struct sp_ready_ring {
	SP_ATOMIC(struct sp_task *) slot;
};

static inline bool
sp_ready_ring_put(struct sp_ready_ring *ring, struct sp_task *list)
{
	if (sp_load(&ring->slot, relaxed) != NULL)
		return false;
	sp_store(&ring->slot, list, release);
	return true;
}

#define sp_ready_ring_depth(ring) (sp_load(&(ring)->slot, relaxed) != NULL)
#define sp_ready_ring_take(ring)                                               \
	sp_xchg(&(ring)->slot, (struct sp_task *)NULL, acquire)

struct sp_engine {
	struct {
		uint32_t max_connections, workers;
	} options;
	SP_ATOMIC(int64_t) connections;
	SP_ATOMIC(uint32_t) sysmon_asleep, sysmon_stop;
	bool sysmon_runs = false;
	uint32_t shard_count = 0;
	struct sp_shard **shards = nullptr;
	struct sp_blocking blocking;
};

struct sp_shard {
	struct sp_engine *engine;
	struct sp_token token;
	struct sp_wake wake;
	SP_ATOMIC(uint64_t) last_poll;
	SP_ATOMIC(uint32_t) stopping;
	SP_ATOMIC(uint32_t) stuck;
	struct sp_mpsc_stack inbox, runq, heavy;
	uint64_t pollers = UINT64_MAX;
	SP_ATOMIC(uint64_t) breaks_sent;
	SP_ATOMIC(uint64_t) breaks_coalesced;
	struct sp_ready_ring ring;
	struct sp_idle idle;
	SP_ATOMIC(uint32_t) worker_count;
	SP_ATOMIC(int32_t) load, outgoing;
	struct sp_netpoll np;
	struct sp_task_list overflow;
	struct {
		sp_tick now;
	} wheel;
	SP_ATOMIC(struct sp_worker *) workers[2];
};

#define SP_LIST_MAX 16
#define SP_WORKERS_MAX 2

static int stub_episodes; /* of a poll that may sleep */

void sp_shard_break(struct sp_shard *shard);
void sp_shard_send_break(struct sp_shard *shard);
void sp_shard_unattended(struct sp_shard *shard);
bool sp_shard_enter(struct sp_shard *shard);
bool sp_engine_reserve(struct sp_engine *engine);
void sp_engine_unreserve(struct sp_engine *engine);
bool sp_shard_enter_reserved(struct sp_shard *shard);
void sp_shard_leave(struct sp_shard *shard);
void sp_shard_stop(struct sp_shard *shard);
bool sp_shard_ended(struct sp_shard *shard);
void sp_shard_messages(struct sp_shard *shard, struct sp_worker *worker);
void sp_worker_wake(struct sp_worker *worker);
void sp_worker_park(
    struct sp_worker *worker, struct sp_idle *set, uint32_t word);
struct sp_fiber *sp_worker_next_fiber(struct sp_worker *worker);
void sp_worker_resume(struct sp_worker *worker, struct sp_fiber *fiber);
struct sp_worker *sp_worker_self(void);
unsigned sp_netpoll(struct sp_shard *shard, struct sp_worker *worker,
    int64_t delay, struct sp_task_list *ready);
struct sp_task *
sp_shard_poll(struct sp_shard *shard, struct sp_worker *worker, bool may_block);
unsigned sp_netpoll_wait(struct sp_netpoll *np, int64_t delay);
void sp_netpoll_break(struct sp_netpoll *np);
void sp_futex_wait(SP_ATOMIC(uint32_t) * word, uint32_t value);
void sp_futex_wake(SP_ATOMIC(uint32_t) * word);

/* What a worker does besides. */
#define sp_rcu_quiescent() ((void)0)
#define sp_worker_sleeps(worker) ((void)0)
#define sp_worker_awakes(worker) 0
#define count_wake(shard, worker, delay, events, cycles) SP_RECORD_BY_NOTHING
#define sp_record(...) ((void)0)
#define sp_worker_runs(worker, now, handle) ((void)(now))
#define sp_worker_ran(worker, now, kind) ((void)(now))
#define dispatch(shard, worker, events, ready) ((void)(events))
#define sp_list_length(worker) 1
#define sp_worker_timers(worker) ((void)0)
#define sp_worker_next_timer(worker) INT64_C(-1)
#define sp_futex_wait_for(word, value, ns) ((void)(ns))
#define sp_rcu_offline() ((void)0)
#define sp_rcu_online() ((void)0)
#define sp_now_ns() 0
#define sp_tick_of(ns) 0
#define sp_cycles() 0
#define sp_cycles_per_us() 0
#define measure(worker, cycles, tasks) ((void)(cycles))
#define loop_ends(shard) ((void)(shard))
#define loop_begins(shard, ready) ((void)(ready))
#define sp_worker_trim(worker) ((void)0)
#define sp_worker_look_at_clock(worker) ((void)0)
#define until_next_timer(shard, worker) (stub_episodes++, -1)
#define run_timers(shard, worker, ready) ((void)0)
#define sp_poll_cache_reclaim(cache, forget, shard) ((void)0)
#define sp_sysmon_nudge(engine) ((void)0)
#define sp_surplus_elsewhere(worker) false
#define sp_wake_helper(worker, depth) ((void)0)
#define SP_RESUME_BUDGET 64
#define sp_cycles_to_ns(cycles) ((void)(cycles), 0)
#define SP_SLICE_US 0
#define SPATE_FIBERS 1

#endif /* SPATE_SHARDS_SHARD_H */
