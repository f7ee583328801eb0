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
	char pad[16];                       /* to 128, a shift of the number */
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

/*
 * The ends of a text, which overlap if it is short: all of it up to sixteen
 * bytes. With the size, no two texts of up to sixteen bytes are the same.
 */
#define SP_ENDS_MAX 16

struct sp_ends {
	uint64_t first, last;
};

static inline struct sp_ends
sp_ends_of(const char *p, size_t size)
{
	if (size >= 8)
		return (
		    struct sp_ends){ sp_load64(p), sp_load64(p + size - 8) };
	if (size >= 4)
		return (
		    struct sp_ends){ sp_load32(p), sp_load32(p + size - 4) };
	if (size == 0)
		return (struct sp_ends){ 0, 0 };
	return (struct sp_ends){ (uint8_t)p[0]
				     | (uint64_t)(uint8_t)p[size / 2] << 8,
		(uint8_t)p[size - 1] };
}

static inline uint64_t
sp_router_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t
sp_router_hash_ends(
    const struct sp_router *router, uint64_t hash, struct sp_ends ends)
{
	hash = sp_router_fold(hash ^ ends.first, router->key ^ ends.last);
	return (uint32_t)(hash ^ hash >> 32);
}

/* What lies between the ends goes first, eight bytes at a time. */
static inline uint32_t
sp_router_hash(const struct sp_router *router, const char *p, size_t size)
{
	uint64_t hash = router->seed ^ size;

	for (size_t i = 8; i + 8 < size; i += 8)
		hash = sp_router_fold(hash ^ sp_load64(p + i), router->key);
	return sp_router_hash_ends(router, hash, sp_ends_of(p, size));
}

static inline bool
sp_router_same(const char *a, const char *b, size_t size)
{
	struct sp_ends ends_a = sp_ends_of(a, size);
	struct sp_ends ends_b = sp_ends_of(b, size);

	for (size_t i = 8; i + 8 < size; i += 8) {
		if (sp_load64(a + i) != sp_load64(b + i))
			return false;
	}
	return ends_a.first == ends_b.first && ends_a.last == ends_b.last;
}

static inline uint32_t
sp_router_link_tag(
    const struct sp_router *router, uint32_t parent, uint32_t hash)
{
	return (uint32_t)sp_router_fold(
	    (uint64_t)parent << 32 | hash, router->key);
}

/*
 * The shape of a whole path, or shape 0. An empty slot may have the tag that
 * is looked for; its shape is 0, which has no bytes and so is not the path.
 */
static inline const struct sp_router_shape *
sp_router_paths_find(
    const struct sp_router *router, const char *path, size_t size)
{
	const struct sp_router_slot *slots = router->paths.slots;
	uint32_t mask = router->paths.mask;
	uint32_t tag = sp_router_hash(router, path, size);

	for (uint32_t i = tag & mask;; i = (i + 1) & mask) {
		const struct sp_router_shape *shape =
		    &router->shapes[slots[i].number];

		if (slots[i].tag == tag && shape->size == size
		    && sp_router_same(router->text + shape->text, path, size))
			return shape;
		if (slots[i].number == 0)
			return &router->shapes[0];
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
