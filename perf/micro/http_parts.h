/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_PERF_MICRO_HTTP_PARTS_H
#define SPATE_PERF_MICRO_HTTP_PARTS_H

/*
 * What a request has to do with HTTP, each as a function that does it n times
 * and begins and ends at rest. http_bench.cpp times them, for sizes that
 * grow: none may cost more for there being more of something that it does not
 * look at.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void part_respond(uint64_t n, unsigned unused);     /* the usual answer */
void part_respond_any(uint64_t n, unsigned unused); /* 404, another type */
void part_date(uint64_t n, unsigned unused);        /* once a second */

/* A path of a router with so many routes; and one with two parameters. */
void part_route(uint64_t n, unsigned routes);
void part_route_params(uint64_t n, unsigned routes);

/* A request head with so many fields; and one that repeats them. */
void part_head(uint64_t n, unsigned fields);
void part_head_again(uint64_t n, unsigned fields);

void part_chunked(uint64_t n, unsigned chunk);    /* a body of that one chunk */
void part_histogram(uint64_t n, unsigned unused); /* a value of many */

#ifdef __cplusplus
}
#endif

#endif /* SPATE_PERF_MICRO_HTTP_PARTS_H */
