/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_SPENT_H
#define SPATE_FRAMEWORK_SPENT_H

/*
 * Spent: where the time of one request went so far, for the few who are told
 * of each by itself. What times.h adds up is of whole batches, and costs a
 * request nothing; this takes a look at the clock when its handler begins:
 *
 *     ready             sp_spent_begin()              sp_spent_look()
 *       |                 |                             |
 *       |----- queue -----|- run -|- parked -|queue|run-|
 *
 * Without record_times nobody knows since when it was ready, and its queue is
 * what came after waits.
 */

#include "framework/times.h"

struct spate_req;

struct sp_spent {
	uint64_t ready, begun;   /* cycles */
	struct sp_waited before; /* what its turn had waited until then */
};

/*
 * sp_spent_begin: now its handler does. sp_spent_look: each phase up to now,
 * in nanoseconds.
 *
 * Context: the handler's fiber.
 */
void sp_spent_begin(struct sp_spent *spent, const struct spate_req *req);
void sp_spent_look(const struct sp_spent *spent, const struct spate_req *req,
    uint64_t ns[SP_PHASES]);

#endif /* SPATE_FRAMEWORK_SPENT_H */
