/* SPDX-License-Identifier: BSD-2-Clause */

/* timerfd: files that become readable at a time. */

#include "tests/sim/wrap.h"

#include <errno.h>

#define TIMERS 8

static struct timer {
	struct sim_actor actor;
	struct sim_file *file; /* NULL: free */
	uint64_t at;           /* when it goes off; SIM_NEVER */
} timers[TIMERS];

static bool
timer_step(struct sim_actor *actor)
{
	struct timer *timer = (struct timer *)(void *)actor;

	if (timer->file == NULL || timer->at == SIM_NEVER)
		return false;
	if (sim_now < timer->at) {
		sim_actor_sleep(actor, timer->at - sim_now);
		return false;
	}
	sim_event("alarm", timer->at, 0);
	timer->at = SIM_NEVER;
	timer->file->count++;
	sim_epoll_tell(timer->file, EPOLLIN);
	return false;
}

void
sim_timers_reset(void)
{
	for (int i = 0; i < TIMERS; i++)
		timers[i].file = NULL;
}

void
sim_timer_end(const struct sim_file *file)
{
	for (int i = 0; i < TIMERS; i++)
		if (timers[i].file == file)
			timers[i].file = NULL;
}

static struct timer *
timer_of(const struct sim_file *file)
{
	for (int i = 0; i < TIMERS; i++)
		if (timers[i].file == file)
			return &timers[i];
	sim_fail("the simulation has too many timers");
}

int
__wrap_timerfd_create(int clock, int flags)
{
	struct sim_file *file;
	struct timer *timer;

	if (clock != CLOCK_MONOTONIC)
		sim_fail("timerfd_create(%d) is not simulated", clock);
	(void)flags;
	if (sim_kernel.no_timers) {
		errno = ENFILE;
		return -1;
	}
	file = sim_file_new(SIM_TIMER);
	timer = timer_of(NULL);
	timer->file = file;
	timer->at = SIM_NEVER;
	sim_actor_add(&timer->actor, timer_step);
	return sim_fd_new(file, true);
}

int
__wrap_timerfd_settime(
    int fd, int flags, const struct itimerspec *time, struct itimerspec *before)
{
	struct sim_file *file;
	struct timer *timer;

	sim_call();
	file = sim_fd_file(fd, SIM_TIMER);
	if (file == NULL)
		return -1;
	if (flags != TFD_TIMER_ABSTIME || before != NULL
	    || sim_ns(&time->it_interval) != 0)
		sim_fail("such a timerfd_settime() is not simulated");
	timer = timer_of(file);
	timer->at = sim_ns(&time->it_value);
	if (timer->at == 0)
		timer->at = SIM_NEVER;
	file->count = 0;
	sim_event("timerfd", (uint64_t)fd, timer->at);
	sim_actor_kick(&timer->actor);
	return 0;
}
