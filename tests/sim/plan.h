/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_PLAN_H
#define SPATE_TESTS_SIM_PLAN_H

/*
 * What a seed means: how large the server is, who its clients are, and what
 * goes wrong. What goes wrong says what clients may have to put up with; a
 * run without any of it has to answer everything.
 */

#include <stdbool.h>
#include <stdint.h>

#define SIM_CLIENTS 12
#define SIM_QUEUE_LONG 256 /* for whatever these have under way at once */
#define SIM_UNREAD_ANY (1u << 18) /* more than any body has */

struct sim_plan {
	/* The server. */
	uint32_t shards, workers, spares, ring_size, slab_reuse;
	uint32_t max_connections, max_per_peer, max_fibers, wake_us;
	uint32_t drain_timeout_ms, max_requests;
	uint32_t blocking_threads, blocking_queue;
	uint32_t max_unread;
	uint32_t idle_upstreams; /* that a worker keeps */

	/* Its clients. */
	uint32_t clients, streams; /* of HTTP, of the stream protocol */
	uint32_t sessions;         /* connections, one after the other */
	uint32_t requests;         /* on each, at most */
	uint32_t largest;          /* body, at most */
	bool hoggish;              /* half of all block a worker */
	uint32_t hogs, blocks;     /* one in so many that may be one is */
	uint32_t pause;            /* one step in so many is a pause */
	uint32_t rude;             /* one session in so many is cut short */
	uint32_t half_close;       /* in so many, the end comes at once */
	bool local;                /* streams come by a Unix socket */

	/* Others. */
	uint32_t meddlers;
	uint32_t meddle_ns; /* between two of what one does, at most */
	bool handles, casts, closes, deadlines, pins, presses;
	uint64_t drain_at; /* ns; or SIM_NEVER: when all is done */

	/* What clients may have to put up with. */
	bool timely;            /* time-outs are short, or the clock jumps */
	bool faulty;            /* memory or descriptors run out */
	uint32_t rude_upstream; /* one step in so many it breaks off */
	uint32_t fail_accept, fail_control; /* once started */
	uint32_t no_memory, no_threads;
};

extern struct sim_plan sim_plan;

/* Draw the plan, and the options of everything else. */
void sim_plan_draw(void);

#endif /* SPATE_TESTS_SIM_PLAN_H */
