/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_TIMES_H
#define SPATE_FRAMEWORK_TIMES_H

/*
 * Times: where the time of each request went. docs/stats.md says what the
 * phases mean.
 *
 *     poll             turn                                    turn's end
 *      | ready          | begun                                 | now
 *      |---- queue -----|-- run --|- parked -|queue|--- run ----|
 *                                 left       ready
 *
 * Requests of one turn that go to the same route are a batch, with one pair
 * of stamps: their answers leave together. Another route, or a wait, begins
 * the next batch. So a turn costs two stamps, whatever its requests.
 *
 * A worker has a table by the number of a route, with an entry from the first
 * request on. It alone writes there; anybody reads, as counters are read:
 *
 *   edge    release side               acquire side
 *   -----   ------------------------   -----------------------------------
 *   TABLE   sp_times_worker_new()      who reads worker->insight
 *   ENTRY   add_entry()                entry_at()
 *
 * The tables are the server's, and are freed with it.
 */

#include "framework/histogram.h"
#include "framework/http_method.h"
#include "shards/worker.h"

#include <stdbool.h>

struct spate_server;

enum sp_phase {
	SP_PHASE_QUEUE,
	SP_PHASE_RUN,
	SP_PHASE_PARKED,
	SP_PHASE_BLOCKED,
	SP_PHASES
};

/* Answers by the first digit of their status. */
enum { SP_CODE_ABORTED = 0, SP_CODES = 8 };

/* Requests to one route, or to none, that one worker has run. */
struct sp_route_times {
	SP_ATOMIC(uint64_t) answers[SP_HTTP_METHODS][SP_CODES];
	SP_ATOMIC(uint64_t) phase[SP_PHASES]; /* cycles, added up */
	struct sp_histogram latency;
};

struct sp_worker_times {
	struct sp_link link; /* of server->times */
	uint32_t routes;     /* constant */
	uint32_t none;       /* constant; the entry for no route */
	struct sp_histogram phase[SP_PHASES];
	SP_ATOMIC(struct sp_route_times *) route[]; /* NULL: none so far */
};

/* The same, added up. */
struct sp_route_sum {
	uint64_t answers[SP_HTTP_METHODS][SP_CODES];
	uint64_t phase[SP_PHASES];
	struct sp_histogram_sum latency;
};

/* Of a turn, in its request. */
struct sp_turn_times {
	struct sp_worker_times *worker; /* NULL: nothing is recorded */
	struct sp_waited *waited;       /* the fiber's */
	struct sp_route_times *route;   /* of the request; NULL: none yet */
	struct sp_route_times *batch;   /* which goes on; NULL: it does not */
	uint64_t count;                 /* answers in the batch */
	uint64_t ready, begun;          /* cycles */
};

/*
 * sp_times_worker_new: a worker's tables, if the server records times.
 * sp_times_free: of all workers.
 *
 * => Returns 0 or -ENOMEM.
 */
int sp_times_worker_new(struct spate_server *server, struct sp_worker *worker);
void sp_times_free(struct spate_server *server);

/*
 * sp_times_of: a worker's tables, for any thread.
 *
 * => Returns NULL: it has none, or not yet.
 */
struct sp_worker_times *sp_times_of(struct sp_worker *worker);

/*
 * sp_times_add: what a worker has of one route, into a sum that began as all
 * zero. sp_times_any: whether it has anything. Any thread.
 */
void sp_times_add(
    struct sp_route_sum *sum, struct sp_worker_times *worker, uint32_t number);
bool sp_times_any(struct sp_worker_times *worker, uint32_t number);

/*
 * sp_times_add_all: latency and phases of all its routes, into sums that
 * began as all zero.
 */
void sp_times_add_all(struct sp_histogram_sum *latency,
    uint64_t phase[SP_PHASES], struct sp_worker_times *worker);

/*
 * sp_times_answers, sp_times_phase: parts of the same. The first adds to its
 * argument, and returns how many answers that were; the second returns what
 * the route has of one phase.
 */
uint64_t sp_times_answers(uint64_t answers[SP_HTTP_METHODS][SP_CODES],
    struct sp_worker_times *worker, uint32_t number);
uint64_t sp_times_phase(
    struct sp_worker_times *worker, uint32_t number, enum sp_phase phase);

/* sp_times_turn: a turn has begun, of what is ready since then, in cycles. */
static inline void
sp_times_turn(struct sp_turn_times *times, struct sp_worker_times *worker,
    struct sp_waited *waited, uint64_t ready, uint64_t begun)
{
	times->worker = worker;
	times->route = times->batch = NULL;
	times->count = 0;
	if (worker == NULL)
		return;
	times->waited = waited;
	times->begun = begun;
	/* Other CPUs' counters may be a little ahead. */
	times->ready = ready < times->begun ? ready : times->begun;
	/* Of a stream, which does not ask. */
	if (sp_unlikely(sp_waited_any(waited)))
		*waited = (struct sp_waited){ 0 };
}

/* sp_times_route: the request goes to the route of this number. */
void sp_times_change(struct sp_turn_times *times, uint32_t number);
static inline void
sp_times_route(struct sp_turn_times *times, uint32_t number)
{
	struct sp_route_times *route;

	if (sp_unlikely(times->worker == NULL))
		return;
	route = sp_load(&times->worker->route[number], relaxed);
	if (sp_likely(times->route == NULL && route != NULL))
		times->route = times->batch = route;
	else if (sp_unlikely(route == NULL || route != times->batch))
		sp_times_change(times, number);
}

/*
 * sp_times_answer: the head of its answer is composed, with a status of that
 * first digit; or, with SP_CODE_ABORTED, there was none when the client left.
 */
static inline void
sp_times_answer(struct sp_turn_times *times, unsigned method, unsigned code)
{
	if (sp_likely(times->route != NULL))
		sp_count(&times->route->answers[method][code], 1);
}

/* sp_times_done: all of the answer is composed. */
static inline void
sp_times_done(struct sp_turn_times *times)
{
	times->count++;
}

/* sp_times_refuse: what comes is no request, and is counted with none. */
void sp_times_refuse(struct sp_turn_times *times);

/*
 * sp_times_wait: the handler is going to wait. What was answered before it
 * has been sent if sent is true, else it is just what waits to be.
 */
void sp_times_wait(struct sp_turn_times *times, bool sent);

/* sp_times_record: the batch has been sent. */
void sp_times_record(struct sp_turn_times *times);

/* What requests have waited for, in each of n. Few have. */
void sp_times_record_waits(struct sp_turn_times *times, uint64_t n);

/* Its inside, for a batch of n. */
static inline __attribute__((always_inline)) void
sp_times_record_n(struct sp_turn_times *times, uint64_t n)
{
	struct sp_waited *waited = times->waited;
	struct sp_route_times *route = times->route;
	struct sp_worker_times *worker = times->worker;
	uint64_t now = sp_cycles();
	uint64_t latency = now - times->ready;
	uint64_t queue = times->begun - times->ready;
	uint64_t run = now - times->begun;

	if (sp_unlikely(sp_waited_any(waited))) {
		queue += waited->queued;
		run -= waited->parked + waited->blocked + waited->queued;
		sp_times_record_waits(times, n);
		times->ready = now;
	}
	/* Each has its part of the work, and waits for that on the others. */
	if (n > 1) {
		queue += run - run / n;
		run /= n;
	}
	sp_histogram_record(&route->latency, latency, n);
	sp_histogram_record(&worker->phase[SP_PHASE_QUEUE], queue, n);
	sp_histogram_record(&worker->phase[SP_PHASE_RUN], run, n);
	sp_count(&route->phase[SP_PHASE_QUEUE], queue * n);
	sp_count(&route->phase[SP_PHASE_RUN], run * n);
	times->begun = now;
	times->count = 0;
}

/* sp_times_turn_end: likewise, if there is one. */
static inline void
sp_times_turn_end(struct sp_turn_times *times)
{
	if (times->worker == NULL)
		return;
	if (sp_likely(times->count == 1))
		sp_times_record_n(times, 1);
	else if (times->count != 0)
		sp_times_record(times);
}

#endif /* SPATE_FRAMEWORK_TIMES_H */
