/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/fault/inject.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

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
	X(mprotect)                                                            \
	X(madvise)                                                             \
	X(accept4)                                                             \
	X(recv)                                                                \
	X(send)                                                                \
	X(sendmsg)                                                             \
	X(sendfile)                                                            \
	X(read)                                                                \
	X(write)                                                               \
	X(pread)                                                               \
	X(open)                                                                \
	X(openat)                                                              \
	X(openat2)                                                             \
	X(fstat)                                                               \
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
	X(eventfd)                                                             \
	X(timerfd_create)                                                      \
	X(timerfd_settime)                                                     \
	X(futex)                                                               \
	X(pthread_create)                                                      \
	X(getrandom)                                                           \
	X(getrlimit)                                                           \
	X(setrlimit)                                                           \
	X(sched_getaffinity)

enum call {
#define X(name) CALL_##name,
	CALLS(X)
#undef X
};

static struct fault_block unshared;
static struct fault_block *block = &unshared;

static int64_t
find(const char *name, size_t size)
{
	for (int64_t i = 0; i < FAULT_CALLS_MAX; i++) {
		if (strlen(block->names[i]) == size
		    && memcmp(block->names[i], name, size) == 0)
			return i;
	}
	fprintf(stderr, "SPATE_FAULT: nothing is called %s\n", name);
	_exit(2);
}

static void
arm(const char *text)
{
	const char *colon = strchr(text, ':');
	long error = 0, at = 0, times = 0;

	if (colon == NULL
	    || sscanf(colon, ":%ld:%ld:%ld", &error, &at, &times) != 3) {
		fprintf(stderr, "SPATE_FAULT: CALL:ERROR:AT:TIMES\n");
		_exit(2);
	}
	block->call = find(text, (size_t)(colon - text));
	block->error = error;
	block->at = at;
	block->times = times;
}

/* Before main() and before any thread. */
__attribute__((constructor)) static void
share(void)
{
	static const char *const names[] = {
#define X(name) #name,
		CALLS(X)
#undef X
	};
	const char *path = getenv("SPATE_FAULTS");
	const char *first = getenv("SPATE_FAULT");
	void *shared = MAP_FAILED;
	int fd;

	_Static_assert(sizeof(names) / sizeof(names[0]) <= FAULT_CALLS_MAX,
	    "FAULT_CALLS_MAX is too small");
	if (path != NULL) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0) {
			shared = mmap(NULL, sizeof(*block),
			    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			close(fd);
		}
		if (shared == MAP_FAILED) {
			perror(path);
			_exit(2);
		}
		block = shared;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		snprintf(block->names[i], FAULT_NAME_SIZE, "%s", names[i]);
	if (first != NULL)
		arm(first);
}

/* => Returns whether this use is to fail; then *error is set. */
static bool
strikes(enum call call, int *error)
{
	int64_t times = atomic_load(&block->times), at, seen;

	atomic_fetch_add(&block->uses[call], 1);
	if (times == 0 || atomic_load(&block->call) != (int64_t)call)
		return false;
	at = atomic_load(&block->at);
	seen = atomic_fetch_add(&block->seen, 1) + 1;
	if (seen < at || seen - at >= times)
		return false;
	atomic_fetch_add(&block->fired, 1);
	*error = (int)atomic_load(&block->error);
	return true;
}

/* => Returns true: errno is set, and the call is not to be made. */
static bool
fails(enum call call)
{
	int error;

	if (!strikes(call, &error))
		return false;
	errno = error;
	return true;
}

/* As fails(), but FAULT_SHORT leaves one byte to do. */
static bool
fails_or_shrinks(enum call call, size_t *size)
{
	int error;

	if (!strikes(call, &error))
		return false;
	if (error == FAULT_SHORT) {
		*size = *size > 1 ? 1 : *size;
		return false;
	}
	errno = error;
	return true;
}

/* ---------------------------------------------------------------- memory */

WRAP(void *, malloc, size_t size)
{
	return fails(CALL_malloc) ? NULL : __real_malloc(size);
}

WRAP(void *, calloc, size_t count, size_t size)
{
	return fails(CALL_calloc) ? NULL : __real_calloc(count, size);
}

WRAP(void *, realloc, void *memory, size_t size)
{
	return fails(CALL_realloc) ? NULL : __real_realloc(memory, size);
}

WRAP(void *, aligned_alloc, size_t alignment, size_t size)
{
	return fails(CALL_aligned_alloc)
		   ? NULL
		   : __real_aligned_alloc(alignment, size);
}

WRAP(int, posix_memalign, void **memory, size_t alignment, size_t size)
{
	int error;

	return strikes(CALL_posix_memalign, &error)
		   ? error
		   : __real_posix_memalign(memory, alignment, size);
}

WRAP(void *, mmap, void *at, size_t size, int access, int flags, int fd,
    off_t offset)
{
	return fails(CALL_mmap)
		   ? MAP_FAILED
		   : __real_mmap(at, size, access, flags, fd, offset);
}

WRAP(int, mprotect, void *at, size_t size, int access)
{
	return fails(CALL_mprotect) ? -1 : __real_mprotect(at, size, access);
}

WRAP(int, madvise, void *at, size_t size, int advice)
{
	return fails(CALL_madvise) ? -1 : __real_madvise(at, size, advice);
}

/* --------------------------------------------------------------- sockets */

/* The other side was faster: what is to be shut down is so already. */
WRAP(int, shutdown, int fd, int how)
{
	int result = __real_shutdown(fd, how);

	return fails(CALL_shutdown) ? -1 : result;
}

WRAP(int, accept4, int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	int error, peer;

	if (!strikes(CALL_accept4, &error))
		return __real_accept4(fd, address, size, flags);
	/* The connection that was aborted is not in the queue any more. */
	if (error == ECONNABORTED) {
		peer = __real_accept4(fd, NULL, NULL, flags);
		if (peer < 0)
			return -1;
		close(peer);
	}
	errno = error;
	return -1;
}

/*
 * => Returns true: errno is set. When that says that the peer has gone, it
 *    has, for later calls as for this one.
 */
static bool
fails_or_parts(enum call call, int fd, size_t *size)
{
	int error;

	if (!fails_or_shrinks(call, size))
		return false;
	error = errno;
	if (error == EPIPE || error == ECONNRESET)
		__real_shutdown(fd, SHUT_RDWR);
	errno = error;
	return true;
}

WRAP(ssize_t, recv, int fd, void *data, size_t size, int flags)
{
	return fails_or_parts(CALL_recv, fd, &size)
		   ? -1
		   : __real_recv(fd, data, size, flags);
}

WRAP(ssize_t, send, int fd, const void *data, size_t size, int flags)
{
	return fails_or_parts(CALL_send, fd, &size)
		   ? -1
		   : __real_send(fd, data, size, flags);
}

WRAP(ssize_t, sendmsg, int fd, const struct msghdr *message, int flags)
{
	size_t size = SIZE_MAX;

	if (fails_or_parts(CALL_sendmsg, fd, &size))
		return -1;
	for (size_t i = 0; size == 1 && i < message->msg_iovlen; i++) {
		if (message->msg_iov[i].iov_len > 0)
			return __real_send(
			    fd, message->msg_iov[i].iov_base, 1, flags);
	}
	return __real_sendmsg(fd, message, flags);
}

WRAP(ssize_t, sendfile, int out, int in, off_t *offset, size_t size)
{
	return fails_or_parts(CALL_sendfile, out, &size)
		   ? -1
		   : __real_sendfile(out, in, offset, size);
}

WRAP(int, socket, int family, int type, int protocol)
{
	return fails(CALL_socket) ? -1 : __real_socket(family, type, protocol);
}

WRAP(int, bind, int fd, const struct sockaddr *address, socklen_t size)
{
	return fails(CALL_bind) ? -1 : __real_bind(fd, address, size);
}

WRAP(int, listen, int fd, int backlog)
{
	return fails(CALL_listen) ? -1 : __real_listen(fd, backlog);
}

WRAP(int, connect, int fd, const struct sockaddr *address, socklen_t size)
{
	return fails(CALL_connect) ? -1 : __real_connect(fd, address, size);
}

WRAP(int, getsockopt, int fd, int level, int name, void *value, socklen_t *size)
{
	return fails(CALL_getsockopt)
		   ? -1
		   : __real_getsockopt(fd, level, name, value, size);
}

WRAP(int, setsockopt, int fd, int level, int name, const void *value,
    socklen_t size)
{
	return fails(CALL_setsockopt)
		   ? -1
		   : __real_setsockopt(fd, level, name, value, size);
}

WRAP(int, getsockname, int fd, struct sockaddr *address, socklen_t *size)
{
	return fails(CALL_getsockname) ? -1
				       : __real_getsockname(fd, address, size);
}

WRAP(int, getpeername, int fd, struct sockaddr *address, socklen_t *size)
{
	return fails(CALL_getpeername) ? -1
				       : __real_getpeername(fd, address, size);
}

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

WRAP(ssize_t, write, int fd, const void *data, size_t size)
{
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

WRAP(int, fstat, int fd, struct stat *about)
{
	return fails(CALL_fstat) ? -1 : __real_fstat(fd, about);
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

/* A wait may end early or not begin; a wake-up of a good word cannot fail. */
WRAP(long, syscall, long number, ...)
{
	long words[6];
	va_list rest;

	va_start(rest, number);
	for (unsigned i = 0; i < 6; i++)
		words[i] = va_arg(rest, long);
	va_end(rest);
	if (number == SYS_futex && (words[1] & FUTEX_CMD_MASK) == FUTEX_WAIT
	    && fails(CALL_futex))
		return -1;
	if (number == SYS_openat2 && fails(CALL_openat2))
		return -1;
	return __real_syscall(
	    number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

WRAP(int, pthread_create, pthread_t *thread, const pthread_attr_t *how,
    void *(*run)(void *), void *arg)
{
	int error;

	return strikes(CALL_pthread_create, &error)
		   ? error
		   : __real_pthread_create(thread, how, run, arg);
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

/* Time of day jumps; the clock that timers run by never does. */
WRAP(int, clock_gettime, clockid_t clock, struct timespec *now)
{
	int result = __real_clock_gettime(clock, now);

	if (clock == CLOCK_REALTIME)
		now->tv_sec += (time_t)atomic_load(&block->clock_s);
	return result;
}

WRAP(time_t, time, time_t *now)
{
	time_t result = __real_time(NULL)
			+ (time_t)atomic_load(&block->clock_s);

	if (now != NULL)
		*now = result;
	return result;
}
