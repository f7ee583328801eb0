/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/outgoing.h"

#include "shards/conn_io.h"
#include "shards/engine.h"
#include "shards/event.h"
#include "shards/sys.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define WATCH (SP_WATCH_READ | SP_WATCH_WRITE)

static void run_kept(struct sp_worker *worker, struct sp_task *task);

static const struct sp_service kept_service = {
	.run = run_kept,
	.name = "outgoing",
};

/* ------------------------------------------------------------- opening */

/* For the holder of the poll token, in the frame of the fiber that waits. */
struct opening {
	struct sp_msg msg;
	struct sp_event done;
	int fd;
	uint32_t watch;
	int error;
	struct sp_poll_desc *pd;
};

/*
 * With the poll token. Whoever cancels has said so before the descriptors
 * are walked over under the token: what is opened here is either seen then,
 * or refused now.
 */
static void
register_here(struct sp_shard *shard, struct opening *opening)
{
	if (sp_load(&shard->engine->cancelling, seq_cst)) {
		opening->error = -ECANCELED;
		return;
	}
	opening->error = sp_shard_open_owned(
	    shard, opening->fd, &kept_service, opening->watch, &opening->pd);
}

static void
register_posted(
    struct sp_shard *shard, struct sp_worker *worker, struct sp_msg *msg)
{
	struct opening *opening = sp_container_of(msg, struct opening, msg);

	/* The waiting fiber keeps its shard from ending, so there is one. */
	SP_CHECK(worker != NULL);
	register_here(shard, opening);
	sp_event_post(&opening->done);
}

/*
 * Ask whoever polls. The wait is not cut short when the client leaves: the
 * message is in this frame, and whoever polls is broken out of his sleep.
 */
static int
register_elsewhere(struct sp_worker *worker, struct opening *opening)
{
	int error = sp_fiber_reserve(worker);

	if (error != 0)
		return error;
	sp_event_init(&opening->done);
	opening->msg.fn = register_posted;
	sp_shard_post(worker->shard, &opening->msg);
	sp_event_wait_posted(worker, &opening->done);
	return opening->error;
}

int
sp_outgoing_register(
    struct sp_worker *worker, int fd, uint32_t watch, struct sp_poll_desc **out)
{
	struct sp_shard *shard = worker->shard;
	struct opening opening = { .fd = fd, .watch = watch };
	int error;

	if (!sp_shard_enter_outgoing(shard))
		return -ECANCELED;
	if (sp_token_try(&shard->token, worker->number)) {
		register_here(shard, &opening);
		sp_token_drop(&shard->token);
		/* Others poll again by themselves. */
		if (!sp_worker_polls(worker))
			sp_shard_unattended(shard);
		error = opening.error;
	} else {
		error = register_elsewhere(worker, &opening);
	}
	if (error != 0) {
		sp_shard_leave_outgoing(shard);
		return error;
	}
	*out = opening.pd;
	return 0;
}

static int
begin_connect(int fd, const struct sockaddr_storage *address, socklen_t size)
{
	int on = 1;

	if (address->ss_family != AF_UNIX
	    && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		return -errno;
	while (connect(fd, (const struct sockaddr *)address, size) != 0) {
		if (errno == EINPROGRESS)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

int
sp_outgoing_connect(struct sp_worker *worker,
    const struct sockaddr_storage *address, socklen_t size,
    struct sp_poll_desc **out)
{
	int fd = socket(
	    address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	error = begin_connect(fd, address, size);
	if (error == 0)
		error = sp_outgoing_register(worker, fd, WATCH, out);
	if (error != 0)
		close(fd);
	else
		sp_count(&worker->counters.upstream_connects, 1);
	return error;
}

/* => Returns -EAGAIN: not yet. */
static int
connect_result(int fd)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(int);
	int error = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		return -errno;
	if (error != 0)
		return -error;
	size = sizeof(peer);
	if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0)
		return 0;
	return errno == ENOTCONN ? -EAGAIN : -errno;
}

int
sp_outgoing_connected(
    struct sp_worker *worker, struct sp_poll_desc *pd, sp_tick until)
{
	int error;

	while ((error = connect_result(pd->fd)) == -EAGAIN) {
		error = sp_edge_wait(worker, pd, SP_POLL_WRITE, until);
		if (error != 0)
			break;
	}
	return error;
}

/* --------------------------------------------------- reading and writing */

ssize_t
sp_outgoing_recv(struct sp_worker *worker, struct sp_poll_desc *pd, void *buf,
    size_t size, sp_tick until)
{
	ssize_t n;

	while ((n = sp_conn_try_recv(worker, pd, buf, size)) == -EAGAIN) {
		int error = sp_edge_wait(worker, pd, SP_POLL_READ, until);

		if (error != 0)
			return error;
	}
	return n;
}

ssize_t
sp_outgoing_send(struct sp_worker *worker, struct sp_poll_desc *pd,
    const void *buf, size_t size, sp_tick until)
{
	for (;;) {
		ssize_t n = sp_sys_send(pd->fd, buf, size);
		int error;

		if (n >= 0) {
			sp_count(&worker->counters.bytes_out, (uint64_t)n);
			return n;
		}
		if (n == -EINTR)
			continue;
		if (n != -EAGAIN)
			return n;
		error = sp_edge_wait(worker, pd, SP_POLL_WRITE, until);
		if (error != 0)
			return error;
	}
}

ssize_t
sp_outgoing_try_send(struct sp_worker *worker, struct sp_poll_desc *pd,
    const struct iovec piece[2])
{
	struct iovec part[2] = { piece[0], piece[1] };
	struct msghdr msg = { .msg_iov = part, .msg_iovlen = 2 };
	ssize_t n;

	do {
		n = sendmsg(pd->fd, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	sp_count(&worker->counters.bytes_out, (uint64_t)n);
	return n;
}

/* ---------------------------------------------------------- being kept */

void
sp_outgoing_close(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	sp_shard_close_outgoing(sp_conn_shard(worker, pd), pd);
}

/*
 * Park, or close if there is a reason to. The look at the socket comes after
 * an edge has been taken: what comes later makes another.
 *
 * => Returns whether it is parked.
 */
static bool
park_or_close(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	do {
		if (sp_netpoll_check_err(pd, SP_POLL_READ) != 0
		    || sp_load(&worker->engine->draining, seq_cst)
		    || !sp_conn_is_silent(pd)) {
			sp_outgoing_close(worker, pd);
			return false;
		}
	} while (!sp_poll_park(pd));
	return true;
}

sp_handle
sp_outgoing_park(
    struct sp_worker *worker, struct sp_poll_desc *pd, uint32_t idle_ms)
{
	sp_handle handle = sp_poll_desc_handle(pd);

	sp_poll_set_deadline(pd, SP_POLL_READ, sp_tick_in(idle_ms));
	return park_or_close(worker, pd) ? handle : 0;
}

/* An edge, a passed deadline or a drain. The edge may be of what was read. */
static void
run_kept(struct sp_worker *worker, struct sp_task *task)
{
	park_or_close(worker, sp_container_of(task, struct sp_poll_desc, task));
}

struct sp_poll_desc *
sp_outgoing_take(struct sp_worker *worker, sp_handle handle, bool *gone)
{
	struct sp_shard *shard =
	    worker->engine->shards[sp_handle_shard(handle)];
	struct sp_poll_desc *pd;

	sp_rcu_enter();
	pd = sp_poll_cache_find(&shard->cache, handle);
	*gone = pd == NULL;
	if (pd != NULL && !sp_slot_unpark(&pd->slot[SP_POLL_READ]))
		pd = NULL;
	sp_rcu_exit();
	if (pd == NULL)
		return NULL;
	sp_poll_set_deadline(pd, SP_POLL_READ, SP_DEADLINE_NONE);
	if (sp_conn_is_silent(pd))
		return pd;
	*gone = true;
	sp_outgoing_close(worker, pd);
	return NULL;
}
