/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_PERF_BENCH_LIMITS_H
#define SPATE_PERF_BENCH_LIMITS_H

#define BENCH_IN_SIZE (256 * 1024) /* one receive */
#define BENCH_RETRY_NS 10000000    /* before a useless connection is retried */
#define BENCH_SLOW_STEPS 10        /* steps of a slow connection, a second */
#define BENCH_CONNECT_NS 10000000000   /* for all connections to be there */
#define BENCH_REQUESTS_NS 600000000000 /* the most that --requests may take */
#define BENCH_STILL_NS 30000000000     /* and without an answer meanwhile */

#endif /* SPATE_PERF_BENCH_LIMITS_H */
