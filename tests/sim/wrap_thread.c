/* SPDX-License-Identifier: BSD-2-Clause */

/* Threads, futexes, time, and what else a process asks the kernel for. */

#include "tests/sim/wrap.h"

#include "shards/fiber.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>

static int
fail(int error)
{
	errno = error;
	return -1;
}

/* --------------------------------------------------------------- threads */

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
    void *(*run)(void *arg), void *arg)
{
	(void)attr;
	sim_call();
	if (sim_chance(sim_kernel.no_threads))
		return EAGAIN;
	*thread = 1 + sim_thread_new("thread", run, arg)->number;
	sim_call();
	return 0;
}

int
__wrap_pthread_join(pthread_t thread, void **result)
{
	(void)result;
	sim_call();
	sim_join(&sim_threads[thread - 1]);
	return 0;
}

pthread_t
__wrap_pthread_self(void)
{
	return 1 + sim_self->number;
}

/* The stack of a simulated thread, for AddressSanitizer. */
int
__wrap_pthread_getattr_np(pthread_t thread, pthread_attr_t *attr)
{
	const struct sp_fiber *fiber = sim_threads[thread - 1].fiber;

	pthread_attr_init(attr);
	return pthread_attr_setstack(
	    attr, (void *)(uintptr_t)fiber->asan_low, fiber->asan_size);
}

int
__wrap_pthread_setname_np(pthread_t thread, const char *name)
{
	strncpy(sim_threads[thread - 1].name, name, 16);
	return 0;
}

int
__wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *before)
{
	(void)how;
	(void)set;
	if (before != NULL)
		memset(before, 0, sizeof(*before));
	return 0;
}

/* There is one key, in rcu.c. */
static void (*key_destructor)(void *value);

int
__wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *value))
{
	*key = 0;
	if (key_destructor != NULL)
		sim_fail("only one key is simulated");
	key_destructor = destructor;
	return 0;
}

int
__wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
	(void)key;
	sim_self->specific = value;
	return 0;
}

void
sim_thread_specific_end(const void *value)
{
	key_destructor((void *)(uintptr_t)value);
}

pid_t
__wrap_getpid(void)
{
	return 1;
}

pid_t
__wrap_gettid(void)
{
	return (pid_t)(1 + sim_self->number);
}

int
__wrap_getpriority(int which, id_t who)
{
	(void)which;
	(void)who;
	return 0;
}

int
__wrap_prctl(int option, ...)
{
	(void)option;
	return 0;
}

int
__wrap_sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set)
{
	(void)pid;
	(void)size;
	(void)set;
	return sim_chance(8) ? fail(EINVAL) : 0;
}

/* Four CPUs. */
int
__wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	(void)pid;
	memset(set, 0, size);
	*(unsigned char *)set = 0xf;
	return 0;
}

/* ----------------------------------------------------------------- futex */

static long
futex_wait(uint32_t *word, uint32_t value, const struct timespec *timeout)
{
	uint64_t until = timeout == NULL ? SIM_NEVER
					 : sim_now + sim_ns(timeout);

	if (*word != value)
		return fail(EAGAIN);
	sim_sleeps();
	switch (sim_wait(word, until, true)) {
	case SIM_TIMED_OUT:
		return fail(ETIMEDOUT);
	case SIM_INTERRUPTED:
		return fail(EINTR);
	default:
		return 0;
	}
}

static long
futex(va_list args)
{
	uint32_t *word = va_arg(args, uint32_t *);
	int op = va_arg(args, int);
	uint32_t value = va_arg(args, uint32_t);

	sim_call();
	if (op == FUTEX_WAIT_PRIVATE)
		return futex_wait(
		    word, value, va_arg(args, const struct timespec *));
	if (op != FUTEX_WAKE_PRIVATE)
		sim_fail("futex %d is not simulated", op);
	value = sim_wake(word, value);
	sim_call();
	return (long)value;
}

/* What is called without libc: sys.h and futex.h. */
long
__wrap_syscall(long number, ...)
{
	va_list args;
	const void *buf;
	size_t size;
	long result;
	int fd;

	va_start(args, number);
	if (number == SYS_futex) {
		result = futex(args);
		va_end(args);
		return result;
	}
	if (number == SYS_sched_setattr || number == SYS_sched_getattr) {
		va_end(args);
		return fail(EPERM);
	}
	fd = va_arg(args, int);
	buf = va_arg(args, const void *);
	size = va_arg(args, size_t);
	if (number == SYS_recvfrom)
		result = __wrap_recv(
		    fd, (void *)(uintptr_t)buf, size, va_arg(args, int));
	else if (number == SYS_sendto)
		result = __wrap_send(fd, buf, size, va_arg(args, int));
	else
		sim_fail("system call %ld is not simulated", number);
	va_end(args);
	return result;
}

/* ------------------------------------------------------------------ time */

/* The two clocks differ by some 53 years. */
#define REAL_TIME_S 1700000000

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	uint64_t ns = sim_clock();

	now->tv_sec = (time_t)(ns / (1000 * SIM_NS_PER_MS));
	now->tv_nsec = (long)(ns % (1000 * SIM_NS_PER_MS));
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		now->tv_sec += REAL_TIME_S;
	return 0;
}

time_t
__wrap_time(time_t *now)
{
	time_t s = REAL_TIME_S + (time_t)(sim_clock() / (1000 * SIM_NS_PER_MS));

	if (now != NULL)
		*now = s;
	return s;
}

int
__wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
    struct timespec *left)
{
	(void)left;
	if (clock != CLOCK_MONOTONIC || flags != 0)
		sim_fail("clock_nanosleep() until a time is not simulated");
	sim_sleeps();
	sim_sleep(sim_ns(time));
	return 0;
}

/* ----------------------------------------------------------------- others */

ssize_t
__wrap_getrandom(void *buf, size_t size, unsigned flags)
{
	(void)flags;
	for (size_t i = 0; i < size; i++)
		((uint8_t *)buf)[i] = (uint8_t)sim_random();
	return (ssize_t)size;
}

int
__wrap_getrlimit(int resource, struct rlimit *limit)
{
	(void)resource;
	limit->rlim_cur = limit->rlim_max = SIM_FDS;
	return 0;
}
