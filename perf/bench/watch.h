/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_PERF_BENCH_WATCH_H
#define SPATE_PERF_BENCH_WATCH_H

/*
 * What the server, we and the whole machine have computed so far, from /proc.
 * Read when counting begins and when it ends, so that connecting, warming up
 * and the start of a process are in none of the figures.
 */

#include "perf/bench/options.h"

#include <stdint.h>

struct bench_watch {
	uint64_t at_ns;
	uint64_t server_ns;
	uint64_t user_ns; /* of the server, in ticks of the kernel */
	uint64_t system_ns;
	uint64_t client_ns;  /* our own */
	uint64_t machine_ns; /* whoever's, in ticks */
};

/*
 * bench_watch_read: fill *watch from the processes of --watch.
 *
 * => One that is gone counts as nothing.
 */
void bench_watch_read(
    const struct bench_options *options, struct bench_watch *watch);

#endif /* SPATE_PERF_BENCH_WATCH_H */
