/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_ECHO_H
#define SPATE_TESTS_ECHO_H

/*
 * An echo service written straight on shards/, and blocking clients for it:
 * what tests of the engine run on it.
 *
 *     service              between two messages     a full send buffer
 *     ------------------   ----------------------   ------------------
 *     echo_task_service    parked as a TASK         waits in a fiber
 *     echo_fiber_service   waits in a fiber, with   waits in a fiber
 *                          echo_deadline_ms
 *     echo_hurried_service the same, and its first message is due in 10 ms
 */

#include "shards/engine.h"
#include "tests/harness.h"

#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>

struct echo_server {
	struct sp_engine *engine;
	struct sockaddr_storage address;
	socklen_t size;
	bool late; /* a message may have come after its shard had ended */
};

extern const struct sp_service echo_task_service;
extern const struct sp_service echo_fiber_service;
extern const struct sp_service echo_hurried_service;

/* How long a fiber waits for its client; 0: for ever. Before the start. */
extern uint32_t echo_deadline_ms;

/* Options with few threads, small stacks and a short sweep. */
struct sp_engine_options echo_options(uint32_t shards, uint32_t workers);

/* On 127.0.0.1, at a port that the kernel picks. */
void echo_start(struct echo_server *server,
    const struct sp_engine_options *options, const struct sp_service *service);

/* At a name in the abstract Unix namespace. */
void echo_start_local(struct echo_server *server,
    const struct sp_engine_options *options, const struct sp_service *service);

/*
 * Cancel, stop, and free; and see that every connection that was opened has
 * been closed and every descriptor is free again.
 */
void echo_stop(struct echo_server *server);

/* The same in two steps, for who has already stopped the engine. */
void echo_account(struct echo_server *server);

/* A blocking client. Aborts the test program if there is none to be had. */
int echo_connect(const struct echo_server *server);

/* Send size bytes and read them back. Returns whether they were the same. */
bool echo_once(int fd, const void *message, size_t size);

/* Whether the server has closed a connection, after what is still to come. */
bool echo_at_end(int fd);

/* A counter, summed over all workers; offset within struct sp_counters. */
uint64_t echo_sum(struct sp_engine *engine, size_t offset);
#define ECHO_SUM(engine, name)                                                 \
	echo_sum(engine, offsetof(struct sp_counters, name))

/* For services: the descriptor of a task, its shard, and its end. */
struct sp_poll_desc *echo_desc(struct sp_task *task);
struct sp_shard *echo_shard(struct sp_worker *worker, struct sp_poll_desc *pd);
void echo_close(struct sp_worker *worker, struct sp_poll_desc *pd);

/* Give the CPU away until cond holds. CTest's time-out is the bound. */
#define ECHO_UNTIL(cond)                                                       \
	do {                                                                   \
		while (!(cond))                                                \
			sched_yield();                                         \
	} while (0)

#endif /* SPATE_TESTS_ECHO_H */
