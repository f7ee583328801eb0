/* SPDX-License-Identifier: BSD-2-Clause */

/* The lookups of a router. How it is laid out is in router_data.h. */

#include "framework/router.h"

#include "alloc/cacheline.h"
#include "alloc/check.h"
#include "framework/route_path.h"
#include "framework/router_data.h"

/*
 * A depth-first walk. What is left to try waits on a stack, the best on top;
 * from each node on the way down at most its child by name and its rest are
 * left, so two for each segment are enough, and one for the root.
 */
struct pending {
	uint32_t node;
	uint16_t depth;
	bool rest; /* the node itself is done, only its rest is not */
};

struct walk {
	const struct sp_router *router;
	struct sp_route_path path;
	uint64_t hashed; /* a bit for each segment whose hash is known */
	uint32_t hash[SP_ROUTER_SEGMENTS];
	uint32_t top;
	struct pending stack[2 * SP_ROUTER_SEGMENTS + 3];
};

static inline void
walk_push(struct walk *walk, uint32_t node, uint32_t depth, bool rest)
{
	SP_DEBUG_CHECK(
	    walk->top < sizeof(walk->stack) / sizeof(walk->stack[0]));
	walk->stack[walk->top++] = (struct pending){ node, (uint16_t)depth,
		rest };
}

static uint32_t
walk_child(struct walk *walk, uint32_t node, uint32_t depth)
{
	const char *segment = sp_route_path_segment(&walk->path, depth);
	uint16_t size = sp_route_path_segment_size(&walk->path, depth);

	if ((walk->hashed >> depth & 1) == 0) {
		walk->hash[depth] = sp_router_hash(walk->router, segment, size);
		walk->hashed |= UINT64_C(1) << depth;
	}
	return sp_router_links_find(
	    walk->router, node, walk->hash[depth], segment, size);
}

/* Visits one node. Returns the shape that ends here, or 0. */
static uint32_t
walk_visit(struct walk *walk, uint32_t number, uint32_t depth)
{
	const struct sp_router_node *node = &walk->router->nodes[number];
	uint32_t child;

	if (node->rest != 0)
		walk_push(walk, number, depth, true);
	if (depth == walk->path.segments)
		return node->shape;
	if (node->by_name != 0
	    && sp_route_path_segment_size(&walk->path, depth) != 0)
		walk_push(walk, node->by_name, depth + 1, false);
	if (node->has_bytes) {
		child = walk_child(walk, number, depth);
		if (child != 0)
			walk_push(walk, child, depth + 1, false);
	}
	return 0;
}

/* The first shape in order that serves the method, or 0. */
static uint32_t
walk_find(
    struct walk *walk, enum sp_http_method method, struct sp_route_match *match)
{
	const struct sp_router *router = walk->router;

	walk->hashed = 0;
	walk->top = 0;
	walk_push(walk, 0, 0, false);
	while (walk->top != 0) {
		struct pending next = walk->stack[--walk->top];
		uint32_t shape;

		if (next.rest) {
			shape = router->nodes[next.node].rest;
		} else {
			match->visits++;
			shape = walk_visit(walk, next.node, next.depth);
		}
		if (shape == 0)
			continue;
		if (router->shapes[shape].serves[method] != NULL)
			return shape;
		match->allow |= router->shapes[shape].allow;
	}
	return 0;
}

static void
match_params(struct sp_route_match *match, const struct sp_router_shape *shape,
    const struct sp_route_path *path)
{
	for (uint32_t i = 0; i < shape->params; i++) {
		uint32_t at = shape->position[i];

		match->param[i].offset = path->start[at];
		match->param[i].size = 0;
		if (at < path->segments)
			match->param[i].size = sp_route_path_segment_size(
			    path, at);
	}
	if (shape->rest) {
		struct sp_span *rest = &match->param[shape->params - 1];
		uint32_t end = path->start[path->segments] - 1u;

		/* Nothing may remain, not even the slash before it. */
		if (rest->offset > end)
			rest->offset = (uint16_t)end;
		rest->size = (uint16_t)(end - rest->offset);
	}
}

/* Shape 0 serves nothing, so no shape and not this method are the same. */
static bool
match_bytes(const struct sp_router *router, enum sp_http_method method,
    const char *path, size_t size, struct sp_route_match *match)
{
	const struct sp_router_shape *shape = sp_router_paths_find(
	    router, path, size);

	match->path = path;
	match->allow = shape->allow;
	match->route = shape->serves[method];
	return match->route != NULL;
}

enum sp_route_result
sp_router_find(const struct sp_router *router, enum sp_http_method method,
    const char *path, size_t size, char *scratch, size_t scratch_size,
    struct sp_route_match *match)
{
	struct walk walk;
	uint32_t shape;

	SP_DEBUG_CHECK((unsigned)method < SP_HTTP_METHODS);
	match->visits = 0;
	if (size - 1 >= SP_ROUTER_PATH)
		return SP_ROUTE_NOT_FOUND;
	if (match_bytes(router, method, path, size, match))
		return SP_ROUTE_FOUND;
	if (method == SP_HTTP_OPTIONS && size == 1 && path[0] == '*') {
		match->allow = router->allow | SP_HTTP_BIT(SP_HTTP_OPTIONS);
		return SP_ROUTE_OPTIONS_AUTO;
	}
	if (memchr(path, '%', size) != NULL) {
		ssize_t n = sp_route_path_normalise(
		    path, size, scratch, scratch_size);

		if (n < 0)
			return SP_ROUTE_NOT_FOUND;
		path = scratch;
		size = (size_t)n;
		if (match_bytes(router, method, path, size, match))
			return SP_ROUTE_FOUND;
	}
	if (sp_route_path_split(&walk.path, path, size) != 0)
		return SP_ROUTE_NOT_FOUND;
	walk.router = router;
	shape = walk_find(&walk, method, match);
	if (shape != 0) {
		match->route = router->shapes[shape].serves[method];
		match_params(match, &router->shapes[shape], &walk.path);
		return SP_ROUTE_FOUND;
	}
	if (match->allow == 0)
		return SP_ROUTE_NOT_FOUND;
	match->allow |= SP_HTTP_BIT(SP_HTTP_OPTIONS);
	return method == SP_HTTP_OPTIONS ? SP_ROUTE_OPTIONS_AUTO
					 : SP_ROUTE_METHOD_NOT_ALLOWED;
}

/* Compiled twice, so that neither way has to look at the size again. */
static inline __attribute__((always_inline)) const struct sp_route *
find_short(const struct sp_router *router, enum sp_http_method method,
    const char *path, size_t size)
{
	const struct sp_ends ends = sp_ends_of(path, size);
	uint32_t tag = sp_router_hash_ends(router, router->seed ^ size, ends);
	const struct sp_router_slot *slot =
	    &router->paths.slots[tag & router->paths.mask];
	const struct sp_router_shape *shape = &router->shapes[slot->number];
	struct sp_ends want;

	if (sp_unlikely(slot->tag != tag || shape->size != size))
		return NULL;
	want = sp_ends_of(router->text + shape->text, size);
	if (sp_unlikely((want.first ^ ends.first) | (want.last ^ ends.last)))
		return NULL;
	return shape->serves[method];
}

static __attribute__((noinline)) const struct sp_route *
find_shorter(const struct sp_router *router, enum sp_http_method method,
    const char *path, size_t size)
{
	return find_short(router, method, path, size);
}

const struct sp_route *
sp_router_find_short(const struct sp_router *router, enum sp_http_method method,
    const char *path, size_t size)
{
	SP_DEBUG_CHECK((unsigned)method < SP_HTTP_METHODS);
	if (size < 8)
		return find_shorter(router, method, path, size);
	if (sp_unlikely(size > SP_ENDS_MAX))
		return NULL;
	return find_short(router, method, path, size);
}
