/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_HTTP_CHUNKED_CHECK_H
#define SPATE_TESTS_HTTP_CHUNKED_CHECK_H

/*
 * Decodes a chunked body that arrives in pieces, and collects what comes
 * out. Each piece is in a block of its own size, so that AddressSanitizer
 * sees a read behind it.
 */

#include "framework/http_chunked.h"

#include <stdlib.h>
#include <string.h>

struct chunked_result {
	int verdict; /* SP_HTTP_CHUNKED_MORE, _DONE or -status */
	size_t used;
	char *data; /* owned */
	size_t data_size;
	char *trailer; /* owned */
	size_t trailer_size;
	const char *complaint; /* a broken promise of the decoder, or NULL */
};

static inline void
chunked_result_free(struct chunked_result *result)
{
	free(result->data);
	free(result->trailer);
}

static inline void
chunked_collect(struct chunked_result *result, int event, const char *piece,
    size_t used, const char *span, size_t size)
{
	char *to = event == SP_HTTP_CHUNKED_DATA
		       ? result->data + result->data_size
		       : result->trailer + result->trailer_size;

	if (size == 0 || span < piece || span + size > piece + used) {
		result->complaint = "a span is not in what was used";
		return;
	}
	memcpy(to, span, size);
	if (event == SP_HTTP_CHUNKED_DATA)
		result->data_size += size;
	else
		result->trailer_size += size;
}

/* One piece, until it is used up or the body is over. */
static inline void
chunked_feed_piece(struct sp_http_chunked *chunked,
    struct chunked_result *result, const char *piece, size_t size)
{
	size_t at = 0, used, span_size;
	const char *span;

	do {
		span = NULL;
		span_size = 0;
		result->verdict = sp_http_chunked_feed(
		    chunked, piece + at, size - at, &used, &span, &span_size);
		if (used > size - at) {
			result->complaint = "more was used than there is";
			return;
		}
		if (result->verdict == SP_HTTP_CHUNKED_DATA
		    || result->verdict == SP_HTTP_CHUNKED_TRAILER)
			chunked_collect(result, result->verdict, piece + at,
			    used, span, span_size);
		at += used;
	} while (result->complaint == NULL
		 && (result->verdict == SP_HTTP_CHUNKED_DATA
		     || result->verdict == SP_HTTP_CHUNKED_TRAILER));
	result->used += at;
	if (result->verdict == SP_HTTP_CHUNKED_MORE && at != size)
		result->complaint = "asks for more and has not used all";
}

/* In pieces of "first" bytes, then of "other" bytes, which is not 0. */
static inline struct chunked_result
chunked_decode(
    const char *input, size_t size, size_t first, size_t other, uint64_t limit)
{
	struct chunked_result result = { .data = malloc(size + 1),
		.trailer = malloc(size + 1) };
	struct sp_http_chunked chunked;
	size_t at = 0, piece_size = first;
	char *piece;

	if (result.data == NULL || result.trailer == NULL)
		abort();
	sp_http_chunked_init(&chunked, limit);
	do {
		if (piece_size > size - at)
			piece_size = size - at;
		piece = malloc(piece_size != 0 ? piece_size : 1);
		if (piece == NULL)
			abort();
		memcpy(piece, input + at, piece_size);
		chunked_feed_piece(&chunked, &result, piece, piece_size);
		free(piece);
		at += piece_size;
		piece_size = other;
	} while (result.verdict == SP_HTTP_CHUNKED_MORE && at < size
		 && result.complaint == NULL);
	return result;
}

static inline bool
chunked_same(const struct chunked_result *a, const struct chunked_result *b)
{
	if (a->verdict != b->verdict || a->used != b->used)
		return false;
	/* How much came out in front of an error depends on the pieces. */
	if (a->verdict < 0)
		return true;
	return a->data_size == b->data_size
	       && memcmp(a->data, b->data, a->data_size) == 0
	       && a->trailer_size == b->trailer_size
	       && memcmp(a->trailer, b->trailer, a->trailer_size) == 0;
}

#endif /* SPATE_TESTS_HTTP_CHUNKED_CHECK_H */
