/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_PERF_BENCH_REPORT_H
#define SPATE_PERF_BENCH_REPORT_H

#include "perf/bench/worker.h"

/*
 * bench_report: put the workers' counts together and print them, as text or
 * as one JSON object.
 *
 * => The workers have ended; their tallies are added up in the first one's.
 * => Returns how many requests were answered, the warm-up's included.
 */
uint64_t bench_report(struct bench_worker *workers, uint64_t start_ns);

#endif /* SPATE_PERF_BENCH_REPORT_H */
