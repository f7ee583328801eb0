/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * spate-bench: HTTP/1.1 load, in a closed or an open loop.
 *
 *     spate-bench -c 64 http://127.0.0.1:8080/plaintext
 *     spate-bench -R 4000 --poisson --mix /plaintext=99,/burn?us=5000=1 \
 *         http://127.0.0.1:8080
 *     spate-bench -c 64 --dedicate /burn?us=5000=1 \
 *         http://127.0.0.1:8080/plaintext
 *
 * All threads connect, wait for one another, and start at the same moment.
 */

#include "perf/bench/report.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>

static pthread_barrier_t barrier;
static uint64_t start_ns;

static void
pin(const struct bench_options *options, unsigned number)
{
	cpu_set_t set;

	if (options->cpu_count == 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)options->cpus[number % options->cpu_count], &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0) {
		perror("spate-bench: --cpus");
		exit(EX_USAGE);
	}
}

static void *
run(void *argument)
{
	struct bench_worker *worker = argument;

	pin(worker->options, worker->number);
	bench_worker_connect(worker);
	if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
		start_ns = bench_now_ns();
	pthread_barrier_wait(&barrier);
	bench_worker_run(worker, start_ns);
	return NULL;
}

static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Why nothing was answered, as far as that can be told. */
static const char *
reason(const struct bench_worker *workers, char *room, size_t size)
{
	const struct bench_counts *counts = &workers->counts;

	for (unsigned i = 0; i < workers->options->threads; i++) {
		if (counts->connects == 0 && workers[i].connect_error != 0)
			return strerror_r(workers[i].connect_error, room, size);
	}
	if (counts->connects == 0)
		return "no connection was accepted";
	if (counts->bad_responses > 0)
		return "what came is no HTTP/1 answer";
	if (counts->closed_by_peer + counts->io_errors > 0)
		return "the server closes without an answer";
	return "the server is silent";
}

/* => Returns the exit status. The first worker has everybody's counts. */
static int
verdict(const struct bench_worker *workers, uint64_t answered)
{
	const struct bench_options *options = workers->options;
	uint64_t left = 0;
	char room[128];

	if (answered == 0) {
		fprintf(stderr, "spate-bench: %s: nothing was answered: %s\n",
		    options->host, reason(workers, room, sizeof(room)));
		return EX_UNAVAILABLE;
	}
	if (options->requests == 0)
		return EX_OK;
	for (unsigned i = 0; i < options->threads; i++)
		left += workers[i].quota_left + workers[i].in_flight;
	if (left > 0) {
		fprintf(stderr,
		    "spate-bench: %s: %" PRIu64 " of %" PRIu64
		    " requests were not answered\n",
		    options->host, left, options->requests);
		return EX_UNAVAILABLE;
	}
	return EX_OK;
}

int
main(int argc, char **argv)
{
	static struct bench_options options;
	static struct bench_worker workers[BENCH_THREADS_MAX];
	int error;

	bench_options_parse(&options, argc, argv);
	raise_descriptor_limit();
	pthread_barrier_init(&barrier, NULL, options.threads);
	for (unsigned i = 0; i < options.threads; i++) {
		error = bench_worker_init(&workers[i], &options, i);
		if (error != 0) {
			fprintf(stderr, "spate-bench: %s\n", strerror(-error));
			return EX_OSERR;
		}
	}
	for (unsigned i = 1; i < options.threads; i++) {
		error = pthread_create(
		    &workers[i].thread, NULL, run, &workers[i]);
		if (error != 0) {
			fprintf(stderr, "spate-bench: %s\n", strerror(error));
			exit(EX_OSERR);
		}
	}
	run(&workers[0]);
	for (unsigned i = 1; i < options.threads; i++)
		pthread_join(workers[i].thread, NULL);
	return verdict(workers, bench_report(workers, start_ns));
}
