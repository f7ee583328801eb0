/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_ANSWERS_H
#define SPATE_ANSWERS_H

/*
 * Answers that are more than bytes at hand: files, events as they happen,
 * and what another thread will have to say. Part of <spate.h>.
 */

#include <spate.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ files */

struct spate_files_options {
	size_t size;               /* sizeof(struct spate_files_options) */
	const char *index;         /* of a directory; NULL: "index.html" */
	const char *cache_control; /* NULL: no such field */
	bool hidden;               /* names that begin with a dot, too */
	bool no_variants;          /* do not look for .br and .gz */
};

/* The defaults. Context: any. */
SPATE_API struct spate_files_options spate_files_options_default(void);

/*
 * Answer GET and HEAD with the files of a directory. path ends in a
 * "*name" segment. Options are copied; NULL means the defaults.
 *
 * A name is looked up below the directory and nowhere else, whatever it is
 * and wherever symbolic links lead. Directories are not listed; one that is
 * asked for gives its index. Beside "app.js" there may be "app.js.br" and
 * "app.js.gz", not older than it, for clients that take those.
 *
 * Sends ETag and Last-Modified, honours If-Match, If-None-Match,
 * If-Modified-Since, If-Unmodified-Since, If-Range and Range. Of several
 * ranges none is honoured, and the whole file is the answer.
 *
 * Errors: as spate_route(); what open(2) of the directory says. Context:
 * setup.
 */
SPATE_API int spate_files(struct spate_server *server, const char *path,
    const char *directory, const struct spate_files_options *options);

/* Likewise within a group. Context: setup. */
SPATE_API int spate_group_files(struct spate_group *group, const char *path,
    const char *directory, const struct spate_files_options *options);

/*
 * Answer with a file from a handler. directory is a descriptor, below which
 * the name is looked up; fields that were added before are sent too. A
 * name that is wrong is answered with 404.
 *
 * Errors: as spate_respond(). Context: handler.
 */
SPATE_API int spate_send_file(struct spate_req *req, int directory,
    const char *name, const struct spate_files_options *options);

/* ----------------------------------------------------- server-sent events */

/*
 * Answer with a stream of events, which a browser reads by EventSource.
 *
 *     int error = spate_events_begin(req);
 *
 *     while (error == 0) {
 *             error = spate_event(req, NULL, "tick", "1", 1);
 *             if (error == 0)
 *                     error = spate_events_wait(req, 1000);
 *     }
 *     return error;
 *
 * Errors: as spate_begin(). Context: handler.
 */
SPATE_API int spate_events_begin(struct spate_req *req);

/*
 * Send one event at once. data may have several lines. id and event may be
 * NULL, and must have one line.
 *
 * Errors: -EINVAL (id or event has a line's end), -ECANCELED (the client is
 * gone, or had asked for the head alone), -ESHUTDOWN (the server is being
 * stopped: return, and the client connects to another one), as
 * spate_write(). Context: handler.
 */
SPATE_API int spate_event(struct spate_req *req, const char *id,
    const char *event, const char *data, size_t size);

/* How soon a client that lost the connection may come back. As above. */
SPATE_API int spate_events_retry(struct spate_req *req, uint32_t ms);

/*
 * Wait between events, and every events_comment_ms send a comment, so that
 * nobody on the way takes the connection for dead. Ends early if the client
 * leaves.
 *
 * Returns 0: the time is over. Errors: as spate_event(). Context: handler.
 */
SPATE_API int spate_events_wait(struct spate_req *req, uint32_t ms);

/* The id of the last event that the client saw before. Context: handler. */
SPATE_API struct spate_str spate_last_event_id(const struct spate_req *req);

/* --------------------------------------------------------------- deferred */

/* The name of one promised answer. Never comes to mean another one. */
struct spate_deferral {
	spate_handle connection;
	uint64_t number; /* 0 is none */
};

/*
 * Promise that another thread will answer: hand the result to that thread,
 * and then wait. Until spate_wait() has returned, other calls that wait for
 * the client return -EBUSY. A handler that answers by itself, or returns,
 * takes its promise back.
 *
 * Returns number 0: answered before, or promised before. Context: handler.
 */
SPATE_API struct spate_deferral spate_defer(struct spate_req *req);

/*
 * Wait for the answer that was promised, and send it. ms is how long; 0 for
 * as long as the client stays. A client that only has closed its sending
 * side stays, unless options.half_close_cancels; see there.
 *
 * Errors: -EINVAL (nothing was promised), -ETIMEDOUT, -ECANCELED (the client
 * is gone), -ENOMEM: the promise is taken back, and the handler may answer by
 * itself; or as spate_respond(), which the answer went to. Context: handler.
 */
SPATE_API int spate_wait(struct spate_req *req, uint32_t ms);

/*
 * Give the answer. type and body are copied.
 *
 * Errors: -ESTALE: the promise was taken back, kept already, or the client
 * is gone; -EINVAL: as spate_respond(); -ENOMEM. Nothing was answered then.
 * Of several calls for one deferral at most one returns 0. Context: any,
 * while the server exists; spate_server_free() waits for calls that have
 * begun.
 */
SPATE_API int spate_answer(struct spate_server *server,
    struct spate_deferral deferral, int status, const char *type,
    const void *body, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* SPATE_ANSWERS_H */
