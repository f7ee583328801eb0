/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_E2E_RELAY_H
#define SPATE_TESTS_E2E_RELAY_H

/*
 * Two servers, one of which calls the other:
 *
 *     the test's client --> front --> back
 *
 * The back is a site with the handlers of handlers.h, and raw streams that
 * answer by a script, on sockets of the abstract namespace. The front has
 *
 *     /relay        makes relay_call, and answers with what it gets, or by
 *                   502 and the error as its text
 *     /unattended   the same, while somebody else polls the shard
 *     /fan          makes it RELAY_FAN times at once, and answers with how
 *                   many were answered
 */

#include "tests/e2e/site.h"

#include <spate.h>

#define RELAY_FAN 8
#define RELAY_URL_MAX 256

struct relay_script {
	const char *answer; /* NULL: never one */
	int requests;       /* of one connection, before it is closed */
};

extern struct site relay_front, relay_back;

/* What to ask for. A body without a pointer is written in pieces: 100,000. */
extern struct spate_call relay_call;
extern uint64_t relay_body_max;
extern char relay_url[RELAY_URL_MAX]; /* relay_call's */

/* How many were, and how the last one ended. */
extern _Atomic int relay_begun, relay_ended, relay_last_error;

/*
 * relay_start: both, with scripts, which stay. After site_new() for the
 * front and changes to its options. relay_alone() is site_new() for a front
 * of one worker: what one request has kept the next one finds.
 */
bool relay_start(const struct relay_script *scripts, size_t count);
void relay_alone(void);
void relay_stop(void);

/* Where the next call goes. */
void relay_to_script(const struct relay_script *script);
void relay_to_path(const char *path);

/* One request to the front, and how it must end. */
void relay_fails(int error);
void relay_answers(int status, char filling, size_t size);

#endif /* SPATE_TESTS_E2E_RELAY_H */
