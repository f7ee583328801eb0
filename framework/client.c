/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Requests to other servers: from the connection to the head of the answer.
 */

#include "framework/client.h"

#include "framework/request.h"
#include "framework/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 30000

/* Answers of 1xx in front of the one that counts. */
#define INTERIM_MAX 16

struct spate_call
spate_call_default(const char *method, const char *url)
{
	return (struct spate_call){
		.size = sizeof(struct spate_call),
		.method = method,
		.url = url,
		.timeout_ms = TIMEOUT_MS,
	};
}

static void
disconnect(struct spate_upstream *up)
{
	if (up->pd != NULL)
		sp_outgoing_close(up->worker, up->pd);
	up->pd = NULL;
}

int
sp_upstream_fail(struct spate_upstream *up, int error)
{
	if (up->error == 0) {
		up->error = error;
		sp_count(&up->worker->counters.upstream_errors, 1);
	}
	disconnect(up);
	return up->error;
}

sp_tick
sp_upstream_until(const struct spate_upstream *up)
{
	sp_tick until;

	if (up->timeout_ms == 0)
		return up->deadline;
	until = sp_tick_in(up->timeout_ms);
	if (up->deadline != SP_DEADLINE_NONE
	    && sp_tick_after(until, up->deadline))
		return up->deadline;
	return until;
}

/* ------------------------------------------------------------- sending */

/* The first of the others is to be tried. */
static void
take_address(struct spate_upstream *up)
{
	struct sp_addresses *others = &up->others;

	up->address.storage = others->address[0];
	up->address.size = others->size[0];
	others->count--;
	memmove(others->address, others->address + 1,
	    others->count * sizeof(others->address[0]));
	memmove(others->size, others->size + 1,
	    others->count * sizeof(others->size[0]));
}

/*
 * The next address of the name, if this one cannot be had.
 *
 * => Returns false: that is no reason, or there is none left.
 */
static bool
take_next(struct spate_upstream *up, int error)
{
	if (up->others.count == 0
	    || (error != -ECONNREFUSED && error != -EHOSTUNREACH
		&& error != -ENETUNREACH && error != -EADDRNOTAVAIL
		&& error != -EAFNOSUPPORT && error != -EACCES))
		return false;
	take_address(up);
	return true;
}

static int
connect_anew(struct spate_upstream *up)
{
	int error;

	disconnect(up);
	up->reused = false;
	up->state = SP_UPSTREAM_CONNECTING;
	do {
		error = sp_outgoing_connect(up->worker, &up->address.storage,
		    up->address.size, &up->pd);
	} while (error != 0 && take_next(up, error));
	return error;
}

/* Of one that is connecting. */
static int
connected(struct spate_upstream *up)
{
	int error = sp_outgoing_connected(
	    up->worker, up->pd, sp_upstream_until(up));

	while (error != 0 && take_next(up, error)) {
		error = connect_anew(up);
		if (error == 0)
			error = sp_outgoing_connected(
			    up->worker, up->pd, sp_upstream_until(up));
	}
	return error;
}

/* A kept connection to any of its addresses. */
static bool
take_kept(struct spate_upstream *up)
{
	struct sp_upstream_pool *pool = sp_http_worker_pool(up->worker);
	struct sp_addresses *others = &up->others;

	if (pool == NULL)
		return false;
	up->pd = sp_upstream_pool_take(
	    pool, up->worker, &up->address.storage, up->address.size);
	for (unsigned i = 0; up->pd == NULL && i < others->count; i++) {
		up->pd = sp_upstream_pool_take(pool, up->worker,
		    &others->address[i], others->size[i]);
		if (up->pd != NULL) {
			up->address.storage = others->address[i];
			up->address.size = others->size[i];
		}
	}
	return up->pd != NULL;
}

static int
begin(struct spate_upstream *up)
{
	if (up->name[0] != '\0') {
		int error = sp_names_find(up->worker, up->name, up->port,
		    sp_upstream_until(up), &up->others);

		if (error != 0)
			return error;
		take_address(up);
	}
	if (!take_kept(up))
		return connect_anew(up);
	up->reused = true;
	up->state = SP_UPSTREAM_CONNECTED;
	sp_count(&up->worker->counters.upstream_reused, 1);
	return 0;
}

static int
send_all(struct spate_upstream *up, const char *data, size_t size)
{
	while (size != 0) {
		ssize_t n = sp_outgoing_send(
		    up->worker, up->pd, data, size, sp_upstream_until(up));

		if (n < 0)
			return (int)n;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/*
 * Whether to send it all again: a kept connection was closed by the other
 * side before anything of an answer came, and twice is as good as once.
 */
static bool
may_retry(const struct spate_upstream *up, int error)
{
	return up->reused && up->idempotent && !up->streamed
	       && sp_upstream_has_left(error);
}

static int
deliver(struct spate_upstream *up)
{
	int error = 0;

	if (up->state == SP_UPSTREAM_CONNECTING) {
		error = connected(up);
		if (error != 0)
			return error;
		up->state = SP_UPSTREAM_CONNECTED;
	}
	if (up->state == SP_UPSTREAM_CONNECTED) {
		error = send_all(up, up->buffer, up->request);
		if (error == 0)
			error = send_all(up, up->body, up->body_size);
		if (error == 0)
			up->state = SP_UPSTREAM_SENT;
	}
	return error;
}

/*
 * Deliver the request, on a new connection if need be. Who hangs up in the
 * middle of it may have answered before: that is for the reader to see.
 */
int
sp_upstream_deliver(struct spate_upstream *up)
{
	int error = deliver(up);

	if (error != 0 && may_retry(up, error)) {
		error = connect_anew(up);
		if (error == 0)
			error = deliver(up);
	}
	if (sp_upstream_has_left(error) && up->state == SP_UPSTREAM_CONNECTED) {
		sp_upstream_cut(up, error);
		up->state = SP_UPSTREAM_SENT;
		error = 0;
	}
	return error;
}

int
spate_upstream_flush(struct spate_upstream *up)
{
	int error = up->error != 0 ? up->error
				   : sp_upstream_deliver(up);

	return error != 0 ? sp_upstream_fail(up, error) : 0;
}

/* ------------------------------------------------------------ the answer */

ssize_t
sp_upstream_receive(struct spate_upstream *up, void *buf, size_t size)
{
	if (sp_upstream_is_early(up))
		return sp_conn_try_recv(up->worker, up->pd, buf, size);
	return sp_outgoing_recv(
	    up->worker, up->pd, buf, size, sp_upstream_until(up));
}

/* => Returns how many bytes came; the end is an error here. */
static ssize_t
receive(struct spate_upstream *up)
{
	ssize_t n;

	if (up->end == up->capacity)
		return -EBADMSG;
	n = sp_upstream_receive(
	    up, up->buffer + up->end, up->capacity - up->end);
	if (n > 0)
		up->end += (uint32_t)n;
	return n == 0 ? -ECONNRESET : n;
}

/* The first bytes. The request is in the buffer until there are some. */
static int
receive_first(struct spate_upstream *up)
{
	ssize_t n = receive(up);

	if (n < 0 && may_retry(up, (int)n)) {
		int error = connect_anew(up);

		if (error == 0)
			error = deliver(up);
		if (error != 0)
			return error;
		n = receive(up);
	}
	return n < 0 ? (int)n : 0;
}

/* => Returns the status, or 0: more bytes are needed. */
static int
parse(struct spate_upstream *up)
{
	for (;;) {
		int n = sp_http_answer_parse(
		    &up->answer, up->buffer, up->end, &up->server->limits);

		if (n <= 0)
			return n;
		if (up->answer.status >= 200) {
			up->start = (uint32_t)n;
			return up->answer.status;
		}
		if (++up->interim > INTERIM_MAX)
			return -EBADMSG;
		up->end -= (uint32_t)n;
		memmove(up->buffer, up->buffer + n, up->end);
		up->progress = (struct sp_http_progress){ 0 };
	}
}

/* => Returns the status, or 0: it is early. */
static int
read_head(struct spate_upstream *up)
{
	int status = 0, error = 0;

	if (up->end == 0 && up->interim == 0)
		error = receive_first(up);
	while (error == 0 && status == 0) {
		if (sp_http_head_worth_parsing(&up->progress, up->buffer,
			up->end, &up->server->limits))
			status = parse(up);
		if (status == 0) {
			ssize_t n = receive(up);

			error = n < 0 ? (int)n : 0;
		}
	}
	if (error == -EAGAIN && sp_upstream_is_early(up))
		return 0;
	return error != 0 ? error : status;
}

int
spate_upstream_answer(struct spate_upstream *up)
{
	int error, status;

	if (up->error != 0)
		return up->error;
	if (up->state >= SP_UPSTREAM_ANSWERED)
		return up->answer.status;
	error = sp_upstream_deliver(up);
	if (error == 0 && !up->duplex)
		error = sp_upstream_end_body(up);
	status = error == 0 ? read_head(up) : error;
	if (status < 0)
		return sp_upstream_fail(up, status);
	if (status > 0)
		sp_upstream_body_begin(up);
	return status;
}

/* -------------------------------------------------------- begin and end */

static int
make(const struct spate_call *call, struct spate_upstream **out)
{
	struct sp_worker *worker = sp_worker_self();
	struct spate_upstream *up;

	if (worker == NULL)
		return -EPERM;
	up = malloc(sizeof(*up));
	if (up == NULL)
		return -ENOMEM;
	memset(up, 0, offsetof(struct spate_upstream, chunked));
	up->worker = worker;
	up->server = worker->engine->context;
	up->capacity = worker->engine->options.buffer_size;
	up->timeout_ms = call->timeout_ms;
	up->duplex = call->duplex;
	/* Also of what never has to wait. */
	up->deadline = sp_fiber_until(worker->current,
	    call->deadline_ms == 0 ? (sp_tick)SP_DEADLINE_NONE
				   : sp_tick_in(call->deadline_ms));
	up->buffer = sp_req_buffer(worker);
	if (up->buffer == NULL) {
		free(up);
		return -ENOMEM;
	}
	*out = up;
	return 0;
}

int
spate_upstream_open(const struct spate_call *call, struct spate_upstream **out)
{
	struct spate_call known = spate_call_default(NULL, NULL);
	struct spate_upstream *up = NULL;
	int error;

	*out = NULL;
	if (call->size > sizeof(known))
		return -EINVAL;
	memcpy(&known, call, call->size);
	error = make(&known, &up);
	if (error != 0)
		return error;
	error = sp_upstream_compose(up, &known);
	if (error == 0) {
		error = begin(up);
		if (error != 0)
			sp_upstream_fail(up, error);
	}
	if (error != 0) {
		spate_upstream_close(up);
		return error;
	}
	*out = up;
	return 0;
}

int
spate_fetch(const struct spate_call *call, struct spate_upstream **out)
{
	int status = spate_upstream_open(call, out);

	if (status == 0)
		status = spate_upstream_answer(*out);
	if (status < 0) {
		spate_upstream_close(*out);
		*out = NULL;
	}
	return status;
}

/* Whether nothing of either side is left on the connection. */
static bool
may_keep(const struct spate_upstream *up)
{
	return up->pd != NULL && up->error == 0
	       && up->state == SP_UPSTREAM_WHOLE && !up->cut
	       && (!up->streamed || up->ended)
	       && up->start == up->end && up->ends != SP_HTTP_ENDS_BY_CLOSE
	       && (up->answer.head.flags & SP_HTTP_KEEP_ALIVE);
}

void
spate_upstream_close(struct spate_upstream *up)
{
	struct sp_upstream_pool *pool;

	if (up == NULL)
		return;
	pool = sp_http_worker_pool(up->worker);
	if (pool != NULL && may_keep(up))
		sp_upstream_pool_put(pool, up->worker, up->pd,
		    &up->address.storage, up->address.size,
		    up->server->options.upstream_idle_ms);
	else
		disconnect(up);
	sp_req_buffer_put(up->worker, up->buffer);
	free(up->collected);
	free(up);
}
