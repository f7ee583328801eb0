/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/histogram.h"

#include <stdbool.h>

/* Most of a histogram is empty: so many buckets are asked for at once. */
#define GROUP 16

static bool
any_in(const struct sp_histogram *histogram, unsigned at)
{
	uint64_t any = 0;

#pragma GCC unroll 16
	for (unsigned i = at; i < at + GROUP; i++)
		any |= sp_load(&histogram->buckets[i], relaxed);
	return any != 0;
}

void
sp_histogram_add(
    struct sp_histogram_sum *sum, const struct sp_histogram *histogram)
{
	for (unsigned at = 0; at < SP_HISTOGRAM_BUCKETS; at += GROUP) {
		if (!any_in(histogram, at))
			continue;
		for (unsigned i = at; i < at + GROUP; i++) {
			uint64_t n = sp_load(&histogram->buckets[i], relaxed);

			sum->buckets[i] += n;
			sum->count += n;
		}
		if (sum->end == 0 || at < sum->begin)
			sum->begin = at;
		if (at + GROUP > sum->end)
			sum->end = at + GROUP;
	}
}

void
sp_histogram_add_coarse(struct sp_histogram_sum *sum,
    const SP_ATOMIC(uint64_t) *buckets, unsigned bits)
{
	const unsigned count = SP_LOGLINEAR_BUCKETS(bits, 64u);

	for (unsigned i = 0; i < count; i++) {
		uint64_t n = sp_load(&buckets[i], relaxed);
		unsigned at;

		if (n == 0)
			continue;
		at = (unsigned)sp_loglinear_bucket(
		    sp_loglinear_greatest(i, bits) | 1, SP_HISTOGRAM_BITS);
		sum->buckets[at] += n;
		sum->count += n;
		if (sum->end == 0 || at < sum->begin)
			sum->begin = at;
		if (at >= sum->end)
			sum->end = at + 1;
	}
}

uint64_t
sp_histogram_quantile(const struct sp_histogram_sum *sum, unsigned share)
{
	/* The first that is not too early: rounded up, and at least the 1st. */
	uint64_t wanted = sum->count / 1000 * share
			  + (sum->count % 1000 * share + 999) / 1000;
	uint64_t seen = 0;

	if (sum->count == 0)
		return 0;
	if (wanted == 0)
		wanted = 1;
	for (unsigned i = sum->begin; i < sum->end; i++) {
		seen += sum->buckets[i];
		if (seen >= wanted)
			return sp_histogram_greatest(i);
	}
	return sp_histogram_greatest(sum->end - 1);
}
