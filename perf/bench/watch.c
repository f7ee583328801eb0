/* SPDX-License-Identifier: BSD-2-Clause */

#include "perf/bench/watch.h"

#include "perf/bench/worker.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TEXT_SIZE 2048
#define PATH_SIZE 64

/* => Returns false if there is no such file any more. */
static bool
read_text(const char *path, char text[TEXT_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	if (fd < 0)
		return false;
	size = read(fd, text, TEXT_SIZE - 1);
	close(fd);
	text[size > 0 ? size : 0] = '\0';
	return size > 0;
}

static uint64_t
tick_ns(void)
{
	return BENCH_NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
}

/* Exact, and with the threads that have ended. */
static uint64_t
cpu_ns(clockid_t clock)
{
	struct timespec used;

	if (clock_gettime(clock, &used) != 0)
		return 0;
	return (uint64_t)used.tv_sec * BENCH_NS_PER_S + (uint64_t)used.tv_nsec;
}

static void
add_ticks(int pid, struct bench_watch *watch)
{
	char path[PATH_SIZE], text[TEXT_SIZE];
	uint64_t user, system;
	const char *rest;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (!read_text(path, text))
		return;
	/* A name may have anything in it, but this is the last of them. */
	rest = strrchr(text, ')');
	if (rest == NULL
	    || sscanf(rest + 1,
		   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
		   "%" SCNu64 " %" SCNu64,
		   &user, &system)
		   != 2)
		return;
	watch->user_ns += user * tick_ns();
	watch->system_ns += system * tick_ns();
}

/* user, nice, system, then idle and iowait, irq, softirq, steal. */
static uint64_t
machine_ns(void)
{
	char text[TEXT_SIZE];
	uint64_t busy[6];

	if (!read_text("/proc/stat", text)
	    || sscanf(text,
		   "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %*u %*u %" SCNu64
		   " %" SCNu64 " %" SCNu64,
		   &busy[0], &busy[1], &busy[2], &busy[3], &busy[4], &busy[5])
		   != 6)
		return 0;
	return (busy[0] + busy[1] + busy[2] + busy[3] + busy[4] + busy[5])
	       * tick_ns();
}

void
bench_watch_read(const struct bench_options *options, struct bench_watch *watch)
{
	*watch = (struct bench_watch){
		.at_ns = bench_now_ns(),
		.client_ns = cpu_ns(CLOCK_PROCESS_CPUTIME_ID),
		.machine_ns = machine_ns(),
	};
	for (unsigned i = 0; i < options->watch_count; i++) {
		clockid_t clock;

		if (clock_getcpuclockid(options->watch[i], &clock) == 0)
			watch->server_ns += cpu_ns(clock);
		add_ticks(options->watch[i], watch);
	}
}
