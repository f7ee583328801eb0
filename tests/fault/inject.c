/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/fault/inject.h"
#include "tests/fault/wrap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

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

bool
strikes(enum call call, int *error)
{
	int64_t times = atomic_load(&block->times), at, seen;

	atomic_fetch_add(&block->uses[call], 1);
	if (atomic_load(&block->besides) == (int64_t)call + 1) {
		*error = (int)atomic_load(&block->besides_error);
		return true;
	}
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

bool
fails(enum call call)
{
	int error;

	if (!strikes(call, &error))
		return false;
	errno = error;
	return true;
}

bool
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

int64_t
clock_jump_s(void)
{
	return atomic_load(&block->clock_s);
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

/* It fails where a mapping in two needs one more than there may be. */
WRAP(int, munmap, void *at, size_t size)
{
	return fails(CALL_munmap) ? -1 : __real_munmap(at, size);
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
