/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_CLIENT_H
#define SPATE_CLIENT_H

/*
 * Requests to other servers, from inside a handler. Part of <spate.h>.
 *
 *     struct spate_call call = spate_call_default("GET", url);
 *     struct spate_upstream *up;
 *     struct spate_str body;
 *     int status = spate_fetch(&call, &up);
 *
 *     if (status < 0)
 *             return spate_text(req, 502, "%s\n", spate_strerror(status));
 *     if (spate_upstream_body(up, MAX, &body) == 0)
 *             spate_respond(req, status, NULL, body.data, body.size);
 *     spate_upstream_close(up);
 *
 * All of it waits like any call of a handler: others are served meanwhile.
 * A wait ends with -ECANCELED when the client that the handler serves has
 * gone, as spate_sleep() takes it, or the server is stopped.
 *
 * Several at once: open them all, flush them all, and then take the answers
 * one after the other; all in all they take as long as the slowest.
 *
 *               open        flush           answer         read to the end
 *     (none) --------> new -------> sent ----------> head ----------> whole
 *                                    ^ |
 *                                    `-' write
 *
 * Both ways at once, for who passes on large bodies: with duplex set, write no
 * more than there is room for, and wait for whatever comes first.
 *
 *     open, call.duplex      send() what spate_upstream_wait() has room for,
 *                            and end() it
 *                            answer() and read() as wait() says
 *
 * A connection whose answer was read to the end is kept for the next request
 * to the same address from the same worker (spate_options.upstream_idle_max).
 * One that the other side closes at that moment costs an idempotent request
 * one more connection, and others an error.
 *
 * Errors, of all calls here that return some:
 *
 *     -EINVAL       the call is malformed: see spate_upstream_open()
 *     -EBADMSG      what came is not HTTP, or too large a head
 *     -EHOSTUNREACH there is no such name
 *     -EAGAIN       nobody could say what the name is; try again
 *     -ETIMEDOUT    timeout_ms, deadline_ms or the deadline of the route
 *     -ECANCELED    nobody is there to be answered
 *     -ECONNRESET   the other side ended before its answer did
 *     -EMFILE, -ENOMEM, and what connect(2), recv(2) and send(2) say
 *
 * After one of them only spate_upstream_close() is left to call.
 */

#include <spate.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spate_upstream;

struct spate_field {
	const char *name;
	const char *value;
};

struct spate_call {
	size_t size; /* sizeof(struct spate_call), as for spate_options */

	const char *method;
	const char *url;
	const struct spate_field *fields; /* besides Host and the framing */
	size_t field_count;

	/*
	 * The body, on loan until the answer has begun. NULL with a size: it
	 * comes by spate_upstream_write(); -1 then means a size unknown yet.
	 */
	const void *body;
	int64_t body_size;

	uint32_t timeout_ms;  /* of each wait; 0: none; 30,000 */
	uint32_t deadline_ms; /* from open to the end of the body; 0: none */

	/*
	 * Else, if the handler's own request is of a trace (spate/trace.h), so
	 * is this one: it has a traceparent with an id of its own, and the
	 * tracestate as it came, if that has at most 512 bytes. If fields has
	 * one of the two, it has those of fields alone.
	 */
	bool untraced;

	/*
	 * The answer may be read before all of a body without a pointer has
	 * been sent: spate_upstream_answer() does not end it. Until that is
	 * done, neither it nor spate_upstream_read() waits: they return 0 and
	 * -EAGAIN if not enough has come.
	 */
	bool duplex;
};

/* Context: any. */
SPATE_API struct spate_call
spate_call_default(const char *method, const char *url);

/*
 * Begin a request. url is one of
 *
 *     http://example.org/path             a name; port 80 if there is none
 *     http://127.0.0.1:8080/path?query    IPv4
 *     http://[::1]:8080/path              IPv6
 *     http://unix:/run/my.sock:/path      a Unix socket; unix:@my too
 *
 * *out is the caller's, until spate_upstream_close(); it is for the handler
 * that opened it. Waits for no peer, but for a name that the worker has not
 * looked up lately (spate_options.name_cache_ms), which a thread of the offload
 * pool does; its addresses are tried one after the other.
 *
 * Errors: -EINVAL (url, method, a field, or one that is not for the caller
 * to set: Connection, Content-Length, Transfer-Encoding, Keep-Alive,
 * Upgrade, TE, Trailer, Expect), -EMSGSIZE (a head of more than max_head),
 * -EPERM (not in a handler). *out is then NULL. Context: handler.
 */
SPATE_API int
spate_upstream_open(const struct spate_call *call, struct spate_upstream **out);

/* Be connected, and send what there is to send. Context: handler. */
SPATE_API int spate_upstream_flush(struct spate_upstream *up);

/*
 * The next piece of a body without a pointer. -EMSGSIZE: more than was
 * announced, and nothing is sent. -EPIPE, -ECONNRESET: the other side wants
 * no more; there may still be an answer to read. Context: handler.
 */
SPATE_API int
spate_upstream_write(struct spate_upstream *up, const void *data, size_t size);

/*
 * Some of the next piece, without waiting for room. Returns how many bytes
 * were taken, which may be 0; the rest has to come next. Errors: as
 * spate_upstream_write(). Context: handler.
 */
SPATE_API ssize_t spate_upstream_send(
    struct spate_upstream *up, const void *data, size_t size);

/*
 * That was all of the body, of a call with duplex. -EAGAIN: wait for room, and
 * say it again. -EINVAL: some of it is missing. Context: handler.
 */
SPATE_API int spate_upstream_end(struct spate_upstream *up);

/*
 * Wait until at least one of these can be gone on with, of a call with duplex:
 * there is room to send; something has come of the answer, or its end; or
 * something of the body of the handler's own request, or its end. What has been
 * written to the client is sent before. If it is the client that is late with
 * its body, that counts as something of it, and reading it tells.
 *
 * Returns which, as bits. Context: handler.
 */
enum { SPATE_ROOM = 1 << 0, SPATE_ANSWER = 1 << 1, SPATE_BODY = 1 << 2 };
SPATE_API int spate_upstream_wait(struct spate_upstream *up, unsigned what);

/*
 * Wait for the head of the answer.
 *
 * Returns the status, 200 to 599. Context: handler.
 */
SPATE_API int spate_upstream_answer(struct spate_upstream *up);

/*
 * Open, flush and answer. Returns the status; after an error *out is NULL.
 * Context: handler.
 */
SPATE_API int
spate_fetch(const struct spate_call *call, struct spate_upstream **out);

/*
 * A field of the answer by its name; or the one at index, and then -ENOENT
 * says that there are no more. On loan until the close. Context: handler.
 */
SPATE_API struct spate_str
spate_upstream_header(const struct spate_upstream *up, const char *name);
SPATE_API int spate_upstream_header_at(const struct spate_upstream *up,
    size_t index, struct spate_str *name, struct spate_str *value);

/* The Content-Length of the answer, or -1. Context: handler. */
SPATE_API int64_t spate_upstream_size(const struct spate_upstream *up);

/*
 * The next piece of the body, without its framing. Returns how many bytes; 0
 * at the end. Context: handler.
 */
SPATE_API ssize_t spate_upstream_read(
    struct spate_upstream *up, void *buf, size_t size);

/*
 * The rest of the body, in one piece, on loan until the close. Also -E2BIG:
 * more than max bytes. Context: handler.
 */
SPATE_API int spate_upstream_body(
    struct spate_upstream *up, uint64_t max, struct spate_str *body);

/* The end of a request, wherever it is; NULL is fine. Context: handler. */
SPATE_API void spate_upstream_close(struct spate_upstream *up);

#ifdef __cplusplus
}
#endif

#endif /* SPATE_CLIENT_H */
