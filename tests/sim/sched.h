/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_SCHED_H
#define SPATE_TESTS_SIM_SCHED_H

/*
 * Simulated threads, actors and time.
 *
 *              preempted, or woken            picked
 *     waits ----------------------> runnable <------> runs
 *       ^                                              |
 *       `---------------- sim_wait() ------------------'
 *
 * A thread is a stack of its own. A worker's fibers lie on other stacks, and
 * the scheduler need not know: it keeps where a thread's stack pointer is.
 *
 * An actor is a callback without a stack, for what never waits in the middle
 * of something. It is called when the scheduler draws it, on the stack of
 * whoever runs.
 *
 * When nobody can run, time goes on to the next thing that waits for it.
 * When nothing does, the run has come to a deadlock, and fails.
 */

#include "tests/sim/sim.h"

#define SIM_TLS_MAX 64
#define SIM_THREADS 48
#define SIM_ACTORS 256

struct sp_fiber;

enum sim_state { SIM_RUNNABLE, SIM_WAITS, SIM_ENDED };

struct sim_thread {
	void *sp;
	struct sp_fiber *fiber; /* its own stack's */
	const void *asan_low;   /* of the stack that it was on */
	size_t asan_size;
	void *asan_fake;
	void *(*run)(void *arg);
	void *arg;
	char name[20];
	uint32_t number;
	enum sim_state state;
	const void *on; /* what it waits for */
	uint64_t until; /* and for how long */
	bool interruptible;
	bool woken, interrupted; /* how the wait ended */
	bool joined;
	bool hogs;   /* in a handler that blocks its worker */
	bool blocks; /* or its thread, on a route that is for that */
	uint32_t weight;
	uint64_t thaws; /* the step; before that others go first */
	int error;      /* errno */
	const void *specific;
	unsigned char tls[SIM_TLS_MAX];

	/* rcu.c */
	bool reader, online;
	uint64_t quiet;
};

struct sim_actor {
	/* Returns false: nothing to do until it is kicked, or until. */
	bool (*step)(struct sim_actor *actor);
	uint64_t until;
	bool ready;
	uint32_t place; /* among those that are ready */
};

#define SIM_FROZEN_MAX 4000 /* steps that a thread stands still, at most */

/* How threads take their turns in this run. */
struct sim_sched_options {
	uint32_t points;  /* between two switches, about */
	uint32_t step_ns; /* a switch takes, at most */
	uint32_t unfair;  /* in so many switches weights are drawn anew */
	uint32_t freezes; /* a thread does, in so many switches */
	uint32_t actors;  /* actors' part of the steps, in 16 */
	uint32_t cycles;  /* in a ns, of the CPU's counter; 0: it stands */
	uint32_t jump;    /* in so many looks at the clock it jumps; 0 */
	uint64_t jump_ns;
	uint32_t interrupts; /* a wait is interrupted once in so many steps */
	uint64_t steps;      /* at most */
	uint64_t start_ns;   /* what the clock shows at the start */
};

extern struct sim_sched_options sim_sched;
extern struct sim_thread *sim_self;
extern uint64_t sim_now;
extern uint64_t sim_steps;

/* For the time until sim_sched_run() has ended. */
extern struct sim_thread sim_threads[SIM_THREADS];

/* Once, before any run. */
void sim_sched_init(void);

/* Run fn as the first thread, until it has ended. */
void sim_sched_run(void *(*fn)(void *arg), void *arg);

struct sim_thread *
sim_thread_new(const char *name, void *(*run)(void *arg), void *arg);

/* wrap_thread.c: what a thread has left to be done when it ends. */
void sim_thread_specific_end(const void *value);

/* A point where others may run: each system call is one. */
void sim_call(void);

enum sim_woken { SIM_WOKEN, SIM_TIMED_OUT, SIM_INTERRUPTED };

/* Until somebody wakes whoever waits on this, or until then. */
enum sim_woken sim_wait(const void *on, uint64_t until, bool interruptible);
unsigned sim_wake(const void *on, unsigned most);
void sim_sleep(uint64_t ns);
void sim_join(struct sim_thread *thread);

void
sim_actor_add(struct sim_actor *actor, bool (*step)(struct sim_actor *actor));
void sim_actor_kick(struct sim_actor *actor);
/* Nothing to do before then, unless it is kicked. */
void sim_actor_sleep(struct sim_actor *actor, uint64_t ns);

/* The clock, as somebody looks at it. */
uint64_t sim_clock(void);

/* Called between steps, and before time goes on as nobody can run. */
extern void (*sim_check_step)(void);
extern void (*sim_check_still)(void);

#endif /* SPATE_TESTS_SIM_SCHED_H */
