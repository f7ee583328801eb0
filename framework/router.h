/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_ROUTER_H
#define SPATE_FRAMEWORK_ROUTER_H

/*
 * Router: from the method and the path of a request to the route that
 * answers it. Filled while a server is set up, and only read after that:
 * lookups run on any thread, take no lock and allocate nothing.
 *
 *     /plaintext          these bytes and no others
 *     /users/:id/posts    ":id" stands for one segment that is not empty
 *
 * A last segment "*path" stands for what remains, be it nothing: behind
 * /files it fits /files, /files/ and /files/a/b.
 *
 * Where more than one pattern fits, the segments decide from left to right:
 * bytes go before ":name", and ":name" before "*name". A pattern that does
 * not serve the method steps back for the next one that does.
 *
 *     request     is served by the first pattern that fits and has
 *     ---------   -----------------------------------------------------
 *     HEAD        a route for HEAD, else one for GET, else one for any
 *     CONNECT     a route for CONNECT; "any" does not stand for it
 *     TRACE       a route for TRACE; likewise
 *     all other   a route for the method, else one for any
 *
 *     and if no pattern does:
 *
 *     OPTIONS, and some pattern fits      OPTIONS_AUTO, allow
 *     OPTIONS of the path "*"             OPTIONS_AUTO, allow of all routes
 *     all other, and some pattern fits    METHOD_NOT_ALLOWED, allow
 *     no pattern fits                     NOT_FOUND
 *
 * allow is the methods of every pattern that fits, with HEAD wherever there
 * is GET, and always with OPTIONS.
 *
 * What compares equal. Bytes, after RFC 3986, 6.2.2: an escape of a letter,
 * digit, "-", ".", "_" or "~" is the same as the character, and the digits
 * of an escape may be of either case. No other escape is undone: "%2F" is
 * not "/". A path without "%" is compared as it stands; one with "%" is
 * first copied to the caller's scratch with the above applied. Patterns are
 * treated so when they are added, and there a byte above 0x7f means its
 * escape. Case counts, and so does a slash at the end.
 *
 * What never fits: a path that does not begin with "/", that has a segment
 * "." or ".." (or an escape of one) anywhere, or an escape that is none; one
 * longer than SP_ROUTER_PATH or of more than SP_ROUTER_SEGMENTS segments;
 * one with "%" that is longer than the scratch. Nothing is tidied up: an
 * empty segment, as in "/a//b", is found in a "*name" and nowhere else.
 *
 * Cost. A path of a pattern without names takes one probe of a hash table
 * and one comparison. All others walk a trie of segments, in which a node
 * has at most one child that is a name; so a walk visits each node at most
 * once, and of each node's children at most two. How many nodes the worst
 * path can visit follows from the patterns: 1 + the worst child by bytes +
 * the child by name. It is kept up with each pattern added, and a pattern
 * that would take it above SP_ROUTER_VISITS is refused. That is sixteen for
 * each segment of the longest path.
 */

#include "framework/http_method.h"

#include <stddef.h>
#include <stdint.h>

#define SP_ROUTER_PATH 8192    /* bytes of a path or pattern */
#define SP_ROUTER_SEGMENTS 64  /* of a path or pattern */
#define SP_ROUTER_PARAMS 16    /* names in a pattern */
#define SP_ROUTER_VISITS 1024  /* nodes that one lookup may visit */
#define SP_ROUTER_ROUTES 65536 /* in one router */

/* Instead of methods, or with them: each that has no route of its own. */
#define SP_HTTP_ANY SP_HTTP_BIT(SP_HTTP_METHODS)
#define SP_HTTP_ANY_STANDS_FOR                                                 \
	(SP_HTTP_ALL                                                           \
	    & ~(SP_HTTP_BIT(SP_HTTP_CONNECT) | SP_HTTP_BIT(SP_HTTP_TRACE)))

struct sp_router;

struct sp_span {
	uint16_t offset, size;
};

/* One sp_router_add(). Constant, and the router's, until it is freed. */
struct sp_route {
	void *target;        /* the caller's */
	const char *pattern; /* as it was given; ends with a NUL */
	uint32_t methods;    /* as they were given */
	uint32_t number;     /* 0, 1, 2... in the order of sp_router_add() */
	uint32_t params;     /* names in the pattern */
	struct sp_span name[SP_ROUTER_PARAMS]; /* in pattern, without ":" */
};

enum sp_route_result {
	SP_ROUTE_FOUND,
	SP_ROUTE_NOT_FOUND,
	SP_ROUTE_METHOD_NOT_ALLOWED,
	SP_ROUTE_OPTIONS_AUTO,
};

/* Each field says with which results it is set; the others are not. */
struct sp_route_match {
	const struct sp_route *route; /* FOUND */
	const char *path;             /* FOUND: the path given, or scratch */
	uint32_t allow;               /* METHOD_NOT_ALLOWED, OPTIONS_AUTO */
	uint32_t visits;              /* all: nodes of the trie looked at */

	/* FOUND: route->params of them, in path, escapes as they came. */
	struct sp_span param[SP_ROUTER_PARAMS];
};

/*
 * sp_router_new: an empty router. sp_router_free: with all its routes.
 *
 * => seed is a random number; who knows it can make paths collide.
 * => Returns 0: *out is the caller's. Returns -ENOMEM.
 */
int sp_router_new(struct sp_router **out, uint64_t seed);
void sp_router_free(struct sp_router *router);

/*
 * sp_router_add: one more route.
 *
 * => methods is a mask of SP_HTTP_BIT() and SP_HTTP_ANY. pattern is copied.
 *    target is lent until the router is freed.
 * => Two patterns are the same if they differ in their names alone; each
 *    route has its own names.
 * => Returns 0.
 * => Returns -EEXIST (the same pattern has one of the methods), -EINVAL (no
 *    such methods, or a pattern that is not as above: it must begin with
 *    "/", names are [A-Za-z_][A-Za-z0-9_]* and differ, "*name" is last, no
 *    dot segment, no empty one but the last, no "?", "#", space, control or
 *    broken escape), -E2BIG (SP_ROUTER_VISITS or SP_ROUTER_ROUTES) or
 *    -ENOMEM: nothing has changed.
 * => Only during set-up, by one thread, with no lookup going on.
 */
int sp_router_add(struct sp_router *router, uint32_t methods,
    const char *pattern, void *target);

/*
 * sp_router_find: which route answers.
 *
 * => path is without query and fragment. scratch may be NULL if its size is
 *    0; the match borrows both, and points into one of them.
 */
enum sp_route_result sp_router_find(const struct sp_router *router,
    enum sp_http_method method, const char *path, size_t size, char *scratch,
    size_t scratch_size, struct sp_route_match *match);

/*
 * sp_router_find_short: the same for what is most frequent, a short path
 * without parameters.
 *
 * => Returns NULL: this is not such a one, or its slot is another's. Ask
 *    sp_router_find().
 */
const struct sp_route *sp_router_find_short(const struct sp_router *router,
    enum sp_http_method method, const char *path, size_t size);

/*
 * sp_route_param: the number of the parameter of this name, for match.param.
 *
 * => Returns -ENOENT: the pattern has none.
 */
int sp_route_param(const struct sp_route *route, const char *name);

/*
 * sp_router_allow: the value of an Allow field, "GET, HEAD", NUL at its end.
 *
 * => Returns its size without the NUL. SP_ROUTER_ALLOW bytes are enough for
 *    any mask. Returns -ENOSPC: they were not.
 */
#define SP_ROUTER_ALLOW 64
int sp_router_allow(uint32_t methods, char *out, size_t size);

/* The most nodes that a lookup can visit with the routes so far. */
uint32_t sp_router_worst_visits(const struct sp_router *router);

/* How many routes, and the one of a number below that. */
uint32_t sp_router_routes(const struct sp_router *router);
const struct sp_route *
sp_router_route(const struct sp_router *router, uint32_t number);

#endif /* SPATE_FRAMEWORK_ROUTER_H */
