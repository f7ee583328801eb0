/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_METRICS_POOLS_H
#define SPATE_FRAMEWORK_METRICS_POOLS_H

/*
 * Of GET /metrics: the threads for what blocks, and what routes refused.
 */

#include "framework/metrics_out.h"
#include "framework/server.h"

void sp_metrics_pools(struct sp_metrics *out, struct spate_server *server);

#endif /* SPATE_FRAMEWORK_METRICS_POOLS_H */
