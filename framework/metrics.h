/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_METRICS_H
#define SPATE_FRAMEWORK_METRICS_H

/*
 * GET /metrics: Prometheus' text format, version 0.0.4. All rows of a metric
 * stand together, so it is metric by metric and not shard by shard.
 */

#include <spate.h>

int sp_metrics_handler(struct spate_req *req, void *arg);

#endif /* SPATE_FRAMEWORK_METRICS_H */
