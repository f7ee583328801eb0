/* SPDX-License-Identifier: BSD-2-Clause */

/* Calls that fail when they are told to: files, waiting, the machine. */

#include "tests/fault/inject.h"
#include "tests/fault/wrap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* ----------------------------------------------------------------- files */

WRAP(ssize_t, read, int fd, void *data, size_t size)
{
	int error;

	/* An eventfd has eight bytes or none. */
	if (!strikes(CALL_read, &error))
		return __real_read(fd, data, size);
	if (error == FAULT_SHORT)
		return __real_read(fd, data, size > 8 ? 8 : size);
	errno = error;
	return -1;
}

WRAP(int, fstat, int fd, struct stat *about)
{
	return fails(CALL_fstat) ? -1 : __real_fstat(fd, about);
}

/* Of files there is only the log. */
WRAP(ssize_t, write, int fd, const void *data, size_t size)
{
	struct stat about;

	if (__real_fstat(fd, &about) == 0 && S_ISREG(about.st_mode))
		return fails_or_shrinks(CALL_write_log, &size)
			   ? -1
			   : __real_write(fd, data, size);
	return fails(CALL_write) ? -1 : __real_write(fd, data, size);
}

WRAP(ssize_t, pread, int fd, void *data, size_t size, off_t offset)
{
	return fails_or_shrinks(CALL_pread, &size)
		   ? -1
		   : __real_pread(fd, data, size, offset);
}

WRAP(int, open, const char *path, int flags, ...)
{
	va_list rest;
	int mode;

	va_start(rest, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(rest, int) : 0;
	va_end(rest);
	return fails(CALL_open) ? -1 : __real_open(path, flags, mode);
}

WRAP(int, openat, int folder, const char *path, int flags, ...)
{
	va_list rest;
	int mode;

	va_start(rest, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(rest, int) : 0;
	va_end(rest);
	return fails(CALL_openat) ? -1
				  : __real_openat(folder, path, flags, mode);
}

WRAP(int, stat, const char *path, struct stat *about)
{
	return fails(CALL_stat) ? -1 : __real_stat(path, about);
}

WRAP(DIR *, opendir, const char *path)
{
	return fails(CALL_opendir) ? NULL : __real_opendir(path);
}

WRAP(int, memfd_create, const char *name, unsigned flags)
{
	return fails(CALL_memfd_create) ? -1 : __real_memfd_create(name, flags);
}

WRAP(int, fcntl, int fd, int what, ...)
{
	va_list rest;
	long word;

	va_start(rest, what);
	word = va_arg(rest, long);
	va_end(rest);
	return fails(CALL_fcntl) ? -1 : __real_fcntl(fd, what, word);
}

/* What it is asked for, how much a socket still holds, is then not known. */
WRAP(int, ioctl, int fd, unsigned long what, ...)
{
	va_list rest;
	void *answer;

	va_start(rest, what);
	answer = va_arg(rest, void *);
	va_end(rest);
	return fails(CALL_ioctl) ? -1 : __real_ioctl(fd, what, answer);
}

/* Linux has closed it, whatever close() says. */
WRAP(int, close, int fd)
{
	int result = __real_close(fd);

	return fails(CALL_close) ? -1 : result;
}

/* ------------------------------------------------------ waiting, threads */

WRAP(int, epoll_create1, int flags)
{
	return fails(CALL_epoll_create1) ? -1 : __real_epoll_create1(flags);
}

/* Taking one out cannot fail for lack of anything. */
WRAP(int, epoll_ctl, int epoll, int op, int fd, struct epoll_event *event)
{
	return op != EPOLL_CTL_DEL && fails(CALL_epoll_ctl)
		   ? -1
		   : __real_epoll_ctl(epoll, op, fd, event);
}

WRAP(int, epoll_pwait, int epoll, struct epoll_event *events, int count,
    int wait_ms, const sigset_t *mask)
{
	return fails(CALL_epoll_pwait)
		   ? -1
		   : __real_epoll_pwait(epoll, events, count, wait_ms, mask);
}

/* Short: one event at a time. */
WRAP(int, epoll_pwait2, int epoll, struct epoll_event *events, int count,
    const struct timespec *wait, const sigset_t *mask)
{
	size_t size = (size_t)count;

	return fails_or_shrinks(CALL_epoll_pwait2, &size)
		   ? -1
		   : __real_epoll_pwait2(epoll, events, (int)size, wait, mask);
}

WRAP(int, poll, struct pollfd *fds, nfds_t count, int wait_ms)
{
	return fails(CALL_poll) ? -1 : __real_poll(fds, count, wait_ms);
}

WRAP(int, eventfd, unsigned value, int flags)
{
	return fails(CALL_eventfd) ? -1 : __real_eventfd(value, flags);
}

WRAP(int, timerfd_create, int clock, int flags)
{
	return fails(CALL_timerfd_create) ? -1
					  : __real_timerfd_create(clock, flags);
}

WRAP(int, timerfd_settime, int fd, int flags, const struct itimerspec *time,
    struct itimerspec *before)
{
	return fails(CALL_timerfd_settime)
		   ? -1
		   : __real_timerfd_settime(fd, flags, time, before);
}

/*
 * => Returns which call this is, or -1. A wait may end early or not begin; a
 *    wake-up of a good word cannot fail.
 */
static int
call_of(long number, const long *words)
{
	switch (number) {
	case SYS_futex:
		return (words[1] & FUTEX_CMD_MASK) == FUTEX_WAIT ? CALL_futex
								 : -1;
	case SYS_capset:
		return CALL_capset;
	case SYS_openat2:
		return CALL_openat2;
	case SYS_sched_setattr:
		return CALL_sched_setattr;
	case SYS_landlock_create_ruleset:
		return CALL_landlock_create_ruleset;
	case SYS_landlock_add_rule:
		return CALL_landlock_add_rule;
	case SYS_landlock_restrict_self:
		return CALL_landlock_restrict_self;
	default:
		return -1;
	}
}

/* As many as there may be: behind the last is what lies there. */
__attribute__((no_sanitize_address)) static void
take_words(va_list rest, long words[6])
{
	for (unsigned i = 0; i < 6; i++)
		words[i] = va_arg(rest, long);
}

WRAP(long, syscall, long number, ...)
{
	long words[6];
	va_list rest;
	int call;

	va_start(rest, number);
	take_words(rest, words);
	va_end(rest);
	call = call_of(number, words);
	if (call >= 0 && fails((enum call)call))
		return -1;
	return __real_syscall(
	    number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

/* It gives its error back, and has slept for some of the time. */
WRAP(int, clock_nanosleep, clockid_t clock, int flags,
    const struct timespec *time, struct timespec *left)
{
	int error;

	return strikes(CALL_clock_nanosleep, &error)
		   ? error
		   : __real_clock_nanosleep(clock, flags, time, left);
}

WRAP(int, pthread_create, pthread_t *thread, const pthread_attr_t *how,
    void *(*run)(void *), void *arg)
{
	int error;

	return strikes(CALL_pthread_create, &error)
		   ? error
		   : __real_pthread_create(thread, how, run, arg);
}

WRAP(int, sigaltstack, const stack_t *stack, stack_t *before)
{
	return fails(CALL_sigaltstack) ? -1 : __real_sigaltstack(stack, before);
}

/* ------------------------------------------------------------- the machine */

WRAP(ssize_t, getrandom, void *data, size_t size, unsigned flags)
{
	return fails(CALL_getrandom) ? -1 : __real_getrandom(data, size, flags);
}

WRAP(int, getrlimit, __rlimit_resource_t which, struct rlimit *limit)
{
	return fails(CALL_getrlimit) ? -1 : __real_getrlimit(which, limit);
}

WRAP(int, setrlimit, __rlimit_resource_t which, const struct rlimit *limit)
{
	return fails(CALL_setrlimit) ? -1 : __real_setrlimit(which, limit);
}

WRAP(int, sched_getaffinity, pid_t thread, size_t size, cpu_set_t *cpus)
{
	return fails(CALL_sched_getaffinity)
		   ? -1
		   : __real_sched_getaffinity(thread, size, cpus);
}

WRAP(int, sched_setaffinity, pid_t thread, size_t size, const cpu_set_t *cpus)
{
	return fails(CALL_sched_setaffinity)
		   ? -1
		   : __real_sched_setaffinity(thread, size, cpus);
}

WRAP(int, prctl, int what, ...)
{
	unsigned long words[4];
	va_list rest;

	va_start(rest, what);
	for (unsigned i = 0; i < 4; i++)
		words[i] = va_arg(rest, unsigned long);
	va_end(rest);
	return fails(CALL_prctl)
		   ? -1
		   : __real_prctl(what, words[0], words[1], words[2], words[3]);
}

WRAP(int, initgroups, const char *user, gid_t group)
{
	return fails(CALL_initgroups) ? -1 : __real_initgroups(user, group);
}

WRAP(int, setresgid, gid_t real, gid_t effective, gid_t saved)
{
	return fails(CALL_setresgid) ? -1
				     : __real_setresgid(real, effective, saved);
}

WRAP(int, setresuid, uid_t real, uid_t effective, uid_t saved)
{
	return fails(CALL_setresuid) ? -1
				     : __real_setresuid(real, effective, saved);
}

WRAP(int, setgroups, size_t count, const gid_t *groups)
{
	return fails(CALL_setgroups) ? -1 : __real_setgroups(count, groups);
}

WRAP(char *, realpath, const char *path, char *real)
{
	return fails(CALL_realpath) ? NULL : __real_realpath(path, real);
}

WRAP(char *, strdup, const char *text)
{
	return fails(CALL_strdup) ? NULL : __real_strdup(text);
}

/* Time of day jumps; the clock that timers run by never does. */
WRAP(int, clock_gettime, clockid_t clock, struct timespec *now)
{
	int result = __real_clock_gettime(clock, now);

	if (clock == CLOCK_REALTIME)
		now->tv_sec += (time_t)clock_jump_s();
	return result;
}

WRAP(time_t, time, time_t *now)
{
	time_t result = __real_time(NULL) + (time_t)clock_jump_s();

	if (now != NULL)
		*now = result;
	return result;
}
