/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_VIEW_H
#define SPATE_FRAMEWORK_VIEW_H

/*
 * View: what the workers of a shard, or all of them, have counted, added up
 * for whoever tells it to others. Nobody is stopped for that, so while
 * requests run each number is from a slightly different moment; afterwards
 * they agree. Any thread may look, while the server exists.
 *
 * Times are in cycles, as they were recorded.
 */

#include "alloc/arena.h"
#include "framework/server.h"
#include "framework/times.h"

/* The same fields as struct sp_counters, as plain numbers. */
struct sp_sums {
#define X(name) uint64_t name;
	SP_COUNTERS(X)
#undef X
};

struct sp_shard_view {
	struct sp_sums counters;
	uint64_t busy;
	uint64_t phase[SP_PHASES]; /* added up over requests */
	struct sp_histogram_sum latency;
	struct sp_histogram_sum phases[SP_PHASES];
};

struct sp_answers {
	uint64_t by[SP_HTTP_METHODS][SP_CODES];
};

/* "queue" and so on. */
extern const char *const sp_phase_names[SP_PHASES];

/*
 * sp_view_workers: how many places a shard's workers have.
 * sp_view_worker: the one at a place, or NULL, as it may not be filled yet.
 */
uint32_t sp_view_workers(struct sp_shard *shard);
struct sp_worker *sp_view_worker(struct sp_shard *shard, uint32_t i);

/* sp_view_shard: all of a shard's workers. */
void sp_view_shard(struct sp_shard_view *view, struct sp_shard *shard);

/* sp_view_counter: one of their counters, by its offset in sp_counters. */
uint64_t sp_view_counter(struct sp_shard *shard, size_t offset);

/* sp_view_busy: how long they did not sleep, added up. */
uint64_t sp_view_busy(struct sp_shard *shard);

/* sp_view_phase: one phase of their requests. Returns its sum. */
uint64_t sp_view_phase(
    struct sp_histogram_sum *sum, struct sp_shard *shard, enum sp_phase phase);

/* sp_view_loop: from one look at epoll to the next. Returns its sum. */
uint64_t sp_view_loop(struct sp_histogram_sum *sum, struct sp_shard *shard);

/*
 * sp_view_route: a route in all shards, by way of the caller's memory, which is
 * too much for a fiber's stack. Returns that, or a constant sum of nothing.
 * sp_view_route_phases: only those.
 */
const struct sp_route_sum *sp_view_route(
    struct sp_route_sum *sum, struct sp_engine *engine, uint32_t number);

void sp_view_route_phases(
    uint64_t phase[SP_PHASES], struct sp_engine *engine, uint32_t number);

/* sp_view_answers: a route in one shard. Returns how many there were. */
uint64_t sp_view_answers(
    struct sp_answers *answers, struct sp_shard *shard, uint32_t number);

uint64_t sp_view_connections(struct sp_shard *shard);

/*
 * sp_view_is_due: whether the caller is to look anew at what was last looked
 * at then: no more often than that, and only one of those who come at a time.
 */
bool sp_view_is_due(SP_ATOMIC(uint64_t) * seen_ns, uint64_t fresh_ns);

/* sp_view_fibers: of its workers, now. */
struct sp_fibers_view {
	uint64_t waiting; /* handlers and tasks that wait */
	uint64_t stacks;  /* of all fibers, spare ones and pollers' included */
	uint64_t kept;    /* stacks of none, that have their memory */
};
struct sp_fibers_view sp_view_fibers(struct sp_shard *shard);

/*
 * sp_view_memory: where it is. What the arenas say is as of the last refresh,
 * which does nothing if there was one a tenth of a second ago.
 * sp_view_memory_sum: bytes allocated in its arena, and its descriptors.
 */
struct sp_memory_view {
	struct sp_arena_stats arena; /* of the process, without jemalloc */
	uint64_t descriptors; /* SP_SLAB_OBJECT_SIZE each, used or kept */
};

struct sp_memory_view sp_view_memory(struct sp_shard *shard);
uint64_t sp_view_memory_sum(const struct sp_memory_view *view);
void sp_view_refresh_memory(struct spate_server *server);

/* sp_view_pattern: what a number counts, as it is told to others. */
const char *sp_view_pattern(const struct spate_server *server, uint32_t number);

/*
 * sp_view_alive: somebody looks after the shard: its poller sleeps, or has
 * polled a short while ago.
 */
bool sp_view_alive(struct sp_shard *shard);

#endif /* SPATE_FRAMEWORK_VIEW_H */
