/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_FRAMING_H
#define SPATE_FRAMEWORK_FRAMING_H

/*
 * Framing: how the recipient of a response knows where it ends, by RFC 9110,
 * 6.4 and 8.6, and RFC 9112, 6.
 *
 *     response                   no body     fixed body   streamed body
 *     ------------------------   ---------   ----------   ---------------
 *     1xx                        -           -            -
 *     2xx to CONNECT             -           -            -
 *     204, 304                   -           -            -
 *     205                        length 0    length 0     length 0
 *     any other to HEAD          -           length       -
 *     any other, HTTP/1.1        length 0    length B     chunked B
 *     any other, HTTP/1.0        length 0    length B     until close B
 *
 *     -          neither Content-Length nor Transfer-Encoding, no body
 *     length 0   Content-Length: 0, no body
 *     length     Content-Length of the body that GET would send, no body
 *     B          and the body
 *
 * What a handler offers and the table does not send is dropped, so that no
 * handler can put bytes on the wire that a client reads as the next response.
 *
 * "No body" to HEAD says nothing of what GET would send, so no length is
 * sent. 304 could carry the length that 200 would have, which a handler of
 * a 304 rarely knows; so it does not.
 *
 * The connection closes after the response if the request asked for that or
 * if only the close ends the body. 1xx and 2xx to CONNECT never close: after
 * one comes another response, after the other a tunnel.
 */

#include "framework/http_method.h"

#include <stdbool.h>

enum sp_http_body {
	SP_HTTP_BODY_NONE,
	SP_HTTP_BODY_FIXED,    /* its size is known before the head is sent */
	SP_HTTP_BODY_STREAMED, /* it is not */
	SP_HTTP_BODY_KINDS
};

struct sp_http_framing {
	bool send_content_length;
	bool length_is_zero; /* send 0, whatever the size of the body */
	bool send_chunked;   /* Transfer-Encoding: chunked */
	bool send_body;
	bool close; /* after this response; say "Connection: close" */
};

/*
 * sp_http_framing: what to send.
 *
 * => version_minor is that of the request; above 1 it counts as 1.
 * => keep_alive: the request lets the connection persist. To an HTTP/1.0
 *    request that does, and where close is false, the caller says
 *    "Connection: keep-alive".
 */
struct sp_http_framing sp_http_framing(enum sp_http_method method, int status,
    int version_minor, enum sp_http_body body, bool keep_alive);

#endif /* SPATE_FRAMEWORK_FRAMING_H */
