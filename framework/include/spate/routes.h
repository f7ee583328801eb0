/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_ROUTES_H
#define SPATE_ROUTES_H

/*
 * Routes that belong together, what runs around their handlers, and what a
 * client reads when something is wrong. Part of <spate.h>.
 */

#include <spate.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------- middleware */

/*
 * Middleware is called around handlers:
 *
 *     before(1) -> before(2) -> handler -> after(2) -> after(1)
 *                      |                                ^
 *                      `---- has answered --------------'
 *
 * before may answer, by any of the calls that begin an answer; then neither
 * the later ones nor the handler are called. It may also return a negative
 * errno value, which is answered as if the handler had returned it.
 *
 * after is told the status of the answer, or 0 if the client left before
 * there was one. It is called exactly if before went on, when the handler
 * has returned and the answer is complete, be it an error's page.
 */
typedef int spate_before_fn(struct spate_req *req, void *arg);
typedef void spate_after_fn(struct spate_req *req, int status, void *arg);

/*
 * Have middleware called for every request of the server, also for those
 * that no route answers. Not for a request that is no HTTP, as nothing is
 * known of it.
 *
 * Middleware runs in the order of these calls, the server's before that of
 * groups, an outer group's before that of an inner one; whether a route was
 * added before or after it does not matter. Either function may be NULL.
 * arg is lent until the server is freed.
 *
 * Errors: -ENOMEM. Context: setup.
 */
SPATE_API int spate_use(struct spate_server *server, spate_before_fn *before,
    spate_after_fn *after, void *arg);

/*
 * A pointer that middleware and the handler of one request share; NULL at
 * first. Returns NULL: no memory. Context: handler.
 */
SPATE_API void **spate_req_data(struct spate_req *req);

/* ----------------------------------------------------------------- groups */

/*
 * Routes below a prefix, which may hold ":name" segments, with middleware of
 * their own. outer is the group that this one lies in, or NULL; its prefix
 * and its middleware come first. The server owns it.
 *
 * Returns NULL: no memory, or not a prefix; spate_server_start() says which.
 * All calls take a group of NULL for -EINVAL. Context: setup.
 */
SPATE_API struct spate_group *spate_group(
    struct spate_server *server, struct spate_group *outer, const char *prefix);

/* As spate_route() and spate_use(), within the group. Context: setup. */
SPATE_API int spate_group_route(struct spate_group *group, const char *method,
    const char *path, spate_handler_fn *handler, void *arg);
SPATE_API int spate_group_use(struct spate_group *group,
    spate_before_fn *before, spate_after_fn *after, void *arg);

/* ---------------------------------------------------------------- classes */

/*
 * How the handler of one route runs. method and path are those that it was
 * given by spate_route(); for spate_group_route() the path is the whole one,
 * prefixes included.
 *
 * Errors of all four: -ENOENT (no such route yet), -EINVAL, -ENOMEM.
 * Context: setup.
 */

/*
 * Heavy: in a thread that each shard has for such handlers, and not in the
 * one that read the request. For handlers that compute for more than some
 * 200 microseconds. They run one after the other, and leave the CPU to what
 * is short as soon as there is some (Linux 6.12; before that when the system
 * next looks). A handler that blocks in other libraries is not heavy, but a
 * blocking one.
 *
 * If a function is given, those requests are heavy of which it says so. It is
 * called with the handler's arg before middleware, and may look at the head of
 * the request alone. With one worker and no spares a shard has no such thread:
 * then nothing is heavy.
 */
typedef bool spate_heavy_fn(struct spate_req *req, void *arg);
SPATE_API int spate_route_heavy(struct spate_server *server, const char *method,
    const char *path, spate_heavy_fn *heavy_if);

/*
 * Blocking: in a thread that is for such handlers, where they may call what
 * blocks in the kernel or in another library: files, sleep(3), a database's
 * client. All that is for handlers can be called as well. Threads are made as
 * they are needed, blocking_threads of them for all routes and shards (at most
 * 64, and with the workers of one shard as well; 0: each request is refused),
 * and their stacks have 1 MiB.
 *
 * A handler has its thread to itself. Only if all of them are taken, and some
 * by handlers that wait in calls of spate's, for the rest of a body say, those
 * threads take a second request, and who has waited goes on after it.
 *
 * Requests without a thread are queued, blocking_queue of them (rounded up to
 * a power of two, at most 1,048,576), and then answered 503 with Retry-After.
 * A deadline goes on while they are queued, and who has left by then is not
 * asked for. It ends what the handler waits for by calls of spate's; what
 * blocks in the system does not know of it, nor of clients that leave, nor of
 * a stop: for that to be quick it needs a limit of its own. spate_time_left()
 * tells what is left.
 *
 * For small parts of a handler there is spate_offload(). Also -EINVAL: the
 * route is heavy.
 */
SPATE_API int spate_route_blocking(
    struct spate_server *server, const char *method, const char *path);

/*
 * Of more than max_in_flight requests at once, counted from when the handler
 * or its middleware is called, the others are answered 503 with Retry-After.
 * 0: no limit.
 */
SPATE_API int spate_route_limit(struct spate_server *server, const char *method,
    const char *path, uint32_t max_in_flight);

/*
 * All waits of the handler, by whichever call, end with -ETIMEDOUT when ms
 * milliseconds are over since it was called; 0: none; at most a day. What
 * spate_offload() has begun is waited for all the same. A handler that
 * returns -ETIMEDOUT then, without an answer, has answered 503.
 */
SPATE_API int spate_route_deadline(struct spate_server *server,
    const char *method, const char *path, uint32_t ms);

/*
 * How many milliseconds the deadline leaves to the running handler: for what
 * has to be told how long to block. 0: none; -1: there is no deadline.
 * Context: handler.
 */
SPATE_API int64_t spate_time_left(void);

/* ----------------------------------------------------------------- errors */

/*
 * Answer with an error's page: the status in words and the reason, which may
 * be NULL, as JSON or as text, whichever the client accepts sooner.
 *
 *     text/plain          404 Not Found: no such user
 *     application/json    {"status":404,"error":"Not Found",
 *                          "reason":"no such user"}
 *
 * Fields that were added before stay. Errors: as spate_respond(). Context:
 * handler.
 */
SPATE_API int
spate_error(struct spate_req *req, int status, const char *reason);

/*
 * Pages of the program's own, for spate_error() and for every error that the
 * server answers by itself. The function answers with that status, or
 * returns without, and the page above is sent; so does spate_error() within
 * the function. reason may be NULL.
 *
 * If a request was refused because its head is malformed, there is nothing
 * in req to go by: its path is empty and it has no fields.
 *
 * arg is lent until the server is freed. Context: setup.
 */
typedef void spate_error_page_fn(
    struct spate_req *req, int status, const char *reason, void *arg);
SPATE_API int spate_error_page(
    struct spate_server *server, spate_error_page_fn *page, void *arg);

/*
 * How much the client wants a media type such as "text/html", by its Accept
 * fields: 0, not at all, to 1000. No such field: 1000. Context: handler.
 */
SPATE_API unsigned spate_accepts(const struct spate_req *req, const char *type);

#ifdef __cplusplus
}
#endif

#endif /* SPATE_ROUTES_H */
