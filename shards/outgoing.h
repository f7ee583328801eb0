/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_OUTGOING_H
#define SPATE_SHARDS_OUTGOING_H

/*
 * Outgoing: connections that a fiber makes to somebody else's server.
 *
 *            connect          connected          park
 *     (none) -------> begun -----------> owned -------> kept
 *                       |                 |  ^           |  |
 *                       | close     close |  `-- take ---'  | readable, idle
 *                       `-------> closed <'                 | for too long,
 *                                   ^                       | drained
 *                                   `-----------------------'
 *
 * One is a descriptor of the shard of the fiber's worker like any other, but
 * not a connection of the engine: max_connections does not count it, a drain
 * does not wait for it. A cancel ends what waits for it, and the shard stays
 * until it is closed.
 *
 *     owned   by the fiber: it alone reads, writes and closes
 *     kept    by nobody, parked as a task that closes it; by its handle any
 *             fiber of the process may take it back
 *
 * All that wait go on with -ECANCELED when the connection that the fiber
 * handles is gone, and with -ETIMEDOUT at a tick of their own (event.h), so
 * no deadline is stored in the descriptor but that of being kept.
 *
 * Context: a fiber, in its worker.
 */

#include "shards/worker.h"

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/*
 * sp_outgoing_connect: begin a connection. Does not wait for the peer.
 *
 * => Returns 0 and *out, owned; sp_outgoing_connected() comes next.
 * => Returns -errno of socket() or connect(); -ECANCELED: the engine ends;
 *    -ENOMEM.
 */
int sp_outgoing_connect(struct sp_worker *worker,
    const struct sockaddr_storage *address, socklen_t size,
    struct sp_poll_desc **out);

/*
 * sp_outgoing_register: watch a descriptor that the fiber has from somewhere
 * else, by SP_WATCH_* bits (netpoll.h). It is closed by sp_outgoing_close().
 *
 * => Returns 0 and *out, owned; -EPERM: epoll cannot watch it; -ECANCELED,
 *    -ENOMEM; on failure the fd is the caller's still.
 */
int sp_outgoing_register(struct sp_worker *worker, int fd, uint32_t watch,
    struct sp_poll_desc **out);

/*
 * sp_outgoing_connected: wait until it is.
 *
 * => Returns 0; or -ECONNREFUSED and the like; -ETIMEDOUT, -ECANCELED.
 */
int sp_outgoing_connected(
    struct sp_worker *worker, struct sp_poll_desc *pd, sp_tick until);

/*
 * sp_outgoing_recv: what has come, at least a byte.
 *
 * => Returns how many; 0 when the peer has sent its last; or -errno.
 */
ssize_t sp_outgoing_recv(struct sp_worker *worker, struct sp_poll_desc *pd,
    void *buf, size_t size, sp_tick until);

/*
 * sp_outgoing_send: some of it, at least a byte.
 *
 * => Returns how many, or -errno. size is not 0.
 */
ssize_t sp_outgoing_send(struct sp_worker *worker, struct sp_poll_desc *pd,
    const void *buf, size_t size, sp_tick until);

/*
 * sp_outgoing_try_send: what there is room for of two pieces, by one call.
 *
 * => Returns how many bytes, or -errno; -EAGAIN: none.
 */
ssize_t sp_outgoing_try_send(struct sp_worker *worker, struct sp_poll_desc *pd,
    const struct iovec piece[2]);

/*
 * sp_outgoing_park: let go of one that may be used again. It is closed in
 * about idle_ms, or as soon as the peer sends or closes.
 *
 * => Returns 0 if it was closed at once, else a handle to take it by.
 */
sp_handle sp_outgoing_park(
    struct sp_worker *worker, struct sp_poll_desc *pd, uint32_t idle_ms);

/*
 * sp_outgoing_take: own it again.
 *
 * => Returns NULL and *gone: true, it is closed; false, not at this moment.
 */
struct sp_poll_desc *
sp_outgoing_take(struct sp_worker *worker, sp_handle handle, bool *gone);

/* sp_outgoing_close: an owned one. */
void sp_outgoing_close(struct sp_worker *worker, struct sp_poll_desc *pd);

#endif /* SPATE_SHARDS_OUTGOING_H */
