/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_SLICE_H
#define SPATE_SHARDS_SLICE_H

/*
 * Slice: how long the kernel lets a thread compute before it looks again who
 * should. A short one is no larger a share of the CPU, only one in smaller
 * pieces and sooner: a thread with little to do that wakes goes before one
 * on the same CPU that computes with the usual slice (EEVDF).
 */

#include <stdint.h>

/*
 * sp_slice_ask: for the calling thread; 0 asks for nothing. Its niceness
 * and policy stay. Without effect before Linux 6.12, and on a thread of a
 * real-time policy.
 */
void sp_slice_ask(uint32_t us);

#endif /* SPATE_SHARDS_SLICE_H */
