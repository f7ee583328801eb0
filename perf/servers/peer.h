/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_PERF_SERVERS_PEER_H
#define SPATE_PERF_SERVERS_PEER_H

/*
 * What the two peers in C have in common: the paths of perf/README.md, and
 * the command line. Everything else is the library's own way.
 *
 *     spate-NAME --port N --threads N
 */

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define PEER_BODY_MAX (1024 * 1024)
#define PEER_BURN_MAX_US 1000000
#define PEER_THREADS_MAX 64
#define PEER_CONNECTIONS_MAX 19900

struct peer_options {
	uint16_t port;
	unsigned threads;
};

/* Constant. */
struct peer_answer {
	const char *type;
	const void *body;
	size_t size;
};

static const char peer_hello[] = "Hello, World!";
static const char peer_message[] = "{\"message\":\"Hello, World!\"}";
static char peer_filler[PEER_BODY_MAX];

static inline struct peer_options
peer_parse(int argc, char **argv)
{
	const struct option known[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "threads", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	long port = 8080, threads = 1;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'p')
			port = strtol(optarg, NULL, 10);
		else if (option == 't')
			threads = strtol(optarg, NULL, 10);
		else
			exit(EX_USAGE);
	}
	if (port < 1 || port > UINT16_MAX || threads < 1
	    || threads > PEER_THREADS_MAX) {
		fprintf(
		    stderr, "%s: a bad port or number of threads\n", argv[0]);
		exit(EX_USAGE);
	}
	memset(peer_filler, 'x', sizeof(peer_filler));
	return (struct peer_options){ (uint16_t)port, (unsigned)threads };
}

/* As /burn of the demo does it: CPU time of this thread. */
static inline void
peer_burn(const char *us)
{
	long goal = us != NULL ? strtol(us, NULL, 10) : 0;
	struct timespec start, now;

	if (goal > PEER_BURN_MAX_US)
		goal = PEER_BURN_MAX_US;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	do {
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000000
		     + (now.tv_nsec - start.tv_nsec) / 1000
		 < goal);
}

/* => Returns false if there is nothing at this path. */
static inline bool
peer_find(const char *path, struct peer_answer *answer)
{
	static const char bytes[] = "/bytes/";
	char *end;

	*answer = (struct peer_answer){ "text/plain", peer_hello,
		sizeof(peer_hello) - 1 };
	if (strcmp(path, "/plaintext") == 0 || strcmp(path, "/discard") == 0
	    || strcmp(path, "/burn") == 0)
		return true;
	if (strcmp(path, "/json") == 0) {
		*answer = (struct peer_answer){ "application/json",
			peer_message, sizeof(peer_message) - 1 };
		return true;
	}
	if (strncmp(path, bytes, sizeof(bytes) - 1) != 0)
		return false;
	*answer = (struct peer_answer){ "application/octet-stream", peer_filler,
		strtoul(path + sizeof(bytes) - 1, &end, 10) };
	return *end == '\0' && answer->size <= PEER_BODY_MAX;
}

#endif /* SPATE_PERF_SERVERS_PEER_H */
