/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_CHECK_H
#define SPATE_TESTS_SIM_CHECK_H

/* What has to hold: at each step, when nobody can run, and at the end. */

#include <stdbool.h>

void sim_check_begin(void);

/* Whether clients may wait in a queue: out of places or of descriptors. */
bool sim_check_accepts_late(void);

/*
 * Whether a request waits for a thread that may block: for any one, or, once
 * begun, for its own, where a handler blocks. So may what follows it on the
 * connection, as one turn goes on in one thread.
 */
struct sim_request;
bool sim_check_waits_for_thread(const struct sim_request *request);

/* The server has stopped, and is not freed. Adds its counters up. */
void sim_check_stopped(void);

/* What the servers of all runs so far have counted. */
void sim_check_print_counters(void);

#endif /* SPATE_TESTS_SIM_CHECK_H */
