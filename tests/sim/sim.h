/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_SIM_H
#define SPATE_TESTS_SIM_SIM_H

/*
 * Deterministic simulation of the server: its own C code on a simulated
 * kernel, under a scheduler that a seed drives.
 *
 *     spate-sim --seed 42            one run; the same one each time
 *     spate-sim --seeds 1000         the runs 1 to 1000
 *     spate-sim --seed 42 --trace    what happens in it, step by step
 *
 * One run is a server with its threads, some clients, and others who meddle.
 * Everything in it runs in one real thread:
 *
 *     +--------------------------------------------------------------+
 *     | the program: set-up, start, stop     clients   meddlers      | run.c
 *     +--------------------------------------------------------------+
 *     | framework, shards, alloc: the shipped sources                |
 *     +--------------------------------------------------------------+
 *     | system calls     atomics, clock     liburcu      malloc      |
 *     |  wrap_*.c         points.h           rcu.c        memory.c   |
 *     +--------------------------------------------------------------+
 *     | files, epoll, sockets, futex, time: kernel.h                 |
 *     +--------------------------------------------------------------+
 *     | threads as coroutines, actors as callbacks: sched.c          |
 *     +--------------------------------------------------------------+
 *
 * A thread may be switched away from at each atomic access and each system
 * call, and goes on whenever the scheduler says. What the kernel does in
 * between, delivering bytes and breaking connections, are steps of actors,
 * which the scheduler draws in the same way. Time passes as it says.
 *
 * docs/simulation.md tells what is checked, and how to work with a seed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_NS_PER_MS UINT64_C(1000000)
#define SIM_NEVER UINT64_MAX

/* ------------------------------------------------------------- chance */

void sim_random_seed(uint64_t seed);
uint64_t sim_random(void);

/* 0 to n - 1; 0 for 0. */
uint32_t sim_below(uint32_t n);

/* Once in so many times; never for 0. */
bool sim_chance(uint32_t in);

/* ------------------------------------------------------------ the trace */

/* How much is told: nothing, or each event on standard output. */
extern bool sim_tracing;

/* Of all events so far: two runs are the same if it is. */
extern uint64_t sim_hash;

/* Something happened: part of the hash, and of the trace. */
void sim_event(const char *what, uint64_t a, uint64_t b);

/* The run has shown a fault: say so, with the line that repeats it. */
__attribute__((noreturn, format(printf, 1, 2))) void sim_fail(
    const char *format, ...);

/* The seed of this run. */
extern uint64_t sim_seed;

#endif /* SPATE_TESTS_SIM_SIM_H */
