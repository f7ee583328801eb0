/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_METRICS_COUNTERS_H
#define SPATE_FRAMEWORK_METRICS_COUNTERS_H

/*
 * Of GET /metrics: the counters of workers (shards/counters.h), by shard.
 */

#include "framework/metrics_out.h"
#include "framework/server.h"

/* The number of a shard, as text. */
typedef char sp_shard_label[4];

/* shards: one for each. */
void sp_metrics_counters(struct sp_metrics *out, struct sp_engine *engine,
    const sp_shard_label *shards);

#endif /* SPATE_FRAMEWORK_METRICS_COUNTERS_H */
