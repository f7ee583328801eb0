/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Answers: their heads, their framing, and the buffer they leave by.
 */

#include "framework/crash.h"
#include "framework/http_date.h"
#include "framework/http_status.h"
#include "framework/log.h"
#include "framework/put.h"
#include "framework/names.h"
#include "framework/request.h"
#include "framework/server_timing.h"
#include "framework/text.h"
#include "framework/upstream_pool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The most that a head has besides the type and the handler's fields. */
#define HEAD_MAX 320
#define UNKNOWN_LINE_MAX 32
#define TEXT_MAX 512
#define SMALL_BODY 4096
#define USUAL_MAX 256 /* of a head that spate_respond() makes */

int
sp_http_worker_begin(struct sp_worker *worker)
{
	struct sp_http_worker *http = calloc(1, sizeof(*http));
	struct spate_server *server = worker->engine->context;

	if (http == NULL)
		return -ENOMEM;
	memcpy(
	    http->head, OK_LINE SERVER_FIELD, sizeof(OK_LINE SERVER_FIELD) - 1);
	memcpy(http->head + OK_SIZE + COMMON_SIZE, TYPE_FIELD,
	    sizeof(TYPE_FIELD) - 1);
	if (server->options.upstream_idle_max != 0) {
		http->pool = sp_upstream_pool_new(
		    server->options.upstream_idle_max);
		if (http->pool == NULL) {
			free(http);
			return -ENOMEM;
		}
	}
	if (sp_times_worker_new(server, worker) != 0
	    || sp_crash_stack(&http->crash, server) != 0) {
		free(http->pool);
		free(http);
		return -ENOMEM;
	}
	http->times = sp_times_of(worker);
	http->log = sp_log_ring_new(
	    server->log, &worker->counters.log_dropped);
	worker->context = http;
	sp_worker_date_update(worker);
	return 0;
}

void
sp_http_worker_end(struct sp_worker *worker)
{
	struct sp_http_worker *http = worker->context;

	sp_bufcache_put(&worker->buffers, http->in);
	sp_bufcache_put(&worker->buffers, http->out);
	sp_names_free(http->names);
	sp_crash_stack_end(http->crash);
	free(http->pool);
	free(http);
	worker->context = NULL;
}

struct sp_upstream_pool *
sp_http_worker_pool(struct sp_worker *worker)
{
	struct sp_http_worker *http = worker->context;

	return http->pool;
}

struct sp_log_ring *
sp_http_worker_log(struct sp_worker *worker)
{
	struct sp_http_worker *http = worker->context;

	return http != NULL ? http->log : NULL;
}

void
sp_worker_date_update(struct sp_worker *worker)
{
	struct sp_http_worker *http = worker->context;
	struct timespec now;
	char *at = http->head + sizeof(OK_LINE SERVER_FIELD) - 1;

	clock_gettime(CLOCK_REALTIME, &now);
	sp_http_date_format(at, now.tv_sec);
	memcpy(at + SP_HTTP_DATE, "\r\n", 2);
	worker->date_until = worker->now + 1000
			     - (uint32_t)(now.tv_nsec / SP_NS_PER_MS);
	if (!sp_tick_after(worker->date_until, worker->now))
		worker->date_until = worker->now + 1;
}

char *
sp_req_buffer(struct sp_worker *worker)
{
	struct sp_http_worker *http = worker->context;
	char *buffer = http->out;

	if (buffer == NULL)
		return sp_bufcache_get(&worker->buffers);
	http->out = NULL;
	return buffer;
}

void
sp_req_buffer_put(struct sp_worker *worker, char *buffer)
{
	struct sp_http_worker *http = worker->context;

	if (http->out == NULL)
		http->out = buffer;
	else
		sp_bufcache_put(&worker->buffers, buffer);
}

/* ---------------------------------------------------------------- output */

int
sp_req_flush_slowly(struct spate_req *req, ssize_t sent)
{
	int error;

	req->flushing = true;
	error = sp_conn_send_rest(req->worker, req->pd, req->out, req->out_size,
	    sent, req->server->options.write_timeout_ms, &req->stall);
	req->flushing = false;
	req->out_size = 0;
	if (error == -ETIMEDOUT)
		sp_conn_give_up(req->worker, req->pd);
	return req->error = error;
}

/* out and then data, past the buffer. */
static int
flush_with(struct spate_req *req, const void *data, size_t size)
{
	struct iovec piece[2] = {
		{ .iov_base = req->out, .iov_len = req->out_size },
		{ .iov_base = (void *)(uintptr_t)data, .iov_len = size },
	};
	int error;

	if (req->error != 0)
		return req->error;
	req->flushing = true;
	error = sp_conn_send2(req->worker, req->pd, piece,
	    req->server->options.write_timeout_ms, &req->stall);
	req->flushing = false;
	req->out_size = 0;
	if (error == -ETIMEDOUT)
		sp_conn_give_up(req->worker, req->pd);
	return req->error = error;
}

static char *
room_slowly(struct spate_req *req, size_t size)
{
	if (req->out == NULL) {
		req->out = sp_req_buffer(req->worker);
		if (req->out == NULL) {
			req->error = -ENOMEM;
			return NULL;
		}
	}
	if (req->out_size + size > req->capacity) {
		if (size > req->capacity || sp_req_flush(req) != 0)
			return NULL;
		/* A wait in between may have given the buffer back. */
		return room_slowly(req, size);
	}
	return req->out + req->out_size;
}

/* Room for size bytes, at once or after sending what is there; or NULL. */
static inline char *
room(struct spate_req *req, size_t size)
{
	if (sp_unlikely(
		req->out == NULL || req->out_size + size > req->capacity))
		return room_slowly(req, size);
	return req->out + req->out_size;
}

static inline char *
put(char *at, const void *data, size_t size)
{
	memcpy(at, data, size);
	return at + size;
}

#define PUT(at, text) put(at, text, sizeof(text) - 1)

/* ----------------------------------------------------------------- heads */

static char *
put_status(struct spate_req *req, char *at, int status)
{
	struct sp_http_worker *http = req->worker->context;
	const char *line;
	size_t size;

	if (sp_likely(status == 200))
		return put(at, http->head, OK_SIZE + COMMON_SIZE);
	line = sp_http_status_line(status, &size);
	if (line != NULL)
		at = put(at, line, size);
	else
		at += snprintf(
		    at, UNKNOWN_LINE_MAX, "HTTP/1.1 %03d \r\n", status);
	return put(at, http->head + OK_SIZE, COMMON_SIZE);
}

static void
count_status(struct sp_worker *worker, int status)
{
	SP_ATOMIC(uint64_t) * counter[] = {
		&worker->counters.responses_1xx,
		&worker->counters.responses_2xx,
		&worker->counters.responses_3xx,
		&worker->counters.responses_4xx,
		&worker->counters.responses_5xx,
	};

	sp_count(counter[status / 100 - 1], 1);
}

static inline bool
is_timed(const struct spate_req *req)
{
	return req->more != NULL && req->more->timed;
}

/* What a head takes at most. */
static inline size_t
head_room(const struct spate_req *req, size_t type_size)
{
	return HEAD_MAX + type_size + req->extra_size
	       + (is_timed(req) ? SP_SERVER_TIMING_MAX : 0);
}

/*
 * put_head: everything up to the blank line.
 *
 * => Returns where the body goes, or NULL: req->error.
 */
static char *
put_head(struct spate_req *req, int status, const char *type, size_t type_size,
    struct sp_http_framing framing, uint64_t size, size_t body)
{
	bool timed = is_timed(req);
	char *at = room(req, head_room(req, type_size) + body);

	if (at == NULL)
		return NULL;
	at = put_status(req, at, status);
	if (type_size != 0) {
		at = PUT(at, "Content-Type: ");
		at = put(at, type, type_size);
		at = PUT(at, "\r\n");
	}
	if (framing.send_content_length) {
		at = PUT(at, "Content-Length: ");
		at += sp_format_u64(at, framing.length_is_zero ? 0 : size);
		at = PUT(at, "\r\n");
	} else if (framing.send_chunked) {
		at = PUT(at, "Transfer-Encoding: chunked\r\n");
	}
	if (sp_unlikely(framing.close)) {
		at = PUT(at, "Connection: close\r\n");
		req->close = true;
	} else if (sp_unlikely(req->head.minor == 0)) {
		at = PUT(at, "Connection: keep-alive\r\n");
	}
	if (req->extra_size != 0)
		at = put(at, req->extra, req->extra_size);
	if (sp_unlikely(timed))
		at = sp_server_timing_field(req, at);
	at = PUT(at, "\r\n");
	req->status = (uint16_t)status;
	req->body_bytes = framing.send_body && size != UINT64_MAX ? size : 0;
	count_status(req->worker, status);
	sp_times_answer(
	    &req->times, req->head.method, (unsigned)status / 100);
	return at;
}

static bool
may_keep(struct spate_req *req)
{
	if (req->close || !(req->head.flags & SP_HTTP_KEEP_ALIVE))
		return false;
	/* A client that was never told to go on may send the body or not. */
	if (req->want_continue)
		return false;
	return !sp_load(&req->worker->engine->draining, relaxed);
}

static struct sp_http_framing
framing_of(struct spate_req *req, int status, enum sp_http_body body)
{
	return sp_http_framing((enum sp_http_method)req->head.method, status,
	    req->head.minor, body, may_keep(req));
}

static int
check_answer(struct spate_req *req, int status, const char *type)
{
	/* Who answers by itself takes its promise back. */
	if (req->answer == SP_ANSWER_PROMISED)
		sp_defer_end(req);
	if (req->answer != SP_ANSWER_NONE)
		return -EALREADY;
	if (status < 200 || status > 599)
		return -EINVAL;
	if (type != NULL && !sp_field_value_ok(type, strlen(type)))
		return -EINVAL;
	return req->error;
}

static __attribute__((noinline)) int
respond_any(struct spate_req *req, int status, const char *type,
    const void *body, size_t size)
{
	struct sp_http_framing framing;
	size_t type_size;
	bool fits;
	int error;
	char *at;

	error = check_answer(req, status, type);
	if (error != 0)
		return error;
	type_size = type != NULL ? strlen(type) : 0;
	framing = framing_of(req, status, SP_HTTP_BODY_FIXED);
	fits = size <= req->capacity / 2
	       && head_room(req, type_size) + size <= req->capacity;
	at = put_head(req, status, type, type_size, framing, size,
	    fits && framing.send_body ? size : 0);
	if (at == NULL)
		return req->error != 0 ? req->error : -EMSGSIZE;
	req->answer = SP_ANSWER_DONE;
	if (framing.send_body && fits && size != 0)
		at = put(at, body, size);
	req->out_size = (uint32_t)(at - req->out);
	if (framing.send_body && !fits)
		return flush_with(req, body, size);
	return 0;
}

/* The end of an answer whose body goes where the calls of others go. */
static __attribute__((noinline)) int
put_body(char *at, const void *body, size_t size)
{
	memcpy(at, body, size);
	return 0;
}

/*
 * The usual answer is 200, with a short type and a small body, and there is
 * room for it: all that respond_any() would decide is decided already. An
 * error of sending would have ended the turn or come with a wait, after which
 * nothing is usual.
 */
int
spate_respond(struct spate_req *req, int status, const char *type,
    const void *body, size_t size)
{
	struct sp_worker *worker = req->worker;
	const struct sp_http_worker *http = worker->context;
	char *at;

	if (sp_unlikely(status != 200 || req->state != SP_REQ_FRESH
			|| type == NULL || req->out == NULL
			|| size > SMALL_BODY
			|| req->out_size + USUAL_MAX + size > req->capacity))
		return respond_any(req, status, type, body, size);
	at = req->out + req->out_size;
	memcpy(at, http->head, USUAL_ROOM);
	at = sp_put_value(at + USUAL_SIZE, type);
	if (sp_unlikely(at == NULL))
		return respond_any(req, 200, type, body, size);
	at = PUT(at, "\r\nContent-Length: ");
	at += sp_format_u64(at, size);
	at = PUT(at, "\r\n\r\n");
	req->out_size = (uint32_t)(at + size - req->out);
	req->state = SP_REQ_DONE;
	sp_count(&worker->counters.responses_2xx, 1);
	sp_times_answer(&req->times, req->head.method, 2);
	if (sp_unlikely(size > SP_PUT_SHORT))
		return put_body(at, body, size);
	sp_put_short(at, body, size);
	return 0;
}

int
spate_text(struct spate_req *req, int status, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;
	char *longer;
	int size;

	va_start(args, format);
	size = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (size < 0)
		return -EINVAL;
	if ((size_t)size < sizeof(text))
		return spate_respond(req, status, "text/plain; charset=utf-8",
		    text, (size_t)size);
	va_start(args, format);
	longer = sp_bump_vprintf(&req->memory, format, args);
	va_end(args);
	if (longer == NULL)
		return -ENOMEM;
	return spate_respond(
	    req, status, "text/plain; charset=utf-8", longer, (size_t)size);
}

/* ------------------------------------------------------------ in pieces */

int
spate_begin(struct spate_req *req, int status, const char *type, int64_t size)
{
	size_t type_size = type != NULL ? strlen(type) : 0;
	struct sp_http_framing framing;
	int error = check_answer(req, status, type);
	char *at;

	if (error != 0)
		return error;
	framing = framing_of(
	    req, status, size < 0 ? SP_HTTP_BODY_STREAMED : SP_HTTP_BODY_FIXED);
	at = put_head(req, status, type, type_size, framing,
	    size < 0 ? UINT64_MAX : (uint64_t)size, 0);
	if (at == NULL)
		return req->error != 0 ? req->error : -EMSGSIZE;
	req->out_size = (uint32_t)(at - req->out);
	req->answer = SP_ANSWER_BEGUN;
	req->out_chunked = framing.send_chunked;
	req->out_body = framing.send_body;
	req->out_left = size < 0 ? UINT64_MAX : (uint64_t)size;
	return 0;
}

/* A chunk's size line. Returns its size. */
static size_t
chunk_line(char line[SP_HEX_DIGITS + 2], size_t size)
{
	size_t n = sp_format_hex(line, size);

	memcpy(line + n, "\r\n", 2);
	return n + 2;
}

static int
write_large(struct spate_req *req, const void *data, size_t size)
{
	char line[SP_HEX_DIGITS + 2];
	int error;
	char *at;

	if (req->out_chunked) {
		size_t n = chunk_line(line, size);

		at = room(req, n);
		if (at == NULL)
			return req->error;
		req->out_size += (uint32_t)(put(at, line, n) - at);
	}
	error = flush_with(req, data, size);
	if (error != 0 || !req->out_chunked)
		return error;
	at = room(req, 2);
	if (at == NULL)
		return req->error;
	PUT(at, "\r\n");
	req->out_size += 2;
	return 0;
}

int
spate_write(struct spate_req *req, const void *data, size_t size)
{
	char line[SP_HEX_DIGITS + 2];
	char *at;

	if (req->answer != SP_ANSWER_BEGUN)
		return req->answer == SP_ANSWER_DONE ? -EALREADY : -EINVAL;
	if (req->error != 0)
		return req->error;
	if (size > req->out_left)
		return -EMSGSIZE;
	if (size == 0)
		return 0;
	if (req->out_left != UINT64_MAX)
		req->out_left -= size;
	if (!req->out_body)
		return 0;
	if (req->out_left == UINT64_MAX)
		req->body_bytes += size;
	if (size > req->capacity / 2)
		return write_large(req, data, size);
	at = room(req, size + sizeof(line) + 2);
	if (at == NULL)
		return req->error;
	if (req->out_chunked)
		at = put(at, line, chunk_line(line, size));
	at = put(at, data, size);
	if (req->out_chunked)
		at = PUT(at, "\r\n");
	req->out_size = (uint32_t)(at - req->out);
	return 0;
}

int
spate_flush(struct spate_req *req)
{
	return sp_req_flush(req);
}

/* A client that has left takes no more, and it is no fault of the handler. */
static void
tell_short(const struct spate_req *req)
{
	if (req->error != 0 || sp_poll_is_over(req->pd))
		return;
	sp_log(req->server, SPATE_LOG_WARNING, "an answer is %llu bytes short",
	    (unsigned long long)req->out_left);
}

void
sp_req_finish(struct spate_req *req, bool whole)
{
	char *at;

	if (req->answer != SP_ANSWER_BEGUN)
		return;
	req->answer = SP_ANSWER_DONE;
	if (req->out_left != UINT64_MAX) {
		/* Fewer bytes than announced: only the end of it says so. */
		if (req->out_left != 0 && req->out_body) {
			tell_short(req);
			req->close = true;
		}
		return;
	}
	if (!whole && req->out_body) {
		/* Without a last chunk the client knows that more was due. */
		req->close = true;
		return;
	}
	if (req->out_chunked && req->error == 0) {
		at = room(req, 5);
		if (at == NULL)
			return;
		PUT(at, "0\r\n\r\n");
		req->out_size += 5;
	}
}
