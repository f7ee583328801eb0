/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_CONN_IO_H
#define SPATE_SHARDS_CONN_IO_H

/*
 * Reading and writing a connection, for its owner.
 *
 *     try     one system call; -EAGAIN when the kernel has nothing to give
 *     wait    in a fiber: goes on until something happened or time is up
 *
 * A peer that is sent more than it takes is waited for. In each timeout_ms of
 * such waiting it has to take what options.min_write_rate makes of that time,
 * and then has as long again:
 *
 *     waiting   |-----------|        |------|           |--------|
 *     sending               |--------|      |-----------|        |---
 *               ^ the peer has acknowledged n bytes             ^
 *                    timeout_ms of waiting: n + due, or -ETIMEDOUT
 *
 * That a send takes something says little: the kernel grows its buffer for a
 * peer that reads a byte now and then. What tells is what the peer has
 * acknowledged. Of a Unix socket the kernel does not say it; there the time
 * begins anew when a send takes something.
 *
 * Errors, besides what the socket says (-ECONNRESET, -EPIPE...):
 *
 *     -ETIMEDOUT   the deadline of this direction passed; or the peer takes
 *                  too little
 *     -ECANCELED   the descriptor is being closed
 *     -ENOMEM      no fiber to wait in
 */

#include "shards/sys.h"
#include "shards/worker.h"

#include <sys/types.h>
#include <sys/uio.h>

/*
 * sp_conn_try_recv: what has arrived.
 *
 * => Returns how many bytes; 0 when the peer has sent its last; or -errno.
 * => sp_conn_recv_again() is for when a signal came in between.
 */
ssize_t
sp_conn_recv_again(struct sp_poll_desc *pd, void *buf, size_t size);
static inline ssize_t
sp_conn_try_recv(
    struct sp_worker *worker, struct sp_poll_desc *pd, void *buf, size_t size)
{
	ssize_t n = sp_sys_recv(pd->fd, buf, size);

	if (sp_unlikely(n == -EINTR))
		n = sp_conn_recv_again(pd, buf, size);
	if (sp_likely(n > 0))
		sp_count(&worker->counters.bytes_in, (uint64_t)n);
	return n;
}

/*
 * sp_conn_recv_next: likewise, when the socket is known to be empty. Waits up
 * to timeout_ms for the first byte; 0 for no limit.
 */
ssize_t sp_conn_recv_next(struct sp_worker *worker, struct sp_poll_desc *pd,
    void *buf, size_t size, uint32_t timeout_ms);

/*
 * What is known of a peer that is waited for. It outlives a send, as the next
 * one may have to wait at once. began is false at first, the rest anything.
 */
struct sp_stall {
	bool began;
	uint64_t waited_ns; /* since it had acknowledged */
	uint64_t acked;     /* so many bytes */
};

/*
 * sp_conn_send: all of it, waiting for the peer to take it. A timeout_ms of
 * 0 is no limit.
 *
 * => Returns 0, or -errno; how much was sent is then unknown.
 * => sp_conn_send_rest() goes on after a send that returned n.
 */
int sp_conn_send_rest(struct sp_worker *worker, struct sp_poll_desc *pd,
    const void *buf, size_t size, ssize_t n, uint32_t timeout_ms,
    struct sp_stall *stall);
static inline int
sp_conn_send(struct sp_worker *worker, struct sp_poll_desc *pd, const void *buf,
    size_t size, uint32_t timeout_ms, struct sp_stall *stall)
{
	ssize_t n;

	if (size == 0)
		return 0;
	n = sp_sys_send(pd->fd, buf, size);
	if (sp_unlikely(n != (ssize_t)size))
		return sp_conn_send_rest(
		    worker, pd, buf, size, n, timeout_ms, stall);
	sp_count(&worker->counters.bytes_out, (uint64_t)n);
	return 0;
}

/* sp_conn_send2: two pieces, by one system call if it takes them. */
int sp_conn_send2(struct sp_worker *worker, struct sp_poll_desc *pd,
    struct iovec piece[2], uint32_t timeout_ms, struct sp_stall *stall);

/*
 * sp_conn_sendfile: size bytes of a file from *offset on, likewise. Others
 * of the worker get their turn in between.
 *
 * => *offset is moved behind what was sent. Returns 0, also if the file
 *    turned out to be shorter, or -errno.
 */
int sp_conn_sendfile(struct sp_worker *worker, struct sp_poll_desc *pd,
    int file, off_t *offset, uint64_t size, uint32_t timeout_ms,
    struct sp_stall *stall);

/*
 * sp_conn_wait_for_room: a send took nothing, so wait until there is room.
 * took: something was taken since the last wait.
 *
 * => Returns 0: try again.
 */
int sp_conn_wait_for_room(struct sp_worker *worker, struct sp_poll_desc *pd,
    uint32_t timeout_ms, struct sp_stall *stall, bool took);

/*
 * sp_conn_give_up: the peer has taken nothing for too long, and is counted.
 * What the kernel holds for it, megabytes at most, goes with the close: the
 * kernel would else keep on trying after it, for as long as the peer answers
 * that it has no room.
 */
void sp_conn_give_up(struct sp_worker *worker, struct sp_poll_desc *pd);

/*
 * sp_conn_has_unsent: whether the peer has yet to receive what was sent. A
 * reset would take that with it.
 */
bool sp_conn_has_unsent(const struct sp_poll_desc *pd);

/* sp_conn_is_silent: there is nothing to read, and no end or error either. */
bool sp_conn_is_silent(const struct sp_poll_desc *pd);

/* The shard that pd is registered with. */
struct sp_shard *
sp_conn_shard(struct sp_worker *worker, const struct sp_poll_desc *pd);

#endif /* SPATE_SHARDS_CONN_IO_H */
