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
#include "framework/http_repeat.h"
#include "framework/patience.h"
#include "framework/router.h"
#include "framework/server.h"
#include "framework/spent.h"
#include "framework/times.h"
#include "shards/conn_io.h"

#include <assert.h>
#include <stddef.h>

/* Bytes of all fields that a handler adds to one answer. */
#define SP_FIELDS_MAX 8192

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

/* Whom a request is left to, that has not begun. */
enum sp_handed {
	SP_HANDED_NOT,
	SP_HANDED_HEAVY,
	SP_HANDED_BLOCKING,
};

/* What belongs to features that a request need not use; in its memory. */
struct sp_req_more {
	void *data;            /* spate_req_data() */
	const char *bad_value; /* that was wrong, in words */
	int bad_error;         /* in which way */
	bool form_read;
	int form_error; /* of reading it */
	struct spate_str form;
	struct sp_trailers *trailers;
	uint32_t deferral; /* the promise's number, while there is one */
	uint64_t span;     /* traceparent.h; 0: not yet named */
	bool timed;        /* and has spent: Server-Timing */
	struct sp_spent spent;
};

struct spate_req {
	struct sp_worker *worker;
	struct spate_server *server;
	const struct sp_router *router;
	struct sp_poll_desc *pd;

	char *in;
	char *base;     /* of the head in in */
	uint32_t plain; /* SP_REQ_PLAIN, or SP_REQ_PLAIN_NEVER */
	uint32_t capacity;
	uint32_t start, end;
	uint32_t out_size;
	int error;    /* of sending; the client is gone */
	bool drained; /* the kernel had no more, at the last look */
	bool flushing;
	bool late; /* a wait for the body and more was for the body too long */
	bool resuming; /* something had been kept; the next two tell */
	char *out;     /* or NULL, until there is an answer */
	struct sp_turn_times times;
	struct sp_http_progress progress;
	sp_tick handed_at; /* of its first request, or SP_DEADLINE_NONE */
	struct sp_stall stall;

	/* This request: bytes, and all of them at once (sp_req_byte). */
	union {
		struct {
			bool close; /* the connection, after the answer */
			bool usual; /* see below */
			bool gone;  /* the client, in the middle of its body */
			bool want_continue;
			uint8_t answer; /* enum sp_answer */
			uint8_t body;   /* enum sp_body */
			uint8_t routed; /* enum sp_route_result, if not FOUND */
			uint8_t handed : 7;  /* enum sp_handed */
			uint8_t in_page : 1; /* of the program's, for errors */
		};
		uint64_t state;
	};
	bool out_chunked, out_body;
	uint16_t status; /* of the answer, within middleware; 0: not known */
	uint64_t body_left;
	struct sp_patience patience;
	uint64_t out_left; /* of an announced size */
	char *extra;       /* fields added by the handler, or NULL */
	uint32_t extra_size, extra_capacity;
	char *scratch;            /* for paths with escapes */
	struct sp_req_more *more; /* what few requests have, or NULL */
	char *collected;          /* the body, by spate_body(), or NULL */
	struct sp_bump memory;
	struct sp_http_chunked chunked;
	uint64_t body_bytes; /* of the answer, within access_log.c */
	struct sp_route_match match;
	struct sp_http_head head;
};

/*
 * A plain request is a GET by HTTP/1.1, without a body and without escapes in
 * its target, on a connection that may stay and has no age to reach: the
 * method, version and flags of its head are one word.
 */
#define SP_REQ_PLAIN_FLAGS                                                     \
	(SP_HTTP_KEEP_ALIVE | SP_HTTP_HAS_LENGTH | SP_HTTP_CHUNKED             \
	    | SP_HTTP_ESCAPED)
#define SP_REQ_PLAIN_MASK (0xffffu | (uint32_t)SP_REQ_PLAIN_FLAGS << 16)
#define SP_REQ_PLAIN                                                           \
	((uint32_t)SP_HTTP_GET | 1u << 8 | (uint32_t)SP_HTTP_KEEP_ALIVE << 16)
#define SP_REQ_PLAIN_NEVER UINT32_MAX /* has more bits than the mask */

/*
 * A request is usual while it is to HTTP/1.1, not HEAD, on a connection that
 * may stay, and its handler has neither fields of its own nor anything of
 * struct sp_req_more. If such a one is SP_REQ_FRESH when it is answered and
 * SP_REQ_DONE afterwards, there is nothing to think about.
 */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bytes of state");
#define sp_req_byte(member, value)                                             \
	((uint64_t)(value) << 8                                                \
				  * (offsetof(struct spate_req, member)        \
				      - offsetof(struct spate_req, state)))
#define SP_REQ_FRESH sp_req_byte(usual, true)
#define SP_REQ_DONE (SP_REQ_FRESH | sp_req_byte(answer, SP_ANSWER_DONE))

#define OK_LINE "HTTP/1.1 200 OK\r\n"
#define SERVER_FIELD "Server: spate\r\nDate: "
#define TYPE_FIELD "Content-Type: "
#define OK_SIZE (sizeof(OK_LINE) - 1)
#define COMMON_SIZE (sizeof(SERVER_FIELD) - 1 + SP_HTTP_DATE + 2)
#define USUAL_SIZE (OK_SIZE + COMMON_SIZE + sizeof(TYPE_FIELD) - 1)
#define USUAL_ROOM 96
static_assert(USUAL_SIZE <= USUAL_ROOM, "copied by vectors");

/* What a worker has at hand, so that a turn need not look for it. */
struct sp_http_worker {
	char *in, *out;                /* buffers for the next turn, or NULL */
	struct sp_upstream_pool *pool; /* or NULL: nothing is kept */
	struct sp_worker_times *times; /* or NULL: nothing is recorded */
	struct sp_names *names;        /* or NULL: none was asked for yet */
	struct sp_crash_stack *crash;  /* or NULL: nobody handles crashes */
	struct sp_log_ring *log;       /* the log's; or NULL */
	char head[USUAL_ROOM]; /* of this second's answers, to the type */
	struct sp_http_repeat repeat;
	uint32_t not_logged; /* requests since the last that was */
};

/*
 * sp_req_current: the request that the worker's running handler answers.
 *
 * => Returns NULL: it is a task, or a stream.
 */
struct spate_req *sp_req_current(const struct sp_worker *worker);

/*
 * sp_req_buffer: a buffer of the worker's, on loan until it is put back.
 *
 * => Returns NULL: no memory.
 */
char *sp_req_buffer(struct sp_worker *worker);
void sp_req_buffer_put(struct sp_worker *worker, char *buffer);

/*
 * sp_req_memory: count that the request got none, which is max_memory or a
 * machine without any.
 *
 * => Returns memory as it is.
 */
void *sp_req_memory(struct spate_req *req, void *memory);

/*
 * sp_req_flush: send what is in out. May wait.
 *
 * => Returns 0 or the error, which sticks.
 * => sp_req_flush_slowly() goes on after a send that returned sent.
 */
int sp_req_flush_slowly(struct spate_req *req, ssize_t sent);
static inline int
sp_req_flush(struct spate_req *req)
{
	ssize_t n;

	if (req->out_size == 0 || req->error != 0 || req->flushing)
		return req->error;
	n = sp_sys_send(req->pd->fd, req->out, req->out_size);
	if (sp_unlikely(n != (ssize_t)req->out_size))
		return sp_req_flush_slowly(req, n);
	sp_count(&req->worker->counters.bytes_out, (uint64_t)n);
	req->out_size = 0;
	return 0;
}

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
 * sp_req_refuse: likewise, for a head that is none, as req->head.error says.
 * The answer has a head of its own to go by. It is counted, and no request.
 */
void sp_req_refuse(struct spate_req *req, int status);

/*
 * sp_req_settle: a handler has returned. End what it has begun, answer what
 * it did not.
 * sp_req_settle_late: if it was for its route's deadline that it has ended.
 */
void sp_req_settle_late(struct spate_req *req, int result);
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

/*
 * sp_req_promised: another thread is to answer. Until it was waited for, no
 * other wait is possible: an answer that has come would end it at once.
 */
static inline bool
sp_req_promised(const struct spate_req *req)
{
	return req->answer == SP_ANSWER_PROMISED;
}

/*
 * sp_req_left: whether the client is known to have gone, for good or, by
 * half_close_cancels, in one direction.
 */
bool sp_req_left(struct spate_req *req);

/*
 * sp_poll_now: poll(2) without a wait. The edges of what it looks at have been
 * taken by then, so a look that a signal ended would leave the caller waiting
 * for what has come already: it is made again.
 *
 * => Returns what poll(2) does.
 */
struct pollfd;
int sp_poll_now(struct pollfd *fds, unsigned count);

/* sp_defer_end: take back what was promised; defer.c. */
void sp_defer_end(struct spate_req *req);

/*
 * sp_trailer_add: bytes of the trailer. sp_trailer_end: those were all.
 *
 * => Returns 0, -ENOMEM or -EBADMSG.
 */
int sp_trailer_add(struct spate_req *req, const char *data, size_t size);
void sp_trailer_end(struct spate_req *req);

/*
 * sp_req_coding: how much the client wants a content coding, as for
 * spate_accepts(); 0 if it does not say.
 */
unsigned sp_req_coding(const struct spate_req *req, const char *coding);

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
 * To wait for the body together with something else. sp_req_body_ask: the
 * client may wait to be told to go on. => Returns 0, or what is wrong.
 *
 * sp_req_body_at_hand: a read need not ask the socket.
 *
 * sp_req_body_until: when it has to have come; or SP_DEADLINE_NONE.
 *
 * sp_req_body_waited: so long it was waited for, too long or not. If it was,
 * a read that finds nothing does not wait for it any more.
 */
int sp_req_body_ask(struct spate_req *req);
bool sp_req_body_at_hand(struct spate_req *req);
sp_tick sp_req_body_until(const struct spate_req *req);
void sp_req_body_waited(struct spate_req *req, uint64_t ns, bool late);

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
