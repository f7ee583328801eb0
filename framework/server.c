/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The life of a server: set-up, start and stop.
 */

#include "framework/server.h"

#include "framework/access_log.h"
#include "framework/admin.h"
#include "framework/log.h"
#include "framework/recording.h"
#include "framework/request.h"
#include "framework/server_timing.h"
#include "framework/stats.h"
#include "framework/times.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

/* Lowered deadlines are seen within this time, or sooner. */
#define SWEEP_MAX_MS 5000
#define SWEEP_MIN_MS 10

/* What a worker did before a stall: how much of it, and how often. */
#define STALL_EVENTS 8
#define STALL_LINE 480
#define STALL_TELL_NS (10 * (uint64_t)SP_NS_PER_S)

/* Between two looks whether the last connection has gone. */
#define STOP_LOOK_NS (2 * SP_NS_PER_MS)

int
sp_server_fail(struct spate_server *server, int error, const char *concern)
{
	if (server->error == 0) {
		server->error = error;
		server->concern = concern;
	}
	return error;
}

struct spate_server *
spate_server_new(const struct spate_options *options)
{
	struct spate_server *server = calloc(1, sizeof(*server));
	uint64_t seed = 0;

	if (server == NULL)
		return NULL;
	server->options = spate_options_default();
	if (options != NULL && options->size <= sizeof(*options))
		memcpy(&server->options, options, options->size);
	else if (options != NULL)
		sp_server_fail(server, -EINVAL, "the size of the options");
	sp_store(&server->log_level, server->options.log_level, relaxed);
	server->http.server = server;
	server->http.service = (struct sp_service) {
		.run = sp_http_run,
		.name = "http",
		.opening_ms = server->options.idle_timeout_ms,
	};
	server->admin = server->http;
	if (getrandom(&seed, sizeof(seed), 0) < 0)
		seed = sp_now_ns();
	if (sp_router_new(&server->router, seed) != 0) {
		free(server);
		return NULL;
	}
	server->http.router = server->router;
	return server;
}

void
spate_server_free(struct spate_server *server)
{
	if (server == NULL)
		return;
	sp_engine_free(server->engine);
	sp_times_free(server);
	while (server->streams != NULL) {
		struct sp_stream_service *next = server->streams->next;

		free(server->streams);
		server->streams = next;
	}
	while (server->targets != NULL) {
		struct sp_route_target *next = server->targets->next;

		free(server->targets->class);
		free(server->targets->path);
		free(server->targets);
		server->targets = next;
	}
	sp_middleware_free(server);
	sp_files_free(server);
	sp_sandbox_free(server);
	sp_router_free(server->router);
	sp_admin_free(server);
	free(server->patterns);
	free(server);
}

/* ---------------------------------------------------------------- set-up */

static int
add_address(struct spate_server *server, const char *text,
    const struct sp_service *service)
{
	struct sp_address *address = &server->addresses[server->address_count];

	if (server->address_count == SP_LISTENERS_MAX)
		return sp_server_fail(server, -ENOSPC, "too many addresses");
	if (text == NULL || sp_address_parse(address, text) != 0)
		return sp_server_fail(
		    server, -EINVAL, "an address to listen at");
	address->service = service;
	server->address_count++;
	return 0;
}

int
spate_listen(struct spate_server *server, const char *text)
{
	if (server == NULL)
		return -ENOMEM;
	return add_address(server, text, &server->http.service);
}

int
spate_listen_stream(struct spate_server *server, const char *text,
    spate_stream_fn *handler, void *arg)
{
	struct sp_stream_service *service;
	int error;

	if (server == NULL)
		return -ENOMEM;
	service = calloc(1, sizeof(*service));
	if (service == NULL)
		return sp_server_fail(server, -ENOMEM, "a stream service");
	service->service = (struct sp_service) {
		.run = sp_stream_run,
		.name = "stream",
		.opening_ms = server->options.idle_timeout_ms,
	};
	service->server = server;
	service->handler = handler;
	service->arg = arg;
	error = add_address(server, text, &service->service);
	if (error != 0) {
		free(service);
		return error;
	}
	service->next = server->streams;
	server->streams = service;
	return 0;
}

int
spate_stream_closed(struct spate_server *server, spate_stream_fn *handler,
    spate_closed_fn *closed)
{
	struct sp_stream_service *service
	    = server != NULL ? server->streams : NULL;
	int error = -ENOENT;

	for (; service != NULL; service = service->next) {
		if (service->handler == handler) {
			service->closed = closed;
			error = 0;
		}
	}
	return error;
}

/* "GET PUT" and "*" as a mask; 0 if there is something else. */
static uint32_t
parse_methods(const char *text)
{
	uint32_t methods = 0;

	while (*text != '\0') {
		size_t size = strcspn(text, " ");
		int method;

		if (size == 1 && *text == '*') {
			methods |= SP_HTTP_ANY;
		} else if (size != 0) {
			method = sp_http_method_parse(text, size);
			if (method < 0)
				return 0;
			methods |= SP_HTTP_BIT(method);
		}
		text += size;
		text += strspn(text, " ");
	}
	return methods;
}

/*
 * The number of the pattern that was added last, which may have one already.
 *
 * => Returns -ENOMEM.
 */
static int
count_pattern(struct spate_server *server, uint32_t *number)
{
	const struct sp_route *route = sp_router_route(
	    server->router, sp_router_routes(server->router) - 1);
	struct sp_pattern *patterns = server->patterns;
	uint32_t count = server->pattern_count;

	for (*number = 0; *number < count; ++*number) {
		if (strcmp(patterns[*number].text, route->pattern) == 0) {
			patterns[*number].methods |= route->methods;
			return 0;
		}
	}
	/* Room for 16, and for twice as many whenever that is full. */
	if (count == 0 || (count >= 16 && (count & (count - 1)) == 0)) {
		patterns = realloc(patterns,
		    (count == 0 ? 16 : (size_t)count * 2) * sizeof(*patterns));
		if (patterns == NULL)
			return -ENOMEM;
		server->patterns = patterns;
	}
	patterns[count] = (struct sp_pattern){ route->pattern, route->methods };
	server->pattern_count++;
	return 0;
}

int
sp_server_route(struct spate_server *server, struct spate_group *group,
    const char *method, const char *path, spate_handler_fn *handler, void *arg)
{
	struct sp_route_target *target;
	uint32_t methods;
	int error;

	methods = method != NULL ? parse_methods(method) : 0;
	if (methods == 0 || path == NULL || handler == NULL)
		return sp_server_fail(server, -EINVAL, "a route's method");
	target = calloc(1, sizeof(*target));
	if (target == NULL)
		return sp_server_fail(server, -ENOMEM, "a route");
	target->handler = handler;
	target->arg = arg;
	target->group = group;
	target->methods = methods;
	target->path = strdup(path);
	error = target->path != NULL
	    ? sp_router_add(server->router, methods, path, target)
	    : -ENOMEM;
	if (error != 0) {
		free(target->path);
		free(target);
		return sp_server_fail(server, error, "a route's path");
	}
	target->next = server->targets;
	server->targets = target;
	if (count_pattern(server, &target->number) != 0)
		return sp_server_fail(server, -ENOMEM, "a route");
	return 0;
}

struct sp_route_target *
sp_server_find_route(
    struct spate_server *server, const char *method, const char *path)
{
	uint32_t methods = method != NULL ? parse_methods(method) : 0;
	struct sp_route_target *target = server->targets;

	if (methods == 0 || path == NULL)
		return NULL;
	while (target != NULL
	       && (target->methods != methods
		   || strcmp(target->path, path) != 0))
		target = target->next;
	return target;
}

int
spate_route(struct spate_server *server, const char *method, const char *path,
    spate_handler_fn *handler, void *arg)
{
	if (server == NULL)
		return -ENOMEM;
	return sp_server_route(server, NULL, method, path, handler, arg);
}

int
spate_route_stats(struct spate_server *server, const char *path)
{
	return spate_route(server, "GET", path, sp_stats_handler, NULL);
}

/* ----------------------------------------------------------------- start */

static uint32_t
sweep_ms(const struct spate_options *options)
{
	const uint32_t limits[] = { options->header_timeout_ms,
		options->body_timeout_ms, options->write_timeout_ms,
		options->idle_timeout_ms,
		options->min_body_rate != 0 ? options->body_grace_ms : 0 };
	uint32_t sweep = SWEEP_MAX_MS;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (limits[i] != 0 && limits[i] < sweep)
			sweep = limits[i];
	}
	return sweep < SWEEP_MIN_MS ? SWEEP_MIN_MS : sweep;
}

static uint32_t
max_connections(const struct spate_options *options)
{
	struct rlimit limit;

	if (options->max_connections != 0)
		return options->max_connections;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0
	    || limit.rlim_cur == RLIM_INFINITY)
		return UINT32_MAX;
	return limit.rlim_cur < 20 ? 1
				   : (uint32_t)(limit.rlim_cur / 10 * 9);
}

/*
 * The watcher has found a handler that keeps its worker. What that worker had
 * done before is told as well, but not again and again.
 */
static void
tell_stall(
    struct sp_engine *engine, struct sp_worker *worker, const char *handler)
{
	struct spate_server *server = engine->context;
	char memory[STALL_LINE], name[SP_WORKER_NAME];
	uint64_t now = sp_now_ns();
	struct sp_text text;

	sp_log(server, SPATE_LOG_WARNING,
	    "the handler of %s has kept its worker for more than %u ms",
	    handler, engine->options.stall_ms);
	if (worker->recorder.slots == NULL
	    || (server->stall_told_ns != 0
		&& now - server->stall_told_ns < STALL_TELL_NS))
		return;
	server->stall_told_ns = now;
	sp_text_init(&text, memory, sizeof(memory));
	sp_recording_line(&text, worker, STALL_EVENTS);
	sp_worker_name(worker, name);
	sp_log(server, SPATE_LOG_WARNING, "%s: %.*s", name, (int)text.size,
	    text.data);
}

static int
make_engine(struct spate_server *server)
{
	const struct spate_options *options = &server->options;
	struct sp_engine_options engine = sp_engine_options_default();
	int error;

	engine.shards = options->shards;
	engine.workers = options->workers;
	engine.spares = options->spares;
	engine.max_connections = max_connections(options);
	engine.placement = options->placement == SPATE_PLACE_HASH
	    ? SP_PLACE_HASH
	    : SP_PLACE_NEAR;
	engine.max_per_peer = options->max_connections_per_peer;
	engine.sweep_ms = sweep_ms(options);
	engine.stack_size = options->stack_size;
	engine.max_fibers = options->max_fibers;
	engine.min_write_rate = options->min_write_rate;
	engine.max_tasks = options->max_tasks;
	engine.offload_threads = options->offload_threads;
	engine.offload_queue = options->offload_queue;
	if (server->blocking) {
		engine.blocking_threads = options->blocking_threads;
		engine.blocking_queue = options->blocking_queue;
	}
	engine.record_events = options->record_events;
	engine.buffer_size = sp_options_buffer_size(options);
	/* Who asks for one thread in each shard gets one. */
	engine.heavy
	    = server->heavy && options->workers + options->spares > 1;
	engine.stall_ms = options->stall_ms;
	engine.stalled = tell_stall;
	engine.worker_begin = sp_http_worker_begin;
	engine.worker_end = sp_http_worker_end;
	error = sp_engine_new(&server->engine, &engine);
	if (error != 0)
		return sp_server_fail(server, error, "the shards");
	server->engine->context = server;
	return 0;
}

/* Whoever was killed has left the file of his socket behind. */
static int
listen_at(struct spate_server *server, struct sp_address *address, int backlog)
{
	int error;

	do {
		error = sp_engine_listen(server->engine, &address->storage,
		    address->size, backlog, address->service);
	} while (error == -EADDRINUSE && sp_address_clear(address));
	return error;
}

static void
remove_sockets(struct spate_server *server)
{
	for (unsigned i = 0; i < server->bound; i++)
		sp_address_remove(&server->addresses[i]);
	if (server->admin_bound)
		sp_address_remove(&server->admin_address);
}

static int
open_admin(struct spate_server *server, int backlog)
{
	struct sp_address *address = &server->admin_address;
	int error = 0;

	if (server->admin_wanted)
		error = listen_at(server, address, backlog);
	server->admin_bound = server->admin_wanted && error == 0;
	return error != 0 ? sp_server_fail(server, error, address->text) : 0;
}

static int
open_addresses(struct spate_server *server)
{
	uint32_t backlog = server->options.backlog;

	if (backlog == 0 || backlog > INT32_MAX)
		backlog = INT32_MAX; /* the kernel takes what it allows */
	for (unsigned i = 0; i < server->address_count; i++) {
		struct sp_address *address = &server->addresses[i];
		int error = listen_at(server, address, (int)backlog);

		if (error != 0)
			return sp_server_fail(server, error, address->text);
		server->bound++;
	}
	return open_admin(server, (int)backlog);
}

int
spate_server_start(struct spate_server *server)
{
	const char *fault;
	int error;

	if (server == NULL)
		return -ENOMEM;
	if (server->error != 0)
		return server->error;
	if (server->engine != NULL)
		return -EALREADY;
	fault = sp_options_fault(&server->options);
	if (fault != NULL)
		return sp_server_fail(server, -EINVAL, fault);
	sp_store(&server->log_level, server->options.log_level, relaxed);
	server->limits.head_bytes = server->options.max_head;
	server->limits.fields = server->options.max_fields;
	server->limits.target_bytes = server->options.max_target;
	server->ageing = server->options.max_requests != 0
	    || server->options.max_age_ms != 0;
	server->plain = server->ageing ? SP_REQ_PLAIN_NEVER : SP_REQ_PLAIN;
	error = sp_middleware_compile(server);
	sp_route_classes_put(server);
	sp_server_timing_put(server);
	sp_access_log_put(server);
	if (error == 0)
		error = sp_admin_begin(server);
	if (error == 0)
		error = make_engine(server);
	if (error == 0)
		error = open_addresses(server);
	if (error == 0)
		error = sp_sandbox_enter(server);
	/* Not before that: some rights are each thread's own. */
	if (error == 0 && server->log != NULL)
		error = sp_log_begin(server->log);
	if (error == 0) {
		error = sp_engine_start(server->engine);
		if (error != 0)
			sp_server_fail(server, error, "the threads");
	}
	if (error != 0)
		remove_sockets(server);
	return error;
}

static uint16_t
port_of(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)address)->sin_port);
	if (address->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
	return 0;
}

uint16_t
spate_server_port(const struct spate_server *server)
{
	if (server == NULL || server->bound == 0)
		return 0;
	return port_of(&server->addresses[0].storage);
}

uint16_t
spate_admin_port(const struct spate_server *server)
{
	if (server == NULL || !server->admin_bound)
		return 0;
	return port_of(&server->admin_address.storage);
}

uint32_t
spate_server_shards(const struct spate_server *server)
{
	if (server == NULL || server->engine == NULL)
		return 0;
	return server->engine->shard_count;
}

/* ------------------------------------------------------------------ stop */

/*
 * Connections, and tasks but those in the background. In this order, and each
 * is the acquire side of GONE (spawn.h).
 */
static bool
all_have_gone(struct sp_engine *engine)
{
	return sp_load(&engine->connections, acquire) == 0
	    && sp_load(&engine->tasks_awaited, acquire) == 0;
}

/* => Returns whether all have gone in time. */
static bool
wait_for_the_end(struct sp_engine *engine, uint32_t ms)
{
	const struct timespec look = { .tv_nsec = STOP_LOOK_NS };
	uint64_t until = sp_now_ns() + (uint64_t)ms * SP_NS_PER_MS;

	while (!all_have_gone(engine)) {
		if (ms != 0 && sp_now_ns() > until)
			return false;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &look, NULL);
	}
	return true;
}

int
spate_server_stop(struct spate_server *server)
{
	struct sp_engine *engine = server != NULL ? server->engine : NULL;
	int error = 0;

	if (engine == NULL || server->error != 0)
		return 0;
	/* At once: who starts meanwhile has a file of this name for his own. */
	remove_sockets(server);
	sp_engine_drain(engine);
	if (!wait_for_the_end(engine, server->options.drain_timeout_ms)) {
		error = -ETIMEDOUT;
		sp_log(server, SPATE_LOG_WARNING,
		    "%lld connections and %u tasks are cancelled",
		    (long long)sp_load(&engine->connections, relaxed),
		    sp_load(&engine->tasks_awaited, relaxed));
		sp_engine_cancel(engine);
		wait_for_the_end(engine, 0);
	}
	/* What is left are tasks in the background. */
	sp_engine_cancel(engine);
	sp_engine_stop(engine);
	server->bound = 0;
	server->admin_bound = false;
	return error;
}
