/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/histogram.h"

void
sp_histogram_add(
    struct sp_histogram_sum *sum, const struct sp_histogram *histogram)
{
	for (unsigned i = 0; i < SP_HISTOGRAM_BUCKETS; i++) {
		uint64_t n = sp_load(&histogram->buckets[i], relaxed);

		sum->buckets[i] += n;
		sum->count += n;
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
	for (unsigned i = 0; i < SP_HISTOGRAM_BUCKETS; i++) {
		seen += sum->buckets[i];
		if (seen >= wanted)
			return sp_histogram_greatest(i);
	}
	return sp_histogram_greatest(SP_HISTOGRAM_BUCKETS - 1);
}
