/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_STATS_H
#define SPATE_FRAMEWORK_STATS_H

/*
 * What GET /stats answers: an object for each shard, the sum over its
 * workers. Nobody is stopped for it, so while requests run the numbers are
 * each from a slightly different moment; afterwards they add up.
 */

#include <spate.h>

int sp_stats_handler(struct spate_req *req, void *arg);

#endif /* SPATE_FRAMEWORK_STATS_H */
