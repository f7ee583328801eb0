/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_CHUNKED_H
#define SPATE_FRAMEWORK_HTTP_CHUNKED_H

/*
 * The chunked body of an HTTP/1 message: takes the framing off, in pieces of
 * any size. Pure code: it copies nothing and keeps no reference to a piece.
 *
 *     5;name=value\r\n     chunk size, perhaps with extensions
 *     hello\r\n            SP_HTTP_CHUNKED_DATA, in one span or several
 *     0\r\n
 *     ETag: "x"\r\n        SP_HTTP_CHUNKED_TRAILER, likewise, line ends too
 *     \r\n                 SP_HTTP_CHUNKED_DONE
 *     ^-- the next message starts behind this
 *
 * What is refused, and with which status:
 *
 *    400  a size that is no plain hex number, has more than 16 digits or is
 *         above 2^63 - 1; white space in front of a size, or behind it
 *         where no extension follows
 *    400  extensions that are not ;token or ;token=token or ;token="text",
 *         with blanks around ';' and '=', as RFC 9112 has it; more than
 *         SP_HTTP_CHUNKED_EXT bytes of them in one body
 *    400  a chunk that CR LF does not follow; a CR without LF or an LF
 *         without CR in any line; controls
 *    400  a trailer field that is malformed, or whose name may only stand in
 *         a head: framing, routing, authentication, how to read the body
 *    413  more data than the limit, as soon as a size announces it
 *    431  more than SP_HTTP_TRAILER_FIELDS fields in the trailer, or more
 *         than SP_HTTP_TRAILER_BYTES bytes
 */

#include "framework/http_head.h"

#include <stddef.h>
#include <stdint.h>

#define SP_HTTP_CHUNKED_EXT 16384
#define SP_HTTP_TRAILER_BYTES 8192
#define SP_HTTP_TRAILER_FIELDS 32

enum sp_http_chunked_event {
	SP_HTTP_CHUNKED_MORE = 0, /* all of the piece was used */
	SP_HTTP_CHUNKED_DATA,     /* a span of the body */
	SP_HTTP_CHUNKED_TRAILER,  /* a span of the trailer */
	SP_HTTP_CHUNKED_DONE,     /* the body is complete */
};

struct sp_http_chunked {
	uint64_t left;          /* of the size, or of the chunk */
	uint64_t room;          /* how much more data the limit allows */
	uint32_t candidates;    /* forbidden names that still match */
	uint16_t ext_bytes;     /* of extensions, so far */
	uint16_t trailer_bytes; /* so far */
	uint8_t state;
	uint8_t digits; /* of the size; of a trailer's name */
	uint8_t trailer_fields;
};

/*
 * sp_http_chunked_init: get ready for a body of at most limit bytes.
 */
void sp_http_chunked_init(struct sp_http_chunked *chunked, uint64_t limit);

/*
 * sp_http_chunked_limit: let at most limit bytes more come out.
 *
 * => Returns 0, or -413: the chunk that has begun is larger. Nothing has
 *    changed then.
 */
int sp_http_chunked_limit(struct sp_http_chunked *chunked, uint64_t limit);

/*
 * sp_http_chunked_feed: take the framing off the next bytes.
 *
 * One call reports one event, so call again with what is left of the piece
 * until it returns MORE, DONE or an error.
 *
 * => *used is how many bytes of the piece are done with; for DATA and
 *    TRAILER that includes the span.
 * => Returns SP_HTTP_CHUNKED_DATA or _TRAILER: *data and *data_size are a
 *    span of the piece, on loan until the caller reuses it. Never empty.
 * => Returns SP_HTTP_CHUNKED_MORE: all used; go on with the next piece.
 * => Returns SP_HTTP_CHUNKED_DONE: the rest belongs to the next message.
 *    So does every later call, which uses nothing.
 * => Returns -400, -413 or -431: answer with that and close. So does every
 *    later call.
 */
int sp_http_chunked_feed(struct sp_http_chunked *chunked, const char *in,
    size_t size, size_t *used, const char **data, size_t *data_size);

/*
 * sp_http_trailer_split: the fields in a trailer whose spans have been put
 * together again, at most SP_HTTP_TRAILER_BYTES.
 *
 * => Call after DONE: only a trailer that was found to be right is split.
 * => Returns how many; fields[] gets offsets from buf.
 */
unsigned sp_http_trailer_split(const char *buf, size_t size,
    struct sp_http_field fields[SP_HTTP_TRAILER_FIELDS]);

#endif /* SPATE_FRAMEWORK_HTTP_CHUNKED_H */
