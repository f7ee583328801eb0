/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_CONNECTIONS_H
#define SPATE_FRAMEWORK_CONNECTIONS_H

/*
 * GET /debug/connections at the listener of spate_admin(): which there are,
 * what each is at, and what the kernel knows of it. Nothing is counted for its
 * sake: descriptors are found by RCU (poll_cache.h), the rest are questions to
 * the kernel when somebody asks.
 *
 * The number of a descriptor may come to mean another connection while its
 * questions are asked. Who closes it has said so before that (CLOSING), so a
 * row is put only if nobody had when the answers were there.
 */

#include <spate.h>

int sp_connections_handler(struct spate_req *req, void *arg);

#endif /* SPATE_FRAMEWORK_CONNECTIONS_H */
