/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/file_open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* O_NONBLOCK is for what turns out to be a fifo. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* Lookups that a rename elsewhere has disturbed are tried again so often. */
#define TRIES 4

static bool
segment_ok(const char *segment, size_t size, bool hidden)
{
	if (size == 0)
		return false;
	if (segment[0] != '.')
		return true;
	if (size == 1 || (size == 2 && segment[1] == '.'))
		return false;
	return hidden
	       || (size == 11 && memcmp(segment, ".well-known", 11) == 0);
}

bool
sp_file_name_ok(const char *name, size_t size, bool hidden)
{
	const char *end = name + size;

	if (size >= SP_FILE_NAME || memchr(name, '\0', size) != NULL)
		return false;
	while (name < end) {
		const char *slash = memchr(name, '/', (size_t)(end - name));
		size_t length = (size_t)((slash != NULL ? slash : end) - name);

		if (!segment_ok(name, length, hidden))
			return false;
		name += length + 1;
	}
	return true;
}

/* => Returns fd, or -errno and the descriptor is closed. */
static int
with_status(int fd, struct stat *status)
{
	int error;

	if (fd < 0)
		return -errno;
	if (fstat(fd, status) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int
sp_file_open_stepwise(int directory, const char *name, struct stat *status)
{
	char segment[SP_FILE_NAME];
	int at = directory, next, error;

	for (;;) {
		const char *slash = strchrnul(name, '/');
		size_t size = (size_t)(slash - name);
		bool last = *slash == '\0';

		if (size >= sizeof(segment))
			return -ENAMETOOLONG;
		memcpy(segment, name, size);
		segment[size] = '\0';
		next = openat(at, segment,
		    last ? OPEN_FLAGS | O_NOFOLLOW
			 : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		error = errno;
		if (at != directory)
			close(at);
		errno = error;
		if (last || next < 0)
			return with_status(next, status);
		at = next;
		name = slash + 1;
	}
}

int
sp_file_open(int directory, const char *name, struct stat *status)
{
	struct open_how how = {
		.flags = OPEN_FLAGS,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	for (int i = 0; i < TRIES; i++) {
		int fd = (int)syscall(
		    SYS_openat2, directory, name, &how, sizeof(how));

		if (fd >= 0)
			return with_status(fd, status);
		if (errno == EAGAIN || errno == EINTR)
			continue;
		if (errno != ENOSYS && errno != EPERM)
			return -errno;
		break;
	}
	return sp_file_open_stepwise(directory, name, status);
}
