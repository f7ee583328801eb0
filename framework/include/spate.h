/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_H
#define SPATE_H

/*
 * spate: an HTTP server with one epoll instance for each CPU.
 *
 *     #include <spate.h>
 *
 *     static int
 *     hello(struct spate_req *req, void *arg)
 *     {
 *             (void)arg;
 *             return spate_text(req, 200, "Hello, World!\n");
 *     }
 *
 *     int
 *     main(int argc, char **argv)
 *     {
 *             struct spate_server *server = spate_server_new(NULL);
 *
 *             spate_route(server, "GET", "/", hello, NULL);
 *             return spate_main(server, argc, argv);
 *     }
 *
 * Handles. Every struct here without a body is opaque. Functions named _new
 * make one that the caller owns, and _free ends it; NULL is fine to free.
 *
 * Errors. Functions that can fail return 0, or a size, or a negative errno
 * value, and unless they say otherwise a call that failed has changed
 * nothing. spate_strerror() puts it in words.
 *
 * Strings. struct spate_str is a loan, neither owned nor NUL-terminated. Its
 * function says when the loan ends.
 *
 * Handlers. A handler is plain code. It may wait, by the calls below that
 * say so; then its worker goes on with other requests, and it comes back in
 * the same thread. It must not wait in other ways for long, as its worker would
 * wait with it; unless its route is a blocking one.
 *
 * Context. Each function says where it may be called:
 *
 *     any        any thread, at any time
 *     setup      one thread, before spate_server_start()
 *     handler    inside the handler that was given the request or stream
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) && defined(SPATE_BUILDING)
#define SPATE_API __attribute__((visibility("default")))
#else
#define SPATE_API
#endif

#if defined(__GNUC__)
#define SPATE_PRINTF(at, first)                                                \
	__attribute__((format(printf, at, first)))
#else
#define SPATE_PRINTF(format, args)
#endif

#define SPATE_VERSION_MAJOR 0
#define SPATE_VERSION_MINOR 1
#define SPATE_VERSION_PATCH 0

struct spate_server;
struct spate_group;
struct spate_req;
struct spate_stream;

struct spate_str {
	const char *data;
	size_t size;
};

/* The name of one connection; 0 is none. Never comes to mean another one. */
typedef uint64_t spate_handle;

/* ---------------------------------------------------------------- library */

/*
 * The version that is linked, as against SPATE_VERSION_*, the one that was
 * compiled with. Context: any.
 */
SPATE_API const char *spate_version(void);

/* A short text for what a function here returned; constant. Context: any. */
SPATE_API const char *spate_strerror(int error);

/* ----------------------------------------------------------------- server */

enum spate_log_level {
	SPATE_LOG_DEBUG,
	SPATE_LOG_INFO,
	SPATE_LOG_WARNING,
	SPATE_LOG_ERROR
};

/* How spate_main() writes lines: key=value pairs, or an object of JSON. */
enum spate_log_format { SPATE_LOG_LOGFMT, SPATE_LOG_JSON };

/*
 * Which shard serves a connection. NEAR: the one on the CPU where its packets
 * arrive, as long as that has no more than its part. HASH: wherever the
 * kernel's hash of the addresses has put it; to compare with.
 */
enum spate_placement { SPATE_PLACE_NEAR, SPATE_PLACE_HASH };

struct spate_options {
	/*
	 * sizeof(struct spate_options), as spate_options_default() sets it. It
	 * tells a newer library which fields an older caller knew.
	 */
	size_t size;

	uint32_t shards;          /* 0: one for each CPU we may run on */
	uint32_t workers;         /* threads of each shard; 1 */
	uint32_t spares;          /* more of them, when a shard is stuck; 2 */
	uint32_t max_connections; /* 0: nine tenths of RLIMIT_NOFILE */
	/*
	 * Connections of one client address, or IPv6 network of 64 bits; 0: no
	 * limit. That is the default, as behind a proxy there is one address.
	 */
	uint32_t max_connections_per_peer;
	uint32_t max_requests;    /* of one connection; 0: no limit */
	uint32_t backlog;         /* of listen(2); 0: the kernel's maximum */
	uint32_t stack_size;      /* of a fiber, in bytes; 0: 64 KiB. A parser
	                             that recurses may need more */
	uint32_t max_fibers;      /* that wait, in each worker; 16,384 */

	/* In milliseconds; 0: no limit. */
	uint32_t header_timeout_ms; /* from the first byte of a head; 10,000 */
	uint32_t body_timeout_ms;   /* between pieces of a body; 30,000 */
	uint32_t write_timeout_ms;  /* while a client takes nothing, or less
	                               than min_write_rate; 30,000 */
	uint32_t idle_timeout_ms;   /* between requests, or of a silent
	                               stream; 75,000 */
	uint32_t drain_timeout_ms;  /* to finish in, when stopped; 25,000 */
	uint32_t body_grace_ms;     /* min_body_rate holds after it; 5,000 */
	uint32_t max_age_ms;        /* of a connection, give or take 10%; 0 */
	uint32_t events_comment_ms; /* while there are no events; 15,000 */

	/*
	 * Whether a client that has closed its sending side is taken for gone
	 * by handlers in spate_wait() and spate_events_wait(). A browser that
	 * goes elsewhere looks like that, and so does "echo ... | nc". Without
	 * it a client is gone when it has reset the connection.
	 */
	bool half_close_cancels;

	/* In bytes or pieces. */
	uint32_t max_head;    /* of a head; 16 KiB, from 256 to 64,000 */
	uint32_t max_fields;  /* in a head; 100, which is also the most */
	uint32_t max_target;  /* of a request's target; 8 KiB */
	uint64_t max_body;    /* that spate_body() collects; 1 MiB */
	uint32_t min_body_rate; /* bytes in a second, or 408; 240. 0: none */
	uint64_t max_outq;    /* sent to one stream and not yet taken; 1 MiB */
	uint32_t max_memory;  /* of spate_alloc(), for one request; 1 MiB */

	/*
	 * Where lines go, on loan, without their end; NULL: nowhere. Called
	 * from any thread, several at once, and in a sandbox from SIGSYS.
	 */
	void (*log)(void *arg, enum spate_log_level level, const char *line);
	void *log_arg;
	enum spate_log_level log_level; /* this and above; SPATE_LOG_INFO */

	/*
	 * Called by spate_main() in the main thread once the server runs: to
	 * say so, or to start threads that use it. Those have to end before
	 * the second one returns, which is called when the server is to stop.
	 * NULL: neither is.
	 */
	void (*started)(void *arg, struct spate_server *server);
	void (*stopping)(void *arg, struct spate_server *server);
	void *started_arg;

	/* Connections to other servers that wait for the next request. */
	uint32_t upstream_idle_max; /* in each worker; 0: none; 128 */
	uint32_t upstream_idle_ms;  /* for how long, at least 1; 15,000 */
	uint32_t name_cache_ms;     /* addresses of a name; 10,000. 0: none */

	/*
	 * A handler that keeps its worker for longer, without waiting by the
	 * calls for that, is named in the log and counted; 20, 0: none is.
	 */
	uint32_t stall_ms;
	uint32_t max_tasks; /* of spate_spawn(), at a time; 65,536 */

	/* Threads of spate_offload(), and its calls that wait for one. */
	uint32_t offload_threads; /* 16, at most 64; 0: each is refused */
	uint32_t offload_queue;   /* 1,024, at most 1,048,576 */

	/*
	 * Requests of one connection that are answered before others have
	 * their turn; 16, at least 1. What is beyond that in a pipeline waits,
	 * mostly in the kernel, and no answer is kept for it.
	 */
	uint32_t max_pipelined;
	/*
	 * Bytes of a body that its handler left unread which are read and
	 * thrown away, to keep the connection; if there are more it is closed;
	 * 256 KiB.
	 */
	uint32_t max_unread;
	/*
	 * Bytes in a second that a client has to take of an answer, on average
	 * over write_timeout_ms of waiting for it; 240. 0: any byte will do.
	 */
	uint32_t min_write_rate;

	bool record_times; /* latencies, and counts by route; true */
	/*
	 * Events of each worker that the flight recorder keeps, of 32 bytes
	 * each, up to a power of two; 16,384, at most 1,048,576. 0: none.
	 */
	uint32_t record_events;
	/*
	 * Where a crash under spate_main() is told of: in a file that is
	 * appended to; NULL: standard error; "none": no signal is handled.
	 */
	const char *crash_dump;

	enum spate_placement placement; /* SPATE_PLACE_NEAR */

	/*
	 * Of spate_main() without a log of the program's, which has a thread
	 * write to standard error. Lines beyond log_queue are dropped.
	 */
	enum spate_log_format log_format; /* SPATE_LOG_LOGFMT */
	uint32_t log_queue;  /* of each thread; 1,024, from 2 to 1,048,576 */
	uint32_t access_log; /* one of so many requests is; 0: none */
	bool server_timing;  /* in each answer: what took how long; false */
	uint32_t blocking_threads; /* of spate_route_blocking(); 16 */
	uint32_t blocking_queue;   /* requests that wait for one; 1,024 */
};

/* The defaults. Start from these and change what you mean to. Context: any. */
SPATE_API struct spate_options spate_options_default(void);

/*
 * Make a server. The options are copied; NULL means the defaults.
 *
 * Returns NULL: no memory. What is wrong with the options or with a later
 * call of setup, spate_server_start() says as well, so a program may leave
 * the checking to it. All calls take a server of NULL for -ENOMEM.
 *
 * Context: any.
 */
SPATE_API struct spate_server *spate_server_new(
    const struct spate_options *options);

/*
 * Free a server that does not run. Context: any thread but a handler's.
 */
SPATE_API void spate_server_free(struct spate_server *server);

/*
 * Listen for HTTP at an address, which is one of
 *
 *     127.0.0.1:8080      IPv4
 *     *:8080, :8080       every IPv4 address
 *     [::1]:8080          IPv6; [::] takes IPv4 too, if the system does
 *     unix:/run/my.sock   a Unix socket, removed by spate_server_stop()
 *     unix:@my            one without a file
 *
 * Port 0 is any free one; spate_server_port() tells which. No names are
 * looked up. spate_server_start() makes the socket, also where one was left.
 *
 * Errors: -EINVAL (no such address), -ENOSPC (more than 16), -ENOMEM.
 * Context: setup.
 */
SPATE_API int spate_listen(struct spate_server *server, const char *address);

/*
 * Start the threads, and return.
 *
 * Errors: the first of setup; -EADDRINUSE, -EACCES, -EMFILE, -ENOMEM,
 * -EAGAIN (no more threads), -EINVAL (an option is out of range). A server
 * that failed to start can only be freed. Context: setup.
 */
SPATE_API int spate_server_start(struct spate_server *server);

/*
 * Stop: accept no more, close connections without a request, and let the
 * others finish. What is not done after drain_timeout_ms is cancelled.
 * Returns when every thread has ended.
 *
 * Returns 0, or -ETIMEDOUT: something had to be cancelled.
 *
 * Context: any thread but a handler's, once.
 */
SPATE_API int spate_server_stop(struct spate_server *server);

/*
 * The port of the first address that was given, once started; 0 if that is
 * a Unix socket. Context: any.
 */
SPATE_API uint16_t spate_server_port(const struct spate_server *server);

/* How many shards it has, once started; or 0. Context: any. */
SPATE_API uint32_t spate_server_shards(const struct spate_server *server);

/*
 * Run a server as a program: read options from the command line and from
 * the environment (SPATE_LISTEN and so on), start, wait for SIGTERM or
 * SIGINT, stop; a second signal ends the program at once. --help tells the
 * rest. Frees the server.
 *
 * Returns what main() should return: 0, or a value of <sysexits.h> after a
 * line on standard error. That is 75 if drain_timeout_ms was not enough.
 * --help, --version and a bad flag end the program.
 *
 * Context: the main thread.
 */
SPATE_API int spate_main(struct spate_server *server, int argc, char **argv);

/* ----------------------------------------------------------------- routes */

/*
 * A handler answers one request, by one of the calls that begin an answer,
 * and returns 0 or an error; so it can say "return spate_text(...)". If it
 * has not answered, the client gets:
 *
 *     -EINVAL, -ENOENT, -ERANGE    400, and which value it was
 *     -EBADMSG                     400, the body
 *     -E2BIG                       413
 *     -EMEDIUMTYPE                 415
 *     -ETIMEDOUT of the body       408
 *     all else, 0 too              500, and a line in the log
 *
 * A client that is gone gets nothing, whatever is returned.
 */
typedef int spate_handler_fn(struct spate_req *req, void *arg);

/*
 * Have a handler answer a method and a path. method may be several, "GET
 * PUT", or "*" for all but CONNECT and TRACE. ":name" in the path stands
 * for one segment and "*name" at its end for the rest: spate_param().
 *
 * HEAD is answered by the handler for GET, without the body; OPTIONS by the
 * router, unless there is a route for it.
 *
 * The strings are copied. arg is lent until the server is freed.
 *
 * Errors: -EINVAL (not a path, no such method), -EEXIST, -ENOMEM.
 * Context: setup.
 */
SPATE_API int spate_route(struct spate_server *server, const char *method,
    const char *path, spate_handler_fn *handler, void *arg);

/*
 * Answer GET with what there is to tell of the server, as JSON; see
 * docs/stats.md. <spate/insight.h> has more than that. Context: setup.
 */
SPATE_API int spate_route_stats(
    struct spate_server *server, const char *path);

/* ---------------------------------------------------------------- request */

/*
 * What the client sent. Absent is { NULL, 0 }, empty is { "", 0 }. On loan
 * until the handler returns. Context: handler.
 */
SPATE_API const char *spate_method(const struct spate_req *req);
SPATE_API struct spate_str spate_path(const struct spate_req *req);
SPATE_API struct spate_str spate_query(const struct spate_req *req);
SPATE_API struct spate_str spate_host(const struct spate_req *req);
SPATE_API struct spate_str spate_header(
    const struct spate_req *req, const char *name);

/*
 * The field of the request at index, from 0 on, as it was sent. Returns 0,
 * or -ENOENT: there are no more. Context: handler.
 */
SPATE_API int spate_header_at(const struct spate_req *req, size_t index,
    struct spate_str *name, struct spate_str *value);

/*
 * A segment of the path by its name in the route, without its escapes.
 * Absent too if an escape is malformed. Context: handler.
 */
SPATE_API struct spate_str spate_param(struct spate_req *req, const char *name);

/*
 * A value of the query by its name, without escapes; absent too if an escape
 * is malformed. <spate/values.h> has it as a number. Context: handler.
 */
SPATE_API struct spate_str spate_query_str(
    struct spate_req *req, const char *name);

/* Its shard, for now; its connection, which stays there once this is asked. */
SPATE_API uint32_t spate_shard(const struct spate_req *req);
SPATE_API spate_handle spate_req_handle(const struct spate_req *req);

/*
 * Memory that lasts as long as the request.
 *
 * Returns NULL: max_memory is reached, or there is none. Context: handler.
 */
SPATE_API void *spate_alloc(struct spate_req *req, size_t size);

/*
 * The size of the body; 0 if there is none, -1 if it is chunked. Context:
 * handler.
 */
SPATE_API int64_t spate_body_size(const struct spate_req *req);

/*
 * Read the next piece of the body. Waits for it.
 *
 * Returns how many bytes; 0 at the end.
 *
 * Errors: -ETIMEDOUT and those of recv(2), or of send(2) for what was written
 * before: the client is gone. -EBADMSG: it is malformed. Context: handler.
 */
SPATE_API ssize_t spate_body_read(
    struct spate_req *req, void *buf, size_t size);

/*
 * The whole body, in one piece, on loan until the handler returns. Waits
 * for it.
 *
 * Errors: as spate_body_read(); -E2BIG: more than max_body, and the answer
 * should be 413; -ENOMEM. Context: handler.
 */
SPATE_API int spate_body(struct spate_req *req, struct spate_str *body);

/* ----------------------------------------------------------------- answer */

/*
 * Add a field to the head of the answer, before it is begun. Date, Server,
 * Content-Type, Connection, Keep-Alive, Upgrade, Trailer and the framing are
 * not for it to set. All of them together may be 8 KiB.
 *
 * Errors: -EINVAL (not a name or a value; one of those), -EALREADY (begun),
 * -ENOMEM. Context: handler.
 */
SPATE_API int spate_add_header(
    struct spate_req *req, const char *name, const char *value);

/*
 * Answer, in one piece. The bytes are copied or sent before it returns; it
 * may wait while the client takes nothing. type may be NULL for none.
 *
 * Errors: -EALREADY (answered before), -EINVAL (no such status), -EPIPE and
 * others of send(2), -ETIMEDOUT, -ECANCELED: the client is gone. Context:
 * handler.
 */
SPATE_API int spate_respond(struct spate_req *req, int status,
    const char *type, const void *body, size_t size);

/* Likewise with text/plain in UTF-8, composed as by printf(). */
SPATE_API int spate_text(struct spate_req *req, int status,
    const char *format, ...) SPATE_PRINTF(3, 4);

/*
 * Answer in pieces: begin, then any number of writes. size is that of the
 * whole body, or -1 if it is not known; it is then chunked. Ends when the
 * handler returns. A body that is then short of its size, or was of unknown
 * size and the handler returned a negative value, ends the connection: there
 * is no other way to tell the client that something is missing.
 *
 * spate_write() waits while the client takes nothing, so a slow client slows
 * the handler and fills no memory.
 *
 * Errors: as spate_respond(); spate_write() also -EMSGSIZE: more than was
 * announced, and nothing is sent. Context: handler.
 */
SPATE_API int spate_begin(
    struct spate_req *req, int status, const char *type, int64_t size);
SPATE_API int spate_write(struct spate_req *req, const void *data, size_t size);

/*
 * Send now what has been written, which else may wait for more. Waits while
 * the client takes nothing. Errors: as spate_respond(). Context: handler.
 */
SPATE_API int spate_flush(struct spate_req *req);

/* ---------------------------------------------------------------- streams */

/*
 * A stream handler is called when a client of a raw TCP or Unix address has
 * sent something, and again whenever there is more. It reads at least some
 * of it, and may write and wait; between its calls a connection costs no
 * stack and no buffer. One that is silent for idle_timeout_ms is closed.
 *
 * Returns 0: call again when there is more. Anything else: close.
 */
typedef int spate_stream_fn(struct spate_stream *stream, void *arg);

/*
 * Called once a stream of a handler has ended, whatever ended it, with what
 * spate_stream_data() held. It must not wait.
 */
typedef void spate_closed_fn(void *data, void *arg);

/* As spate_listen(), for a stream handler. Context: setup. */
SPATE_API int spate_listen_stream(struct spate_server *server,
    const char *address, spate_stream_fn *handler, void *arg);

/*
 * Have closed called for the streams of a handler.
 *
 * Errors: -ENOENT (no address has that handler). Context: setup, after
 * spate_listen_stream().
 */
SPATE_API int spate_stream_closed(struct spate_server *server,
    spate_stream_fn *handler, spate_closed_fn *closed);

/*
 * Read what has arrived; waits for the first byte for up to
 * body_timeout_ms.
 *
 * Returns how many bytes; 0: the peer has sent its last, and the stream is
 * closed when the handler returns. Errors: as recv(2), -ETIMEDOUT,
 * -ECANCELED, -EINVAL (a size of 0). Context: handler.
 */
SPATE_API ssize_t spate_stream_read(
    struct spate_stream *stream, void *buf, size_t size);

/*
 * Write all of it; waits while the peer takes nothing. Errors: of send(2),
 * -ETIMEDOUT, -ECANCELED. Context: handler.
 */
SPATE_API int spate_stream_write(
    struct spate_stream *stream, const void *data, size_t size);

/* As of a request. Context: handler. */
SPATE_API spate_handle spate_stream_handle(const struct spate_stream *stream);
SPATE_API uint32_t spate_stream_shard(const struct spate_stream *stream);

/* A pointer of the handler's own, NULL at first. Context: handler. */
SPATE_API void **spate_stream_data(struct spate_stream *stream);

/* ------------------------------------------------------- from other threads */

/*
 * Send to a stream, whoever runs it. The bytes are copied and sent in the
 * order of the calls, between whatever its handler writes.
 *
 * Errors: -ESTALE (it is closed), -EAGAIN (the peer takes too little:
 * max_outq), -ENOTSUP (an HTTP connection), -ENOMEM. Context: any, while the
 * server exists.
 */
SPATE_API int spate_send(struct spate_server *server, spate_handle handle,
    const void *data, size_t size);

/*
 * Send to every stream that has one of the server's stream handlers. How
 * many it went to is counted as they take it, so there is nothing to
 * return. A stream over its max_outq is left out.
 *
 * Errors: -ENOMEM. Context: any.
 */
SPATE_API int spate_broadcast(struct spate_server *server,
    spate_stream_fn *handler, const void *data, size_t size);

/*
 * Close a connection. What its handler waits for ends with -ECANCELED.
 *
 * Errors: -ESTALE. Context: any.
 */
SPATE_API int spate_close(struct spate_server *server, spate_handle handle);

/*
 * Let what a connection waits for end with -ETIMEDOUT in ms milliseconds
 * from now, if it does not end before that. 0 takes the limit away until
 * the next wait sets its own.
 *
 * Errors: -ESTALE, -ENOMEM. Context: any.
 */
SPATE_API int spate_set_deadline(
    struct spate_server *server, spate_handle handle, uint32_t ms);

#ifdef __cplusplus
}
#endif

#include <spate/answers.h>
#include <spate/routes.h>
#include <spate/values.h>
#include <spate/client.h>
#include <spate/fd.h>
#include <spate/insight.h>
#include <spate/sandbox.h>
#include <spate/socket.h>
#include <spate/tasks.h>
#include <spate/trace.h>

#endif /* SPATE_H */
