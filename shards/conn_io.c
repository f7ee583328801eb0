/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/conn_io.h"

#include "shards/engine.h"

#include <errno.h>
#include <sys/socket.h>

struct sp_shard *
sp_conn_shard(struct sp_worker *worker, const struct sp_poll_desc *pd)
{
	return worker->engine->shards[sp_handle_shard(pd->index)];
}

ssize_t
sp_conn_try_recv_again(
    struct sp_worker *worker, struct sp_poll_desc *pd, void *buf, size_t size)
{
	ssize_t n;

	do {
		n = sp_sys_recv(pd->fd, buf, size);
	} while (n == -EINTR);
	if (n > 0)
		sp_count(&worker->counters.bytes_in, (uint64_t)n);
	return n;
}

static void
set_deadline(struct sp_worker *worker, struct sp_poll_desc *pd,
    enum sp_poll_mode mode, uint32_t timeout_ms)
{
	sp_tick when = timeout_ms != 0 ? sp_tick_in(timeout_ms)
				       : (sp_tick)SP_DEADLINE_NONE;
	sp_tick until = sp_fiber_until(worker->current, when);

	sp_poll_set_deadline(pd, mode, until);
	/* Sooner than the poller looks by itself; or not, at worst. */
	if (sp_unlikely(until != when))
		sp_shard_rearm(sp_conn_shard(worker, pd), pd);
}

ssize_t
sp_conn_recv(struct sp_worker *worker, struct sp_poll_desc *pd, void *buf,
    size_t size, uint32_t timeout_ms)
{
	ssize_t n = sp_conn_try_recv(worker, pd, buf, size);
	int error;

	if (n != -EAGAIN)
		return n;
	set_deadline(worker, pd, SP_POLL_READ, timeout_ms);
	do {
		error = sp_poll_wait(worker, pd, SP_POLL_READ);
		if (error != 0)
			return error;
		n = sp_conn_try_recv(worker, pd, buf, size);
	} while (n == -EAGAIN);
	return n;
}

/* From the first short send on, epoll tells when there is room again. */
static int
watch_writes(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	struct sp_shard *shard = sp_conn_shard(worker, pd);

	if (pd->interest & SP_WATCH_WRITE)
		return 0;
	pd->interest |= SP_WATCH_WRITE;
	return sp_netpoll_modify(
	    &shard->np, pd->fd, sp_poll_desc_handle(pd), pd->interest);
}

int
sp_conn_wait_for_room(struct sp_worker *worker, struct sp_poll_desc *pd,
    uint32_t timeout_ms, bool *stalled)
{
	int error = watch_writes(worker, pd);

	if (error != 0)
		return error;
	if (!*stalled)
		set_deadline(worker, pd, SP_POLL_WRITE, timeout_ms);
	*stalled = true;
	return sp_poll_wait(worker, pd, SP_POLL_WRITE);
}

int
sp_conn_send2(struct sp_worker *worker, struct sp_poll_desc *pd,
    struct iovec piece[2], uint32_t timeout_ms)
{
	struct msghdr msg = { .msg_iov = piece, .msg_iovlen = 2 };
	bool stalled = false;
	ssize_t n;

	for (;;) {
		size_t first;
		int error;

		n = sendmsg(pd->fd, &msg, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (n > 0) {
			sp_count(&worker->counters.bytes_out, (uint64_t)n);
			first = (size_t)n < piece[0].iov_len ? (size_t)n
							     : piece[0].iov_len;
			piece[0].iov_base = (char *)piece[0].iov_base + first;
			piece[0].iov_len -= first;
			piece[1].iov_base = (char *)piece[1].iov_base
					    + ((size_t)n - first);
			piece[1].iov_len -= (size_t)n - first;
		}
		if (piece[0].iov_len + piece[1].iov_len == 0)
			return 0;
		if (n > 0) {
			stalled = false;
			continue;
		}
		error = sp_conn_wait_for_room(worker, pd, timeout_ms, &stalled);
		if (error != 0)
			return error;
	}
}

int
sp_conn_send_rest(struct sp_worker *worker, struct sp_poll_desc *pd,
    const void *buf, size_t size, ssize_t n, uint32_t timeout_ms)
{
	const char *at = buf;
	bool stalled = false;

	for (;;) {
		int error;

		if (n >= 0) {
			sp_count(&worker->counters.bytes_out, (uint64_t)n);
			at += n;
			size -= (size_t)n;
			if (size == 0)
				return 0;
			stalled = false;
		} else if (n == -EAGAIN) {
			error = sp_conn_wait_for_room(
			    worker, pd, timeout_ms, &stalled);
			if (error != 0)
				return error;
		} else if (n != -EINTR) {
			return (int)n;
		}
		n = sp_sys_send(pd->fd, at, size);
	}
}
