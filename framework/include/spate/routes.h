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
SPATE_API struct spate_group *spate_group(struct spate_server *server,
    struct spate_group *outer, const char *prefix);

/* As spate_route() and spate_use(), within the group. Context: setup. */
SPATE_API int spate_group_route(struct spate_group *group, const char *method,
    const char *path, spate_handler_fn *handler, void *arg);
SPATE_API int spate_group_use(struct spate_group *group,
    spate_before_fn *before, spate_after_fn *after, void *arg);

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
SPATE_API int spate_error(
    struct spate_req *req, int status, const char *reason);

/*
 * Pages of the program's own, for spate_error() and for every error that the
 * server answers by itself. The function answers with that status, or
 * returns without, and the page above is sent. reason may be NULL.
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
SPATE_API unsigned spate_accepts(
    const struct spate_req *req, const char *type);

#ifdef __cplusplus
}
#endif

#endif /* SPATE_ROUTES_H */
