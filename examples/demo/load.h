/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_EXAMPLES_DEMO_LOAD_H
#define SPATE_EXAMPLES_DEMO_LOAD_H

/*
 * A load that the demo puts on itself: one thread that asks by connections of
 * 127.0.0.1, each for the next answer when it has the last. There is one load
 * at a time, and it ends by itself.
 */

#include <stdbool.h>
#include <stdint.h>

#define DEMO_LOAD_CONNECTIONS 64

/* Constant and lent until the load has ended. */
struct demo_plan {
	unsigned connections; /* at most DEMO_LOAD_CONNECTIONS */
	bool on_shard_0;      /* only connections that are served there */
	const char *path;     /* what all ask for, again and again */
	const char *once;     /* what the first asks for, once; or NULL */
	unsigned pause_us;    /* between two rounds of all of them */
	unsigned ms;          /* how long */
};

struct demo_progress {
	const struct demo_plan *plan; /* NULL: none runs */
	const struct demo_plan *last; /* that has run; NULL: none */
	unsigned left_ms;
	uint64_t answers; /* of the last one, with status 200 */
	uint64_t failed;  /* others, and connections that were lost */
};

/*
 * demo_load_init: to be called before the server starts, by a thread whose
 * CPUs are those of the load.
 * demo_load_begin: start one against a port of 127.0.0.1.
 * demo_load_look: how far it is.
 * demo_load_end: end it, and start none any more. Not from a handler.
 *
 * => demo_load_begin() returns 0, -EBUSY: one runs; or -errno.
 */
void demo_load_init(void);
int demo_load_begin(const struct demo_plan *plan, uint16_t port);
void demo_load_look(struct demo_progress *progress);
void demo_load_end(void);

#endif /* SPATE_EXAMPLES_DEMO_LOAD_H */
