/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Filling a router. sp_router_add() looks first, then makes room, and only
 * then changes anything; so it fails whole or not at all.
 */

#include "framework/router.h"

#include "framework/route_path.h"
#include "framework/router_data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define TABLE_SLOTS 8 /* at first */

static int
table_init(struct sp_router_table *table)
{
	table->slots = calloc(TABLE_SLOTS, sizeof(*table->slots));
	if (table->slots == NULL)
		return -ENOMEM;
	table->mask = TABLE_SLOTS - 1;
	return 0;
}

static void
table_put(struct sp_router_table *table, uint32_t tag, uint32_t number)
{
	uint32_t i = tag & table->mask;

	while (table->slots[i].number != 0)
		i = (i + 1) & table->mask;
	table->slots[i].tag = tag;
	table->slots[i].number = number;
	table->used++;
}

/* Room for this many more, with three of four slots left empty. */
static int
table_reserve(struct sp_router_table *table, uint32_t more)
{
	struct sp_router_table grown = { .mask = table->mask };

	while ((table->used + more) * 4 > grown.mask + 1)
		grown.mask = grown.mask * 2 + 1;
	if (grown.mask == table->mask)
		return 0;
	grown.slots = calloc((size_t)grown.mask + 1, sizeof(*grown.slots));
	if (grown.slots == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i <= table->mask; i++) {
		if (table->slots[i].number != 0)
			table_put(&grown, table->slots[i].tag,
			    table->slots[i].number);
	}
	free(table->slots);
	*table = grown;
	return 0;
}

/* items is the address of a pointer to an array of the given item size. */
static int
array_reserve(void *items, uint32_t *room, uint32_t need, size_t item_size)
{
	uint32_t grown = *room == 0 ? 16 : *room;
	void *old, *new;

	while (grown < need)
		grown *= 2;
	if (grown == *room)
		return 0;
	memcpy(&old, items, sizeof(old));
	new = realloc(old, grown * item_size);
	if (new == NULL)
		return -ENOMEM;
	memcpy(items, &new, sizeof(new));
	*room = grown;
	return 0;
}

/* So that no two seeds, and no two uses of one, are alike. */
static uint64_t
spread(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static int
router_reserve(struct sp_router *router, const struct sp_route_pattern *pattern)
{
	uint32_t nodes = pattern->path.segments;
	uint32_t text = (uint32_t)pattern->size;

	if (table_reserve(&router->paths, 1) != 0
	    || table_reserve(&router->links, nodes) != 0
	    || array_reserve(&router->shapes, &router->shape_room,
		   router->shape_count + 1, sizeof(*router->shapes))
		   != 0
	    || array_reserve(&router->nodes, &router->node_room,
		   router->node_count + nodes, sizeof(*router->nodes))
		   != 0
	    || array_reserve(&router->text, &router->text_room,
		   router->text_size + text, 1)
		   != 0
	    || array_reserve(&router->routes, &router->route_room,
		   router->route_count + 1, sizeof(struct sp_route *))
		   != 0)
		return -ENOMEM;
	return 0;
}

int
sp_router_new(struct sp_router **out, uint64_t seed)
{
	struct sp_route_pattern none = { .size = 0 };
	struct sp_router *router = calloc(1, sizeof(*router));

	if (router == NULL)
		return -ENOMEM;
	router->seed = spread(seed + 1);
	router->key = spread(seed + 2) | 1;
	if (table_init(&router->paths) != 0 || table_init(&router->links) != 0
	    || router_reserve(router, &none) != 0) {
		sp_router_free(router);
		return -ENOMEM;
	}
	memset(router->shapes, 0, sizeof(router->shapes[0]));
	memset(router->nodes, 0, sizeof(router->nodes[0]));
	router->nodes[0].worst = 1;
	router->shape_count = 1;
	router->node_count = 1;
	*out = router;
	return 0;
}

void
sp_router_free(struct sp_router *router)
{
	if (router == NULL)
		return;
	for (uint32_t i = 0; i < router->route_count; i++)
		free(router->routes[i]);
	free(router->routes);
	free(router->text);
	free(router->nodes);
	free(router->shapes);
	free(router->links.slots);
	free(router->paths.slots);
	free(router);
}

/*
 * The way of a pattern through the trie. Nodes that are not there yet are 0,
 * and all after one are. It has one node more than bytes and names, the root.
 */
struct way {
	const struct sp_route_pattern *pattern;
	uint32_t steps; /* segments without the rest */
	uint32_t node[SP_ROUTER_SEGMENTS + 1];
	uint32_t worst[SP_ROUTER_SEGMENTS + 1]; /* as it will be */
};

static void
way_find(struct way *way, const struct sp_router *router)
{
	const struct sp_route_pattern *pattern = way->pattern;
	const struct sp_route_path *path = &pattern->path;

	way->steps = path->segments;
	if (pattern->kind[path->segments - 1] == SP_SEGMENT_REST)
		way->steps--;
	way->node[0] = 0;
	for (uint32_t i = 0; i < way->steps; i++) {
		uint32_t parent = way->node[i];
		const char *segment = sp_route_path_segment(path, i);
		uint16_t size = sp_route_path_segment_size(path, i);

		if (i != 0 && parent == 0)
			way->node[i + 1] = 0;
		else if (pattern->kind[i] == SP_SEGMENT_NAME)
			way->node[i + 1] = router->nodes[parent].by_name;
		else
			way->node[i + 1] = sp_router_links_find(router, parent,
			    sp_router_hash(router, segment, size), segment,
			    size);
	}
}

/* The shape at the end of the way, or 0. */
static uint32_t
way_shape(const struct way *way, const struct sp_router *router)
{
	uint32_t end = way->node[way->steps];

	if (end == 0 && way->steps != 0)
		return 0;
	return way->steps < way->pattern->path.segments
		   ? router->nodes[end].rest
		   : router->nodes[end].shape;
}

/* The worst lookup once the way is made; what it costs from each node on. */
static uint32_t
way_worst(struct way *way, const struct sp_router *router)
{
	static const struct sp_router_node none;

	for (uint32_t i = way->steps + 1; i-- > 0;) {
		bool exists = i == 0 || way->node[i] != 0;
		const struct sp_router_node *node =
		    exists ? &router->nodes[way->node[i]] : &none;
		uint32_t by_name = 0, by_bytes = node->worst_byte;

		if (node->by_name != 0)
			by_name = router->nodes[node->by_name].worst;
		if (i < way->steps) {
			uint32_t next = way->worst[i + 1];

			if (way->pattern->kind[i] == SP_SEGMENT_NAME)
				by_name = next;
			else if (next > by_bytes)
				by_bytes = next;
		}
		way->worst[i] = 1 + by_bytes + by_name;
	}
	return way->worst[0];
}

static uint32_t
node_new(
    struct sp_router *router, const struct way *way, uint32_t i, uint32_t text)
{
	const struct sp_route_path *path = &way->pattern->path;
	uint32_t parent = way->node[i], number = router->node_count++;
	struct sp_router_node *node = &router->nodes[number];

	*node = (struct sp_router_node){
		.parent = parent,
		.text = text + path->start[i],
		.text_size = sp_route_path_segment_size(path, i),
	};
	if (way->pattern->kind[i] == SP_SEGMENT_NAME) {
		router->nodes[parent].by_name = number;
		return number;
	}
	router->nodes[parent].has_bytes = true;
	table_put(&router->links,
	    sp_router_link_tag(router, parent,
		sp_router_hash(
		    router, path->text + path->start[i], node->text_size)),
	    number);
	return number;
}

/* Room is there. */
static void
way_make(struct way *way, struct sp_router *router, uint32_t text)
{
	for (uint32_t i = 0; i < way->steps; i++) {
		struct sp_router_node *parent;

		if (way->node[i + 1] == 0)
			way->node[i + 1] = node_new(router, way, i, text);
		parent = &router->nodes[way->node[i]];
		parent->worst = way->worst[i];
		if (way->pattern->kind[i] == SP_SEGMENT_BYTES
		    && way->worst[i + 1] > parent->worst_byte)
			parent->worst_byte = way->worst[i + 1];
	}
	router->nodes[way->node[way->steps]].worst = way->worst[way->steps];
}

static uint32_t
shape_new(struct sp_router *router, struct way *way)
{
	const struct sp_route_pattern *pattern = way->pattern;
	uint32_t number = router->shape_count++;
	struct sp_router_shape *shape = &router->shapes[number];
	struct sp_router_node *end;

	*shape = (struct sp_router_shape){
		.text = router->text_size,
		.size = (uint32_t)pattern->size,
		.params = (uint8_t)pattern->params,
		.rest = !pattern->by_bytes
			&& way->steps < pattern->path.segments,
	};
	memcpy(shape->position, pattern->position, sizeof(shape->position));
	memcpy(router->text + router->text_size, pattern->text, pattern->size);
	router->text_size += (uint32_t)pattern->size;
	if (pattern->by_bytes) {
		table_put(&router->paths,
		    sp_router_hash(router, pattern->text, pattern->size),
		    number);
		return number;
	}
	way_make(way, router, shape->text);
	end = &router->nodes[way->node[way->steps]];
	if (shape->rest)
		end->rest = number;
	else
		end->shape = number;
	return number;
}

/* Methods of its own go before GET for HEAD, and that before "any". */
static void
shape_serve(struct sp_router_shape *shape, const struct sp_route *route)
{
	const uint32_t get = SP_HTTP_BIT(SP_HTTP_GET);
	const uint32_t head = SP_HTTP_BIT(SP_HTTP_HEAD);

	shape->own |= route->methods;
	for (int m = 0; m < SP_HTTP_METHODS; m++) {
		uint32_t bit = SP_HTTP_BIT(m);

		if ((route->methods & bit) != 0
		    || ((route->methods & SP_HTTP_ANY) != 0
			&& (SP_HTTP_ANY_STANDS_FOR & bit) != 0
			&& shape->serves[m] == NULL))
			shape->serves[m] = route;
	}
	if ((route->methods & get) != 0 && (shape->own & head) == 0)
		shape->serves[SP_HTTP_HEAD] = route;
	for (int m = 0; m < SP_HTTP_METHODS; m++) {
		if (shape->serves[m] != NULL)
			shape->allow |= SP_HTTP_BIT(m);
	}
}

static struct sp_route *
route_new(const struct sp_router *router, uint32_t methods, const char *given,
    const struct sp_route_pattern *pattern, void *target)
{
	size_t size = strlen(given) + 1;
	struct sp_route *route = malloc(sizeof(*route) + size);

	if (route == NULL)
		return NULL;
	*route = (struct sp_route){
		.target = target,
		.pattern = memcpy(route + 1, given, size),
		.methods = methods,
		.number = router->route_count,
		.params = pattern->params,
	};
	memcpy(route->name, pattern->name,
	    pattern->params * sizeof(pattern->name[0]));
	return route;
}

int
sp_router_add(struct sp_router *router, uint32_t methods, const char *pattern,
    void *target)
{
	struct sp_route_pattern parsed;
	struct sp_route *route;
	struct way way = { .pattern = &parsed };
	uint32_t shape;

	if (methods == 0 || (methods & ~(SP_HTTP_ALL | SP_HTTP_ANY)) != 0
	    || sp_route_pattern_parse(&parsed, pattern) != 0)
		return -EINVAL;
	if (parsed.by_bytes) {
		shape = (uint32_t)(sp_router_paths_find(
				       router, parsed.text, parsed.size)
				   - router->shapes);
	} else {
		way_find(&way, router);
		shape = way_shape(&way, router);
	}
	if ((router->shapes[shape].own & methods) != 0)
		return -EEXIST;
	if (router->route_count == SP_ROUTER_ROUTES
	    || router->text_size > UINT32_MAX / 4
	    || (!parsed.by_bytes
		&& way_worst(&way, router) > SP_ROUTER_VISITS))
		return -E2BIG;
	if (router_reserve(router, &parsed) != 0)
		return -ENOMEM;
	route = route_new(router, methods, pattern, &parsed, target);
	if (route == NULL)
		return -ENOMEM;
	if (shape == 0)
		shape = shape_new(router, &way);
	shape_serve(&router->shapes[shape], route);
	router->allow |= router->shapes[shape].allow;
	router->routes[router->route_count++] = route;
	return 0;
}

int
sp_route_param(const struct sp_route *route, const char *name)
{
	size_t size = strlen(name);

	for (uint32_t i = 0; i < route->params; i++) {
		if (route->name[i].size == size
		    && memcmp(
			   route->pattern + route->name[i].offset, name, size)
			   == 0)
			return (int)i;
	}
	return -ENOENT;
}

int
sp_router_allow(uint32_t methods, char *out, size_t size)
{
	size_t n = 0;

	if (size == 0)
		return -ENOSPC;
	out[0] = '\0';
	for (int m = 0; m < SP_HTTP_METHODS; m++) {
		if ((methods & SP_HTTP_BIT(m)) == 0)
			continue;
		n += (size_t)snprintf(out + n, size - n, "%s%s",
		    n == 0 ? "" : ", ", sp_http_method_name(m));
		if (n >= size)
			return -ENOSPC;
	}
	return (int)n;
}

uint32_t
sp_router_worst_visits(const struct sp_router *router)
{
	return router->nodes[0].worst;
}

uint32_t
sp_router_routes(const struct sp_router *router)
{
	return router->route_count;
}

const struct sp_route *
sp_router_route(const struct sp_router *router, uint32_t number)
{
	return number < router->route_count ? router->routes[number] : NULL;
}
