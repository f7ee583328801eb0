/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_DEBUG_H
#define SPATE_FRAMEWORK_DEBUG_H

/*
 * Pages at the listener of spate_admin() for who looks for what is wrong.
 * Nobody is stopped for them, and nothing is counted for their sake.
 *
 *     debug_shards.c      workers, and what each is at
 *     debug_config.c      what the process runs with
 *     debug_latency.c     quantiles as a table, for people
 *     debug_polldesc.c    the words of one descriptor
 */

#include <spate.h>

int sp_debug_shards_handler(struct spate_req *req, void *arg);
int sp_debug_config_handler(struct spate_req *req, void *arg);
int sp_debug_latency_handler(struct spate_req *req, void *arg);
int sp_debug_polldesc_handler(struct spate_req *req, void *arg);

#endif /* SPATE_FRAMEWORK_DEBUG_H */
