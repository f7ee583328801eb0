/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Sockets in blocking style: spate/socket.h. Each is a descriptor of the shard
 * that opened it, owned by a fiber that need not be of that shard: it is made
 * ready where it is.
 */

#include "framework/names.h"
#include "framework/urlcode.h"
#include "shards/outgoing.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spate/socket.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WATCH (SP_WATCH_READ | SP_WATCH_WRITE)

/* The descriptor is all there is; this is its name for users. */
static struct sp_poll_desc *
inner(struct spate_socket *named)
{
	return (struct sp_poll_desc *)(void *)named;
}

static struct spate_socket *
outer(struct sp_poll_desc *pd)
{
	return (struct spate_socket *)(void *)pd;
}

static sp_tick
until_of(uint32_t timeout_ms)
{
	return timeout_ms != 0 ? sp_tick_in(timeout_ms)
			       : (sp_tick)SP_DEADLINE_NONE;
}

/* ------------------------------------------------------------- connecting */

static int
connect_to(struct sp_worker *worker, const struct sockaddr_storage *address,
    socklen_t size, sp_tick until, struct sp_poll_desc **out)
{
	int error = sp_outgoing_connect(worker, address, size, out);

	if (error != 0)
		return error;
	error = sp_outgoing_connected(worker, *out, until);
	if (error != 0)
		sp_outgoing_close(worker, *out);
	return error;
}

/* "NAME:PORT" */
static int
connect_by_name(struct sp_worker *worker, const char *text, sp_tick until,
    struct sp_poll_desc **out)
{
	const char *colon = strrchr(text, ':');
	size_t size = colon != NULL ? (size_t)(colon - text) : 0;
	struct sp_addresses found;
	char name[SP_NAME_SIZE];
	uint64_t port;
	int error;

	if (!sp_name_ok(text, size)
	    || sp_parse_u64(colon + 1, strlen(colon + 1), &port) != 0
	    || port == 0 || port > UINT16_MAX)
		return -EINVAL;
	memcpy(name, text, size);
	name[size] = '\0';
	error = sp_names_find(worker, name, (uint16_t)port, until, &found);
	for (unsigned i = 0; error == 0 && i < found.count; i++) {
		int failed = connect_to(
		    worker, &found.address[i], found.size[i], until, out);

		if (failed == 0 || failed == -ETIMEDOUT || failed == -ECANCELED
		    || i + 1 == found.count)
			return failed;
	}
	return error;
}

int
spate_socket_connect(
    struct spate_socket **out, const char *text, uint32_t timeout_ms)
{
	struct sp_worker *worker = sp_worker_self();
	sp_tick until = until_of(timeout_ms);
	struct sp_address address;
	struct sp_poll_desc *pd;
	int error;

	if (worker == NULL)
		return -EPERM;
	if (text[0] == '*' || text[0] == ':')
		return -EINVAL;
	if (sp_address_parse(&address, text) == 0)
		error = connect_to(
		    worker, &address.storage, address.size, until, &pd);
	else
		error = connect_by_name(worker, text, until, &pd);
	if (error == 0)
		*out = outer(pd);
	return error;
}

/* -------------------------------------------------------------- listening */

static int
open_listener(const struct sp_address *address)
{
	int on = 1, error;
	int fd = socket(address->storage.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if ((address->storage.ss_family != AF_UNIX
		&& setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on))
		       != 0)
	    || bind(fd, (const struct sockaddr *)&address->storage,
		   address->size)
		   != 0
	    || listen(fd, SOMAXCONN) != 0) {
		error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

int
spate_socket_listen(struct spate_socket **out, const char *text)
{
	struct sp_worker *worker = sp_worker_self();
	struct sp_address address;
	struct sp_poll_desc *pd;
	int fd, error;

	if (worker == NULL)
		return -EPERM;
	if (sp_address_parse(&address, text) != 0)
		return -EINVAL;
	fd = open_listener(&address);
	if (fd < 0)
		return fd;
	error = sp_outgoing_register(worker, fd, SP_WATCH_READ, &pd);
	if (error != 0)
		close(fd);
	else
		*out = outer(pd);
	return error;
}

/* => Returns a descriptor, or -EAGAIN: there is nobody. */
static int
accept_one(int listener)
{
	int fd;

	do {
		fd = accept4(
		    listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	return fd < 0 ? -errno : fd;
}

int
spate_socket_accept(struct spate_socket *listener, struct spate_socket **out,
    uint32_t timeout_ms)
{
	struct sp_worker *worker = sp_worker_self();
	struct sp_poll_desc *of = inner(listener), *pd;
	sp_tick until = until_of(timeout_ms);
	int fd, error, on = 1;

	if (worker == NULL)
		return -EPERM;
	while ((fd = accept_one(of->fd)) == -EAGAIN) {
		error = sp_edge_wait(worker, of, SP_POLL_READ, until);
		if (error != 0)
			return error;
	}
	if (fd < 0)
		return fd;
	/* A Unix socket has no such option, and no need of it. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	error = sp_outgoing_register(worker, fd, WATCH, &pd);
	if (error != 0)
		close(fd);
	else
		*out = outer(pd);
	return error;
}

uint16_t
spate_socket_port(const struct spate_socket *named)
{
	const struct sp_poll_desc *pd = (const struct sp_poll_desc *)named;
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	if (getsockname(pd->fd, (struct sockaddr *)&address, &size) != 0)
		return 0;
	if (address.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&address)->sin_port);
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	return 0;
}

/* ----------------------------------------------------- reading and writing */

ssize_t
spate_socket_read(
    struct spate_socket *named, void *buf, size_t size, uint32_t timeout_ms)
{
	struct sp_worker *worker = sp_worker_self();

	if (worker == NULL)
		return -EPERM;
	if (size == 0)
		return -EINVAL;
	return sp_outgoing_recv(
	    worker, inner(named), buf, size, until_of(timeout_ms));
}

int
spate_socket_write(struct spate_socket *named, const void *data, size_t size,
    uint32_t timeout_ms)
{
	struct sp_worker *worker = sp_worker_self();
	const char *at = data;

	if (worker == NULL)
		return -EPERM;
	while (size != 0) {
		ssize_t n = sp_outgoing_send(
		    worker, inner(named), at, size, until_of(timeout_ms));

		if (n < 0)
			return (int)n;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int
spate_socket_end(struct spate_socket *named)
{
	return shutdown(inner(named)->fd, SHUT_WR) != 0 ? -errno : 0;
}

void
spate_socket_close(struct spate_socket *named)
{
	struct sp_worker *worker = sp_worker_self();

	if (named != NULL && worker != NULL)
		sp_outgoing_close(worker, inner(named));
}
