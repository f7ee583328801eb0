/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SANDBOX_H
#define SPATE_SANDBOX_H

/*
 * A program of spate_main() that is started with --sandbox gives up, once it
 * has its sockets and before it has its threads, what a server has no need
 * of: docs/sandbox.md. Its handlers are in there too. Of files they may open
 * those below the folders of spate_files(), what a look-up of a name reads,
 * and what is named here. Part of <spate.h>.
 */

#include <spate.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A file, or a folder with all below it, that handlers may open: to read, or
 * also to write, make and remove. Without --sandbox it says nothing.
 *
 * Errors: that of open(2), among them -ENOENT. Context: setup.
 */
SPATE_API int
spate_sandbox_path(struct spate_server *server, const char *path, bool writes);

#ifdef __cplusplus
}
#endif

#endif /* SPATE_SANDBOX_H */
