/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_CLIENT_H
#define SPATE_FRAMEWORK_CLIENT_H

/*
 * A request to another server while it is under way; spate/client.h has its
 * life. The buffer is first the request's and then the answer's:
 *
 *     until the answer begins   | head of the request, small body | room |
 *     from then on              | head of the answer | body | room       |
 *                                                    ^start ^end
 *
 * The request stays whole until the first byte of the answer comes, so that
 * it can be sent again if a kept connection turns out to be closed.
 */

#include "framework/http_answer.h"
#include "framework/http_chunked.h"
#include "framework/names.h"
#include "framework/server.h"
#include "framework/upstream_pool.h"

#include <spate/client.h>

enum sp_upstream_state {
	SP_UPSTREAM_CONNECTING,
	SP_UPSTREAM_CONNECTED,
	SP_UPSTREAM_SENT,     /* all but a body that is written in pieces */
	SP_UPSTREAM_ANSWERED, /* the head is there */
	SP_UPSTREAM_WHOLE,
};

struct spate_upstream {
	struct sp_worker *worker;
	struct spate_server *server;
	struct sp_poll_desc *pd; /* NULL: none any more */
	struct sp_address address; /* that is tried, or was asked */
	char name[SP_NAME_SIZE];   /* to look up, or "" */
	uint16_t port;             /* of that */
	struct sp_addresses others; /* of the name, still to be tried */
	char *buffer;
	uint32_t capacity, start, end;
	uint32_t request; /* bytes of it in buffer */
	const char *body; /* lent, not in buffer; or NULL */
	size_t body_size;
	uint64_t owed; /* of a body in pieces; UINT64_MAX: unknown */
	uint64_t left; /* of the answer's body, if it has a length */
	uint32_t timeout_ms;
	sp_tick deadline;
	int error;     /* the first; sticks */
	uint8_t state; /* enum sp_upstream_state */
	uint8_t ends;  /* enum sp_http_ends */
	bool streamed; /* the body comes in pieces */
	bool idempotent;
	bool to_head;
	bool reused;
	bool cut; /* the other side did not take all of it */
	char *collected;
	struct sp_http_chunked chunked;
	struct sp_http_answer answer;
};

/*
 * sp_upstream_compose: check a call, and write its request into the buffer.
 * client_request.c.
 *
 * => Returns 0, -EINVAL or -EMSGSIZE.
 */
int
sp_upstream_compose(struct spate_upstream *up, const struct spate_call *call);

/* sp_upstream_fail: the end. Returns error. */
int sp_upstream_fail(struct spate_upstream *up, int error);

/* sp_upstream_until: when the next wait ends. */
sp_tick sp_upstream_until(const struct spate_upstream *up);

/*
 * sp_upstream_body_begin: the head of the answer is there; what follows.
 * client_body.c.
 */
void sp_upstream_body_begin(struct spate_upstream *up);

#endif /* SPATE_FRAMEWORK_CLIENT_H */
