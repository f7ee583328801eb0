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
#include "framework/http_date.h"
#include "framework/http_head.h"
#include "framework/patience.h"
#include "framework/router.h"
#include "framework/server.h"
#include "shards/conn_io.h"

enum sp_answer {
	SP_ANSWER_NONE,
	SP_ANSWER_PROMISED, /* by spate_defer(), and not waited for yet */
	SP_ANSWER_BEGUN, /* by spate_begin() */
	SP_ANSWER_DONE,
};

enum sp_body {
	SP_BODY_NONE, /* or all of it has been read */
	SP_BODY_FIXED,
	SP_BODY_CHUNKED,
	SP_BODY_BROKEN, /* malformed, or the client is gone */
};

/* What belongs to features that a request need not use; in its memory. */
struct sp_req_more {
	void *data;           /* spate_req_data() */
	const char *bad_value; /* that was wrong, in words */
	int bad_error;         /* in which way */
	bool form_read;
	int form_error; /* of reading it */
	struct spate_str form;
	struct sp_trailers *trailers;
	uint32_t deferral; /* the promise's number, while there is one */
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
	uint8_t answer; /* enum sp_answer */
	uint8_t body;   /* enum sp_body */
	uint8_t routed; /* enum sp_route_result, unless it is FOUND */
	bool out_chunked, out_body;
	uint16_t status; /* of the answer, within middleware; 0: not known */
	uint64_t body_left;
	struct sp_patience patience;
	uint64_t out_left; /* of an announced size */
	char *extra;       /* fields added by the handler, or NULL */
	uint32_t extra_size, extra_capacity;
	char *scratch; /* for paths with escapes */
	struct sp_req_more *more; /* what few requests have, or NULL */
	char *collected; /* the body, by spate_body(), or NULL */
	struct sp_bump memory;
	struct sp_http_chunked chunked;
	struct sp_route_match match;
	struct sp_http_head head;
};

#define OK_LINE "HTTP/1.1 200 OK\r\n"
#define SERVER_FIELD "Server: spate\r\nDate: "
#define OK_SIZE (sizeof(OK_LINE) - 1)
#define COMMON_SIZE (sizeof(SERVER_FIELD) - 1 + SP_HTTP_DATE + 2)

/* What a worker has at hand, so that a turn need not look for it. */
struct sp_http_worker {
	char *buffer[2]; /* for the next turn, or NULL */
	struct sp_upstream_pool *pool; /* or NULL: nothing is kept */
	char head[OK_SIZE + COMMON_SIZE + 8]; /* of this second's answers */
};

/*
 * sp_req_buffer: one of the worker's buffers, on loan until it is put back.
 *
 * => Returns NULL: no memory.
 */
static inline char *
sp_req_buffer(struct sp_worker *worker)
{
	struct sp_http_worker *http = worker->context;

	for (int i = 0; i < 2; i++) {
		char *buffer = http->buffer[i];

		if (sp_likely(buffer != NULL)) {
			http->buffer[i] = NULL;
			return buffer;
		}
	}
	return sp_bufcache_get(&worker->buffers);
}

static inline void
sp_req_buffer_put(struct sp_worker *worker, char *buffer)
{
	struct sp_http_worker *http = worker->context;

	for (int i = 1; i >= 0; i--) {
		if (sp_likely(http->buffer[i] == NULL)) {
			http->buffer[i] = buffer;
			return;
		}
	}
	sp_bufcache_put(&worker->buffers, buffer);
}

/*
 * sp_req_flush: send what is in out. May wait.
 *
 * => Returns 0 or the error, which sticks.
 */
int sp_req_flush(struct spate_req *req);

/*
 * sp_req_more: what few requests have, all zero at first.
 *
 * => Returns NULL: no memory.
 */
struct sp_req_more *sp_req_more(struct spate_req *req);

/*
 * sp_req_fail: answer with an error and close after it, if nothing has been
 * answered yet.
 */
void sp_req_fail(struct spate_req *req, int status, const char *reason);

/*
 * sp_req_settle: a handler has returned. End what it has begun, answer what
 * it did not.
 */
void sp_req_settle(struct spate_req *req, int result);

/*
 * sp_req_bad_value: remember which value was wrong, for sp_req_settle().
 *
 * => what and name are copied. Returns error.
 */
int sp_req_bad_value(
    struct spate_req *req, const char *what, const char *name, int error);

/*
 * sp_req_finish: end an answer that was begun. If it is not whole, or not
 * what was announced, the connection ends with it.
 */
void sp_req_finish(struct spate_req *req, bool whole);

/*
 * sp_req_wait: wait in a handler for news of the connection. Several waits
 * up to one deadline begin with one sp_req_wait_until().
 *
 * => Returns 0: there may be some. Look, and wait again.
 * => Returns -ETIMEDOUT; -ECANCELED: the client is gone; -ESHUTDOWN: the
 *    server is being stopped, if that is of interest; -ENOMEM.
 * => After sp_req_wait_end() nothing is left of the deadline.
 */
void sp_req_wait_until(struct spate_req *req, sp_tick until);
int sp_req_wait(struct spate_req *req, bool until_drain);
void sp_req_wait_end(struct spate_req *req);

/* sp_req_after: the tick in ms milliseconds from now. */
sp_tick sp_req_after(uint32_t ms);

/*
 * sp_req_promised: another thread is to answer. Until it was waited for, no
 * other wait is possible: an answer that has come would end it at once.
 */
static inline bool
sp_req_promised(const struct spate_req *req)
{
	return req->answer == SP_ANSWER_PROMISED;
}

/* sp_defer_end: take back what was promised; defer.c. */
void sp_defer_end(struct spate_req *req);

/*
 * sp_trailer_add: bytes of the trailer. sp_trailer_end: those were all.
 *
 * => Returns 0, -ENOMEM or -EBADMSG.
 */
int sp_trailer_add(struct spate_req *req, const char *data, size_t size);
void sp_trailer_end(struct spate_req *req);

/* sp_req_ages: does the connection end with this request, for its age? */
bool sp_req_ages(struct spate_req *req);

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
void sp_worker_date_update(struct sp_worker *worker);
static inline void
sp_worker_date(struct sp_worker *worker)
{
	if (sp_unlikely(!sp_tick_after(worker->date_until, worker->now)))
		sp_worker_date_update(worker);
}

#endif /* SPATE_FRAMEWORK_REQUEST_H */
