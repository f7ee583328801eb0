/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_ENGINE_H
#define SPATE_SHARDS_ENGINE_H

/*
 * Engine: the shards of one server, and the thread that watches them.
 *
 *     new --> listen --> start --> ... --> drain --> stop --> free
 *
 *     state      new connections   idle ones   under way   workers
 *     --------   ---------------   ---------   ---------   ----------
 *     starting   wait              -           -           wait
 *     started    accepted          kept        run         run
 *     draining   refused           closed      finish      run
 *     stopped    -                 -           cancelled   have ended
 *
 * Nobody polls before all threads are there. A start that fails half-way has
 * let in no client: one would be waited for, and might wait himself for a
 * thread that is not to be had.
 *
 *   edge   release side                    acquire side
 *   ----   -----------------------------   ------------------------------
 *   GATE   who starts or stops the         a worker, before its loop: what
 *          engine                          is then constant, or the stop
 *
 * Several engines may live in one process, one after the other or at the
 * same time.
 */

#include "shards/accept.h"
#include "shards/blocking.h"
#include "shards/offload.h"
#include "shards/peers.h"
#include "shards/shard.h"
#include "shards/topology.h"

#include <pthread.h>

struct sp_engine;
enum sp_placement {
	SP_PLACE_NEAR, /* where their packets arrive; placement.c */
	SP_PLACE_HASH, /* wherever the kernel's hash has put them */
};

struct sp_engine_options {
	uint32_t shards;          /* 0: one for each CPU we may use */
	uint32_t workers;         /* of each shard, at least 1 */
	uint32_t spares;          /* more, made when a shard is stuck */
	uint32_t max_connections; /* in all; at least 1 */
	uint32_t max_per_peer;    /* of one address; 0: no limit */
	uint32_t sweep_ms;        /* how soon a lowered deadline is seen */
	uint32_t stack_size;      /* of a fiber; 0: the default */
	uint32_t buffer_size;     /* of an I/O buffer */
	uint32_t max_fibers;      /* of one worker */
	uint32_t wake_us;         /* a backlog shorter than this wakes nobody */
	uint32_t ring_size;       /* of the ready ring; a power of two */
	uint32_t min_write_rate;  /* bytes in a second; see conn_io.h */
	bool heavy;               /* one worker more for sp_shard_heavy() */
	uint32_t slice_us;        /* slice.h, of workers that poll */
	uint32_t stall_ms;        /* a handler that takes longer is told of */
	uint32_t max_tasks;       /* of sp_spawn(), at a time */
	uint32_t offload_threads; /* at most; 0: none */
	uint32_t offload_queue;   /* jobs that wait for one */
	uint32_t blocking_threads; /* at most, of all shards; 0: none */
	uint32_t blocking_queue;   /* connections that wait for one */
	uint32_t record_events;   /* of each worker, to be kept; recorder.h */
	enum sp_placement placement; /* of connections */

	/*
	 * Called in each worker's thread as it begins and ends. If it cannot
	 * begin, -errno, there is no end, and sp_engine_start() fails.
	 */
	int (*worker_begin)(struct sp_worker *worker);
	void (*worker_end)(struct sp_worker *worker);

	/* Called by the watcher, once for each stall; or NULL. */
	void (*stalled)(struct sp_engine *engine, struct sp_worker *worker,
	    const char *handler);
};

struct sp_engine {
	struct sp_engine_options options; /* constant */
	struct sp_topology topology;      /* constant */
	uint32_t shard_count;             /* constant */
	struct sp_shard **shards;         /* constant */
	uint64_t wake_cycles;             /* constant */
	uint64_t started_ns;              /* constant */
	uint64_t started_cycles;          /* constant; the same moment */
	struct sp_peers *peers;           /* constant; NULL: no limit */
	void *context;                    /* of the framework */

	struct sp_listener *listeners; /* until start */
	SP_ATOMIC(uint32_t) gate;      /* 1: workers may begin */
	SP_ATOMIC(int) reserve_fd; /* given up when descriptors run out */

	/* Read at each request; apart from what each connection writes. */
	SP_ALIGN_APART SP_ATOMIC(uint32_t) draining;
	SP_ATOMIC(uint32_t) cancelling;

	SP_ALIGN_APART SP_ATOMIC(int64_t) connections;

	/* The watcher. */
	pthread_t sysmon;
	bool sysmon_runs;
	SP_ALIGN_APART SP_ATOMIC(uint32_t) sysmon_asleep;
	SP_ATOMIC(uint32_t) sysmon_stop;
	SP_ATOMIC(uint64_t) stalls;

	/* spawn.h. */
	SP_ALIGN_APART SP_ATOMIC(uint32_t) tasks;
	SP_ATOMIC(uint32_t) tasks_awaited; /* those not in the background */
	SP_ATOMIC(uint64_t) tasks_spawned;
	SP_ATOMIC(uint64_t) tasks_refused;

	struct sp_offload offload;
	struct sp_blocking blocking;
};

struct sp_engine_options sp_engine_options_default(void);

/*
 * sp_engine_new: shards that do not run yet.
 *
 * => Returns 0 and *out, the caller's; -EINVAL, -ENOMEM, -EMFILE.
 */
int sp_engine_new(
    struct sp_engine **out, const struct sp_engine_options *options);
void sp_engine_free(struct sp_engine *engine);

/*
 * sp_engine_start: the threads. Returns 0; or -errno, and then none runs and
 * no connection was accepted.
 */
int sp_engine_start(struct sp_engine *engine);

/*
 * sp_engine_drain: accept no more, close what is idle, let the rest finish.
 * Returns at once; a second time does nothing. Any thread.
 */
void sp_engine_drain(struct sp_engine *engine);

/*
 * sp_engine_cancel: close every descriptor. What waits is woken with
 * -ECANCELED. Returns at once; a second time does nothing. Any thread.
 */
void sp_engine_cancel(struct sp_engine *engine);

/*
 * sp_engine_stop: end the workers once each has nothing left, and join them.
 * After a drain or a cancel, else it may take as long as clients stay; new
 * ones are refused either way.
 */
void sp_engine_stop(struct sp_engine *engine);

/*
 * sp_engine_find: resolve a handle, between sp_rcu_enter() and _exit().
 *
 * => Returns NULL: stale, or never was one; counted.
 */
struct sp_poll_desc *sp_engine_find(
    struct sp_engine *engine, sp_handle handle, struct sp_shard **shard);

/* The watcher's thread; sysmon.c. */
int sp_sysmon_start(struct sp_engine *engine);
void sp_sysmon_stop(struct sp_engine *engine);

/*
 * sp_sysmon_nudge: a poller found work; let the watcher watch. One load
 * when it is awake.
 */
void sp_sysmon_wake(struct sp_engine *engine);
static inline void
sp_sysmon_nudge(struct sp_engine *engine)
{
	if (sp_unlikely(sp_load(&engine->sysmon_asleep, relaxed)))
		sp_sysmon_wake(engine);
}

#endif /* SPATE_SHARDS_ENGINE_H */
