/* SPDX-License-Identifier: BSD-2-Clause */

/* Sockets: listening, accepting and what there is to know of them. */

#include "tests/sim/upstream.h"
#include "tests/sim/wrap.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

static int
fail(int error)
{
	errno = error;
	return -1;
}

int
__wrap_socket(int family, int type, int protocol)
{
	struct sim_file *file = sim_file_new(SIM_SOCKET);

	(void)protocol;
	file->count = (uint64_t)family;
	return sim_fd_new(file, (type & SOCK_NONBLOCK) != 0);
}

/* Port n listens at address n, and so does a Unix socket at the last. */
int
__wrap_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	struct sim_file *file = sim_fd_file(fd, SIM_SOCKET);
	struct sockaddr_in in;

	if (file == NULL)
		return -1;
	file->address = SIM_ADDRESSES - 1;
	file->local = address->sa_family == AF_UNIX;
	if (address->sa_family == AF_INET) {
		memcpy(&in, address, size < sizeof(in) ? size : sizeof(in));
		file->address = ntohs(in.sin_port) % SIM_ADDRESSES;
	}
	return 0;
}

int
__wrap_listen(int fd, int backlog)
{
	struct sim_file *file = sim_fd_file(fd, SIM_SOCKET);

	(void)backlog;
	if (file == NULL)
		return -1;
	file->kind = SIM_LISTENER;
	return 0;
}

static struct sim_conn *
take(struct sim_file *listener)
{
	struct sim_conn *conn = listener->queue[0];

	listener->queued--;
	memmove(&listener->queue[0], &listener->queue[1],
	    listener->queued * sizeof(listener->queue[0]));
	conn->queued = false;
	return conn;
}

/* What accept(2) may say though there is somebody. 0: nothing. */
static int
draw_error(void)
{
	static const int errors[] = { ENFILE, ENOMEM, ENOBUFS, EMFILE };

	if (sim_chance(sim_kernel.interrupt))
		return EINTR;
	if (sim_chance(sim_kernel.fail_accept))
		return errors[sim_below(4)];
	return 0;
}

int
__wrap_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	struct sim_file *listener, *file;
	int error, accepted;

	(void)address;
	(void)size;
	sim_call();
	listener = sim_fd_file(fd, SIM_LISTENER);
	if (listener == NULL)
		return -1;
	if (listener->queued == 0) {
		if (!listener->nonblock)
			sim_fail("an accept that blocks");
		return fail(EAGAIN);
	}
	error = draw_error();
	if (error != 0)
		return fail(error);
	/* A number is found before anybody is taken out of the queue. */
	file = sim_file_new(SIM_CONN);
	accepted = sim_fd_new(file, (flags & SOCK_NONBLOCK) != 0);
	if (accepted < 0)
		return -1;
	file->conn = take(listener);
	if (sim_chance(sim_kernel.abort_accept)) {
		sim_fds[accepted] = NULL;
		file->kind = SIM_NONE;
		sim_conn_refuse(file->conn);
		return fail(ECONNABORTED);
	}
	file->conn->file = file;
	sim_event("accept", (uint64_t)accepted, file->conn->number);
	sim_call();
	return accepted;
}

int
__wrap_shutdown(int fd, int how)
{
	struct sim_file *file;

	sim_call();
	file = sim_fd_file(fd, SIM_CONN);
	if (file == NULL)
		return -1;
	if (file->conn->reset[SIM_SERVER])
		return fail(ENOTCONN);
	sim_event("shutdown", (uint64_t)fd, (uint64_t)how);
	if (how != SHUT_WR)
		file->conn->silent = true;
	if (how != SHUT_RD)
		sim_conn_end(file->conn, SIM_SERVER);
	sim_call();
	return 0;
}

/* Of all options one matters here: to close by a reset. */
int
__wrap_setsockopt(
    int fd, int level, int name, const void *value, socklen_t size)
{
	struct sim_file *file = sim_fd_file(fd, SIM_NONE);
	struct linger linger;

	if (file == NULL)
		return -1;
	if (level != SOL_SOCKET || name != SO_LINGER)
		return 0;
	if (file->kind != SIM_CONN || size != sizeof(linger))
		sim_fail("such a SO_LINGER is not simulated");
	memcpy(&linger, value, sizeof(linger));
	file->conn->abrupt = linger.l_onoff != 0 && linger.l_linger == 0;
	return 0;
}

/* The CPU where packets arrive. What the client has acknowledged. */
int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	struct sim_file *file = sim_fd_file(fd, SIM_NONE);
	struct tcp_info info = { .tcpi_bytes_acked = 0 };
	int cpu = (int)sim_below(sim_kernel.cpus), refused = 0;

	if (file == NULL)
		return -1;
	if (level == SOL_SOCKET && name == SO_INCOMING_CPU) {
		memcpy(value, &cpu, *size < sizeof(cpu) ? *size : sizeof(cpu));
		return 0;
	}
	if (level == SOL_SOCKET && name == SO_ERROR) {
		if (file->kind == SIM_CONN && file->conn->error[SIM_SERVER])
			refused = ECONNREFUSED;
		memcpy(value, &refused, sizeof(refused));
		if (file->kind == SIM_CONN)
			file->conn->error[SIM_SERVER] = false;
		return 0;
	}
	if (level != IPPROTO_TCP || name != TCP_INFO || file->kind != SIM_CONN)
		sim_fail("getsockopt(%d, %d) is not simulated", level, name);
	if (file->conn->local)
		return fail(EOPNOTSUPP);
	info.tcpi_bytes_acked = file->conn->acked;
	memcpy(value, &info, *size < sizeof(info) ? *size : sizeof(info));
	return 0;
}

int
__wrap_getsockname(int fd, struct sockaddr *address, socklen_t *size)
{
	(void)address;
	(void)size;
	return sim_fd_file(fd, SIM_NONE) == NULL ? -1 : 0;
}

int
__wrap_getpeername(int fd, struct sockaddr *address, socklen_t *size)
{
	struct sim_file *file = sim_fd_file(fd, SIM_CONN);
	struct sockaddr_in from = { .sin_family = AF_INET };

	if (file == NULL)
		return -1;
	if (file->conn->reset[SIM_SERVER] || file->conn->connecting)
		return fail(ENOTCONN);
	from.sin_addr.s_addr = htonl(0x0a000000 + sim_below(4));
	memcpy(address, &from, *size < sizeof(from) ? *size : sizeof(from));
	*size = sizeof(from);
	return 0;
}

int
__wrap_unlink(const char *path)
{
	(void)path;
	return fail(ENOENT);
}

/* What was sent and is under way. */
int
__wrap_ioctl(int fd, unsigned long request, ...)
{
	struct sim_file *file = sim_fd_file(fd, SIM_CONN);
	va_list args;

	if (file == NULL)
		return -1;
	if (request != SIOCOUTQ)
		sim_fail("ioctl(%lx) is not simulated", request);
	va_start(args, request);
	*va_arg(args, int *) = (int)file->conn->pipe[SIM_CLIENT].flying;
	va_end(args);
	return 0;
}

int
__wrap_poll(struct pollfd *fds, nfds_t count, int ms)
{
	int found = 0;

	sim_call();
	if (ms != 0)
		sim_fail("poll() for %d ms is not simulated", ms);
	if (sim_chance(sim_kernel.interrupt))
		return fail(EINTR);
	for (nfds_t i = 0; i < count; i++) {
		struct sim_file *file = sim_fd_file(fds[i].fd, SIM_NONE);
		uint32_t wanted = (uint32_t)fds[i].events | EPOLLERR | EPOLLHUP;

		/* The bits of epoll are those of poll. */
		fds[i].revents = 0;
		if (file != NULL)
			fds[i].revents = (short)(sim_file_events(file)
						 & wanted);
		else if (fds[i].fd >= 0)
			fds[i].revents = POLLNVAL;
		found += fds[i].revents != 0;
	}
	return found;
}

/* There is always somebody, but not always at once. */
int
__wrap_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	struct sim_file *file = sim_fd_file(fd, SIM_SOCKET);
	struct sim_upstream *up;

	(void)address;
	(void)size;
	sim_call();
	if (file == NULL)
		return -1;
	up = sim_upstream_new();
	up->conn = sim_conn_out(file, &up->actor);
	if (up->conn == NULL)
		sim_fail("the simulation has too few connections");
	if (sim_chance(2))
		return fail(EINPROGRESS);
	up->conn->connecting = false;
	return 0;
}

/* ------------------------------------- what no handler of the runs does */

int
__wrap_openat(int directory, const char *path, int flags, ...)
{
	(void)directory;
	(void)flags;
	sim_fail("openat(%s) is not simulated", path);
}

int
__wrap_fstat(int fd, struct stat *stat)
{
	(void)stat;
	sim_fail("fstat(%d) is not simulated", fd);
}

int
__wrap_stat(const char *path, struct stat *stat)
{
	(void)stat;
	sim_fail("stat(%s) is not simulated", path);
}

int
__wrap_getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **found)
{
	(void)service;
	(void)hints;
	(void)found;
	sim_fail("getaddrinfo(%s) is not simulated", host);
}

void
__wrap_freeaddrinfo(struct addrinfo *found)
{
	(void)found;
	sim_fail("freeaddrinfo() is not simulated");
}

DIR *
__wrap_opendir(const char *path)
{
	sim_fail("opendir(%s) is not simulated", path);
}

struct dirent *
__wrap_readdir(DIR *directory)
{
	(void)directory;
	sim_fail("readdir() is not simulated");
}

int
__wrap_closedir(DIR *directory)
{
	(void)directory;
	sim_fail("closedir() is not simulated");
}

ssize_t
__wrap_pread(int fd, void *buf, size_t size, off_t offset)
{
	(void)buf;
	(void)size;
	(void)offset;
	sim_fail("pread(%d) is not simulated", fd);
}

ssize_t
__wrap_sendfile(int to, int from, off_t *offset, size_t size)
{
	(void)from;
	(void)offset;
	(void)size;
	sim_fail("sendfile(%d) is not simulated", to);
}
