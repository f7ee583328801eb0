/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HISTOGRAM_H
#define SPATE_FRAMEWORK_HISTOGRAM_H

/*
 * Histogram of cycles (clock.h), in the buckets of alloc/loglinear.h.
 *
 *     record    one thread, the histogram's own: an addition to one word
 *     add       any thread, at any time: into a sum of its own
 *
 * Sums of several histograms are histograms of all their values, whoever
 * recorded them: so a shard's is that of its workers, added up. There is no
 * count beside the buckets, hence none that disagrees with them.
 */

#include "alloc/loglinear.h"
#include "shards/atomics.h"

#include <stddef.h>
#include <stdint.h>

/* To 1/16, and for every value: there is no other that would need a test. */
#define SP_HISTOGRAM_BITS 4
#define SP_HISTOGRAM_BUCKETS SP_LOGLINEAR_BUCKETS(SP_HISTOGRAM_BITS, 64)

struct sp_histogram {
	SP_ATOMIC(uint64_t) buckets[SP_HISTOGRAM_BUCKETS];
};

/* Those that are not 0 are all in [begin, end). */
struct sp_histogram_sum {
	uint64_t count;
	unsigned begin, end;
	uint64_t buckets[SP_HISTOGRAM_BUCKETS];
};

/*
 * sp_histogram_record: count a value n times; an even one as the one above,
 * which costs less than to ask for 0, and is seen in none above 32.
 */
static inline void
sp_histogram_record(struct sp_histogram *histogram, uint64_t value, uint64_t n)
{
	uint64_t bucket = sp_loglinear_bucket(value | 1, SP_HISTOGRAM_BITS);

	sp_count(&histogram->buckets[bucket], n);
}

/* The greatest value of a bucket. */
static inline uint64_t
sp_histogram_greatest(uint64_t bucket)
{
	return sp_loglinear_greatest(bucket, SP_HISTOGRAM_BITS);
}

/* sp_histogram_add: into a sum that began as all zero. */
void sp_histogram_add(
    struct sp_histogram_sum *sum, const struct sp_histogram *histogram);

/*
 * sp_histogram_add_coarse: likewise, of buckets that somebody else has, with
 * fewer bits. A value is taken for the greatest of its bucket there.
 */
void sp_histogram_add_coarse(struct sp_histogram_sum *sum,
    const SP_ATOMIC(uint64_t) *buckets, unsigned bits);

/*
 * sp_histogram_quantile: the value that a share of all values does not
 * exceed, for share in 1/1000 from 0 to 1000.
 *
 * => Returns the greatest value of its bucket; 0 if there is nothing.
 */
uint64_t
sp_histogram_quantile(const struct sp_histogram_sum *sum, unsigned share);

#endif /* SPATE_FRAMEWORK_HISTOGRAM_H */
