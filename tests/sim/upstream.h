/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_UPSTREAM_H
#define SPATE_TESTS_SIM_UPSTREAM_H

/*
 * The server that handlers call: it sends back each piece of a body as it
 * comes, reads no faster than its answer is taken, and compares each byte.
 *
 *     connect     head       ..bytes..      all of both
 *    --------> head -------> body --------------------> head, or closed
 *                              `- rude: a reset, or its end
 */

#include "tests/sim/kernel.h"

struct sim_upstream {
	struct sim_actor actor;
	struct sim_conn *conn; /* or NULL: nobody's */
	uint32_t state;
	uint32_t number;    /* of the request */
	uint32_t left, got; /* of its chunk or body; of its body */
	uint32_t framing;   /* of the answer */
	bool closes;        /* behind it */
	bool answered;      /* its head is out */
	uint32_t used;      /* of line */
	char line[1024];
	uint32_t sent, size; /* of out */
	char out[1024];
};

/* Nobody is connected. */
void sim_upstream_reset(void);

/* Somebody new, to sit at the other end of what is to be connected. */
struct sim_upstream *sim_upstream_new(void);

#endif /* SPATE_TESTS_SIM_UPSTREAM_H */
