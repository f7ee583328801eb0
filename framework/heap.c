/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/heap.h"

#include "alloc/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 65536

struct profile {
	int fd;
	int error;
};

/* By a thread of the pool: it may take long, and holds jemalloc's locks. */
static void
take(void *arg)
{
	struct profile *profile = arg;

	profile->error = sp_arena_profile(profile->fd);
}

static int
answer(struct spate_req *req, int fd)
{
	struct stat status;
	char *piece = malloc(PIECE);
	ssize_t n = 0;
	int error = piece == NULL ? -ENOMEM : 0;

	if (error == 0 && (fstat(fd, &status) != 0 || lseek(fd, 0, SEEK_SET)))
		error = -errno;
	if (error == 0)
		error = spate_begin(req, 200, "text/plain", status.st_size);
	while (error == 0 && (n = read(fd, piece, PIECE)) > 0)
		error = spate_write(req, piece, (size_t)n);
	free(piece);
	return error == 0 && n < 0 ? -EIO : error;
}

int
sp_heap_handler(struct spate_req *req, void *arg)
{
	struct profile profile = { memfd_create("heap", MFD_CLOEXEC), 0 };
	int error;

	(void)arg;
	if (profile.fd < 0)
		return -errno;
	spate_add_header(req, "Cache-Control", "no-store");
	error = spate_offload(take, &profile, 0);
	if (error == 0)
		error = profile.error;
	if (error == -ENOSYS)
		error = spate_error(req, 501,
		    "nothing keeps count: start it with MALLOC_CONF=prof:true, "
		    "and a jemalloc that can");
	else if (error == 0)
		error = answer(req, profile.fd);
	close(profile.fd);
	return error;
}
