/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_PEER_H
#define SPATE_TESTS_SIM_PEER_H

/*
 * Who sits at the other end of connections, whatever is spoken there: how
 * such a one connects, sends and ends. What it says and hears is its kind's.
 *
 *              begin             all sent          all heard
 *     (none) ----------> sends -------------> hears ----------> (none)
 *       ^                  |  `- half_close: its end, as well     ^
 *       `-- nobody         `- break_at: a reset, or its end ------'
 *           listens
 *
 * Between any two steps it may pause. It sends any part of what it may send,
 * or as much as goes, and reads in between.
 */

#include "tests/sim/kernel.h"

#include <stdbool.h>
#include <stdint.h>

struct sim_peer;

struct sim_peer_kind {
	unsigned listener; /* which of the server's it connects to */
	uint32_t stays;    /* it leaves at one step in so many, having all */

	/* A session: set size, and forget the one before. */
	void (*begin)(struct sim_peer *peer);
	/* => Returns what it may send by now, up to here of size. */
	uint32_t (*due)(struct sim_peer *peer);
	/* The bytes from sent on, n of them. */
	const uint8_t *(*bytes)(struct sim_peer *peer, uint32_t n);
	void (*take)(void *peer, uint8_t byte);
	/* Has it heard all that it asked for, and no end is to come? */
	bool (*has_all)(const struct sim_peer *peer);
	/* The server has ended the connection. Was it allowed to? */
	void (*check_end)(const struct sim_peer *peer);
};

struct sim_peer {
	struct sim_actor actor;
	const struct sim_peer_kind *kind;
	uint32_t number;
	uint32_t sessions; /* left, this one included */
	bool done;

	/* The session. */
	struct sim_conn *conn;
	uint32_t size, sent;
	uint32_t break_at; /* so much sent, then a reset, or its end */
	bool softly;
	bool whole; /* it sends as much as goes */
	bool half_close, ended;
	bool killed; /* by a meddler, or by itself */
};

void sim_peer_start(
    struct sim_peer *peer, uint32_t number, const struct sim_peer_kind *kind);

#endif /* SPATE_TESTS_SIM_PEER_H */
