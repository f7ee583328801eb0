/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_TRIM_H
#define SPATE_SHARDS_TRIM_H

/*
 * Trimming: what a worker keeps for later, and has not needed for a while,
 * goes back to the kernel when there is time.
 *
 *     fiber ----------------> hot stack ----------------> cold stack
 *      (spare)   once a second          64 in one go,       (no pages)
 *                what was not           10 ms between two
 *                needed in it
 *
 * After a burst of handlers that waited the memory of their stacks is gone
 * within some seconds. A worker that has something to give back does not
 * sleep longer than until it may.
 */

#include <stdint.h>

struct sp_worker;

/*
 * sp_worker_trim: a step of it, if it is time. By the worker, when it has
 * nothing else to do, after it has looked at the clock.
 */
void sp_worker_trim(struct sp_worker *worker);

/* sp_worker_next_trim: nanoseconds until the next step, or -1. */
int64_t sp_worker_next_trim(const struct sp_worker *worker);

#endif /* SPATE_SHARDS_TRIM_H */
