/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_STREAM_H
#define SPATE_TESTS_SIM_STREAM_H

/*
 * A client of the stream protocol. What it sends comes back; between that
 * may be messages that others sent to it, each of them whole:
 *
 *     255   128 + id / 128   128 + id % 128   254
 */

#include "tests/sim/app.h"
#include "tests/sim/peer.h"

#define SIM_STREAMS 4
#define SIM_MESSAGE 4

struct sim_stream {
	struct sim_peer peer;
	uint8_t piece[512]; /* that is being sent */
	uint32_t got;       /* of the echo */
	uint32_t partial;   /* bytes of a message */
	uint8_t message[SIM_MESSAGE];
	bool owed[SIM_MESSAGES]; /* sent to it, and so on its way */
	bool seen[SIM_MESSAGES];
};

extern struct sim_stream sim_streams[SIM_STREAMS];

void sim_stream_start(struct sim_stream *stream, uint32_t number);
void sim_stream_check_still(const struct sim_stream *stream);
struct sim_stream *sim_stream_of(const struct sim_conn *conn);

/* The bytes of a message. */
void sim_stream_message(uint32_t id, uint8_t message[SIM_MESSAGE]);

#endif /* SPATE_TESTS_SIM_STREAM_H */
