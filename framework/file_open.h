/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_FILE_OPEN_H
#define SPATE_FRAMEWORK_FILE_OPEN_H

/*
 * Opening files by names that strangers choose.
 *
 *     name            below /srv/www
 *     -------------   ------------------------------------------------
 *     css/a.css       /srv/www/css/a.css
 *     ../secret       no name: refused before anything is looked up
 *     link            if it leads out of /srv/www: -EXDEV or -ELOOP
 *     fifo            opened without waiting for a writer
 *
 * openat2(2) with RESOLVE_BENEATH lets the kernel hold a name, and every
 * symbolic link in it, below the directory, also while somebody moves
 * directories about. Where there is no openat2(2), or a sandbox forbids it,
 * each segment is opened by itself and no link is followed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define SP_FILE_NAME 4096 /* bytes of a name, with its NUL */

/*
 * sp_file_name_ok: may this name be looked up?
 *
 * => Not if it has a NUL, an empty segment, "." or "..", or is too long. A
 *    slash at its end is allowed, and an empty name: they mean directories.
 * => hidden: segments may begin with a dot. ".well-known" always may.
 */
bool sp_file_name_ok(const char *name, size_t size, bool hidden);

/*
 * sp_file_open: open for reading, below a directory. name is one that is ok.
 *
 * => Returns a descriptor of the caller's, and what fstat(2) says of it.
 * => Returns -errno, among them -ENOENT, -EACCES, -EXDEV and -ELOOP.
 */
int sp_file_open(int directory, const char *name, struct stat *status);

/* sp_file_open_stepwise: likewise, and always without openat2(2). */
int
sp_file_open_stepwise(int directory, const char *name, struct stat *status);

#endif /* SPATE_FRAMEWORK_FILE_OPEN_H */
