/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HEALTH_H
#define SPATE_FRAMEWORK_HEALTH_H

/*
 * GET /livez: every shard looks after its connections. GET /readyz: and the
 * server does not drain. 200 and "ok", or 503 and a line for each reason.
 */

#include <spate.h>

int sp_livez_handler(struct spate_req *req, void *arg);
int sp_readyz_handler(struct spate_req *req, void *arg);

#endif /* SPATE_FRAMEWORK_HEALTH_H */
