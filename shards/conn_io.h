/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_CONN_IO_H
#define SPATE_SHARDS_CONN_IO_H

/*
 * Reading and writing a connection, for its owner.
 *
 *     try     one system call; -EAGAIN when the kernel has nothing to give
 *     wait    in a fiber: goes on until something happened or time is up
 *
 * Errors, besides what the socket says (-ECONNRESET, -EPIPE...):
 *
 *     -ETIMEDOUT   the deadline of this direction passed
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
 * => sp_conn_try_recv_again() is for when a signal came in between.
 */
ssize_t sp_conn_try_recv_again(
    struct sp_worker *worker, struct sp_poll_desc *pd, void *buf, size_t size);
static inline ssize_t
sp_conn_try_recv(
    struct sp_worker *worker, struct sp_poll_desc *pd, void *buf, size_t size)
{
	ssize_t n = sp_sys_recv(pd->fd, buf, size);

	if (sp_unlikely(n == -EINTR))
		return sp_conn_try_recv_again(worker, pd, buf, size);
	if (sp_likely(n > 0))
		sp_count(&worker->counters.bytes_in, (uint64_t)n);
	return n;
}

/*
 * sp_conn_recv: likewise, but waits up to timeout_ms for the first byte. 0
 * for no limit.
 */
ssize_t sp_conn_recv(struct sp_worker *worker, struct sp_poll_desc *pd,
    void *buf, size_t size, uint32_t timeout_ms);

/*
 * sp_conn_send: all of it, waiting up to timeout_ms each time that the
 * kernel takes nothing.
 *
 * => Returns 0, or -errno; how much was sent is then unknown.
 * => sp_conn_send_rest() goes on after a send that returned n.
 */
int sp_conn_send_rest(struct sp_worker *worker, struct sp_poll_desc *pd,
    const void *buf, size_t size, ssize_t n, uint32_t timeout_ms);
static inline int
sp_conn_send(struct sp_worker *worker, struct sp_poll_desc *pd, const void *buf,
    size_t size, uint32_t timeout_ms)
{
	ssize_t n;

	if (size == 0)
		return 0;
	n = sp_sys_send(pd->fd, buf, size);
	if (sp_unlikely(n != (ssize_t)size))
		return sp_conn_send_rest(worker, pd, buf, size, n, timeout_ms);
	sp_count(&worker->counters.bytes_out, (uint64_t)n);
	return 0;
}

/* sp_conn_send2: two pieces, by one system call if it takes them. */
int sp_conn_send2(struct sp_worker *worker, struct sp_poll_desc *pd,
    struct iovec piece[2], uint32_t timeout_ms);

/*
 * sp_conn_sendfile: size bytes of a file from *offset on, likewise. Others
 * of the worker get their turn in between.
 *
 * => *offset is moved behind what was sent. Returns 0, also if the file
 *    turned out to be shorter, or -errno.
 */
int sp_conn_sendfile(struct sp_worker *worker, struct sp_poll_desc *pd,
    int file, off_t *offset, uint64_t size, uint32_t timeout_ms);

/*
 * sp_conn_wait_for_room: a send took nothing, so wait until there is room.
 * The time-out is from the first wait since the peer has taken something: a
 * wait that ends for another reason, such as a push onto outq, does not
 * begin it anew. The caller clears *stalled when something is taken.
 *
 * => Returns 0: try again.
 */
int sp_conn_wait_for_room(struct sp_worker *worker, struct sp_poll_desc *pd,
    uint32_t timeout_ms, bool *stalled);

/*
 * sp_conn_give_up: the peer has taken nothing for too long, and is counted.
 * What the kernel holds for it, megabytes at most, goes with the close: the
 * kernel would else keep on trying after it, for as long as the peer answers
 * that it has no room.
 */
void sp_conn_give_up(struct sp_worker *worker, struct sp_poll_desc *pd);

/* The shard that pd is registered with. */
struct sp_shard *
sp_conn_shard(struct sp_worker *worker, const struct sp_poll_desc *pd);

#endif /* SPATE_SHARDS_CONN_IO_H */
