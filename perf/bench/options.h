/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_PERF_BENCH_OPTIONS_H
#define SPATE_PERF_BENCH_OPTIONS_H

/*
 * What the command line asked for. Constant once it is parsed; every thread
 * reads it.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_PATHS_MAX 32
#define BENCH_THREADS_MAX 64
#define BENCH_WATCH_MAX 256
#define BENCH_DEPTH_MAX 1024
#define BENCH_CONNECTIONS_MAX 1000000
#define BENCH_BODY_MAX (64 * 1024 * 1024)
#define BENCH_AGENTS_MAX 1000000 /* as their names have six digits */
#define BENCH_BATCH_MAX (256 * 1024 * 1024)

struct bench_path {
	char *text;    /* "[METHOD:]/path", as it was given */
	char *request; /* the bytes to send, of each agent in turn */
	size_t request_size;
	double weight;      /* 0: only for dedicated connections */
	unsigned dedicated; /* connections that ask for nothing else */
	bool is_head;
};

struct bench_options {
	struct sockaddr_in address;
	char host[64]; /* for the Host header and the report */
	struct bench_path paths[BENCH_PATHS_MAX];
	unsigned path_count;
	double weights; /* of all paths together */

	unsigned threads;
	unsigned connections;
	unsigned depth;
	unsigned sources;  /* source addresses, from 127.0.0.2 on; 0: any */
	uint64_t requests; /* closed loop: stop after so many; 0: by time */
	uint64_t warmup_ns;
	uint64_t duration_ns;
	uint64_t drain_ns; /* open loop: how long to wait for the last */
	double rate;       /* requests per second; 0: closed loop */
	bool poisson;
	bool close; /* a connection for each request */
	bool spin;
	bool json;
	uint64_t seed;
	size_t body_size;
	unsigned fields; /* of each request, more than the usual ones */
	unsigned agents; /* heads that are unlike; 1: all are the same */

	unsigned slow;       /* connections that send and read slowly */
	unsigned slow_bytes; /* a second */
	unsigned slow_path;
	unsigned half_open; /* connections that stop within a request */
	int cpus[BENCH_THREADS_MAX]; /* for threads in turn */
	unsigned cpu_count;
	int watch[BENCH_WATCH_MAX]; /* processes of the server */
	unsigned watch_count;
};

/*
 * bench_options_parse: fill *options, or say what is wrong and exit with
 * EX_USAGE. What it allocates lives as long as the process.
 */
void bench_options_parse(struct bench_options *options, int argc, char **argv);

#endif /* SPATE_PERF_BENCH_OPTIONS_H */
