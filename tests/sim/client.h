/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_CLIENT_H
#define SPATE_TESTS_SIM_CLIENT_H

/*
 * A client of HTTP: connections one after the other, on each of them some
 * requests, and an answer to each; all requests at once, or not.
 *
 * What it may not do is get less than it is due. check_end() has the list of
 * reasons for which a connection may end before all is answered.
 */

#include "tests/sim/answer.h"
#include "tests/sim/peer.h"
#include "tests/sim/plan.h"

#define SIM_OUT_MAX 65536
#define SIM_SESSION_MAX 16

struct sim_client {
	struct sim_peer peer;

	/* The session. */
	uint32_t request[SIM_SESSION_MAX]; /* their numbers */
	uint32_t end[SIM_SESSION_MAX];     /* where each ends in out */
	uint32_t count, next; /* of requests; the one to be answered next */
	uint32_t pace;
	bool shut; /* an answer said that it was the last */
	struct sim_answer answer;
	uint8_t out[SIM_OUT_MAX];
};

extern struct sim_client sim_clients[SIM_CLIENTS];

void sim_client_start(struct sim_client *client, uint32_t number);

/* Nobody can run: is anything due to this client that it has not got? */
void sim_client_check_still(const struct sim_client *client);

/* A client's, or NULL. */
struct sim_client *sim_client_of(const struct sim_conn *conn);

#endif /* SPATE_TESTS_SIM_CLIENT_H */
