/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_ANSWER_H
#define SPATE_TESTS_SIM_ANSWER_H

/*
 * What a client makes of the bytes that come back: one answer after another,
 * each byte of the bodies compared. It shares nothing with the server's own
 * parsers.
 */

#include <stdbool.h>
#include <stdint.h>

#define SIM_HEAD_MAX 2048

enum sim_answer_state {
	SIM_ANSWER_HEAD,
	SIM_ANSWER_BODY,
	SIM_ANSWER_SIZE,
	SIM_ANSWER_CHUNK,
	SIM_ANSWER_CHUNK_END,
	SIM_ANSWER_TRAILER,
};

struct sim_answer {
	enum sim_answer_state state;
	int status;
	bool chunked, closes;
	uint32_t left; /* of the body or the chunk */
	uint32_t got;  /* of the body */
	uint32_t used; /* of line */
	bool started;  /* a byte of it has come */
	uint32_t told; /* to go on, before that */
	bool wrong;    /* a byte of the body is not what it should be */
	char line[SIM_HEAD_MAX];
};

enum sim_answer_result { SIM_ANSWER_MORE, SIM_ANSWER_DONE, SIM_ANSWER_BAD };

void sim_answer_init(struct sim_answer *answer);

/* One byte of the answer to a request, by its number. */
enum sim_answer_result
sim_answer_feed(struct sim_answer *answer, uint8_t byte, uint32_t number);

#endif /* SPATE_TESTS_SIM_ANSWER_H */
