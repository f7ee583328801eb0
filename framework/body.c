/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The body of a request: what came with the head, then what the socket
 * gives. A body of known size goes from the socket to the handler's memory;
 * a chunked one through the buffer, since the next request may follow it.
 */

#include "framework/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

/* A body that the handler does not want is read in pieces of this size. */
#define SKIP_PIECE 4096

/* A chunked body grows its memory by doubling, from here on. */
#define COLLECT_FIRST 4096

void
sp_req_body_begin(struct spate_req *req)
{
	uint16_t flags = req->head.flags;

	req->want_continue = false;
	req->body = SP_BODY_NONE;
	if (sp_likely(!(flags & (SP_HTTP_CHUNKED | SP_HTTP_HAS_LENGTH))))
		return;
	req->patience = (struct sp_patience){ 0, 0 };
	req->late = false;
	if (flags & SP_HTTP_CHUNKED) {
		req->body = SP_BODY_CHUNKED;
		sp_http_chunked_init(&req->chunked, UINT64_MAX);
	} else if (req->head.content_length != 0) {
		req->body = SP_BODY_FIXED;
		req->body_left = req->head.content_length;
	}
	/* Not if the client did not wait for it. */
	req->want_continue = (flags & SP_HTTP_EXPECT_CONTINUE) != 0
	    && req->body != SP_BODY_NONE && req->start == req->end;
}

static int
say_continue(struct spate_req *req)
{
	if (!req->want_continue)
		return 0;
	req->want_continue = false;
	if (req->answer != SP_ANSWER_NONE)
		return 0;
	if (req->out == NULL)
		req->out = sp_req_buffer(req->worker);
	if (req->out == NULL)
		return -ENOMEM;
	if (req->out_size + sizeof(CONTINUE) > req->capacity
	    && sp_req_flush(req) != 0)
		return req->error;
	memcpy(req->out + req->out_size, CONTINUE, sizeof(CONTINUE) - 1);
	req->out_size += sizeof(CONTINUE) - 1;
	sp_count(&req->worker->counters.responses_1xx, 1);
	return sp_req_flush(req);
}

int
sp_req_body_ask(struct spate_req *req)
{
	return say_continue(req);
}

bool
sp_req_body_at_hand(struct spate_req *req)
{
	struct sp_http_chunked ahead;
	size_t used = 0, n = 0;
	const char *data;

	if (req->body == SP_BODY_NONE || req->body == SP_BODY_BROKEN)
		return true;
	if (req->body == SP_BODY_FIXED || req->start == req->end)
		return req->start != req->end;
	/* What is left may be no more than the end of a chunk. */
	ahead = req->chunked;
	if (sp_http_chunked_feed(&ahead, req->in + req->start,
		req->end - req->start, &used, &data, &n)
	    != SP_HTTP_CHUNKED_MORE)
		return true;
	req->chunked = ahead;
	req->start += (uint32_t)used;
	return false;
}

sp_tick
sp_req_body_until(const struct spate_req *req)
{
	const struct spate_options *options = &req->server->options;
	uint32_t ms = options->body_timeout_ms;

	if (options->min_body_rate != 0)
		ms = sp_patience_left(&req->patience, options->body_grace_ms,
		    options->min_body_rate, ms);
	else if (ms == 0)
		return SP_DEADLINE_NONE;
	return sp_tick_in(ms);
}

void
sp_req_body_waited(struct spate_req *req, uint64_t ns, bool late)
{
	/* There may be something without a new edge: ask the socket. */
	req->drained = false;
	req->patience.waited_ns += ns;
	req->late = late;
}

/*
 * What has come. Nothing, if the last read has emptied the socket: see
 * read_some() in http_conn.c. A thousand clients that send a byte now and then
 * cost a system call for each byte then, and not two.
 */
static ssize_t
receive_now(struct spate_req *req, void *buf, size_t size)
{
	if (req->drained)
		return -EAGAIN;
	return sp_conn_try_recv(req->worker, req->pd, buf, size);
}

/* Waits no longer than the rate allows; which limit it was, *rate tells. */
static ssize_t
wait_by_rate(struct spate_req *req, void *buf, size_t size, bool *rate)
{
	const struct spate_options *options = &req->server->options;
	uint32_t most = options->body_timeout_ms;
	uint32_t ms = sp_patience_left(&req->patience, options->body_grace_ms,
	    options->min_body_rate, most);
	uint64_t start = sp_now_ns();
	ssize_t n;

	*rate = ms < most || most == 0;
	if (ms == 0 || req->late)
		return -ETIMEDOUT;
	n = sp_conn_recv_next(req->worker, req->pd, buf, size, ms);
	req->patience.waited_ns += sp_now_ns() - start;
	return n;
}

/*
 * What is to be sent leaves before the wait, as it may be what the client
 * waits for: its own time begins then, and there is nothing to wait for if it
 * takes nothing.
 */
static ssize_t
receive_later(struct spate_req *req, void *buf, size_t size, bool *rate)
{
	const struct spate_options *options = &req->server->options;
	int error = sp_req_flush(req);

	if (error != 0)
		return error;
	if (options->min_body_rate != 0)
		return wait_by_rate(req, buf, size, rate);
	if (req->late)
		return -ETIMEDOUT;
	return sp_conn_recv_next(
	    req->worker, req->pd, buf, size, options->body_timeout_ms);
}

/* From the socket; an end in the middle of a body is an error. */
static ssize_t
receive(struct spate_req *req, void *buf, size_t size)
{
	struct sp_counters *counters = &req->worker->counters;
	ssize_t n = receive_now(req, buf, size);
	bool rate = false;

	if (n == -EAGAIN)
		n = receive_later(req, buf, size, &rate);
	req->drained = n > 0 && (size_t)n < size
	    && !(sp_load(&req->pd->info, relaxed) & SP_POLL_HANGUP);
	if (n > 0) {
		req->patience.bytes += (uint64_t)n;
		return n;
	}
	if (n == -ETIMEDOUT && req->error == 0)
		sp_count(rate ? &counters->timeouts_rate
			      : &counters->timeouts_body,
		    1);
	else
		req->gone = true;
	req->body = SP_BODY_BROKEN;
	req->close = true;
	return n == 0 ? -ECONNRESET : n;
}

static ssize_t
read_fixed(struct spate_req *req, void *buf, size_t size)
{
	size_t have = req->end - req->start;
	ssize_t n;

	if (size > req->body_left)
		size = (size_t)req->body_left;
	if (have != 0) {
		n = (ssize_t)(have < size ? have : size);
		memcpy(buf, req->in + req->start, (size_t)n);
		req->start += (uint32_t)n;
	} else {
		n = receive(req, buf, size);
		if (n < 0)
			return n;
	}
	req->body_left -= (uint64_t)n;
	if (req->body_left == 0)
		req->body = SP_BODY_NONE;
	return n;
}

/* More of a chunked body into the buffer, behind the head. */
static int
refill(struct spate_req *req)
{
	uint32_t behind = (uint32_t)(req->base - req->in) + req->head.size;
	ssize_t n;

	if (req->start == req->end)
		req->start = req->end = behind;
	n = receive(req, req->in + req->end, req->capacity - req->end);
	if (n < 0)
		return (int)n;
	req->end += (uint32_t)n;
	return 0;
}

static int
too_large(struct spate_req *req)
{
	sp_count(&req->worker->counters.limited_body, 1);
	return -E2BIG;
}

static ssize_t
read_chunked(struct spate_req *req, void *buf, size_t size)
{
	for (;;) {
		size_t have = req->end - req->start, used = 0, n = 0;
		const char *data = NULL;
		int event, error;

		/* No more than fits: a span is then at most that long. */
		event = sp_http_chunked_feed(&req->chunked,
		    req->in + req->start, have < size ? have : size, &used,
		    &data, &n);
		req->start += (uint32_t)used;
		switch (event) {
		case SP_HTTP_CHUNKED_DATA:
			memcpy(buf, data, n);
			return (ssize_t)n;
		case SP_HTTP_CHUNKED_TRAILER:
			error = sp_trailer_add(req, data, n);
			if (error != 0)
				return error;
			break;
		case SP_HTTP_CHUNKED_DONE:
			sp_trailer_end(req);
			req->body = SP_BODY_NONE;
			return 0;
		case SP_HTTP_CHUNKED_MORE:
			if (req->start != req->end)
				break;
			error = refill(req);
			if (error != 0)
				return error;
			break;
		default:
			sp_count(&req->worker->counters.parse_errors, 1);
			req->body = SP_BODY_BROKEN;
			req->close = true;
			return event == -413 ? too_large(req) : -EBADMSG;
		}
	}
}

ssize_t
spate_body_read(struct spate_req *req, void *buf, size_t size)
{
	int error;

	if (req->body == SP_BODY_NONE)
		return 0;
	if (req->body == SP_BODY_BROKEN)
		return -EBADMSG;
	if (size == 0)
		return -EINVAL;
	if (sp_req_promised(req))
		return -EBUSY;
	error = say_continue(req);
	if (error != 0)
		return error;
	if (req->body == SP_BODY_FIXED)
		return read_fixed(req, buf, size);
	return read_chunked(req, buf, size);
}

int64_t
spate_body_size(const struct spate_req *req)
{
	if (req->head.flags & SP_HTTP_CHUNKED)
		return -1;
	return (int64_t)req->head.content_length;
}

/* As realloc(), for memory that lasts as long as the request. */
static char *
grow_collected(struct spate_req *req, size_t capacity)
{
	char *memory = realloc(req->collected, capacity);

	if (memory != NULL)
		req->collected = memory;
	return memory;
}

static int
collect_fixed(struct spate_req *req, struct spate_str *body)
{
	size_t size = (size_t)req->body_left, at = 0;
	char *memory;

	if (req->end - req->start >= size) {
		body->data = req->in + req->start;
		body->size = size;
		req->start += (uint32_t)size;
		req->body = SP_BODY_NONE;
		return 0;
	}
	memory = grow_collected(req, size);
	if (memory == NULL)
		return -ENOMEM;
	while (at < size) {
		ssize_t n = spate_body_read(req, memory + at, size - at);

		if (n <= 0)
			return n < 0 ? (int)n : -ECONNRESET;
		at += (size_t)n;
	}
	*body = (struct spate_str){ memory, size };
	return 0;
}

static int
collect_chunked(struct spate_req *req, struct spate_str *body)
{
	uint64_t max = req->server->options.max_body;
	size_t capacity = COLLECT_FIRST, size = 0;

	/* A chunk that is too large is refused when its size is read. */
	if (sp_http_chunked_limit(&req->chunked, max) != 0)
		return too_large(req);
	for (;;) {
		char *memory = grow_collected(req, capacity);
		ssize_t n;

		if (memory == NULL)
			return -ENOMEM;
		n = spate_body_read(req, memory + size, capacity - size);
		if (n < 0)
			return (int)n;
		if (n == 0) {
			*body = (struct spate_str){ memory, size };
			return 0;
		}
		size += (size_t)n;
		if (size > max)
			return too_large(req);
		if (size == capacity)
			capacity *= 2;
	}
}

int
spate_body(struct spate_req *req, struct spate_str *body)
{
	switch (req->body) {
	case SP_BODY_NONE:
		*body = (struct spate_str){ "", 0 };
		return 0;
	case SP_BODY_FIXED:
		if (req->body_left > req->server->options.max_body)
			return too_large(req);
		return collect_fixed(req, body);
	case SP_BODY_CHUNKED:
		return collect_chunked(req, body);
	default:
		return -EBADMSG;
	}
}

bool
sp_req_body_skip(struct spate_req *req)
{
	const uint32_t max = req->server->options.max_unread;
	char piece[SKIP_PIECE];
	size_t skipped = 0;

	if (sp_likely(req->body == SP_BODY_NONE))
		return true;
	/* Never told to go on: what follows may be the body or may not. */
	if (req->want_continue || req->close)
		return false;
	while (skipped <= max
	    && (req->body != SP_BODY_FIXED || req->body_left <= max)) {
		ssize_t n = spate_body_read(req, piece, sizeof(piece));

		if (n <= 0)
			return n == 0;
		skipped += (size_t)n;
		if (req->body == SP_BODY_NONE)
			return true;
	}
	sp_count(&req->worker->counters.limited_unread, 1);
	return false;
}
