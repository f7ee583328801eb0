/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_PERF_BENCH_RESPONSE_H
#define SPATE_PERF_BENCH_RESPONSE_H

/*
 * Where one HTTP/1 response ends and the next begins.
 *
 *     STATUS -> HEADER -+-> BODY ---------------------------> done
 *        ^              +-> SIZE -> CHUNK -> CHUNK_END -> SIZE
 *        |              |     `--> TRAILER -----------------> done
 *        |              +-> REST (until the peer closes)
 *        '-- 1xx -------+-> no body ------------------------> done
 *
 * Bytes may come in any pieces. It looks for the length of the body and for
 * "Connection: close"; it does not judge anything else.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_LINE_MAX 128 /* what is kept of a line; the rest is dropped */

enum bench_response_state {
	BENCH_STATUS,
	BENCH_HEADER,
	BENCH_BODY,
	BENCH_SIZE,
	BENCH_CHUNK,
	BENCH_CHUNK_END,
	BENCH_TRAILER,
	BENCH_REST,
};

struct bench_response {
	uint64_t left; /* of the body or of a chunk */
	uint16_t status;
	uint16_t line_size;
	uint8_t state;
	bool chunked;
	bool has_length;
	bool closes;  /* the peer will close after this one */
	bool to_head; /* set by the caller: an answer to HEAD has no body */
	char line[BENCH_LINE_MAX]; /* a line that is not yet whole */
};

enum bench_progress { BENCH_MORE, BENCH_DONE, BENCH_BAD };

void bench_response_init(struct bench_response *response);

/*
 * bench_response_feed: take bytes until a response is whole.
 *
 * => Sets *used to the number of bytes taken.
 * => Returns BENCH_DONE with status and closes valid until the next call;
 *    the bytes that were not taken belong to the next response.
 * => Returns BENCH_MORE when all bytes are taken and more must come.
 * => Returns BENCH_BAD for what is not HTTP/1; call init before going on.
 */
enum bench_progress bench_response_feed(struct bench_response *response,
    const char *data, size_t size, size_t *used);

/*
 * bench_response_end: the peer has closed.
 *
 * => Returns true if that was the end of a response.
 */
bool bench_response_end(const struct bench_response *response);

#endif /* SPATE_PERF_BENCH_RESPONSE_H */
