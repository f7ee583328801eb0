/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/sim/sched.h"

#include "alloc/asan.h"
#include "shards/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* From the shipped sources, as points.h has them. */
extern char __start_sim_tls[], __stop_sim_tls[];
extern uint32_t sim_budget;
void sim_preempt(const char *where, int line);
uint64_t sim_cycles(void);

pthread_t __real_pthread_self(void);
int __real_pthread_getattr_np(pthread_t thread, pthread_attr_t *attr);
void *sp_fiber_jump(void **save, void *load, void *arg);

#define STACK_SIZE (512 * 1024)
#if SP_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#define NO_BUDGET UINT32_MAX

uint32_t sim_budget = NO_BUDGET;
struct sim_sched_options sim_sched;
struct sim_thread *sim_self;
struct sim_thread sim_threads[SIM_THREADS];
uint64_t sim_now, sim_steps;
void (*sim_check_step)(void);
void (*sim_check_still)(void);

static struct sp_stack_pool stacks;
static struct sp_fiber *fibers[SIM_THREADS];
static struct sim_thread outside; /* who called sim_sched_run() */
static struct sim_actor *actors[SIM_ACTORS], *ready[SIM_ACTORS];
static uint32_t thread_count, actor_count, ready_count;

/* --------------------------------------------------------------- actors */

void
sim_actor_kick(struct sim_actor *actor)
{
	actor->until = SIM_NEVER;
	if (actor->ready)
		return;
	actor->ready = true;
	actor->place = ready_count;
	ready[ready_count++] = actor;
}

void
sim_actor_add(struct sim_actor *actor, bool (*step)(struct sim_actor *actor))
{
	uint32_t i = 0;

	while (i < actor_count && actors[i] != actor)
		i++;
	if (i == SIM_ACTORS)
		sim_fail("the simulation has too many actors");
	actor->step = step;
	actor->ready = false;
	actors[i] = actor;
	actor_count += i == actor_count;
	sim_actor_kick(actor);
}

static void
rest(struct sim_actor *actor)
{
	if (!actor->ready)
		return;
	actor->ready = false;
	ready[actor->place] = ready[--ready_count];
	ready[actor->place]->place = actor->place;
}

void
sim_actor_sleep(struct sim_actor *actor, uint64_t ns)
{
	rest(actor);
	actor->until = sim_now + ns;
}

static void
act(void)
{
	struct sim_actor *actor = ready[sim_below(ready_count)];

	if (!actor->step(actor))
		rest(actor);
}

/* ------------------------------------------------------------- threads */

static size_t
tls_size(void)
{
	return (size_t)(__stop_sim_tls - __start_sim_tls);
}

/* A thread is on its own stack, or on that of a fiber if it is a worker. */
static void
note_stack(struct sim_thread *thread)
{
	const struct sp_worker *worker = sp_worker_self();
	const struct sp_fiber *fiber = thread->fiber;

	if (worker != NULL && worker->current != NULL)
		fiber = worker->current;
	if (fiber == NULL)
		return;
	thread->asan_low = fiber->asan_low;
	thread->asan_size = fiber->asan_size;
}

static void
switch_to(struct sim_thread *next)
{
	struct sim_thread *from = sim_self;

	if (from == next)
		return;
	note_stack(from);
	from->error = errno;
	memcpy(from->tls, __start_sim_tls, tls_size());
	sim_self = next;
	memcpy(__start_sim_tls, next->tls, tls_size());
	errno = next->error;
#if SP_ASAN
	__sanitizer_start_switch_fiber(
	    &from->asan_fake, next->asan_low, next->asan_size);
#endif
	sp_fiber_jump(&from->sp, next->sp, next->fiber);
#if SP_ASAN
	__sanitizer_finish_switch_fiber(from->asan_fake, NULL, NULL);
#endif
}

/* The bottom of a thread's stack; home is not a worker but the thread. */
static void
enter(struct sp_worker *home)
{
	struct sim_thread *self = (struct sim_thread *)(void *)home;

	self->run(self->arg);
	if (self->specific != NULL)
		sim_thread_specific_end(self->specific);
	sim_event("ends", self->number, 0);
	self->state = SIM_ENDED;
	if (self->number == 0)
		switch_to(&outside);
	sim_wake(self, UINT32_MAX);
	sim_wait(NULL, SIM_NEVER, false);
}

static void
draw_budget(void)
{
	sim_budget = 1 + sim_below(2 * sim_sched.points);
}

struct sim_thread *
sim_thread_new(const char *name, void *(*run)(void *arg), void *arg)
{
	struct sim_thread *thread = &sim_threads[thread_count];

	if (thread_count == SIM_THREADS)
		sim_fail("the simulation has too many threads");
	sim_budget = NO_BUDGET; /* stacks have atomic words, too */
	memset(thread, 0, sizeof(*thread));
	if (fibers[thread_count] != NULL)
		sp_fiber_free(fibers[thread_count], &stacks);
	fibers[thread_count] = sp_fiber_new(
	    (struct sp_worker *)(void *)thread, &stacks, enter);
	if (fibers[thread_count] == NULL)
		sim_fail("no memory for the simulation's stacks");
	draw_budget();
	thread->fiber = fibers[thread_count];
	thread->sp = thread->fiber->sp;
	thread->asan_low = thread->fiber->asan_low;
	thread->asan_size = thread->fiber->asan_size;
	thread->number = thread_count++;
	thread->run = run;
	thread->arg = arg;
	thread->state = SIM_RUNNABLE;
	thread->until = SIM_NEVER;
	thread->weight = 1 + sim_below(8);
	snprintf(thread->name, sizeof(thread->name), "%s", name);
	return thread;
}

/* The real thread's own, for AddressSanitizer. */
static void
note_outside(void)
{
	pthread_attr_t attr;
	void *low;

	if (__real_pthread_getattr_np(__real_pthread_self(), &attr) != 0)
		sim_fail("a thread without a stack");
	pthread_attr_getstack(&attr, &low, &outside.asan_size);
	outside.asan_low = low;
	pthread_attr_destroy(&attr);
}

void
sim_sched_init(void)
{
	note_outside();
	if (tls_size() > SIM_TLS_MAX)
		sim_fail("thread-local words need %zu bytes", tls_size());
	sp_stack_pool_init(&stacks, STACK_SIZE, SIM_THREADS, SIM_THREADS);
}

/* ----------------------------------------------------------- scheduling */

static void
draw_weights(void)
{
	for (uint32_t i = 0; i < thread_count; i++)
		sim_threads[i].weight = sim_chance(3) ? 1 : 1u << sim_below(7);
}

static void
end_wait(struct sim_thread *thread, bool woken)
{
	thread->state = SIM_RUNNABLE;
	thread->woken = woken;
	thread->on = NULL;
	thread->until = SIM_NEVER;
}

/* Whose time has come. Returns when that will next be so. */
static uint64_t
look_at_time(void)
{
	uint64_t next = SIM_NEVER;

	for (uint32_t i = 0; i < thread_count; i++) {
		struct sim_thread *thread = &sim_threads[i];

		if (thread->state != SIM_WAITS)
			continue;
		if (thread->until <= sim_now)
			end_wait(thread, false);
		else if (thread->until < next)
			next = thread->until;
	}
	for (uint32_t i = 0; i < actor_count; i++) {
		if (actors[i]->ready)
			continue;
		if (actors[i]->until <= sim_now)
			sim_actor_kick(actors[i]);
		else if (actors[i]->until < next)
			next = actors[i]->until;
	}
	return next;
}

static void
interrupt_one(void)
{
	struct sim_thread *thread = &sim_threads[sim_below(thread_count)];

	if (thread->state != SIM_WAITS || !thread->interruptible)
		return;
	sim_event("interrupts", thread->number, 0);
	thread->interrupted = true;
	end_wait(thread, true);
}

static bool
may_run(const struct sim_thread *thread, bool frozen)
{
	return thread->state == SIM_RUNNABLE
	       && (frozen || thread->thaws <= sim_steps);
}

/* => Returns NULL: none. */
static struct sim_thread *
draw_among(bool frozen)
{
	uint32_t weight = 0, pick;

	for (uint32_t i = 0; i < thread_count; i++)
		if (may_run(&sim_threads[i], frozen))
			weight += sim_threads[i].weight;
	if (weight == 0)
		return NULL;
	pick = sim_below(weight);
	for (uint32_t i = 0;; i++) {
		if (!may_run(&sim_threads[i], frozen))
			continue;
		if (pick < sim_threads[i].weight)
			return &sim_threads[i];
		pick -= sim_threads[i].weight;
	}
}

/* One that is frozen only if there is no other. */
static struct sim_thread *
draw_thread(void)
{
	struct sim_thread *thread = draw_among(false);

	return thread != NULL ? thread : draw_among(true);
}

static void
step(void)
{
	if (++sim_steps > sim_sched.steps)
		sim_fail("no end after %llu steps",
		    (unsigned long long)sim_sched.steps);
	sim_now += 1 + sim_below(sim_sched.step_ns);
	if (sim_chance(sim_sched.unfair))
		draw_weights();
	if (sim_chance(sim_sched.interrupts))
		interrupt_one();
	sim_check_step();
}

/* Go on in whoever is drawn; the caller has said in what state it is. */
static void
schedule(void)
{
	struct sim_thread *next;
	uint64_t later;
	int error = errno;

	sim_budget = NO_BUDGET;
	for (;;) {
		step();
		later = look_at_time();
		if (ready_count != 0 && sim_below(16) < sim_sched.actors) {
			act();
			continue;
		}
		next = draw_thread();
		if (next != NULL)
			break;
		if (ready_count != 0) {
			act();
			continue;
		}
		sim_check_still();
		if (later == SIM_NEVER)
			sim_fail("everybody sleeps, and nobody will wake them");
		sim_event("time", later - sim_now, 0);
		sim_now = later;
	}
	draw_budget();
	if (next != sim_self)
		sim_event("runs", next->number, 0);
	errno = error;
	switch_to(next);
}

void
sim_preempt(const char *where, int line)
{
	if (sim_self == NULL || sim_self == &outside) {
		sim_budget = NO_BUDGET;
		return;
	}
	sim_event(where, (uint64_t)line, 1);
	/* As if its CPU had been taken away, for as long as many steps. */
	if (sim_chance(sim_sched.freezes))
		sim_self->thaws = sim_steps
				  + sim_below(SIM_FROZEN_MAX >> sim_below(4));
	schedule();
}

void
sim_call(void)
{
	if (sim_self == &outside)
		return;
	if (sim_budget > 4)
		sim_budget -= sim_below(4);
	if (sim_chance(3))
		schedule();
}

enum sim_woken
sim_wait(const void *on, uint64_t until, bool interruptible)
{
	struct sim_thread *self = sim_self;

	if (self->state != SIM_ENDED)
		self->state = SIM_WAITS;
	self->on = on;
	self->until = until;
	self->interruptible = interruptible;
	self->interrupted = false;
	schedule();
	if (self->interrupted)
		return SIM_INTERRUPTED;
	return self->woken ? SIM_WOKEN : SIM_TIMED_OUT;
}

unsigned
sim_wake(const void *on, unsigned most)
{
	uint32_t start = sim_below(thread_count);
	unsigned woken = 0;

	for (uint32_t i = 0; i < thread_count && woken < most; i++) {
		struct sim_thread *thread =
		    &sim_threads[(start + i) % thread_count];

		if (thread->state != SIM_WAITS || thread->on != on)
			continue;
		end_wait(thread, true);
		woken++;
	}
	return woken;
}

void
sim_sleep(uint64_t ns)
{
	sim_wait(NULL, sim_now + ns, false);
}

void
sim_join(struct sim_thread *thread)
{
	if (thread->joined)
		sim_fail("%s is joined twice", thread->name);
	thread->joined = true;
	while (thread->state != SIM_ENDED)
		sim_wait(thread, SIM_NEVER, false);
}

uint64_t
sim_clock(void)
{
	sim_now += 20;
	if (sim_chance(sim_sched.jump)) {
		uint64_t ns = sim_random() % sim_sched.jump_ns;

		sim_event("jump", ns, 0);
		sim_now += ns;
	}
	return sim_now;
}

uint64_t
sim_cycles(void)
{
	return sim_now * sim_sched.cycles;
}

void
sim_sched_run(void *(*fn)(void *arg), void *arg)
{
	thread_count = actor_count = ready_count = 0;
	sim_steps = 0;
	sim_now = sim_sched.start_ns;
	memset(__start_sim_tls, 0, tls_size());
	sim_self = &outside;
	sim_thread_new("program", fn, arg);
	draw_budget();
	switch_to(&sim_threads[0]);
	sim_budget = NO_BUDGET;
	for (uint32_t i = 0; i < thread_count; i++)
		if (sim_threads[i].state != SIM_ENDED)
			sim_fail("%s has not ended", sim_threads[i].name);
}
