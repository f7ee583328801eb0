/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_METRICS_OUT_H
#define SPATE_FRAMEWORK_METRICS_OUT_H

/*
 * Prometheus' text format, written from front to back:
 *
 *     sp_metrics_family(&metrics, "spate_shards", "gauge", "Shards.");
 *     sp_metrics_u64(&metrics, labels, 2);
 */

#include "framework/histogram.h"
#include "framework/text.h"

#define SP_METRIC_LABELS 4

struct sp_label {
	const char *name;
	const char *value; /* escaped as it is written */
};

/* One family, while its rows are written. */
struct sp_metrics {
	struct sp_text *text;
	const char *name;
};

/* sp_metrics_family: HELP and TYPE. The texts are constant. */
void sp_metrics_family(struct sp_metrics *metrics, const char *name,
    const char *type, const char *help);

/* Rows of the family, with labels up to the first without a name. */
void sp_metrics_u64(struct sp_metrics *metrics,
    const struct sp_label labels[SP_METRIC_LABELS], uint64_t value);
/* In seconds. */
void sp_metrics_ns(struct sp_metrics *metrics,
    const struct sp_label labels[SP_METRIC_LABELS], uint64_t ns);
void sp_metrics_ms(struct sp_metrics *metrics,
    const struct sp_label labels[SP_METRIC_LABELS], uint64_t ms);

/* sp_metrics_summary: without quantiles: how many, and their sum in seconds. */
void sp_metrics_summary(struct sp_metrics *metrics,
    const struct sp_label labels[SP_METRIC_LABELS], uint64_t count,
    uint64_t ns);

/*
 * sp_metrics_histogram: all rows of one, in seconds.
 *
 * => A bucket of ours is counted in the first of Prometheus' that has all of
 *    it, so no value is made out to be less than it was.
 */
void sp_metrics_histogram(struct sp_metrics *metrics,
    const struct sp_label labels[SP_METRIC_LABELS],
    const struct sp_histogram_sum *sum, uint64_t cycles);

#endif /* SPATE_FRAMEWORK_METRICS_OUT_H */
