/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_PRECONDITION_H
#define SPATE_FRAMEWORK_PRECONDITION_H

/*
 * Conditions that a request sets, RFC 9110, 13 and 14: what the client has
 * already, and which part it wants.
 *
 *     field                  looked at if           and if it does not hold
 *     --------------------   --------------------   -----------------------
 *     If-Match               it is there            412
 *     If-Unmodified-Since    no If-Match            412
 *     If-None-Match          it is there            304 for GET and HEAD,
 *                                                   else 412
 *     If-Modified-Since      no If-None-Match,      304
 *                            GET and HEAD
 *     If-Range               Range, GET             the whole
 *
 * Dates that are none are as if they were not there. Pure code.
 */

#include "framework/http_head.h"

#include <stddef.h>
#include <stdint.h>

/* What there is. */
struct sp_validator {
	const char *etag; /* strong, with its quotes; NUL-terminated */
	int64_t modified; /* seconds since 1970 */
	int64_t now;
};

/*
 * sp_precondition: whether to answer with what there is.
 *
 * => Returns 200, 304 or 412.
 */
int sp_precondition(const struct sp_http_head *head, const char *base,
    const struct sp_validator *there);

struct sp_range {
	uint64_t first, size;
};

/*
 * sp_range: which part of something of a size to answer with.
 *
 * => Returns 206: *range is that part, and is not empty. Returns 416: it
 *    has no such part.
 * => Returns 200: all of it. No Range, or several, or one that is malformed
 *    or not in bytes, or not a GET, or If-Range does not hold.
 */
int sp_range(const struct sp_http_head *head, const char *base,
    const struct sp_validator *there, uint64_t size, struct sp_range *range);

#endif /* SPATE_FRAMEWORK_PRECONDITION_H */
