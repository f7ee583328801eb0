/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_SERVER_H
#define SPATE_FRAMEWORK_SERVER_H

/*
 * A server from the inside: options, routes and addresses during set-up,
 * and an engine while it runs. All of it is constant from start to stop.
 */

#include "framework/http_head.h"
#include "framework/middleware.h"
#include "framework/process.h"
#include "framework/router.h"
#include "framework/sandbox.h"
#include "framework/states.h"
#include "framework/user.h"
#include "shards/engine.h"

#include <spate.h>

struct sp_landlock;

/* The kind of HTTP connections; the task's service is its first member. */
struct sp_http_service {
	struct sp_service service;
	struct spate_server *server;
	const struct sp_router *router;
};

/* One kind of streams: all that one spate_listen_stream() accepts. */
struct sp_stream_service {
	struct sp_service service;
	struct spate_server *server;
	spate_stream_fn *handler;
	spate_closed_fn *closed; /* or NULL */
	void *arg;
	struct sp_stream_service *next;
};

struct sp_route_target {
	spate_handler_fn *handler; /* the program's, or what is around it */
	void *arg;
	const struct sp_layers *layers; /* around it; NULL: none */
	spate_handler_fn *inner; /* the program's, if there are layers */
	void *inner_arg;
	struct sp_route_class *class; /* around all of that; NULL: none */
	spate_handler_fn *timed; /* all of that, with Server-Timing */
	void *timed_arg;
	spate_handler_fn *logged; /* all of that, if answers are logged */
	void *logged_arg;
	struct spate_group *group;
	uint32_t number; /* of its pattern */
	uint32_t methods; /* as they were given, like path */
	char *path;
	struct sp_route_target *next;
};

/*
 * What requests are counted by. Routes of one path but other methods have
 * one pattern; after those of the program come two more numbers, for
 * requests without a route and for those to the listener of spate_admin().
 */
struct sp_pattern {
	const char *text; /* the router's */
	uint32_t methods; /* a mask */
};

struct sp_address {
	struct sockaddr_storage storage;
	socklen_t size;
	const struct sp_service *service;
	char text[128];
};

struct spate_server {
	struct spate_options options;
	struct sp_http_limits limits;
	struct sp_http_service http;
	struct sp_http_service admin; /* of spate_admin() */
	struct sp_stream_service *streams;
	struct sp_router *router;
	struct sp_route_target *targets;
	struct sp_pattern *patterns; /* by number; owned */
	uint32_t pattern_count;
	struct sp_layers *layers; /* around every request; NULL: none */
	struct sp_middleware *middleware;
	struct spate_group *groups;
	struct sp_files *files; /* files.c; owned */
	spate_error_page_fn *error_page;
	void *error_page_arg;
	struct sp_address addresses[SP_LISTENERS_MAX];
	unsigned address_count;
	unsigned bound;      /* of those, until the first that failed */
	int error;           /* the first of set-up */
	const char *concern; /* what it was about; constant text */
	bool ageing;         /* max_requests or max_age_ms is set */
	uint32_t plain;      /* what a turn's begins with (request.h) */
	bool heavy, blocking; /* there are such routes */
	struct sp_user user; /* to become; main.c */
	struct sp_sandbox sandbox;
	struct sp_log *log; /* main.c's; NULL: the program's, or none */
	SP_ATOMIC(uint32_t) log_level; /* that of the options, until changed */
	struct sp_engine *engine;

	struct sp_address admin_address;
	bool admin_chosen; /* somebody has said where, or nowhere */
	bool admin_wanted; /* at its own address */
	bool admin_bound;
	struct sp_router *admin_router;         /* owned; NULL: none */
	struct sp_route_target *admin_targets; /* owned; an array */
	struct sp_process_cache process;
	SP_ATOMIC(uint64_t) memory_seen_ns;
	struct sp_states states;
	uint64_t stall_told_ns; /* the watcher's: of what came before one */
	struct sp_mpsc_stack times;    /* of all workers; times.h */
	SP_ATOMIC(uint32_t) deferrals; /* promised so far; names the next */
};

static inline uint32_t
sp_server_no_route(const struct spate_server *server)
{
	return server->pattern_count;
}

static inline uint32_t
sp_server_admin_route(const struct spate_server *server)
{
	return server->pattern_count + 1;
}

/* How many numbers there are. */
static inline uint32_t
sp_server_counted(const struct spate_server *server)
{
	return server->pattern_count + 2;
}

/* sp_server_fail: remember the first error of set-up. Returns error. */
int sp_server_fail(struct spate_server *server, int error, const char *concern);

/*
 * sp_address_parse: an address of spate_listen().
 *
 * => Returns 0, or -EINVAL.
 */
int sp_address_parse(struct sp_address *address, const char *text);

/* sp_address_remove: the file of a Unix socket, if it has one. */
void sp_address_remove(const struct sp_address *address);

/*
 * sp_address_clear: remove the file of a Unix socket at which nobody listens
 * any more. Two who do so at the same moment may take it from each other.
 *
 * => Returns whether it was there and is gone.
 */
bool sp_address_clear(const struct sp_address *address);

/* sp_server_route: spate_route() for a group, which may be NULL. */
int sp_server_route(struct spate_server *server, struct spate_group *group,
    const char *method, const char *path, spate_handler_fn *handler,
    void *arg);

/*
 * sp_server_find_route: the route of a method and a path as they were given.
 *
 * => Returns NULL: there is none.
 */
struct sp_route_target *sp_server_find_route(
    struct spate_server *server, const char *method, const char *path);

/*
 * sp_route_classes_put: around the handlers of routes that have a class. After
 * sp_middleware_compile(): a request is handed over before all of it.
 * It tells the server whether one is heavy or blocking.
 *
 * sp_route_refused: how many requests the routes of a pattern had no room for.
 */
void sp_route_classes_put(struct spate_server *server);
uint64_t sp_route_refused(const struct spate_server *server, uint32_t number);

/*
 * sp_options_fault: may a server be started with them? options.c.
 *
 * => Returns NULL, or which one is wrong, and what it may be; constant text.
 */
const char *sp_options_fault(const struct spate_options *options);

/*
 * sp_options_buffer_size: of the two that a turn borrows. Each has room for the
 * largest head, of a request or an answer, and for what follows it.
 */
uint32_t sp_options_buffer_size(const struct spate_options *options);

/* sp_files_free: what spate_files() has opened; files.c. */
void sp_files_free(struct spate_server *server);

/* sp_files_allow: that it may be read still, in a sandbox; files.c. */
int sp_files_allow(
    const struct spate_server *server, struct sp_landlock *landlock);

/* sp_log_wanted: is a line of this level? Any thread. */
static inline bool
sp_log_wanted(const struct spate_server *server, enum spate_log_level level)
{
	return level >= sp_load(&server->log_level, relaxed);
}

/* sp_log: one line, if the level is wanted. log.c. */
void sp_log(const struct spate_server *server, enum spate_log_level level,
    const char *format, ...) SPATE_PRINTF(3, 4);

/* The services' functions; http_conn.c and stream.c. */
void sp_http_run(struct sp_worker *worker, struct sp_task *task);
void sp_stream_run(struct sp_worker *worker, struct sp_task *task);

/* What a worker has for HTTP; response.c. */
int sp_http_worker_begin(struct sp_worker *worker);
void sp_http_worker_end(struct sp_worker *worker);

/* The connections that it keeps to other servers, or NULL. */
struct sp_upstream_pool;
struct sp_upstream_pool *sp_http_worker_pool(struct sp_worker *worker);

/* The ring of what it has to say, or NULL. */
struct sp_log_ring;
struct sp_log_ring *sp_http_worker_log(struct sp_worker *worker);

#endif /* SPATE_FRAMEWORK_SERVER_H */
