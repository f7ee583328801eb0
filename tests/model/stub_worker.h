/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_WORKER_H
#define SPATE_SHARDS_WORKER_H
#define SPATE_SHARDS_FIBER_H

/*
 * shards/worker.h and fiber.h for a model: what the protocols touch of a
 * worker and a fiber, without threads, stacks and buffers. The model says
 * what suspending and making ready is.
 */

#include "shards/poll_desc.h"
#include "shards/task.h"

struct sp_worker;
struct sp_shard;
struct sp_engine;
struct sp_idle;

/* fiber_model.cpp looks at who touches it. */
#ifndef STUB_READY
#define STUB_READY uint64_t
#endif

struct sp_fiber {
	struct sp_link link;
	struct sp_worker *home;
	SP_ATOMIC(uint32_t) wakes;
	uint32_t credits = 0;
	STUB_READY ready;
	struct {
		uint64_t parked, blocked;
	} waited = {};
	void (*before_wait)(void *arg) = nullptr;
	void *before_wait_arg = nullptr;
};

int sp_fiber_reserve(struct sp_worker *worker);
void sp_fiber_suspend(struct sp_worker *worker);
void sp_fiber_ready(struct sp_fiber *fiber);
bool sp_netpoll_block(
    struct sp_worker *worker, struct sp_poll_desc *pd, enum sp_poll_mode mode);
int sp_poll_reset(struct sp_poll_desc *pd, enum sp_poll_mode mode);
int sp_poll_wait(
    struct sp_worker *worker, struct sp_poll_desc *pd, enum sp_poll_mode mode);
int sp_poll_wait_unless(struct sp_worker *worker, struct sp_poll_desc *pd,
    enum sp_poll_mode mode, uint32_t bits);

/* Counters that a model does not look at. */
struct sp_counters {
	int parks, wakeups, polls, polls_blocked, events, stale_events;
	int ready_lists, stolen, helped_polls, ring_full, ready_published;
	SP_ATOMIC(uint64_t) fiber_waits;
};

struct sp_worker {
	struct sp_shard *shard = nullptr;
	struct sp_engine *engine = nullptr;
	uint32_t number = 0;
	bool heavy = false, blocking = false;
	uint32_t place = 0;
	struct sp_idle *idle = nullptr;
	struct sp_fiber *current = nullptr;
	SP_ATOMIC(const char *) handler;
	sp_handle running = 0;
	SP_ATOMIC(uint32_t) waiting;
	struct sp_link *runnable = nullptr;
	struct sp_link **runnable_tail = &runnable;
	uint32_t resume_budget = 64;
	uint64_t resume_until = 0;
	struct sp_task_list handed;
	SP_ATOMIC(struct sp_task *) rest;
	SP_ATOMIC(uint64_t) begun;
	struct sp_mpsc_stack resumed;
	SP_ATOMIC(uint32_t) wake_word;
	struct sp_counters counters;
	struct {
		uint32_t armed;
	} timers = {};
	uint64_t now_ns;
	sp_tick now;
};

static inline bool
sp_worker_polls(const struct sp_worker *worker)
{
	return !worker->heavy && !worker->blocking;
}

/* A plain counter is no scheduling point. */
#undef sp_count
#define sp_count(p, n) stub_count(p, n)

static inline void
stub_count(int *counter, int n)
{
	*counter += n;
}

template <typename T>
static inline void
stub_count(rl::atomic<T> *counter, int n)
{
	sp_store(counter, sp_load(counter, relaxed) + n, relaxed);
}

#endif /* SPATE_SHARDS_WORKER_H */
