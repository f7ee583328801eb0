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

#include "framework/request.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* One connection's share of a turn, before others have theirs. */
#define TURN_REQUESTS 32
#define TURN_BYTES (256 * 1024)

#define LINGER_MS 2000
#define LINGER_BYTES (256 * 1024)

/* A chunked body needs some room behind its head. */
#define BODY_ROOM 2048

#define MEMORY_FIRST 8192

/* What pd->proto points to, while there is something to remember. */
struct sp_partial {
	struct sp_http_progress progress;
	sp_tick until; /* the head's deadline */
	bool lingering;
	uint32_t size; /* of data; of what was thrown away, if lingering */
	char data[];
};

enum outcome {
	TURN_PARK,  /* nothing more to read */
	TURN_YIELD, /* there is, but others wait */
	TURN_CLOSE,
	TURN_LINGER, /* close, once the client has read its answer */
};

/* ------------------------------------------------------------- requests */

static void
call_handler(struct spate_req *req)
{
	struct sp_route_target *target = req->match.route->target;
	int result = target->handler(req, target->arg);

	if (sp_unlikely(req->answer != SP_ANSWER_DONE))
		sp_req_settle(req, result);
}

static void
answer_allow(struct spate_req *req, int status)
{
	char allow[SP_ROUTER_ALLOW];

	sp_router_allow(req->match.allow, allow, sizeof(allow));
	spate_add_header(req, "Allow", allow);
	if (status == 204)
		spate_respond(req, 204, NULL, NULL, 0);
	else
		spate_error(req, status, NULL);
}

/* What no route answers. */
static void
answer_unrouted(struct spate_req *req)
{
	if (req->routed == SP_ROUTE_METHOD_NOT_ALLOWED)
		answer_allow(req, 405);
	else if (req->routed == SP_ROUTE_OPTIONS_AUTO)
		answer_allow(req, 204);
	else
		spate_error(req, 404, NULL);
}

static void
dispatch(struct spate_req *req)
{
	size_t scratch_size = 0;
	enum sp_route_result routed;

	req->scratch = NULL;
	if (sp_unlikely(req->head.flags & SP_HTTP_ESCAPED)) {
		scratch_size = req->head.path_size;
		req->scratch = sp_bump_alloc(&req->memory, scratch_size);
		if (req->scratch == NULL)
			scratch_size = 0;
	}
	routed = sp_router_find(req->server->router,
	    (enum sp_http_method)req->head.method, req->base + req->head.path,
	    req->head.path_size, req->scratch, scratch_size, &req->match);
	if (sp_likely(routed == SP_ROUTE_FOUND)) {
		call_handler(req);
		return;
	}
	req->match.route = NULL;
	req->routed = (uint8_t)routed;
	sp_middleware_run(req, req->server->layers, answer_unrouted);
}

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

static void
begin_request(struct spate_req *req, uint32_t head_size)
{
	req->base = req->in + req->start;
	req->start += head_size;
	req->close = false;
	req->gone = false;
	req->answer = SP_ANSWER_NONE;
	req->extra_size = 0;
	req->extra_capacity = 0;
	req->more = NULL;
	req->usual = req->head.minor == 1 && req->head.method != SP_HTTP_HEAD
	    && (req->head.flags & SP_HTTP_KEEP_ALIVE);
	sp_count(&req->worker->counters.requests, 1);
	if (sp_unlikely(req->server->ageing))
		req->close = sp_req_ages(req);
	sp_req_body_begin(req);
	make_room(req);
}

static void
end_request(struct spate_req *req)
{
	sp_bump_reset(&req->memory);
	if (sp_unlikely(req->collected != NULL)) {
		free(req->collected);
		req->collected = NULL;
	}
}

/* A head that was refused. The answer has a head of its own to go by. */
static void
refuse(struct spate_req *req, int status)
{
	const char *reason = req->head.error;

	sp_count(&req->worker->counters.parse_errors, 1);
	sp_log(req->server, SPATE_LOG_DEBUG, "refused a request: %d, %s",
	    status, reason);
	req->answer = SP_ANSWER_NONE;
	req->extra_size = 0;
	req->want_continue = false;
	req->more = NULL;
	req->base = req->in;
	memset(&req->head, 0, offsetof(struct sp_http_head, error));
	req->head.method = SP_HTTP_GET;
	req->head.minor = 1;
	req->usual = false;
	sp_req_fail(req, status, reason);
}

/*
 * Answer what is complete in the buffer.
 *
 * => Returns TURN_PARK when it has come to an end of that.
 */
static enum outcome
consume(struct spate_req *req, unsigned *requests)
{
	while (req->start < req->end) {
		int n = sp_http_head_parse(&req->head, req->in + req->start,
		    req->end - req->start, &req->server->limits);

		if (n == 0)
			return TURN_PARK;
		if (sp_unlikely(n < 0)) {
			refuse(req, -n);
			return TURN_LINGER;
		}
		if (sp_unlikely(++*requests > TURN_REQUESTS))
			return TURN_YIELD;
		begin_request(req, (uint32_t)n);
		dispatch(req);
		if (sp_unlikely(req->error != 0 || req->gone)) {
			end_request(req);
			sp_count(&req->worker->counters.aborted, 1);
			return TURN_CLOSE;
		}
		if (sp_unlikely(req->body != SP_BODY_NONE)
		    && !sp_req_body_skip(req)) {
			end_request(req);
			return TURN_LINGER;
		}
		end_request(req);
		if (sp_unlikely(
			req->close || !(req->head.flags & SP_HTTP_KEEP_ALIVE)))
			return req->start < req->end ? TURN_LINGER : TURN_CLOSE;
	}
	return TURN_PARK;
}

/* ---------------------------------------------------------------- turns */

/* Bytes that are left over go to the front. */
static void
compact(struct spate_req *req)
{
	if (req->start == req->end) {
		req->start = req->end = 0;
		return;
	}
	if (req->start != 0) {
		memmove(req->in, req->in + req->start, req->end - req->start);
		req->end -= req->start;
		req->start = 0;
	}
}

/* A head that comes in many pieces is not parsed from its start for each. */
static bool
worth_parsing(struct spate_req *req)
{
	return !req->resuming
	    || sp_http_head_worth_parsing(&req->progress, req->in, req->end,
		&req->server->limits);
}

/* Read and answer until there is no more, or enough. */
static enum outcome
serve(struct spate_req *req, bool parse_first)
{
	unsigned requests = 0;
	uint64_t bytes = 0;
	enum outcome outcome;

	if (parse_first) {
		outcome = consume(req, &requests);
		if (outcome != TURN_PARK)
			return outcome;
		compact(req);
	}
	for (;;) {
		uint32_t room = req->capacity - req->end;
		ssize_t n = sp_conn_try_recv(
		    req->worker, req->pd, req->in + req->end, room);

		if (n == -EAGAIN)
			return TURN_PARK;
		if (n <= 0)
			return TURN_CLOSE;
		req->end += (uint32_t)n;
		bytes += (uint64_t)n;
		/*
		 * A short read has emptied the socket, and the next byte
		 * makes an edge. But an end that came with the data has
		 * made its edge already: then read until the end is seen.
		 */
		req->drained = (uint32_t)n < room
		    && !(sp_load(&req->pd->info, relaxed) & SP_POLL_HANGUP);
		if (sp_likely(worth_parsing(req))) {
			outcome = consume(req, &requests);
			if (outcome != TURN_PARK)
				return outcome;
			req->resuming &= requests == 0;
			compact(req);
		}
		if (req->drained)
			return TURN_PARK;
		if (bytes > TURN_BYTES)
			return TURN_YIELD;
	}
}

/*
 * Keep what has come of the next head.
 *
 * => Returns false: no memory.
 */
static bool
keep_partial(struct spate_req *req, sp_tick until)
{
	uint32_t size = req->end - req->start;
	uint32_t ms = req->server->options.header_timeout_ms;
	struct sp_partial *partial = malloc(sizeof(*partial) + size);

	if (partial == NULL)
		return false;
	memset(partial, 0, sizeof(*partial));
	if (req->resuming)
		partial->progress = req->progress;
	else
		partial->progress.seen = partial->progress.tried = size;
	partial->until = until != SP_DEADLINE_NONE ? until
	    : ms == 0 ? SP_DEADLINE_NONE
		      : sp_tick_deadline(req->worker->now, ms);
	partial->size = size;
	memcpy(partial->data, req->in + req->start, size);
	req->pd->proto = partial;
	sp_poll_set_deadline(req->pd, SP_POLL_READ, partial->until);
	return true;
}

/* The head's deadline, if part of one was kept; and that part. */
static sp_tick
load_partial(struct spate_req *req)
{
	struct sp_partial *partial = req->pd->proto;
	sp_tick until;

	req->resuming = partial != NULL;
	if (partial == NULL)
		return SP_DEADLINE_NONE;
	until = partial->until;
	req->progress = partial->progress;
	memcpy(req->in, partial->data, partial->size);
	req->end = partial->size;
	free(partial);
	req->pd->proto = NULL;
	return until;
}

static void
release_buffers(struct spate_req *req)
{
	sp_req_buffer_put(req->worker, req->in);
	sp_req_buffer_put(req->worker, req->out);
	if (sp_unlikely(!sp_bump_unused(&req->memory)))
		sp_bump_fini(&req->memory);
	req->worker->current->before_wait = NULL;
	req->worker->current->pd = NULL;
}

static void
end_connection(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	free(pd->proto);
	pd->proto = NULL;
	sp_count(&worker->counters.closed, 1);
	sp_shard_close(sp_conn_shard(worker, pd), pd);
}

/*
 * The answer is sent, but the client may still be sending: closing now would
 * reset the connection, and the reset could overtake the answer.
 *
 * => Returns false: closed.
 */
static bool
begin_linger(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	struct sp_partial *partial = calloc(1, sizeof(*partial));

	if (partial == NULL || shutdown(pd->fd, SHUT_WR) != 0) {
		free(partial);
		end_connection(worker, pd);
		return false;
	}
	partial->lingering = true;
	pd->proto = partial;
	sp_poll_set_deadline(
	    pd, SP_POLL_READ, sp_tick_deadline(worker->now, LINGER_MS));
	return true;
}

static void
linger(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	struct sp_partial *partial = pd->proto;
	char piece[4096];
	ssize_t n;

	sp_poll_take_drain(pd);
	do {
		n = sp_conn_try_recv(worker, pd, piece, sizeof(piece));
		if (n > 0)
			partial->size += (uint32_t)n;
		if ((n <= 0 && n != -EAGAIN) || partial->size > LINGER_BYTES
		    || sp_netpoll_check_err(pd, SP_POLL_READ) != 0) {
			end_connection(worker, pd);
			return;
		}
	} while (n != -EAGAIN || !sp_poll_park(pd));
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
		sp_count(&req->worker->counters.timeouts_head, 1);
		req->head.error = "the head took too long";
		refuse(req, 408);
		return sp_req_flush(req) == 0 ? TURN_LINGER : TURN_CLOSE;
	}
	if (error == -ETIMEDOUT)
		sp_count(&req->worker->counters.timeouts_idle, 1);
	if (error != 0)
		return TURN_CLOSE;
	sp_poll_take_drain(req->pd);
	if (idle && sp_load(&req->worker->engine->draining, relaxed))
		return TURN_CLOSE;
	return TURN_PARK;
}

static void
flush_before_wait(void *arg)
{
	sp_req_flush(arg);
}

static bool
borrow_buffers(struct spate_req *req)
{
	req->in = sp_req_buffer(req->worker);
	if (req->in == NULL)
		return false;
	req->out = NULL;
	req->start = req->end = 0;
	req->out_size = 0;
	req->error = 0;
	req->flushing = false;
	req->drained = false;
	req->collected = NULL;
	sp_bump_init(&req->memory, NULL, MEMORY_FIRST,
	    req->server->options.max_memory);
	req->worker->current->before_wait = flush_before_wait;
	req->worker->current->before_wait_arg = req;
	req->worker->current->pd = req->pd;
	return true;
}

/* Back to the ring's end, with what is left to be parsed. */
static bool
yield(struct spate_req *req, sp_tick until)
{
	struct sp_partial *partial;

	sp_count(&req->worker->counters.yields, 1);
	if (req->start < req->end) {
		if (!keep_partial(req, until))
			return false;
		partial = req->pd->proto;
		/* All of it may be there already: parse before reading. */
		partial->progress.seen = partial->progress.tried = 0;
	}
	return true;
}

/*
 * One turn on the buffers.
 *
 * => Returns what to do with the connection, which has been flushed.
 */
static enum outcome
turn(struct spate_req *req)
{
	sp_tick until = load_partial(req);
	uint32_t ms = req->server->options.idle_timeout_ms;
	bool idle = !req->resuming;
	enum outcome outcome = look_at_news(req, idle);

	if (sp_unlikely(outcome != TURN_PARK))
		return outcome;
	outcome = serve(req, !idle && req->progress.tried == 0);
	if (sp_req_flush(req) != 0)
		return TURN_CLOSE;
	if (outcome == TURN_YIELD && !yield(req, SP_DEADLINE_NONE))
		return TURN_CLOSE;
	if (outcome != TURN_PARK)
		return outcome;
	if (sp_unlikely(req->start < req->end))
		return keep_partial(req, until) ? TURN_PARK : TURN_CLOSE;
	sp_poll_set_deadline(req->pd, SP_POLL_READ,
	    ms == 0 ? SP_DEADLINE_NONE
		    : sp_tick_deadline(req->worker->now, ms));
	return TURN_PARK;
}

void
sp_http_run(struct sp_worker *worker, struct sp_task *task)
{
	struct sp_poll_desc *pd
	    = sp_container_of(task, struct sp_poll_desc, task);
	struct sp_partial *partial = pd->proto;
	struct spate_req req;
	enum outcome outcome;

	if (sp_unlikely(partial != NULL && partial->lingering)) {
		linger(worker, pd);
		return;
	}
	req.worker = worker;
	req.pd = pd;
	req.server = sp_container_of(
	    task->service, struct sp_http_service, service)
			 ->server;
	req.capacity = worker->engine->options.buffer_size;
	sp_worker_date(worker);
	do {
		if (!borrow_buffers(&req)) {
			end_connection(worker, pd);
			return;
		}
		outcome = turn(&req);
		release_buffers(&req);
	} while (outcome == TURN_PARK && sp_unlikely(!sp_poll_park(pd)));

	if (sp_likely(outcome == TURN_PARK))
		return;
	if (outcome == TURN_YIELD)
		sp_shard_run(sp_conn_shard(worker, pd), pd);
	else if (outcome == TURN_CLOSE)
		end_connection(worker, pd);
	else if (begin_linger(worker, pd))
		linger(worker, pd);
}
