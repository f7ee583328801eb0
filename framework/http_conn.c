/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * An HTTP connection: one turn, from the edge that says there is something
 * to read to the next wait.
 *
 *            edge              head complete
 *     idle ------> reading ------------------> handling
 *      ^            |  ^                          |
 *      |    nothing |  | more requests            | answered
 *      |    more    |  `--------------------------+
 *      |            v                             v
 *      +------- flush, park                   close, or linger:
 *      |            |                         read on until the client has
 *      |            | part of a head          seen the answer
 *      `---- partial: kept in a block of its own size
 *
 * While idle a connection is its descriptor and nothing else. Both buffers
 * and the request belong to the turn; only what is left of a head that has
 * not come in full is kept.
 */

#include "framework/dispatch.h"
#include "framework/http_partial.h"
#include "shards/handed.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* One connection's share of a turn, besides max_pipelined. */
#define TURN_BYTES (256 * 1024)

/* A chunked body needs some room behind its head. */
#define BODY_ROOM 2048

#define MEMORY_FIRST 8192

enum outcome {
	TURN_PARK,  /* nothing more to read */
	TURN_YIELD, /* there is, but others wait */
	TURN_HEAVY, /* there is a request for the heavy worker */
	TURN_BLOCK, /* or for one that may block */
	TURN_CLOSE,
	TURN_LINGER, /* close, once the client has read its answer */
	TURN_MOVE,   /* as TURN_PARK, but there is a better shard for it */
};

/* ------------------------------------------------------------- requests */

/* Move the request to the front, if a chunked body had no room behind it. */
static void
make_room(struct spate_req *req)
{
	uint32_t offset = (uint32_t)(req->base - req->in);

	if (req->body != SP_BODY_CHUNKED || offset == 0
	    || req->capacity - req->end >= BODY_ROOM)
		return;
	memmove(req->in, req->base, req->end - offset);
	req->base = req->in;
	req->start -= offset;
	req->end -= offset;
}

static_assert(offsetof(struct sp_http_head, method) == 0
		  && offsetof(struct sp_http_head, minor) == 1
		  && offsetof(struct sp_http_head, flags) == 2,
    "one word");

static inline bool
is_plain(const struct spate_req *req)
{
	uint32_t word;

	memcpy(&word, &req->head, sizeof(word));
	return (word & SP_REQ_PLAIN_MASK) == req->plain;
}

static inline void
begin_request(struct spate_req *req, uint32_t head_size)
{
	req->base = req->in + req->start;
	req->start += head_size;
	req->extra_size = 0;
	req->extra_capacity = 0;
	req->more = NULL;
	sp_count(&req->worker->counters.requests, 1);
}

/*
 * Answer a plain request.
 *
 * => Returns false: with it is not yet all done, see end_request().
 */
static inline bool
answer_plain(struct spate_req *req)
{
	const char *path = req->base + req->head.path;
	const struct sp_route *route = sp_router_find_short(
	    req->router, SP_HTTP_GET, path, req->head.path_size);
	struct sp_worker *worker = req->worker;
	struct sp_route_target *target;
	int result;

	req->state = SP_REQ_FRESH;
	if (sp_unlikely(route == NULL)) {
		sp_req_dispatch(req);
		return false;
	}
	req->match.route = route;
	req->match.path = path;
	target = route->target;
	sp_times_route(&req->times, target->number);
	sp_store(&worker->handler, route->pattern, relaxed);
	result = target->handler(req, target->arg);
	sp_store(&worker->handler, NULL, relaxed);
	if (sp_unlikely(req->state != SP_REQ_DONE)) {
		sp_req_settle(req, result);
		return false;
	}
	return req->error == 0 && sp_bump_untouched(&req->memory);
}

static void
answer_other(struct spate_req *req)
{
	req->state = 0;
	req->usual = req->head.minor == 1 && req->head.method != SP_HTTP_HEAD
		     && (req->head.flags & SP_HTTP_KEEP_ALIVE)
		     && !sp_load(&req->worker->engine->draining, relaxed);
	if (req->server->ageing)
		req->close = sp_req_ages(req);
	sp_req_body_begin(req);
	make_room(req);
	sp_req_dispatch(req);
}

static void
free_request(struct spate_req *req)
{
	sp_bump_reset(&req->memory);
	free(req->collected);
	req->collected = NULL;
}

/*
 * Whether the client may be sending when the connection ends: it has sent
 * more already, or it had asked to keep the connection and does not know.
 */
static bool
may_go_on(const struct spate_req *req)
{
	return req->start < req->end
	       || (req->head.flags & SP_HTTP_KEEP_ALIVE) != 0;
}

/*
 * => Returns TURN_PARK: the next one, please.
 */
static __attribute__((noinline)) enum outcome
end_request(struct spate_req *req)
{
	bool skipped;

	if (req->error != 0 || req->gone) {
		if (req->answer == SP_ANSWER_NONE)
			sp_times_answer(&req->times, req->head.method,
			    SP_CODE_ABORTED);
		free_request(req);
		if (req->handed != SP_HANDED_NOT)
			return req->handed == SP_HANDED_HEAVY ? TURN_HEAVY
							      : TURN_BLOCK;
		sp_count(&req->worker->counters.aborted, 1);
		/* It may have ended only one direction, and read the other. */
		return req->error == 0 ? TURN_LINGER : TURN_CLOSE;
	}
	sp_times_done(&req->times);
	skipped = req->body == SP_BODY_NONE || sp_req_body_skip(req);
	free_request(req);
	if (!skipped)
		return TURN_LINGER;
	if (req->close || !(req->head.flags & SP_HTTP_KEEP_ALIVE))
		return may_go_on(req) ? TURN_LINGER : TURN_CLOSE;
	return TURN_PARK;
}

/*
 * Answer what is complete in the buffer.
 *
 * => Returns TURN_PARK when it has come to an end of that.
 */
static inline __attribute__((always_inline)) enum outcome
consume_here(struct spate_req *req, unsigned *requests)
{
	struct sp_http_worker *http = req->worker->context;

	while (req->start < req->end) {
		int n = sp_http_head_parse(&req->head, req->in + req->start,
		    req->end - req->start, &req->server->limits, &http->repeat);
		enum outcome outcome;

		if (sp_unlikely(n <= 0)) {
			if (n == 0)
				return TURN_PARK;
			sp_req_refuse(req, -n);
			return TURN_LINGER;
		}
		if (sp_unlikely(
			++*requests > req->server->options.max_pipelined)) {
			sp_count(&req->worker->counters.limited_pipeline, 1);
			return TURN_YIELD;
		}
		begin_request(req, (uint32_t)n);
		if (sp_unlikely(!is_plain(req)))
			answer_other(req);
		else if (sp_likely(answer_plain(req))) {
			sp_times_done(&req->times);
			continue;
		}
		outcome = end_request(req);
		if (sp_unlikely(outcome != TURN_PARK))
			return outcome;
	}
	return TURN_PARK;
}

static __attribute__((noinline)) enum outcome
consume(struct spate_req *req, unsigned *requests)
{
	return consume_here(req, requests);
}

/* ---------------------------------------------------------------- turns */

/* Bytes that are left over go to the front. */
static inline void
compact(struct spate_req *req)
{
	if (sp_unlikely(req->start != req->end)) {
		memmove(req->in, req->in + req->start, req->end - req->start);
		req->end -= req->start;
	} else {
		req->end = 0;
	}
	req->start = 0;
}

/* A head that comes in many pieces is not parsed from its start for each. */
static inline bool
worth_parsing(struct spate_req *req)
{
	return !req->resuming
	       || sp_http_head_worth_parsing(
		   &req->progress, req->in, req->end, &req->server->limits);
}

/*
 * One read. A short one has emptied the socket, and the next byte makes an
 * edge. But an end that came with the data has made its edge already: then
 * read until the end is seen.
 */
static inline ssize_t
read_some(struct spate_req *req)
{
	uint32_t room = req->capacity - req->end;
	ssize_t n = sp_conn_try_recv(
	    req->worker, req->pd, req->in + req->end, room);

	if (sp_unlikely(n <= 0))
		return n;
	req->end += (uint32_t)n;
	req->drained = (uint32_t)n < room
		       && !(sp_load(&req->pd->info, relaxed) & SP_POLL_HANGUP);
	return n;
}

/* Read and answer until there is no more, or enough. */
static __attribute__((noinline)) enum outcome
serve(struct spate_req *req, unsigned requests, uint64_t bytes)
{
	while (!req->drained) {
		enum outcome outcome;
		ssize_t n;

		if (bytes > TURN_BYTES)
			return TURN_YIELD;
		n = read_some(req);
		if (n == -EAGAIN)
			return TURN_PARK;
		if (n <= 0)
			return TURN_CLOSE;
		bytes += (uint64_t)n;
		if (!worth_parsing(req))
			continue;
		outcome = consume(req, &requests);
		if (outcome != TURN_PARK)
			return outcome;
		req->resuming &= requests == 0;
		compact(req);
	}
	return TURN_PARK;
}

static inline void
release_buffers(struct spate_req *req)
{
	struct sp_worker *worker = req->worker;
	struct sp_http_worker *http = worker->context;

	if (sp_likely(http->in == NULL))
		http->in = req->in;
	else
		sp_bufcache_put(&worker->buffers, req->in);
	if (sp_likely(http->out == NULL))
		http->out = req->out;
	else
		sp_bufcache_put(&worker->buffers, req->out);
	if (sp_unlikely(!sp_bump_unused(&req->memory)))
		sp_bump_fini(&req->memory);
	if (SPATE_FIBERS) {
		worker->current->before_wait = NULL;
		worker->current->pd = NULL;
	}
}

/*
 * News other than an edge: a close, a drain, or a deadline.
 *
 * => Returns TURN_PARK if there is none.
 */
static enum outcome
look_at_news(struct spate_req *req, bool idle)
{
	int error = sp_netpoll_check_err(req->pd, SP_POLL_READ);

	if (error == -ETIMEDOUT && !idle) {
		sp_count(&req->worker->counters.timeouts_header, 1);
		req->head.error = "the head took too long";
		sp_req_refuse(req, 408);
		return sp_req_flush(req) == 0 ? TURN_LINGER : TURN_CLOSE;
	}
	if (error == -ETIMEDOUT)
		sp_count(&req->worker->counters.timeouts_idle, 1);
	if (error != 0)
		return TURN_CLOSE;
	sp_poll_take_drain(req->pd);
	req->plain = SP_REQ_PLAIN_NEVER;
	/* What has come before the stop was seen is answered, as the last. */
	if (!idle || !sp_load(&req->worker->engine->draining, relaxed)
	    || !sp_conn_is_silent(req->pd))
		return TURN_PARK;
	/* Idle here, but its client may not have the last answer yet. */
	return sp_conn_has_unsent(req->pd) ? TURN_LINGER : TURN_CLOSE;
}

/* Whether look_at_news() is worth a call, or the end of a turn is to be. */
static inline bool
has_news(struct spate_req *req)
{
	uint32_t info = sp_poll_info(req->pd);

	return (sp_unlikely(info != 0)
		   && (info != SP_POLL_AWAY
		       || sp_accept_may_move(req->worker, req->pd)))
	       || sp_load(&req->pd->deadline[SP_POLL_READ], seq_cst)
		      == SP_DEADLINE_EXPIRED
	       || sp_load(&req->worker->engine->draining, relaxed);
}

/*
 * Who waits for long should not sit on a buffer that is empty. And nothing is
 * usual after a wait: a drain may have begun, or what was sent have failed.
 */
static void
flush_before_wait(void *arg)
{
	struct spate_req *req = arg;
	bool flushing = req->flushing;

	sp_req_flush(req);
	sp_times_wait(&req->times, !flushing);
	req->usual = false;
	if (req->out != NULL && req->out_size == 0 && !req->flushing) {
		sp_req_buffer_put(req->worker, req->out);
		req->out = NULL;
	}
}

struct spate_req *
sp_req_current(const struct sp_worker *worker)
{
	const struct sp_fiber *fiber = worker->current;

	return fiber->before_wait == flush_before_wait ? fiber->before_wait_arg
						       : NULL;
}

static inline bool
borrow_buffers(struct spate_req *req)
{
	struct sp_worker *worker = req->worker;
	struct sp_http_worker *http = worker->context;
	struct sp_fiber *fiber = worker->current;

	req->in = http->in;
	req->out = http->out; /* or NULL, until there is an answer */
	http->in = NULL;
	http->out = NULL;
	if (sp_unlikely(req->in == NULL)) {
		req->in = sp_bufcache_get(&worker->buffers);
		if (req->in == NULL) {
			http->out = req->out;
			return false;
		}
	}
	req->start = req->end = 0;
	req->out_size = 0;
	req->error = 0;
	req->drained = false;
	req->flushing = false;
	req->stall.began = false;
	req->collected = NULL;
	sp_bump_init_later(
	    &req->memory, MEMORY_FIRST, req->server->options.max_memory);
	if (SPATE_FIBERS) {
		fiber->before_wait = flush_before_wait;
		fiber->before_wait_arg = req;
		fiber->pd = req->pd;
	}
	return true;
}

static inline void
await_next(struct spate_req *req)
{
	uint32_t ms = req->server->options.idle_timeout_ms;

	sp_poll_set_deadline(req->pd, SP_POLL_READ,
	    ms == 0 ? SP_DEADLINE_NONE
		    : sp_tick_deadline(req->worker->now, ms));
}

/* The end of a turn: what is left, leaves, or is kept. */
static __attribute__((noinline)) enum outcome
end_turn(struct spate_req *req, enum outcome outcome, sp_tick until)
{
	if (sp_req_flush(req) != 0)
		return TURN_CLOSE;
	if (outcome == TURN_YIELD && !sp_partial_yield(req))
		return TURN_CLOSE;
	if ((outcome == TURN_HEAVY || outcome == TURN_BLOCK)
	    && !sp_partial_hand_over(req))
		return TURN_CLOSE;
	if (outcome != TURN_PARK)
		return outcome;
	if (req->start < req->end)
		return sp_partial_keep(req, until) ? TURN_PARK : TURN_CLOSE;
	await_next(req);
	return sp_poll_info(req->pd) == SP_POLL_AWAY
		       && sp_accept_may_move(req->worker, req->pd)
		       && sp_stack_empty(&req->pd->outq)
		   ? TURN_MOVE
		   : TURN_PARK;
}

/* A turn of a connection with part of a head, or with news. */
static __attribute__((noinline)) enum outcome
turn_with_news(struct spate_req *req)
{
	sp_tick until = sp_partial_load(req);
	bool idle = !req->resuming;
	enum outcome outcome = look_at_news(req, idle);
	unsigned requests = 0;

	if (outcome != TURN_PARK)
		return outcome;
	if (!idle && req->progress.tried == 0) {
		outcome = consume(req, &requests);
		if (outcome != TURN_PARK)
			return end_turn(req, outcome, until);
		compact(req);
	}
	return end_turn(req, serve(req, requests, 0), until);
}

/*
 * One turn on the buffers.
 *
 * => Returns what to do with the connection, which has been flushed.
 */
static inline enum outcome
turn(struct spate_req *req)
{
	enum outcome outcome;
	unsigned requests = 0;
	ssize_t n;

	if (sp_unlikely(req->pd->proto != NULL || has_news(req)))
		return turn_with_news(req);
	req->resuming = false;
	n = sp_conn_try_recv(req->worker, req->pd, req->in, req->capacity);
	if (sp_unlikely(n <= 0)) {
		if (n != -EAGAIN)
			return TURN_CLOSE;
		await_next(req);
		return TURN_PARK;
	}
	req->end = (uint32_t)n;
	/* A hang-up since has_news() has an edge of its own. */
	req->drained = (uint32_t)n < req->capacity;
	outcome = consume_here(req, &requests);
	if (sp_likely(outcome == TURN_PARK && req->start == req->end
		      && req->drained)) {
		if (sp_req_flush(req) != 0)
			return TURN_CLOSE;
		await_next(req);
		return TURN_PARK;
	}
	if (outcome == TURN_PARK) {
		compact(req);
		outcome = serve(req, requests, (uint64_t)n);
	}
	return end_turn(req, outcome, SP_DEADLINE_NONE);
}

/* What comes after what was handed over may be light: back to the others. */
static bool
goes_back(const struct sp_worker *worker, enum outcome *outcome)
{
	if (sp_likely(sp_worker_polls(worker)))
		return false;
	*outcome = TURN_YIELD;
	return true;
}

void
sp_http_run(struct sp_worker *worker, struct sp_task *task)
{
	struct sp_poll_desc *pd = sp_container_of(
	    task, struct sp_poll_desc, task);
	struct sp_partial *partial = pd->proto;
	const struct sp_http_worker *http = worker->context;
	const struct sp_http_service *service;
	uint64_t ready = pd->ready;
	uint64_t begun = sp_load(&worker->recorder.began, relaxed);
	struct spate_req req;
	enum outcome outcome;

	if (sp_unlikely(partial != NULL && partial->lingering)) {
		sp_linger(worker, pd);
		return;
	}
	req.worker = worker;
	req.pd = pd;
	service = sp_container_of(
	    task->service, struct sp_http_service, service);
	req.server = service->server;
	req.router = service->router;
	req.plain = service->server->plain;
	req.capacity = worker->engine->options.buffer_size;
	sp_worker_date(worker);
	for (;;) {
		if (!borrow_buffers(&req)) {
			sp_http_close(worker, pd);
			return;
		}
		sp_times_turn(&req.times, http->times,
		    &worker->current->waited, ready, begun);
		outcome = turn(&req);
		sp_times_turn_end(&req.times);
		release_buffers(&req);
		if (outcome != TURN_PARK || sp_likely(sp_poll_park(pd))
		    || goes_back(worker, &outcome))
			break;
		ready = begun = sp_cycles();
	}
	if (sp_likely(outcome == TURN_PARK)
	    || (outcome == TURN_BLOCK && sp_blocking_hand(worker->engine, pd)))
		return;
	if (outcome == TURN_MOVE) {
		if (sp_accept_move(worker, pd))
			return;
		sp_accept_stay(pd);
		outcome = TURN_YIELD;
	}
	if (outcome == TURN_YIELD || outcome == TURN_BLOCK)
		sp_shard_run(sp_conn_shard(worker, pd), pd);
	else if (outcome == TURN_HEAVY)
		sp_shard_heavy(sp_conn_shard(worker, pd), pd);
	else if (outcome == TURN_CLOSE)
		sp_http_close(worker, pd);
	else if (sp_linger_begin(worker, pd))
		sp_linger(worker, pd);
}
