/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_PATIENCE_H
#define SPATE_FRAMEWORK_PATIENCE_H

/*
 * How long to wait for a client that sends a body, so that one which sends a
 * byte now and then does not stay for ever:
 *
 *     may have waited   grace + bytes / rate, for all of the body so far
 *
 *     waited ms ^                      .'
 *               |                   .'
 *         grace |----------------.'       above: too slow
 *               |
 *               '-------------------------> bytes received
 *
 * Only time spent waiting counts. A handler that reads slowly makes the
 * client wait, and not the other way round.
 */

#include <stdint.h>

struct sp_patience {
	uint64_t bytes;     /* received from the socket */
	uint64_t waited_ns; /* for them, and for the next */
};

/*
 * sp_patience_left: how long the next wait may be.
 *
 * => rate is bytes in a second, not 0.
 * => Returns 0: none is left. Never more than most_ms, unless that is 0.
 */
uint32_t sp_patience_left(const struct sp_patience *patience, uint64_t grace_ms,
    uint32_t rate, uint32_t most_ms);

#endif /* SPATE_FRAMEWORK_PATIENCE_H */
