/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * liburcu's QSBR on simulated threads: include/urcu-qsbr.h.
 *
 * A callback may run when each reader that was online as it was retired has
 * been quiescent or offline since. It then runs in the helper, a thread like
 * the others, and not before the scheduler has drawn that.
 */

#include "tests/sim/rcu.h"

#include "tests/sim/wrap.h"

#include <urcu-qsbr.h>

uint32_t sim_rcu_late_ms;

static struct rcu_head *first, **last = &first;
static uint64_t epoch, run_until;
static bool helper_waits;

static void
is_quiet(struct sim_thread *thread)
{
	thread->quiet = epoch;
	if (helper_waits)
		sim_wake(&helper_waits, 1);
}

void
rcu_register_thread(void)
{
	if (sim_self->reader)
		sim_fail("%s is registered with RCU twice", sim_self->name);
	sim_self->reader = sim_self->online = true;
	is_quiet(sim_self);
}

void
rcu_unregister_thread(void)
{
	if (!sim_self->reader)
		sim_fail("%s was not registered with RCU", sim_self->name);
	sim_self->reader = sim_self->online = false;
	is_quiet(sim_self);
}

void
rcu_quiescent_state(void)
{
	if (!sim_self->online)
		sim_fail("%s is quiescent while offline", sim_self->name);
	is_quiet(sim_self);
}

void
rcu_thread_offline(void)
{
	sim_self->online = false;
	is_quiet(sim_self);
}

void
rcu_thread_online(void)
{
	if (!sim_self->reader)
		sim_fail("%s goes online unregistered", sim_self->name);
	sim_self->online = true;
	is_quiet(sim_self);
}

void
sim_sleeps(void)
{
	if (sim_self->online && !sim_self->hogs)
		sim_fail("%s sleeps as a reader", sim_self->name);
}

void *
get_default_call_rcu_data(void)
{
	return NULL;
}

void
call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	head->func = func;
	head->next = NULL;
	head->epoch = ++epoch;
	*last = head;
	last = &head->next;
	sim_event("retire", epoch, 0);
	sim_wake(&first, 1);
}

void
rcu_barrier(void)
{
	uint64_t until = epoch;

	sim_call();
	while (run_until < until)
		sim_wait(&run_until, SIM_NEVER, false);
}

static bool
is_over(uint64_t since)
{
	for (int i = 0; i < SIM_THREADS; i++) {
		const struct sim_thread *thread = &sim_threads[i];

		if (thread->online && thread->quiet < since)
			return false;
	}
	return true;
}

static void *
helper(void *unused)
{
	(void)unused;
	for (;;) {
		struct rcu_head *head;
		uint64_t done;

		while ((head = first) == NULL)
			if (sim_wait(&first, SIM_NEVER, false) == SIM_WOKEN
			    && sim_rcu_late_ms == UINT32_MAX)
				return NULL;
		while (!is_over(head->epoch)) {
			helper_waits = true;
			sim_wait(&helper_waits, SIM_NEVER, false);
			helper_waits = false;
		}
		if (sim_rcu_late_ms != 0)
			sim_sleep(sim_below(sim_rcu_late_ms) * SIM_NS_PER_MS);
		sim_call();
		first = head->next;
		if (first == NULL)
			last = &first;
		done = head->epoch;
		head->func(head);
		run_until = done;
		sim_wake(&run_until, UINT32_MAX);
	}
}

static struct sim_thread *helper_thread;

void
sim_rcu_begin(uint32_t late_ms)
{
	first = NULL;
	last = &first;
	epoch = run_until = 0;
	helper_waits = false;
	sim_rcu_late_ms = late_ms;
	helper_thread = sim_thread_new("rcu", helper, NULL);
}

void
sim_rcu_end(void)
{
	if (first != NULL)
		sim_fail("callbacks are left");
	sim_rcu_late_ms = UINT32_MAX;
	sim_wake(&first, 1);
	sim_join(helper_thread);
}
