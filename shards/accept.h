/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_ACCEPT_H
#define SPATE_SHARDS_ACCEPT_H

/*
 * Accepting: from listening sockets to descriptors in the right shard.
 *
 *     TCP     one socket for each shard, SO_REUSEPORT: the kernel spreads
 *     Unix    one socket, watched by every shard, one woken at a time
 *
 * Whoever accepts places (placement.c), and hands a connection that belongs
 * elsewhere over as a bare fd, through the inbox of its shard. One that finds
 * no room where its packets arrive is served elsewhere, and moves between two
 * requests once there is.
 *
 *     +-----------+   no descriptors left, or too many   +---------+
 *     | listening | -----------------------------------> | resting |
 *     |           | <----------------------------------- |         |
 *     +-----------+        SP_ACCEPT_REST_MS later        +---------+
 *
 * A listener rests rather than spins: clients then wait in the kernel's
 * queue. With no descriptors left the reserve descriptor is given up for as
 * long as it takes to accept one client and close it, so that the first in
 * the queue learns of it and does not hang.
 */

#include "shards/poll_desc.h"
#include "shards/task.h"
#include "shards/timer_wheel.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct sp_engine;
struct sp_shard;
struct sp_worker;

#define SP_ACCEPT_BATCH 64
#define SP_ACCEPT_REST_MS 100

/* sp_timer.kind of a listener; a poll descriptor's is 0. */
#define SP_TIMER_LISTENER 1

struct sp_listener {
	struct sp_listener *next; /* of the engine */
	struct sp_shard *shard;
	const struct sp_service *service; /* of its connections */
	int fd; /* owned; -1 once it listens no more */
	unsigned number; /* within the shard */
	bool resting;
	bool local; /* Unix domain: the socket is the other shards' as well */
	struct sp_timer timer;
};

/*
 * sp_engine_listen: listen at an address, for connections of a service.
 * Before sp_engine_start().
 *
 * => *address is where it listens afterwards: port 0 has been replaced.
 * => Returns 0 or -errno: -EADDRINUSE, -EACCES, -EMFILE...
 */
int sp_engine_listen(struct sp_engine *engine,
    struct sockaddr_storage *address, socklen_t size, int backlog,
    const struct sp_service *service);

/*
 * sp_accept: take what waits at a listener, at most SP_ACCEPT_BATCH.
 * Context: the poll token's holder.
 */
void sp_accept(struct sp_listener *listener, struct sp_worker *worker);

/* sp_accept_resume: a listener has rested. Likewise. */
void sp_accept_resume(struct sp_listener *listener);

/* sp_accept_stop: listen no more. Likewise. */
void sp_accept_stop(struct sp_shard *shard);

/*
 * sp_accept_place: which shard gets a connection; placement.c.
 *
 * => *near is the one where its packets arrive, or NULL: not known.
 */
struct sp_shard *sp_accept_place(struct sp_shard *self,
    struct sp_worker *worker, int fd, bool local, struct sp_shard **near);

/*
 * sp_accept_may_move: whether the shard where a connection's packets arrive
 * has room for it by now. It has SP_POLL_AWAY.
 *
 * sp_accept_move: bring it there. Nothing of it may be under way: it is as
 * when it was accepted. It gets another handle, so one whose handle is known
 * to somebody stays (sp_accept_stay).
 *
 * => Returns true: it is not the caller's any more, and neither is the fd.
 *    false: no memory, or the server is full; nothing has changed.
 * => Context: the owner, in any worker.
 */
bool sp_accept_may_move(
    struct sp_worker *worker, const struct sp_poll_desc *pd);
bool sp_accept_move(struct sp_worker *worker, struct sp_poll_desc *pd);

/* sp_accept_stay: never move it. The owner. */
static inline void
sp_accept_stay(struct sp_poll_desc *pd)
{
	if (sp_unlikely(sp_load(&pd->info, relaxed) & SP_POLL_AWAY))
		sp_fetch_and(&pd->info, ~(uint32_t)SP_POLL_AWAY, seq_cst);
}

#endif /* SPATE_SHARDS_ACCEPT_H */
