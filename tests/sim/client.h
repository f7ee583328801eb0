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
#include "tests/sim/compose.h"
#include "tests/sim/peer.h"
#include "tests/sim/plan.h"

struct sim_client {
	struct sim_peer peer;

	/* The session. */
	uint32_t next; /* the request to be answered next */
	uint32_t stop; /* the one that it comes to next */
	uint32_t pace;
	bool shut;   /* an answer said that it was the last */
	bool unread; /* or there was more of a body than the server skips */
	struct sim_answer answer;
	struct sim_session session;
};

extern struct sim_client sim_clients[SIM_CLIENTS];

void sim_client_start(struct sim_client *client, uint32_t number);

/* Nobody can run: is anything due to this client that it has not got? */
void sim_client_check_still(const struct sim_client *client);

/* A client's, or NULL. */
struct sim_client *sim_client_of(const struct sim_conn *conn);

#endif /* SPATE_TESTS_SIM_CLIENT_H */
