/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_ANSWER_H
#define SPATE_FRAMEWORK_HTTP_ANSWER_H

/*
 * The head of an HTTP/1 answer, as a client reads it. Pure code: no I/O, no
 * allocation, no state between calls.
 *
 *     HTTP/1.1 200 OK\r\n            status, head.minor, reason
 *     Content-Length: 3\r\n          head.fields[0]; content_length, checked
 *     \r\n
 *     abc                            not looked at
 *     ^-- buf + head.size
 *
 * The fields are kept as those of a request are (http_head.h), in a head
 * whose method, target and host mean nothing. What is refused:
 *
 *     a version other than 1.0 and 1.1, a status outside of 100 to 599,
 *     101 (nobody asked for it); all that http_head.h refuses with 400 of
 *     fields and their framing; codings other than "chunked"; more fields or
 *     bytes than the limits
 *
 * How the body ends, by RFC 9112, 6.3, the first that applies:
 *
 *     to HEAD; 1xx, 204, 304    there is none
 *     chunked                   by its last chunk
 *     a length                  after so many bytes
 *     neither                   with the connection
 */

#include "framework/http_head.h"

struct sp_http_answer {
	uint16_t status;
	uint16_t reason; /* an offset */
	uint16_t reason_size;
	struct sp_http_head head;
};

enum sp_http_ends {
	SP_HTTP_ENDS_AT_ONCE,
	SP_HTTP_ENDS_BY_CHUNK,
	SP_HTTP_ENDS_BY_LENGTH,
	SP_HTTP_ENDS_BY_CLOSE,
};

/*
 * sp_http_answer_parse: read the head at buf.
 *
 * => Returns its size (> 0): it is complete.
 * => Returns 0: nothing wrong so far; call again with more.
 * => Returns -EBADMSG: answer->head.error says why. So it does whatever
 *    follows, and for no less than the line that is wrong.
 */
int sp_http_answer_parse(struct sp_http_answer *answer, const char *buf,
    size_t size, const struct sp_http_limits *limits);

/* sp_http_answer_ends: the table above. to_head: the request was HEAD. */
enum sp_http_ends
sp_http_answer_ends(const struct sp_http_answer *answer, bool to_head);

#endif /* SPATE_FRAMEWORK_HTTP_ANSWER_H */
