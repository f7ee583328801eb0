/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_E2E_SITE_H
#define SPATE_TESTS_E2E_SITE_H

/*
 * A server for the time of a test: in this process, with the test's own
 * handlers, or the demo in a process of its own.
 *
 *     struct site site;
 *
 *     site_new(&site);
 *     site.options.header_timeout_ms = 100;
 *     site_make(&site);
 *     spate_route(site.server, "GET", "/", handler, NULL);
 *     site_start(&site);
 *     ... site.port ...
 *     site_stop(&site);
 *
 * Its log is kept, and its counters can be read by the names of
 * shards/counters.h.
 */

#include "framework/server.h"
#include "tests/harness.h"

#include <pthread.h>
#include <stddef.h>
#include <sys/types.h>

struct site {
	struct spate_options options;
	struct spate_server *server;
	uint16_t port;
	pthread_mutex_t lock; /* of the log */
	char log[8192];
	size_t log_size;
};

/* site_new: the options that site_make() takes: two shards, and the log. */
void site_new(struct site *site);
void site_make(struct site *site);

/* site_start: listen at a free port, and start. The test fails if not. */
bool site_start(struct site *site);

/*
 * site_stop: stop and free.
 *
 * => Returns what spate_server_stop() says.
 */
int site_stop(struct site *site);

/* Does the log have this text? */
bool site_logged(struct site *site, const char *text);

/* One counter, summed over all workers, by its place in sp_counters. */
uint64_t site_sum(struct site *site, size_t offset);
bool site_sum_reaches(struct site *site, size_t offset, uint64_t value);

#define SITE_COUNT(site, name)                                                 \
	site_sum(site, offsetof(struct sp_counters, name))

/* Wait until a counter is at least this; false if it takes too long. */
#define SITE_REACHES(site, name, value)                                        \
	site_sum_reaches(site, offsetof(struct sp_counters, name), value)

/*
 * site_connections: how many there are now. site_left: wait until all have
 * gone; false if it takes too long.
 */
int64_t site_connections(struct site *site);
bool site_left(struct site *site);

/* Wait until cond holds, for as long as it takes, but not forever. */
#define AWAIT(cond)                                                            \
	do {                                                                   \
		unsigned looks_ = 0;                                           \
		while (!(cond) && site_look(&looks_))                          \
			;                                                      \
		EXPECT(cond);                                                  \
	} while (0)

/* A pause between two looks; false after too many. */
bool site_look(unsigned *looks);

/* The demo, as a child. */
struct demo {
	pid_t pid;
	uint16_t port;
	int log; /* its standard error */
};

/*
 * demo_start: with arguments, up to NULL; --listen 127.0.0.1:0 goes in
 * front. Returns whether it listens; if not, the test has failed.
 *
 * demo_stop: by a signal.
 *
 * => Returns its exit status, or minus the signal that ended it.
 */
bool demo_start(struct demo *demo, const char *const arguments[]);
int demo_stop(struct demo *demo, int signal_number);

#endif /* SPATE_TESTS_E2E_SITE_H */
