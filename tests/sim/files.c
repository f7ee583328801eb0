/* SPDX-License-Identifier: BSD-2-Clause */

/* Descriptors and files of the simulated kernel. */

#include "tests/sim/kernel.h"
#include "tests/sim/upstream.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define FD_FIRST 3

struct sim_kernel_options sim_kernel;
struct sim_file *sim_fds[SIM_FDS];
int sim_fd_limit;

static struct sim_file files[SIM_FILES];

void
sim_kernel_reset(void)
{
	memset(sim_fds, 0, sizeof(sim_fds));
	memset(files, 0, sizeof(files));
	memset(sim_items, 0, sizeof(sim_items));
	for (int i = 0; i < SIM_CONNS; i++)
		sim_conns[i].used = false;
	sim_timers_reset();
	sim_upstream_reset();
	sim_fd_limit = SIM_FDS;
}

void
sim_kernel_check_end(void)
{
	for (int fd = 0; fd < SIM_FDS; fd++)
		if (sim_fds[fd] != NULL)
			sim_fail("descriptor %d is left open", fd);
	for (int i = 0; i < SIM_FILES; i++)
		if (files[i].kind != SIM_NONE)
			sim_fail("a file of kind %d is left", files[i].kind);
}

struct sim_file *
sim_file_new(enum sim_kind kind)
{
	for (int i = 0; i < SIM_FILES; i++) {
		struct sim_file *file = &files[i];

		if (file->kind != SIM_NONE)
			continue;
		memset(file, 0, sizeof(*file));
		file->kind = kind;
		return file;
	}
	sim_fail("the simulation has too many files");
}

void
sim_file_hold(struct sim_file *file)
{
	file->refs++;
}

static void
file_end(struct sim_file *file)
{
	sim_epoll_forget(file);
	if (file->kind == SIM_LISTENER)
		while (file->queued != 0)
			sim_conn_refuse(file->queue[--file->queued]);
	if (file->kind == SIM_TIMER)
		sim_timer_end(file);
	if (file->kind == SIM_CONN) {
		file->conn->file = NULL;
		sim_conn_close(file->conn, SIM_SERVER);
	}
	file->kind = SIM_NONE;
}

void
sim_file_drop(struct sim_file *file)
{
	if (--file->refs == 0)
		file_end(file);
}

int
sim_fd_new(struct sim_file *file, bool nonblock)
{
	for (int fd = FD_FIRST; fd < sim_fd_limit && fd < SIM_FDS; fd++) {
		if (sim_fds[fd] != NULL)
			continue;
		file->nonblock |= nonblock;
		sim_file_hold(file);
		sim_fds[fd] = file;
		return fd;
	}
	if (file->refs == 0)
		file->kind = SIM_NONE;
	errno = EMFILE;
	return -1;
}

struct sim_file *
sim_fd_file(int fd, enum sim_kind kind)
{
	if (fd < 0 || fd >= SIM_FDS || sim_fds[fd] == NULL) {
		errno = EBADF;
		return NULL;
	}
	if (kind != SIM_NONE && sim_fds[fd]->kind != kind) {
		errno = kind == SIM_CONN || kind == SIM_LISTENER ? ENOTSOCK
								 : EINVAL;
		return NULL;
	}
	return sim_fds[fd];
}

int
sim_fd_close(int fd)
{
	struct sim_file *file = sim_fd_file(fd, SIM_NONE);

	/* No program has a reason to: the number may be another's by now. */
	if (file == NULL)
		sim_fail("descriptor %d is closed and was not open", fd);
	sim_fds[fd] = NULL;
	sim_file_drop(file);
	return 0;
}

uint32_t
sim_file_events(const struct sim_file *file)
{
	switch (file->kind) {
	case SIM_TIMER:
		return file->count != 0 ? EPOLLIN : 0;
	case SIM_EVENT:
		return EPOLLOUT | (file->count != 0 ? EPOLLIN : 0);
	case SIM_LISTENER:
		return file->queued != 0 ? EPOLLIN : 0;
	case SIM_CONN:
		return sim_conn_events(file->conn);
	default:
		return 0;
	}
}
