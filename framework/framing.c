/* SPDX-License-Identifier: BSD-2-Clause */

/* The table in framing.h. */

#include "framework/framing.h"

enum row { BARE, RESET, HEAD, HTTP_1_1, HTTP_1_0, ROWS };

enum cell {
	NOTHING = 0,
	LENGTH = 1u << 0,
	ZERO = 1u << 1,
	CHUNKED = 1u << 2,
	BODY = 1u << 3,
	UNTIL_CLOSE = 1u << 4,
	LENGTH_0 = LENGTH | ZERO,
};

static const unsigned char cells[ROWS][SP_HTTP_BODY_KINDS] = {
	/*              no body    fixed body      streamed body */
	[BARE]     = { NOTHING,  NOTHING,       NOTHING },
	[RESET]    = { LENGTH_0, LENGTH_0,      LENGTH_0 },
	[HEAD]     = { NOTHING,  LENGTH,        NOTHING },
	[HTTP_1_1] = { LENGTH_0, LENGTH | BODY, CHUNKED | BODY },
	[HTTP_1_0] = { LENGTH_0, LENGTH | BODY, UNTIL_CLOSE | BODY },
};

static bool
is_tunnel(enum sp_http_method method, int status)
{
	return method == SP_HTTP_CONNECT && status >= 200 && status < 300;
}

static enum row
row_of(enum sp_http_method method, int status, int version_minor)
{
	if (status < 200 || status == 204 || status == 304
	    || is_tunnel(method, status))
		return BARE;
	if (status == 205)
		return RESET;
	if (method == SP_HTTP_HEAD)
		return HEAD;
	return version_minor == 0 ? HTTP_1_0 : HTTP_1_1;
}

struct sp_http_framing
sp_http_framing(enum sp_http_method method, int status, int version_minor,
    enum sp_http_body body, bool keep_alive)
{
	unsigned cell = cells[row_of(method, status, version_minor)][body];
	bool final = status >= 200 && !is_tunnel(method, status);

	return (struct sp_http_framing){
		.send_content_length = (cell & LENGTH) != 0,
		.length_is_zero = (cell & ZERO) != 0,
		.send_chunked = (cell & CHUNKED) != 0,
		.send_body = (cell & BODY) != 0,
		.close = final && (!keep_alive || (cell & UNTIL_CLOSE) != 0),
	};
}
