/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_ROUTER_DATA_H
#define SPATE_FRAMEWORK_ROUTER_DATA_H

/*
 * The inside of a router, for router.c, which fills it, and router_find.c:
 * a hash table of whole paths in front of a trie of segments.
 *
 *     patterns            where they are
 *     -----------------   --------------------------------------------
 *     /a/b                paths:  "/a/b" -> shape
 *     /a/:x               nodes:  root -a-> n1 -name-> n2, n2.shape
 *     /a/:x/c             nodes:                       n2 -c-> n3, n3.shape
 *     /a, then *rest      nodes:  root -a-> n1, n1.rest
 *
 * A shape is what patterns that differ only in their names have in common;
 * it knows the route for each method. The children of all nodes by bytes
 * are in one table, links, under (parent, segment): so a node has a size
 * that does not depend on how many children it has, and a step costs one
 * probe whether it has two or ten thousand.
 *
 * A table holds 32 bits of the hash beside each number, and compares the
 * bytes only if those agree. Nobody but the program adds to the tables, so
 * how long a probe can get is settled before the first request. The hash is
 * keyed all the same: who cannot guess it cannot aim at the longest.
 *
 * Number 0 is the root among the nodes, and unused among the shapes; in a
 * table and in a node it stands for none.
 */

#include "framework/router.h"

#include <stdbool.h>
#include <string.h>

struct sp_router_slot {
	uint32_t tag, number;
};

struct sp_router_table {
	struct sp_router_slot *slots;
	uint32_t mask, used;
};

struct sp_router_shape {
	uint32_t text, size; /* by bytes: the whole path, in router->text */
	uint32_t allow;      /* methods it serves */
	uint32_t own;        /* those with a route for them alone, and "any" */
	const struct sp_route *serves[SP_HTTP_METHODS];
	uint8_t params;
	uint8_t position[SP_ROUTER_PARAMS]; /* segments of the parameters */
	bool rest;                          /* the last of them takes all */
};

struct sp_router_node {
	uint32_t parent;
	uint32_t text;       /* the segment, in router->text */
	uint16_t text_size;  /* likewise */
	bool has_bytes;      /* children by bytes, in router->links */
	uint32_t by_name;    /* child, or 0 */
	uint32_t shape;      /* if a pattern ends here, or 0 */
	uint32_t rest;       /* if "*name" follows here, or 0 */
	uint32_t worst;      /* nodes that a lookup may visit from here on */
	uint32_t worst_byte; /* the largest of these among children by bytes */
};

struct sp_router {
	uint64_t seed, key;
	struct sp_router_table paths, links;
	struct sp_router_shape *shapes;
	struct sp_router_node *nodes;
	char *text;
	struct sp_route **routes;
	uint32_t shape_count, node_count, text_size, route_count;
	uint32_t shape_room, node_room, text_room, route_room;
	uint32_t allow; /* of all routes */
};

static inline uint64_t
sp_load64(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static inline uint64_t
sp_load32(const char *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* At most eight bytes as one word; with the size, no two are the same. */
static inline uint64_t
sp_load_tail(const char *p, size_t size)
{
	if (size == 8)
		return sp_load64(p);
	if (size >= 4)
		return sp_load32(p) | sp_load32(p + size - 4) << 32;
	if (size == 0)
		return 0;
	return (uint64_t)(uint8_t)p[0] | (uint64_t)(uint8_t)p[size / 2] << 8
	       | (uint64_t)(uint8_t)p[size - 1] << 16;
}

static inline uint64_t
sp_router_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t
sp_router_hash(const struct sp_router *router, const char *p, size_t size)
{
	uint64_t hash = router->seed ^ size;

	for (; size > 8; p += 8, size -= 8)
		hash = sp_router_fold(hash ^ sp_load64(p), router->key);
	hash = sp_router_fold(hash ^ sp_load_tail(p, size), router->key);
	return (uint32_t)(hash ^ hash >> 32);
}

static inline bool
sp_router_same(const char *a, const char *b, size_t size)
{
	for (; size > 8; a += 8, b += 8, size -= 8) {
		if (sp_load64(a) != sp_load64(b))
			return false;
	}
	return sp_load_tail(a, size) == sp_load_tail(b, size);
}

static inline uint32_t
sp_router_link_tag(
    const struct sp_router *router, uint32_t parent, uint32_t hash)
{
	return (uint32_t)sp_router_fold(
	    (uint64_t)parent << 32 | hash, router->key);
}

static inline uint32_t
sp_router_paths_find(
    const struct sp_router *router, const char *path, size_t size)
{
	const struct sp_router_table *table = &router->paths;
	uint32_t tag = sp_router_hash(router, path, size);

	for (uint32_t i = tag & table->mask;; i = (i + 1) & table->mask) {
		const struct sp_router_slot *slot = &table->slots[i];
		const struct sp_router_shape *shape;

		if (slot->number == 0)
			return 0;
		if (slot->tag != tag)
			continue;
		shape = &router->shapes[slot->number];
		if (shape->size == size
		    && sp_router_same(router->text + shape->text, path, size))
			return slot->number;
	}
}

static inline uint32_t
sp_router_links_find(const struct sp_router *router, uint32_t parent,
    uint32_t hash, const char *segment, uint16_t size)
{
	const struct sp_router_table *table = &router->links;
	uint32_t tag = sp_router_link_tag(router, parent, hash);

	for (uint32_t i = tag & table->mask;; i = (i + 1) & table->mask) {
		const struct sp_router_slot *slot = &table->slots[i];
		const struct sp_router_node *node;

		if (slot->number == 0)
			return 0;
		if (slot->tag != tag)
			continue;
		node = &router->nodes[slot->number];
		if (node->parent == parent && node->text_size == size
		    && sp_router_same(router->text + node->text, segment, size))
			return slot->number;
	}
}

#endif /* SPATE_FRAMEWORK_ROUTER_DATA_H */
