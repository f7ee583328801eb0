/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SCENARIO_H
#define SPATE_TESTS_SCENARIO_H

/*
 * Scenarios for fibers of real workers: a client's byte names one, and the
 * fiber that handles the connection plays it and answers with the byte that
 * says how it went, an error being its number without the sign.
 */

#include "tests/echo.h"

extern const struct sp_service scenario_service;

/* What they are. Returns 0 or -errno. Before the start. */
extern int (*scenario_play)(struct sp_worker *worker, char name);

/* How many have begun, and how many have come to their end. */
extern SP_ATOMIC(uint32_t) scenario_begun, scenario_ended;

/* scenario_start: echo_start() with that service, and the counts at 0. */
void scenario_start(struct echo_server *server,
    const struct sp_engine_options *options,
    int (*play)(struct sp_worker *worker, char name));

/* scenario_ask: have one played. Returns its connection. */
int scenario_ask(const struct echo_server *server, char name);

/* scenario_expect: how it goes. Closes the connection. */
void scenario_expect(int fd, int error);

#endif /* SPATE_TESTS_SCENARIO_H */
