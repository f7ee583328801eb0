/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_ALLOC_LOGLINEAR_H
#define SPATE_ALLOC_LOGLINEAR_H

/*
 * Log-linear buckets for a histogram. With 4 bits of steps:
 *
 *     value            buckets        width of one
 *     1                0              1
 *     2, 3             16, 24         1
 *     4 .. 7           32, 36 .. 44   1
 *     ...
 *     16 .. 31         64 .. 79       1
 *     32 .. 63         80 .. 95       2
 *     64 .. 127        96 .. 111      4
 *     ...              16 for each    twice the one before
 *
 * So every power of two has the same steps, and a bucket tells its values to
 * one part in 2^bits: 6 % with 4 bits, 0.8 % with 7. Small values leave
 * buckets unused. A number in floating point is its exponent and the steps
 * behind it already (IEEE 754, binary64), so that one conversion does it;
 * above 2^53 it rounds, and a value may go to the next bucket.
 */

#include <stdint.h>
#include <string.h>

#define SP_LOGLINEAR_MANTISSA 52
#define SP_LOGLINEAR_BIAS 1023 /* the exponent of 1 */

/* How many buckets values below 2^value_bits take. */
#define SP_LOGLINEAR_BUCKETS(bits, value_bits) ((value_bits) << (bits))

/*
 * The bucket of a value that is not 0. One above 2^63 is taken for negative,
 * as what lies between two clocks may be, and goes by its distance from 0.
 */
static inline uint64_t
sp_loglinear_bucket(uint64_t value, unsigned bits)
{
	double number = (double)(int64_t)value;
	uint64_t word;

	memcpy(&word, &number, sizeof(word));
	word <<= 1; /* no sign */
	return (word >> (SP_LOGLINEAR_MANTISSA + 1 - bits))
	       - ((uint64_t)SP_LOGLINEAR_BIAS << bits);
}

/* The greatest value that falls into a bucket, if any does. */
static inline uint64_t
sp_loglinear_greatest(uint64_t bucket, unsigned bits)
{
	unsigned exponent = (unsigned)(bucket >> bits);
	uint64_t steps = UINT64_C(1) << bits;
	uint64_t next = steps + (bucket & (steps - 1)) + 1;

	if (exponent >= bits)
		return (next << (exponent - bits)) - 1;
	/* Narrower than 1: what is below the next bucket's least. */
	return (next + (steps >> exponent) - 1) / (steps >> exponent) - 1;
}

#endif /* SPATE_ALLOC_LOGLINEAR_H */
