/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_ROUTE_PATH_H
#define SPATE_FRAMEWORK_ROUTE_PATH_H

/*
 * Paths and patterns as the router sees them: segments between slashes.
 *
 *     /users/:id/
 *      ^     ^   ^
 *      |     |   start[2] = 11, and empty
 *      |     start[1] = 7
 *      start[0] = 1                       start[3] = 12
 *
 * Segment i is the bytes from start[i] to before start[i + 1] - 1. There is
 * always at least one: "/" has one that is empty.
 */

#include "framework/router.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sp_route_path {
	const char *text; /* borrowed */
	uint32_t segments;
	uint16_t start[SP_ROUTER_SEGMENTS + 1];
};

static inline const char *
sp_route_path_segment(const struct sp_route_path *path, uint32_t i)
{
	return path->text + path->start[i];
}

static inline uint16_t
sp_route_path_segment_size(const struct sp_route_path *path, uint32_t i)
{
	return (uint16_t)(path->start[i + 1] - 1 - path->start[i]);
}

/*
 * sp_route_path_split: find the segments.
 *
 * => Returns 0, or -EINVAL: no slash at the beginning, a segment "." or
 *    "..", too many segments or too many bytes.
 */
int
sp_route_path_split(struct sp_route_path *path, const char *text, size_t size);

/*
 * sp_route_path_normalise: make paths that are equal the same bytes.
 *
 * => Undoes the escapes of unreserved characters, and writes the digits of
 *    all others in upper case. A second time changes nothing.
 * => out is apart from in. Returns the size, at most that of in; -EINVAL (an
 *    escape that is none) or -ENOSPC (capacity is below size).
 */
ssize_t sp_route_path_normalise(
    const char *in, size_t size, char *out, size_t capacity);

enum sp_route_segment { SP_SEGMENT_BYTES, SP_SEGMENT_NAME, SP_SEGMENT_REST };

/* A pattern taken apart. Large: it has the text. */
struct sp_route_pattern {
	struct sp_route_path path; /* into text */
	size_t size;               /* of text */
	bool by_bytes;             /* no names at all */
	uint32_t params;
	enum sp_route_segment kind[SP_ROUTER_SEGMENTS];
	uint8_t position[SP_ROUTER_PARAMS];    /* segment of each name */
	struct sp_span name[SP_ROUTER_PARAMS]; /* in the pattern given */
	char text[SP_ROUTER_PATH];             /* normalised */
};

/*
 * sp_route_pattern_parse: by the rules in framework/router.h.
 *
 * => Returns 0 or -EINVAL.
 */
int sp_route_pattern_parse(struct sp_route_pattern *pattern, const char *given);

#endif /* SPATE_FRAMEWORK_ROUTE_PATH_H */
