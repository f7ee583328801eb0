/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_FAULT_WRAP_H
#define SPATE_TESTS_FAULT_WRAP_H

/*
 * What the calls that fail share: their names, and whether it is their turn.
 * Each one in CALLS is a WRAP() in a .c file of this folder, or a number of
 * syscall(); write_log is write() to a file.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CMake reads these lines too: what follows has a name of its own there. */
#define WRAP(type, name, ...)                                                  \
	type __real_##name(__VA_ARGS__);                                       \
	type __wrap_##name(__VA_ARGS__);                                       \
	type __wrap_##name(__VA_ARGS__)

#define CALLS(X)                                                               \
	X(malloc)                                                              \
	X(calloc)                                                              \
	X(realloc)                                                             \
	X(aligned_alloc)                                                       \
	X(posix_memalign)                                                      \
	X(mmap)                                                                \
	X(munmap)                                                              \
	X(mprotect)                                                            \
	X(madvise)                                                             \
	X(accept4)                                                             \
	X(recv)                                                                \
	X(send)                                                                \
	X(sendmsg)                                                             \
	X(sendfile)                                                            \
	X(read)                                                                \
	X(write)                                                               \
	X(write_log)                                                           \
	X(pread)                                                               \
	X(open)                                                                \
	X(openat)                                                              \
	X(openat2)                                                             \
	X(fstat)                                                               \
	X(stat)                                                                \
	X(opendir)                                                             \
	X(memfd_create)                                                        \
	X(fcntl)                                                               \
	X(ioctl)                                                               \
	X(close)                                                               \
	X(socket)                                                              \
	X(bind)                                                                \
	X(listen)                                                              \
	X(connect)                                                             \
	X(shutdown)                                                            \
	X(getsockopt)                                                          \
	X(setsockopt)                                                          \
	X(getsockname)                                                         \
	X(getpeername)                                                         \
	X(epoll_create1)                                                       \
	X(epoll_ctl)                                                           \
	X(epoll_pwait)                                                         \
	X(epoll_pwait2)                                                        \
	X(poll)                                                                \
	X(eventfd)                                                             \
	X(timerfd_create)                                                      \
	X(timerfd_settime)                                                     \
	X(futex)                                                               \
	X(clock_nanosleep)                                                     \
	X(pthread_create)                                                      \
	X(sigaltstack)                                                         \
	X(getrandom)                                                           \
	X(getrlimit)                                                           \
	X(setrlimit)                                                           \
	X(sched_getaffinity)                                                   \
	X(sched_setaffinity)                                                   \
	X(sched_setattr)                                                       \
	X(prctl)                                                               \
	X(initgroups)                                                          \
	X(setresgid)                                                           \
	X(setresuid)                                                           \
	X(setgroups)                                                           \
	X(capset)                                                              \
	X(realpath)                                                            \
	X(landlock_create_ruleset)                                             \
	X(landlock_add_rule)                                                   \
	X(landlock_restrict_self)                                              \
	X(strdup)

enum call {
#define X(name) CALL_##name,
	CALLS(X)
#undef X
};

/* => Returns whether this use is to fail; then *error is set. */
bool strikes(enum call call, int *error);

/* => Returns true: errno is set, and the call is not to be made. */
bool fails(enum call call);

/* As fails(), but FAULT_SHORT leaves one byte to do. */
bool fails_or_shrinks(enum call call, size_t *size);

/* What the time of day is ahead by. */
int64_t clock_jump_s(void);

#endif /* SPATE_TESTS_FAULT_WRAP_H */
