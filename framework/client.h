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
#include "framework/text.h"
#include "framework/upstream_pool.h"

#include <spate/client.h>

#include <errno.h>

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
	bool reset; /* as it has reset the connection, which no read tells */
	bool duplex; /* the answer may come before the body's end */
	bool ending; /* its last frame has been composed */
	bool ended;  /* all of a body in pieces has been sent */
	bool between; /* a chunk has been sent, but not the end of its line */
	uint8_t frame_at, frame_size;
	uint64_t chunk_left; /* of the chunk that was begun */
	char frame[SP_HEX_DIGITS + 6]; /* of chunks; to be sent from _at on */
	char *collected;
	unsigned interim; /* heads in front of the answer's */
	struct sp_http_progress progress; /* with the next head */
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

/*
 * sp_upstream_deliver: connect, and send all but a body in pieces.
 * sp_upstream_end_body: that is over; waits. client_send.c.
 *
 * => Return 0 or -errno.
 */
int sp_upstream_deliver(struct spate_upstream *up);
int sp_upstream_end_body(struct spate_upstream *up);

/* sp_upstream_is_early: while it sends a body no call waits for the answer. */
static inline bool
sp_upstream_is_early(const struct spate_upstream *up)
{
	return up->duplex && up->streamed && !up->ended && !up->cut;
}

/*
 * sp_upstream_receive: some of the answer, by the next wait's deadline.
 *
 * => Returns how many bytes, 0 at the end, or -errno; -EAGAIN: none yet, and
 *    it is early.
 */
ssize_t sp_upstream_receive(struct spate_upstream *up, void *buf, size_t size);

/* sp_upstream_has_left: an error that says so; it may have answered before. */
static inline bool
sp_upstream_has_left(int error)
{
	return error == -EPIPE || error == -ECONNRESET;
}

/* sp_upstream_cut: it has left in the middle of the request, by that error. */
static inline void
sp_upstream_cut(struct spate_upstream *up, int error)
{
	up->cut = true;
	up->reset |= error == -ECONNRESET;
}

/* sp_upstream_until: when the next wait ends. */
sp_tick sp_upstream_until(const struct spate_upstream *up);

/*
 * sp_upstream_body_begin: the head of the answer is there; what follows.
 * client_body.c.
 */
void sp_upstream_body_begin(struct spate_upstream *up);

#endif /* SPATE_FRAMEWORK_CLIENT_H */
