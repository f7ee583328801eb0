/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_REQUEST_H
#define SPATE_FRAMEWORK_REQUEST_H

/*
 * A request while it is handled. It lives in the frame of sp_http_run(), so
 * on the fiber: a handler that waits keeps it, and one that does not costs
 * no allocation. Its two buffers are the worker's, on loan for one turn:
 *
 *     in    +--------------+----------------+-----------------+----------+
 *           | head, at     | body as far as | next requests   | room     |
 *           | base         | it has come    |                 |          |
 *           +--------------+----------------+-----------------+----------+
 *                          ^start                             ^end
 *
 *     out   +----------------------+---------------------------+
 *           | answers of this turn | room                      |
 *           +----------------------+---------------------------+
 *                                  ^out_size
 *
 * Answers wait in out until the turn ends, the buffer is full, or a handler
 * waits; then they leave in one send.
 */

#include "alloc/bump.h"
#include "framework/framing.h"
#include "framework/http_chunked.h"
#include "framework/http_head.h"
#include "framework/router.h"
#include "framework/server.h"
#include "shards/conn_io.h"

enum sp_answer {
	SP_ANSWER_NONE,
	SP_ANSWER_BEGUN, /* by spate_begin() */
	SP_ANSWER_DONE,
};

enum sp_body {
	SP_BODY_NONE, /* or all of it has been read */
	SP_BODY_FIXED,
	SP_BODY_CHUNKED,
	SP_BODY_BROKEN, /* malformed, or the client is gone */
};

struct spate_req {
	struct sp_worker *worker;
	struct spate_server *server;
	struct sp_poll_desc *pd;

	char *in;
	uint32_t start, end, capacity;
	char *base; /* of the head in in */
	bool drained;  /* the kernel had no more, at the last look */
	bool resuming; /* part of a head had been kept; progress tells */
	struct sp_http_progress progress;

	char *out;
	uint32_t out_size;
	bool flushing;
	int error; /* of sending; the client is gone */

	/* This request. */
	bool close; /* the connection, after the answer */
	bool usual; /* HTTP/1.1, not HEAD, and the connection may stay */
	bool gone;  /* the client, in the middle of its body */
	bool want_continue;
	bool heavy; /* not begun: for the heavy worker */
	uint8_t answer; /* enum sp_answer */
	uint8_t body;   /* enum sp_body */
	bool out_chunked, out_body;
	uint64_t body_left;
	uint64_t out_left; /* of an announced size */
	char *extra;       /* fields added by the handler, or NULL */
	uint32_t extra_size, extra_capacity;
	char *scratch; /* for paths with escapes */
	char *collected; /* the body, by spate_body(), or NULL */
	struct sp_bump memory;
	struct sp_http_chunked chunked;
	struct sp_route_match match;
	struct sp_http_head head;
};

/*
 * sp_req_buffer: one of the worker's buffers, on loan until it is put back.
 *
 * => Returns NULL: no memory.
 */
char *sp_req_buffer(struct sp_worker *worker);
void sp_req_buffer_put(struct sp_worker *worker, char *buffer);

/*
 * sp_req_dispatch: have it answered. Or req->heavy is set, and nothing has
 * been done: it is for another worker to begin anew.
 */
void sp_req_dispatch(struct spate_req *req);

/*
 * sp_req_flush: send what is in out. May wait.
 *
 * => Returns 0 or the error, which sticks.
 */
int sp_req_flush(struct spate_req *req);

/*
 * sp_req_fail: answer with an error and close after it, if nothing has been
 * answered yet.
 */
void sp_req_fail(struct spate_req *req, int status, const char *reason);

/*
 * sp_req_finish: end an answer that was begun. If it is not whole, or not
 * what was announced, the connection ends with it.
 */
void sp_req_finish(struct spate_req *req, bool whole);

/*
 * sp_req_body_begin: what the head says of the body.
 * sp_req_body_skip: read what the handler did not, within bounds.
 *
 * => Returns false: there is too much of it, or it is broken; close.
 */
void sp_req_body_begin(struct spate_req *req);
bool sp_req_body_skip(struct spate_req *req);

/*
 * sp_worker_date: bring the worker's copy of the date up to date; at the
 * beginning of each turn.
 */
void sp_worker_date(struct sp_worker *worker);

#endif /* SPATE_FRAMEWORK_REQUEST_H */
