/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_ADMIN_H
#define SPATE_FRAMEWORK_ADMIN_H

/*
 * The listener of spate_admin(), with a router of its own, and the pages
 * that are there.
 */

#include "framework/server.h"

/*
 * sp_admin_begin: its router, before the server starts.
 * sp_admin_free: what belongs to it.
 *
 * => Returns 0 or -errno, as sp_server_fail() does.
 */
int sp_admin_begin(struct spate_server *server);
void sp_admin_free(struct spate_server *server);

/* sp_admin_default: what spate_main() does if nobody has said. */
void sp_admin_default(struct spate_server *server);

/*
 * sp_host_is_local: whether this Host field is a number or localhost, with a
 * port or without, or is not there.
 */
bool sp_host_is_local(const char *host, size_t size);

#endif /* SPATE_FRAMEWORK_ADMIN_H */
