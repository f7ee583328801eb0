/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_MIDDLEWARE_H
#define SPATE_FRAMEWORK_MIDDLEWARE_H

/*
 * Middleware and groups. While a server is set up they are lists, as the
 * program gave them; when it starts, each group gets the one array that its
 * routes run through:
 *
 *     server   /api          /api/admin        a route of /api/admin
 *     +----+   +----+----+   +----+            +----+----+----+----+
 *     | a  | + | b  | c  | + | d  |    ==>     | a  | b  | c  | d  | handler
 *     +----+   +----+----+   +----+            +----+----+----+----+
 *
 * A route around which there is none has no array. For all others the array
 * is run by a handler that takes the place of the program's own, so routes
 * without middleware do not even ask.
 */

#include <spate.h>

struct sp_layer {
	spate_before_fn *before; /* or NULL */
	spate_after_fn *after;   /* or NULL */
	void *arg;
};

struct sp_layers {
	unsigned count;
	struct sp_layer layer[];
};

/* One spate_use(). */
struct sp_middleware {
	struct sp_layer layer;
	struct sp_middleware *next;
};

struct spate_group {
	struct spate_server *server;
	struct spate_group *outer; /* or NULL */
	struct sp_middleware *middleware;
	struct sp_layers *layers; /* owned; NULL: none */
	struct spate_group *next; /* of the server, latest first */
	char prefix[];            /* of the outer groups, too */
};

/*
 * sp_middleware_compile: the arrays, when a server starts.
 *
 * => Returns 0 or -ENOMEM.
 */
int sp_middleware_compile(struct spate_server *server);

/* sp_middleware_free: the lists and the arrays. */
void sp_middleware_free(struct spate_server *server);

/*
 * sp_middleware_run: answer a request, with layers around; they may be NULL.
 */
void sp_middleware_run(struct spate_req *req, const struct sp_layers *layers,
    void (*answer)(struct spate_req *req));

#endif /* SPATE_FRAMEWORK_MIDDLEWARE_H */
