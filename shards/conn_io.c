/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/conn_io.h"

#include "shards/engine.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/*
 * So much of a large body by one send: 1 MiB by one costs half as much again
 * as by two (docs/decisions/0014).
 */
#define SEND_MOST (768 * 1024)

struct sp_shard *
sp_conn_shard(struct sp_worker *worker, const struct sp_poll_desc *pd)
{
	return worker->engine->shards[sp_handle_shard(pd->index)];
}

bool
sp_conn_has_unsent(const struct sp_poll_desc *pd)
{
	int bytes = 0;

	return ioctl(pd->fd, SIOCOUTQ, &bytes) == 0 && bytes != 0;
}

bool
sp_conn_is_silent(const struct sp_poll_desc *pd)
{
	char byte;
	ssize_t n;

	do {
		n = recv(pd->fd, &byte, 1, MSG_PEEK);
	} while (n < 0 && errno == EINTR);
	return n < 0 && errno == EAGAIN;
}

ssize_t
sp_conn_recv_again(struct sp_poll_desc *pd, void *buf, size_t size)
{
	ssize_t n;

	do {
		n = sp_sys_recv(pd->fd, buf, size);
	} while (n == -EINTR);
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
sp_conn_recv_next(struct sp_worker *worker, struct sp_poll_desc *pd, void *buf,
    size_t size, uint32_t timeout_ms)
{
	ssize_t n;
	int error;

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

/* => Returns false: the kernel does not know, as the peer is no TCP. */
static bool
acknowledged(const struct sp_poll_desc *pd, uint64_t *bytes)
{
	struct tcp_info info = { .tcpi_bytes_acked = 0 };
	socklen_t size = sizeof(info);

	if (getsockopt(pd->fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
		return false;
	*bytes = info.tcpi_bytes_acked;
	return true;
}

/*
 * Has the peer taken what was due? Then its time begins anew, as it does at
 * the first wait. took is for a peer of which the kernel does not know.
 */
static bool
keeps_up(struct sp_worker *worker, struct sp_poll_desc *pd,
    uint32_t timeout_ms, struct sp_stall *stall, bool took)
{
	uint64_t due = (uint64_t)worker->engine->options.min_write_rate
	    * timeout_ms / 1000;
	uint64_t acked = 0;

	if (acknowledged(pd, &acked) && stall->began)
		took = acked - stall->acked >= (due != 0 ? due : 1);
	if (took || !stall->began)
		*stall = (struct sp_stall) { .began = true, .acked = acked };
	return took;
}

/* Waits for what is left of timeout_ms. */
static int
wait_for_the_rest(struct sp_worker *worker, struct sp_poll_desc *pd,
    uint32_t timeout_ms, struct sp_stall *stall)
{
	uint64_t waited_ms = stall->waited_ns / SP_NS_PER_MS, start;
	int error;

	if (waited_ms >= timeout_ms)
		return -ETIMEDOUT;
	start = sp_now_ns();
	set_deadline(worker, pd, SP_POLL_WRITE,
	    timeout_ms - (uint32_t)waited_ms);
	error = sp_poll_wait(worker, pd, SP_POLL_WRITE);
	stall->waited_ns += sp_now_ns() - start;
	return error;
}

int
sp_conn_wait_for_room(struct sp_worker *worker, struct sp_poll_desc *pd,
    uint32_t timeout_ms, struct sp_stall *stall, bool took)
{
	int error = watch_writes(worker, pd);

	if (error != 0)
		return error;
	if (timeout_ms == 0) {
		set_deadline(worker, pd, SP_POLL_WRITE, 0);
		return sp_poll_wait(worker, pd, SP_POLL_WRITE);
	}
	keeps_up(worker, pd, timeout_ms, stall, took);
	error = wait_for_the_rest(worker, pd, timeout_ms, stall);
	/*
	 * A deadline that passes sooner was set by somebody else. Room may
	 * have come together with the deadline, and there is no second edge
	 * for it: so who keeps up is sent to again, and not waited for.
	 */
	if (error == -ETIMEDOUT
	    && stall->waited_ns / SP_NS_PER_MS + 2 >= timeout_ms
	    && keeps_up(worker, pd, timeout_ms, stall, false))
		return 0;
	return error;
}

void
sp_conn_give_up(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	sp_count(&worker->counters.timeouts_write, 1);
	setsockopt(pd->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

int
sp_conn_send2(struct sp_worker *worker, struct sp_poll_desc *pd,
    struct iovec piece[2], uint32_t timeout_ms, struct sp_stall *stall)
{
	struct iovec part[2];
	struct msghdr msg = { .msg_iov = part, .msg_iovlen = 2 };
	bool took = false;
	ssize_t n;

	for (;;) {
		size_t first;
		int error;

		part[0] = piece[0];
		part[1] = piece[1];
		if (part[1].iov_len > SEND_MOST)
			part[1].iov_len = SEND_MOST;
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
			took = true;
			continue;
		}
		error = sp_conn_wait_for_room(
		    worker, pd, timeout_ms, stall, took);
		if (error != 0)
			return error;
		took = false;
	}
}

int
sp_conn_send_rest(struct sp_worker *worker, struct sp_poll_desc *pd,
    const void *buf, size_t size, ssize_t n, uint32_t timeout_ms,
    struct sp_stall *stall)
{
	const char *at = buf;
	bool took = false;

	for (;;) {
		int error;

		if (n >= 0) {
			sp_count(&worker->counters.bytes_out, (uint64_t)n);
			at += n;
			size -= (size_t)n;
			if (size == 0)
				return 0;
			took = true;
		} else if (n == -EAGAIN) {
			error = sp_conn_wait_for_room(
			    worker, pd, timeout_ms, stall, took);
			if (error != 0)
				return error;
			took = false;
		} else if (n != -EINTR) {
			return (int)n;
		}
		n = sp_sys_send(pd->fd, at, size);
	}
}
