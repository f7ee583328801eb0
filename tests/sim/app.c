/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/sim/app.h"

#include "framework/request.h"
#include "tests/sim/kernel.h"
#include "tests/sim/wrap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define PIECE 700
#define TICKS 2 /* a wait may be longer than it was asked for */
#define STEPS 1000

struct sim_app sim_app;

static const char *const paths[SIM_KINDS] = { "/get/", "/sleep/", "/hog/",
	"/stream/", "/echo/", "/pump/", "/part/", "/relay/", "/defer/",
	"/block/", "/keep/", "/missing/", NULL };

const char *
sim_app_path(enum sim_request_kind kind)
{
	return paths[kind];
}

void
sim_app_client_ends(void)
{
	if (--sim_app.clients_left == 0)
		sim_wake(&sim_app.clients_left, 1);
}

uint32_t
sim_app_request(enum sim_request_kind kind, uint32_t size, uint32_t ms)
{
	uint32_t number = sim_app.request_count;

	if (number == SIM_REQUESTS)
		return number;
	sim_app.request_count++;
	sim_app.requests[number] = (struct sim_request){
		.kind = kind, .size = size, .ms = ms
	};
	return number;
}

/* ------------------------------------------------------------- handlers */

struct sim_request *
sim_app_begin(struct spate_req *req, uint32_t *number)
{
	struct spate_str text = spate_param(req, "number");
	struct sim_request *request;

	*number = 0;
	for (size_t i = 0; i < text.size; i++)
		*number = *number * 10 + (uint32_t)(text.data[i] - '0');
	if (text.size == 0 || *number >= sim_app.request_count)
		sim_fail("a request that nobody sent is handled");
	request = &sim_app.requests[*number];
	sim_event("handles", *number, request->kind);
	if (request->begun++ != 0)
		sim_fail("request %u is handled twice", *number);
	if (sim_app_is_blocking(request->kind)) {
		if (!req->worker->blocking)
			sim_fail("request %u blocks a worker", *number);
		request->worker = req->worker;
	}
	/* Who has given its handle away does not move. */
	if (sim_plan.handles && sim_app.handle_count < SIM_HANDLES)
		sim_app.handles[sim_app.handle_count++] = spate_req_handle(req);
	return request;
}

/*
 * How long a pause may take. Some steps of all threads lie between the look at
 * the clock that it counts from and the sleep of its poller, and its poller
 * may stand still in between.
 */
static uint64_t
longest(uint32_t ms)
{
	uint64_t steps = STEPS;

	if (sim_sched.freezes != 0)
		steps += SIM_FROZEN_MAX;
	return (ms + TICKS) * SIM_NS_PER_MS + steps * sim_sched.step_ns;
}

/* Wait, and see that only what may end the wait early has done so. */
static void
pause_handler(struct spate_req *req, struct sim_request *request)
{
	const struct sim_file *file;
	uint32_t info;
	int error;

	request->delayed = SIM_NEVER;
	if (sim_sched.jump == 0) /* or it may begin at any time */
		request->delayed = sim_now + longest(request->ms);
	error = spate_sleep(request->ms);
	request->delayed = 0;
	info = sp_load(&req->pd->info, relaxed);
	if (error == 0 || error == -ENOMEM || (info & SP_POLL_CLOSING))
		return;
	file = sim_fd_file(req->pd->fd, SIM_CONN);
	if (error != -ECANCELED || file == NULL
	    || !(sim_file_events(file) & (EPOLLHUP | EPOLLRDHUP)))
		sim_fail("a wait ends with %d, and its client is there", error);
}

/* As a call that blocks in the kernel: this thread does nothing else. */
static void
block(struct sim_request *request)
{
	request->delayed = SIM_NEVER;
	sim_app.blocks++;
	sim_self->blocks = true;
	sim_sleeps();
	sim_sleep(request->ms * SIM_NS_PER_MS);
	sim_self->blocks = false;
	sim_app.blocks--;
	request->delayed = 0;
}

static int
respond(struct spate_req *req, uint32_t number, uint32_t size)
{
	char *body = spate_alloc(req, size + 1);

	if (body == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < size; i++)
		body[i] = (char)sim_app_byte(number, i);
	return spate_respond(req, 200, "text/plain", body, size);
}

static int
get(struct spate_req *req, void *arg)
{
	uint32_t number;
	struct sim_request *request = sim_app_begin(req, &number);
	int error;

	(void)arg;
	if (request->kind == SIM_SLEEP)
		pause_handler(req, request);
	if (request->kind == SIM_HOG) {
		request->delayed = SIM_NEVER;
		sim_app.hogs++;
		sim_self->hogs = true;
		sim_sleep(request->ms * SIM_NS_PER_MS);
		sim_self->hogs = false;
		sim_app.hogs--;
		request->delayed = 0;
	}
	if (request->kind == SIM_BLOCK)
		block(request);
	error = respond(req, number, request->size);
	request->ended = true;
	return error;
}

static int
stream(struct spate_req *req, void *arg)
{
	uint32_t number, done = 0;
	struct sim_request *request = sim_app_begin(req, &number);
	int error = spate_begin(
	    req, 200, NULL, sim_chance(3) ? (int64_t)request->size : -1);
	char piece[PIECE];

	(void)arg;
	while (error == 0 && done < request->size) {
		uint32_t n = 1 + sim_below(PIECE);

		if (n > request->size - done)
			n = request->size - done;
		for (uint32_t i = 0; i < n; i++)
			piece[i] = (char)sim_app_byte(number, done + i);
		error = spate_write(req, piece, n);
		done += n;
		if (error == 0 && sim_chance(4))
			error = spate_flush(req);
		if (error == 0 && request->ms != 0 && sim_chance(4))
			pause_handler(req, request);
	}
	request->ended = true;
	return error;
}

/* Is that what its client has sent there? */
static void
check_body(uint32_t number, uint32_t from, const char *data, size_t size)
{
	if (from + size > sim_app.requests[number].size)
		sim_fail("more comes than the body of request %u has", number);
	for (uint32_t i = 0; i < size; i++)
		if ((uint8_t)data[i] != sim_app_byte(number, from + i))
			sim_fail(
			    "byte %u of request %u is wrong", from + i, number);
}

ssize_t
sim_app_read(struct spate_req *req, uint32_t number, uint32_t from, char *piece,
    uint32_t most)
{
	ssize_t n = spate_body_read(
	    req, piece, 1 + sim_below(most < PIECE ? most : PIECE));

	if (n > 0)
		check_body(number, from, piece, (size_t)n);
	if (n == 0 && from != sim_app.requests[number].size)
		sim_fail("the body of request %u ends at %u", number, from);
	return n;
}

static int
echo(struct spate_req *req, void *arg)
{
	uint32_t number;
	struct sim_request *request = sim_app_begin(req, &number);
	struct spate_str body;
	int error = spate_body(req, &body);

	(void)arg;
	if (error == 0)
		check_body(number, 0, body.data, body.size);
	if (request->kind == SIM_KEEP)
		block(request);
	if (error == 0)
		error = spate_respond(
		    req, 200, "text/plain", body.data, body.size);
	request->ended = true;
	return error;
}

/* Both ways at once: what is read is written, sooner or later. */
static int
pump(struct spate_req *req, void *arg)
{
	uint32_t number, done = 0;
	struct sim_request *request = sim_app_begin(req, &number);
	int64_t size = sim_chance(2) ? spate_body_size(req) : -1;
	bool first = sim_chance(2);
	int error = first ? spate_begin(req, 200, NULL, size) : 0;
	char piece[PIECE];
	ssize_t n = 1;

	(void)arg;
	while (error == 0 && n > 0) {
		n = sim_app_read(req, number, done, piece, PIECE);
		if (n >= 0 && !first) {
			error = spate_begin(req, 200, NULL, size);
			first = true;
		}
		if (n > 0 && error == 0)
			error = spate_write(req, piece, (size_t)n);
		done += n > 0 ? (uint32_t)n : 0;
		if (error == 0 && sim_chance(4))
			error = spate_flush(req);
		if (error == 0 && request->ms != 0 && sim_chance(8))
			pause_handler(req, request);
	}
	request->ended = true;
	return error != 0 ? error : n < 0 ? (int)n : 0;
}

/* It may go on reading, and what it leaves is for the server to skip. */
static int
part(struct spate_req *req, void *arg)
{
	uint32_t number, done = 0, most;
	struct sim_request *request = sim_app_begin(req, &number);
	char piece[PIECE];
	int error = 0;
	ssize_t n = 1;

	(void)arg;
	while (done < request->wants && n > 0) {
		n = sim_app_read(
		    req, number, done, piece, request->wants - done);
		done += n > 0 ? (uint32_t)n : 0;
	}
	if (n > 0)
		error = respond(req, number, request->size);
	if (n > 0 && error == 0 && request->ms != 0 && sim_chance(4))
		pause_handler(req, request);
	most = sim_chance(2) ? sim_below(request->size + 1) : 0;
	while (done < most && n > 0 && error == 0) {
		n = sim_app_read(req, number, done, piece, PIECE);
		done += n > 0 ? (uint32_t)n : 0;
	}
	request->ended = true;
	return error != 0 ? error : n < 0 ? (int)n : 0;
}

static int
defer(struct spate_req *req, void *arg)
{
	uint32_t number;
	struct sim_request *request = sim_app_begin(req, &number);
	struct spate_deferral deferral;
	int error = -EAGAIN;

	(void)arg;
	if (sim_app.deferred_count == SIM_DEFERRED)
		return respond(req, number, request->size);
	deferral = spate_defer(req);
	if (deferral.number != 0) {
		sim_app.deferred[sim_app.deferred_count++] =
		    (struct sim_deferred){ number, deferral };
		request->delayed = SIM_NEVER;
		sim_wake(&sim_app.deferred, 1);
		error = spate_wait(req, 0);
		request->delayed = 0;
	}
	request->ended = true;
	return error;
}

/* Answer what it reads; what others send has the high bit set. */
int
sim_app_stream(struct spate_stream *stream, void *arg)
{
	char piece[PIECE];
	ssize_t n = spate_stream_read(stream, piece, 1 + sim_below(PIECE));
	void **data = spate_stream_data(stream);

	(void)arg;
	if (n < 0)
		return (int)n;
	if (*data == NULL) {
		*data = &sim_app;
		if (sim_app.handle_count < SIM_HANDLES)
			sim_app.handles[sim_app.handle_count++] =
			    spate_stream_handle(stream);
	}
	return spate_stream_write(stream, piece, (size_t)n);
}

/* ------------------------------------------------------------- the server */

static struct spate_options
options(void)
{
	const struct sim_plan *plan = &sim_plan;
	struct spate_options options = spate_options_default();
	uint32_t ms = plan->timely ? 1 + sim_below(300) : 3600 * 1000;

	options.shards = plan->shards;
	options.workers = plan->workers;
	options.spares = plan->spares;
	options.max_connections = plan->max_connections != 0
				      ? plan->max_connections
				      : 1000;
	options.max_connections_per_peer = plan->max_per_peer;
	options.max_fibers = plan->max_fibers;
	options.blocking_threads = plan->blocking_threads;
	options.blocking_queue = plan->blocking_queue;
	options.max_requests = plan->max_requests;
	options.max_unread = plan->max_unread;
	options.upstream_idle_max = plan->idle_upstreams;
	options.header_timeout_ms = options.body_timeout_ms =
	    options.write_timeout_ms = options.idle_timeout_ms = ms;
	options.min_body_rate = plan->timely ? 240 : 0;
	options.min_write_rate = options.min_body_rate;
	options.drain_timeout_ms = plan->drain_timeout_ms;
	options.max_head = 1024;
	return options;
}

struct spate_server *
sim_app_server(void)
{
	struct spate_options chosen = options();
	struct spate_server *server = spate_server_new(&chosen);

	spate_listen(server, "127.0.0.1:2");
	spate_listen_stream(server,
	    sim_plan.local ? "unix:@sim" : "127.0.0.1:1", sim_app_stream, NULL);
	spate_route(server, "GET", "/get/:number", get, NULL);
	spate_route(server, "GET", "/sleep/:number", get, NULL);
	spate_route(server, "GET", "/hog/:number", get, NULL);
	spate_route(server, "GET", "/stream/:number", stream, NULL);
	spate_route(server, "GET", "/defer/:number", defer, NULL);
	spate_route(server, "POST", "/echo/:number", echo, NULL);
	spate_route(server, "POST", "/pump/:number", pump, NULL);
	spate_route(server, "POST", "/part/:number", part, NULL);
	spate_route(server, "POST", "/relay/:number", sim_app_relay, NULL);
	spate_route(server, "GET", "/block/:number", get, NULL);
	spate_route(server, "POST", "/keep/:number", echo, NULL);
	spate_route_blocking(server, "GET", "/block/:number");
	spate_route_blocking(server, "POST", "/keep/:number");
	return server;
}

struct sim_conn *
sim_app_conn(spate_handle handle)
{
	struct sp_engine *engine = sim_app.server->engine;
	uint32_t shard = sp_handle_shard(handle);
	struct sp_poll_desc *pd;

	if (shard >= engine->shard_count)
		return NULL;
	pd = sp_poll_cache_find(&engine->shards[shard]->cache, handle);
	if (pd == NULL || sim_fd_file(pd->fd, SIM_CONN) == NULL)
		return NULL;
	return sim_fds[pd->fd]->conn;
}
