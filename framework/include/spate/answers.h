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

#ifdef __cplusplus
}
#endif

#endif /* SPATE_ANSWERS_H */
