/* SPDX-License-Identifier: BSD-2-Clause */

/* Descriptors: opening, closing, reading and writing. */

#include "tests/sim/wrap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

static int
fail(int error)
{
	errno = error;
	return -1;
}

int
__wrap_open(const char *path, int flags, ...)
{
	sim_call();
	(void)flags;
	if (strcmp(path, "/dev/null") != 0)
		return fail(ENOENT);
	return sim_fd_new(sim_file_new(SIM_NULL_DEVICE), false);
}

int
__wrap_close(int fd)
{
	sim_call();
	sim_event("close", (uint64_t)fd, 0);
	sim_fd_close(fd);
	sim_call();
	return 0;
}

int
__wrap_fcntl(int fd, int op, ...)
{
	struct sim_file *file = sim_fd_file(fd, SIM_NONE);

	if (file == NULL)
		return -1;
	if (op != F_DUPFD_CLOEXEC)
		sim_fail("fcntl(%d) is not simulated", op);
	return sim_fd_new(file, false);
}

int
__wrap_eventfd(unsigned count, int flags)
{
	struct sim_file *file = sim_file_new(SIM_EVENT);

	(void)flags;
	file->count = count;
	return sim_fd_new(file, true);
}

ssize_t
__wrap_write(int fd, const void *buf, size_t size)
{
	struct sim_file *file;
	uint64_t more;

	sim_call();
	file = sim_fd_file(fd, SIM_EVENT);
	if (file == NULL)
		return -1;
	if (sim_chance(sim_kernel.interrupt))
		return fail(EINTR);
	if (size != sizeof(more))
		return fail(EINVAL);
	memcpy(&more, buf, sizeof(more));
	if (file->count > UINT64_MAX - 1 - more)
		return fail(EAGAIN);
	file->count += more;
	sim_event("write", (uint64_t)fd, file->count);
	sim_epoll_tell(file, EPOLLIN);
	sim_call();
	return (ssize_t)size;
}

ssize_t
__wrap_read(int fd, void *buf, size_t size)
{
	struct sim_file *file;

	sim_call();
	file = sim_fd_file(fd, SIM_EVENT);
	if (file == NULL)
		return -1;
	if (size != sizeof(file->count))
		return fail(EINVAL);
	if (file->count == 0)
		return fail(EAGAIN);
	memcpy(buf, &file->count, sizeof(file->count));
	file->count = 0;
	return (ssize_t)size;
}

/* ----------------------------------------------------------- connections */

/* The error that the connection has, once. */
static bool
has_error(struct sim_conn *conn)
{
	if (!conn->error[SIM_SERVER])
		return false;
	conn->error[SIM_SERVER] = false;
	errno = ECONNRESET;
	return true;
}

static ssize_t
receive(struct sim_conn *conn, void *buf, size_t size, int flags)
{
	struct sim_pipe *in = &conn->pipe[SIM_SERVER];
	uint32_t most = in->here < size ? in->here : (uint32_t)size;

	if (in->here == 0) {
		if (has_error(conn))
			return -1;
		if (in->ended || conn->silent || conn->reset[SIM_SERVER])
			return 0;
		if (!conn->file->nonblock)
			sim_fail("a read that blocks");
		return fail(EAGAIN);
	}
	/* What is there came an instant later, and made an edge. */
	if (sim_chance(sim_kernel.early_eagain)) {
		sim_epoll_repeat(conn->file);
		return fail(EAGAIN);
	}
	if (most > 1 && sim_chance(sim_kernel.short_reads)) {
		most = 1 + sim_below(most - 1);
		sim_epoll_repeat(conn->file);
	}
	if (flags & MSG_PEEK)
		sim_conn_peek(conn, SIM_SERVER, buf, most);
	else
		sim_conn_receive(conn, SIM_SERVER, buf, most);
	return (ssize_t)most;
}

ssize_t
__wrap_recv(int fd, void *buf, size_t size, int flags)
{
	struct sim_file *file;
	ssize_t n;

	sim_call();
	file = sim_fd_file(fd, SIM_CONN);
	if (file == NULL)
		return -1;
	if (sim_chance(sim_kernel.interrupt))
		return fail(EINTR);
	n = receive(file->conn, buf, size, flags);
	sim_event("recv", (uint64_t)fd, (uint64_t)n);
	sim_call();
	return n;
}

static ssize_t
send_some(int fd, const void *buf, size_t size)
{
	struct sim_file *file = sim_fd_file(fd, SIM_CONN);
	struct sim_conn *conn;
	uint32_t n;

	if (file == NULL)
		return -1;
	conn = file->conn;
	if (has_error(conn))
		return -1;
	if (conn->reset[SIM_SERVER] || conn->pipe[SIM_CLIENT].ending)
		return fail(EPIPE);
	if (conn->connecting)
		return fail(EAGAIN);
	n = sim_conn_send(
	    conn, SIM_SERVER, buf, size < SIM_PIPE ? (uint32_t)size : SIM_PIPE);
	return n != 0 || size == 0 ? (ssize_t)n : fail(EAGAIN);
}

ssize_t
__wrap_send(int fd, const void *buf, size_t size, int flags)
{
	ssize_t n;

	sim_call();
	if (!(flags & MSG_NOSIGNAL))
		sim_fail("a send that may raise SIGPIPE");
	if (sim_chance(sim_kernel.interrupt))
		return fail(EINTR);
	n = send_some(fd, buf, size);
	sim_event("send", (uint64_t)fd, (uint64_t)n);
	sim_call();
	return n;
}

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t sent = 0, n = 0;

	sim_call();
	if (!(flags & MSG_NOSIGNAL))
		sim_fail("a send that may raise SIGPIPE");
	if (sim_chance(sim_kernel.interrupt))
		return fail(EINTR);
	for (size_t i = 0; i < msg->msg_iovlen; i++) {
		const struct iovec *piece = &msg->msg_iov[i];

		if (piece->iov_len == 0)
			continue;
		n = send_some(fd, piece->iov_base, piece->iov_len);
		if (n > 0)
			sent += n;
		if (n < (ssize_t)piece->iov_len)
			break;
	}
	sim_event("sendmsg", (uint64_t)fd, (uint64_t)(sent > 0 ? sent : n));
	sim_call();
	return sent > 0 ? sent : n;
}
