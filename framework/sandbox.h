/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_SANDBOX_H
#define SPATE_FRAMEWORK_SANDBOX_H

/*
 * What the process gives up when it has its sockets, and before it has its
 * threads: to be who started it (user.h), to open other files than it has to
 * (landlock.h), to make other system calls (seccomp.h). The last two are
 * --sandbox; docs/sandbox.md has what is left.
 *
 *     mode      what the kernel or the build lacks
 *     -------   -----------------------------------------------
 *     OFF       nothing is given up
 *     ON        is a warning in the log, and the rest is done
 *     REQUIRE   is an error, and the server does not start
 */

#include "shards/atomics.h"

#include <stdbool.h>
#include <stdint.h>

struct spate_server;

enum sp_sandbox_mode { SP_SANDBOX_OFF, SP_SANDBOX_ON, SP_SANDBOX_REQUIRE };

/* A path that somebody has named. */
struct sp_sandbox_path {
	int fd; /* O_PATH */
	bool writes;
	struct sp_sandbox_path *next;
};

/* All zero at first. */
struct sp_sandbox {
	enum sp_sandbox_mode mode;
	struct sp_sandbox_path *paths; /* owned */
	SP_ATOMIC(uint64_t) refused;   /* calls */
	SP_ATOMIC(uint64_t) told[8];   /* a bit for each number: told of */
};

/*
 * sp_sandbox_parse: "off", "on" or "require"; NULL is "on".
 *
 * => Returns -EINVAL: something else.
 */
int sp_sandbox_parse(struct sp_sandbox *sandbox, const char *text);

/*
 * sp_sandbox_enter: become the user, if there is one, and give up the rest.
 *
 * => Returns an error of sp_server_fail(); the process may then have given up
 *    part of it already.
 */
int sp_sandbox_enter(struct spate_server *server);

/* sp_sandbox_free: what the server had for it. Nothing is given back. */
void sp_sandbox_free(struct spate_server *server);

#endif /* SPATE_FRAMEWORK_SANDBOX_H */
