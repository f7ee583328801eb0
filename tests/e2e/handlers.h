/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_E2E_HANDLERS_H
#define SPATE_TESTS_E2E_HANDLERS_H

/*
 * Handlers that several tests want, and the site that has them all:
 *
 *     GET /hello       hello
 *     *   /echo        the body, in pieces as it comes
 *     *   /collect     the body, in one piece
 *     *   /ignore      ignored; does not read the body
 *     GET /size/:n     n bytes of 'x', by spate_respond()
 *     GET /chunks/:n   n chunks, the i-th of i + 1 bytes
 */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

/* What handlers that wait have come to; for a test to look at. */
struct handlers_seen {
	_Atomic int begun, ended;
	_Atomic int last_error; /* of a wait that has ended */
	_Atomic spate_handle sleeper;
};

/*
 * handlers_sleep: "slept" after ?ms=, ten minutes if that is not given. arg is
 * a struct handlers_seen.
 */
int handlers_sleep(struct spate_req *req, void *arg);

/* site_make() and the routes above. */
void handlers_make(struct site *site);

/* handlers_start: all of it, with the default options. */
bool handlers_start(struct site *site);

/* handlers_arrive: likewise, and a client of it. handlers_leave: the end. */
bool handlers_arrive(struct site *site, struct client *client);
void handlers_leave(struct site *site, struct client *client);

#endif /* SPATE_TESTS_E2E_HANDLERS_H */
