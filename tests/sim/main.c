/* SPDX-License-Identifier: BSD-2-Clause */

/* spate-sim: runs by their seeds. sim.h says what a run is. */

#include "tests/sim/check.h"
#include "tests/sim/run.h"
#include "tests/sim/sched.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SIGNAL_STACK 65536

/* The other one is simulated. */
int __real_clock_gettime(clockid_t clock, struct timespec *now);

static const char usage[] =
    "usage: spate-sim [--seed N] [--seeds COUNT] [--seconds S] [--trace]\n"
    "\n"
    "  --seed N       the first seed; 1\n"
    "  --seeds COUNT  this many of them; 1\n"
    "  --seconds S    no more after so long\n"
    "  --hash         the hash of each run\n"
    "  --counters     what the servers counted, in all runs together\n"
    "  --trace        each event\n";

struct arguments {
	uint64_t seed, seeds, seconds;
	bool hash, counters;
};

/* What a check of the server's own, or a fault, comes to. */
static void
on_signal(int number)
{
	sim_fail("%s", strsignal(number));
}

static void
catch_signals(void)
{
	static char stack[SIGNAL_STACK];
	const stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_flags = SA_ONSTACK | SA_RESETHAND };

	action.sa_handler = on_signal;
	sigaltstack(&alternate, NULL);
	sigaction(SIGABRT, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

static uint64_t
number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (*text == '\0' || *end != '\0') {
		fprintf(stderr, "spate-sim: not a number: %s\n%s", text, usage);
		exit(2);
	}
	return value;
}

static struct arguments
parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "seeds", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 't' },
		{ "hash", no_argument, NULL, 'h' },
		{ "counters", no_argument, NULL, 'c' },
		{ "trace", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, '?' },
		{ NULL, 0, NULL, 0 },
	};
	struct arguments arguments = { 1, 1, UINT32_MAX, false, false };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			arguments.seed = number(optarg);
			break;
		case 'n':
			arguments.seeds = number(optarg);
			break;
		case 't':
			arguments.seconds = number(optarg);
			break;
		case 'h':
			arguments.hash = true;
			break;
		case 'c':
			arguments.counters = true;
			break;
		case 'v':
			sim_tracing = true;
			break;
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (optind != argc) {
		fputs(usage, stderr);
		exit(2);
	}
	return arguments;
}

/*
 * A process does some things once, and the first run would be unlike the
 * same run later. So there is one before the first.
 */
static void
warm_up(void)
{
	bool tracing = sim_tracing;

	sim_tracing = false;
	sim_run(0);
	sim_tracing = tracing;
}

static double
seconds_since(const struct timespec *start)
{
	struct timespec now;

	__real_clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec)
	       + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

int
main(int argc, char **argv)
{
	struct arguments arguments = parse(argc, argv);
	uint64_t steps = 0, requests = 0, done = 0;
	struct timespec start;
	double seconds;

	catch_signals();
	sim_sched_init();
	warm_up();
	__real_clock_gettime(CLOCK_MONOTONIC, &start);
	while (done < arguments.seeds
	       && seconds_since(&start) < (double)arguments.seconds) {
		struct sim_result result = sim_run(arguments.seed + done++);

		steps += result.steps;
		requests += result.requests;
		if (arguments.hash)
			printf("%" PRIu64 " %016" PRIx64 "\n", sim_seed,
			    result.hash);
	}
	if (arguments.counters)
		sim_check_print_counters();
	seconds = seconds_since(&start);
	printf("%" PRIu64 " seeds from %" PRIu64 " on, %" PRIu64
	       " requests, %" PRIu64 " steps: all is well; %.1f s, "
	       "%.0f seeds/s\n",
	    done, arguments.seed, requests, steps, seconds,
	    (double)done / (seconds > 0 ? seconds : 1));
	return 0;
}
