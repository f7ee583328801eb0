/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_ALLOC_LOGLINEAR_H
#define SPATE_ALLOC_LOGLINEAR_H

/*
 * Log-linear buckets for a histogram. With 4 bits of steps:
 *
 *     value            buckets        width of one
 *     0 .. 15          0 .. 15        1
 *     16 .. 31         16 .. 31       1
 *     32 .. 63         32 .. 47       2
 *     64 .. 127        48 .. 63       4
 *     ...              16 for each    twice the one before
 *
 * So every power of two has the same steps, and a bucket tells its values to
 * one part in 2^bits: 6 % with 4 bits, 0.8 % with 7.
 */

#include <stdint.h>

/* How many buckets values below 2^value_bits take. */
#define SP_LOGLINEAR_BUCKETS(bits, value_bits)                                 \
	(((value_bits) - (bits) + 1) << (bits))

static inline unsigned
sp_loglinear_bucket(uint64_t value, unsigned bits)
{
	unsigned highest = 63u
			   ^ (unsigned)__builtin_clzll(
			       value | UINT64_C(1) << bits);
	unsigned shift = highest - bits;

	/* Shifted, a value has its highest bit just above the steps. */
	return (shift << bits) + (unsigned)(value >> shift);
}

/* The greatest value that falls into a bucket. */
static inline uint64_t
sp_loglinear_greatest(unsigned bucket, unsigned bits)
{
	unsigned steps = 1u << bits, shift;

	if (bucket < steps)
		return bucket;
	shift = bucket / steps - 1;
	return ((uint64_t)(bucket - shift * steps + 1) << shift) - 1;
}

#endif /* SPATE_ALLOC_LOGLINEAR_H */
