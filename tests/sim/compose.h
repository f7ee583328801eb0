/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_COMPOSE_H
#define SPATE_TESTS_SIM_COMPOSE_H

/*
 * What a client sends in a session: its requests, one behind the other, as
 * bytes, and where it stops until it has heard of what it has sent.
 *
 *     | head   | body     | body     | body   | head ...
 *              ^          ^          ^
 *      told to go on    so much of the answer's body has come
 */

#include <stdbool.h>
#include <stdint.h>

#define SIM_OUT_MAX 65536
#define SIM_SESSION_MAX 16
#define SIM_STOPS 64

struct sim_stop {
	uint32_t at;    /* in out */
	uint32_t index; /* of its request, in the session */
	uint32_t heard; /* of the answer's body; 0: anything of an answer */
};

struct sim_session {
	uint32_t request[SIM_SESSION_MAX]; /* their numbers */
	uint32_t end[SIM_SESSION_MAX];     /* where each ends in out */
	uint32_t count;                    /* of requests */
	struct sim_stop stop[SIM_STOPS];
	uint32_t stops;
	uint32_t size; /* of out */
	uint8_t out[SIM_OUT_MAX];
};

/* Draw them all. */
void sim_compose(struct sim_session *session);

#endif /* SPATE_TESTS_SIM_COMPOSE_H */
