/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/accept.h"

#include "shards/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * A connection on its way to the shard that was chosen for it: new, or one
 * that moves.
 */
struct hand_over {
	struct sp_msg msg;
	const struct sp_service *service;
	int fd;
	uint32_t peer;
	struct sp_shard *near;
	bool moves;
	sp_tick born;      /* if it moves */
	uint32_t requests; /* likewise */
};

/* A connection that comes to nothing. */
static void
drop(struct sp_engine *engine, int fd, uint32_t peer)
{
	close(fd);
	if (peer != 0)
		sp_peers_leave(engine->peers, peer);
}

/* One that was chosen for this shard, and cannot be. */
static void
give_up(struct sp_shard *shard, struct sp_worker *worker,
    const struct hand_over *over)
{
	drop(shard->engine, over->fd, over->peer);
	if (over->moves)
		sp_count(&worker->counters.closed, 1);
	sp_shard_leave(shard);
}

/*
 * It goes on here. If the server drains, who walks over the descriptors may
 * have passed both shards already; its last answer may be on its way, so it
 * is told as any other.
 */
static void
settle(struct sp_shard *shard, struct sp_worker *worker,
    const struct hand_over *over, struct sp_poll_desc *pd)
{
	uintptr_t woken[SP_POLL_MODES];

	pd->born = over->born;
	pd->requests = over->requests;
	sp_count(&worker->counters.moved, 1);
	if (!sp_load(&shard->engine->draining, seq_cst))
		return;
	sp_poll_kick(pd, SP_POLL_DRAIN, woken);
	sp_run_woken(pd, shard, woken[SP_POLL_READ]);
}

static void
count_error(struct sp_worker *worker, int error)
{
	struct sp_counters *counters = &worker->counters;

	switch (error) {
	case EMFILE:
		sp_count(&counters->accept_errors_emfile, 1);
		return;
	case ENFILE:
		sp_count(&counters->accept_errors_enfile, 1);
		return;
	case ENOBUFS:
		sp_count(&counters->accept_errors_enobufs, 1);
		return;
	case ENOMEM:
		sp_count(&counters->accept_errors_enomem, 1);
		return;
	case ECONNABORTED:
		sp_count(&counters->accept_errors_econnaborted, 1);
		return;
	default:
		sp_count(&counters->accept_errors_other, 1);
	}
}

static void
adopt(struct sp_shard *shard, struct sp_worker *worker,
    const struct hand_over *over)
{
	struct sp_engine *engine = shard->engine;
	struct sp_poll_desc *pd;
	int error;

	/* Who walks over the descriptors has passed already. */
	if (sp_load(over->moves ? &engine->cancelling : &engine->draining,
		seq_cst)) {
		give_up(shard, worker, over);
		return;
	}
	error = sp_shard_open(
	    shard, over->fd, over->service, SP_WATCH_READ, &pd);
	if (error != 0) {
		give_up(shard, worker, over);
		count_error(worker, -error);
		return;
	}
	/* Nobody runs it before we drop the poll token. */
	pd->peer = over->peer;
	if (over->moves) {
		settle(shard, worker, over, pd);
		return;
	}
	sp_count(&worker->counters.accepted, 1);
	sp_record(&worker->recorder, SP_RECORD_ACCEPT, sp_cycles(), 0,
	    sp_poll_desc_handle(pd), 0);
	if (over->near == NULL || over->near == shard)
		return;
	pd->near = (uint16_t)over->near->id;
	sp_fetch_or(&pd->info, SP_POLL_AWAY, relaxed);
	sp_count(&worker->counters.placed_away, 1);
}

static void
adopt_handed_over(
    struct sp_shard *shard, struct sp_worker *worker, struct sp_msg *msg)
{
	struct hand_over *over = sp_container_of(msg, struct hand_over, msg);

	adopt(shard, worker, over);
	free(over);
}

static void
place(struct sp_listener *listener, struct sp_worker *worker, int fd,
    uint32_t peer)
{
	struct sp_shard *self = listener->shard, *shard;
	struct hand_over here = {
		.msg.fn = adopt_handed_over,
		.service = listener->service,
		.fd = fd,
		.peer = peer,
	};
	struct hand_over *over = NULL;

	shard = sp_accept_place(self, worker, fd, listener->local, &here.near);
	if (shard != self)
		over = malloc(sizeof(*over));
	if (over == NULL)
		shard = self;
	if (!sp_shard_enter_reserved(shard)) {
		drop(self->engine, fd, peer); /* it is to end */
		free(over);
		return;
	}
	sp_count(&self->placed[shard->id], 1);
	if (shard == self) {
		adopt(self, worker, &here);
		return;
	}
	*over = here;
	sp_count(&worker->counters.handed_off, 1);
	sp_shard_post(shard, &over->msg);
}

bool
sp_accept_move(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	struct sp_engine *engine = worker->engine;
	struct sp_shard *from = engine->shards[sp_handle_shard(pd->index)];
	struct sp_shard *to = engine->shards[pd->near];
	struct hand_over *over = malloc(sizeof(*over));

	if (over == NULL || !sp_shard_enter(to)) {
		free(over);
		return false;
	}
	*over = (struct hand_over) {
		.msg.fn = adopt_handed_over,
		.service = pd->task.service,
		.fd = pd->fd,
		.peer = pd->peer,
		.moves = true,
		.born = pd->born,
		.requests = pd->requests,
	};
	sp_shard_forsake(from, pd);
	/* What has arrived meanwhile is reported where it is added. */
	sp_shard_post(to, &over->msg);
	return true;
}

static void
rest(struct sp_listener *listener)
{
	struct sp_shard *shard = listener->shard;
	sp_tick now = sp_tick_of(sp_now_ns());

	listener->resting = true;
	sp_netpoll_close(&shard->np, listener->fd);
	sp_wheel_keep_up(&shard->wheel, now);
	sp_wheel_add(
	    &shard->wheel, &listener->timer, now + SP_ACCEPT_REST_MS);
}

static int
listener_watch(struct sp_listener *listener)
{
	uint32_t watch = SP_WATCH_READ | SP_WATCH_LEVEL;

	if (listener->local)
		watch |= SP_WATCH_EXCLUSIVE;
	return sp_netpoll_open(&listener->shard->np, listener->fd,
	    SP_HANDLE_LISTENER + listener->number, watch);
}

/* Values of reserve_fd that are no descriptor. */
enum { RESERVE_GONE = -1, RESERVE_LENT = -2 };

static int
open_reserve(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return fd >= 0 ? fd : RESERVE_GONE;
}

/*
 * Get the reserve back, if there was no descriptor for it. Not while it is
 * lent: its descriptor is then free for who borrowed it to accept with, and
 * opening another would take just that one.
 */
static void
restore_reserve(struct sp_engine *engine)
{
	int gone = RESERVE_GONE, fd;

	if (sp_load(&engine->reserve_fd, relaxed) != RESERVE_GONE)
		return;
	fd = open_reserve();
	if (fd >= 0
	    && !sp_cas(&engine->reserve_fd, &gone, fd, acq_rel, relaxed))
		close(fd);
}

/*
 * Whether what was just accepted may stay. If another shard has lent itself
 * the reserve, this is the descriptor that it gave up for its own client,
 * and keeping it would leave everybody without a reserve.
 */
static bool
has_reserve(struct sp_engine *engine)
{
	if (sp_likely(sp_load(&engine->reserve_fd, acquire) >= 0))
		return true;
	restore_reserve(engine);
	return sp_load(&engine->reserve_fd, acquire) >= 0;
}

void
sp_accept_resume(struct sp_listener *listener)
{
	listener->resting = false;
	restore_reserve(listener->shard->engine);
	if (listener->fd >= 0 && listener_watch(listener) != 0)
		rest(listener);
}

/*
 * Out of descriptors: tell the first in the queue, and rest. The reserve is
 * the process's; another shard may be using it at this moment. What was
 * accepted in its place becomes the reserve, shut down: to close it and open
 * another would leave a moment in which somebody else takes the descriptor.
 */
static void
refuse_one(struct sp_listener *listener)
{
	struct sp_engine *engine = listener->shard->engine;
	int reserve = sp_load(&engine->reserve_fd, relaxed), fd;

	if (reserve >= 0
	    && sp_cas(&engine->reserve_fd, &reserve, (int)RESERVE_LENT, acq_rel,
		relaxed)) {
		close(reserve);
		fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
		sp_store(&engine->reserve_fd, fd >= 0 ? fd : open_reserve(),
		    release);
		if (fd >= 0)
			shutdown(fd, SHUT_RDWR);
	}
	rest(listener);
}

static bool
is_passing(int error)
{
	/* accept(2): what the network had to say about that one client. */
	switch (error) {
	case ECONNABORTED:
	case EINTR:
	case ENETDOWN:
	case EPROTO:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case EPERM:
		return true;
	default:
		return false;
	}
}

/* One of how many from where it comes? Whoever has too many is hung up on. */
static void
admit(struct sp_listener *listener, struct sp_worker *worker, int fd)
{
	struct sp_engine *engine = listener->shard->engine;
	struct sp_peers *peers = engine->peers;
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	uint32_t peer = 0;

	if (peers != NULL) {
		bool known
		    = getpeername(fd, (struct sockaddr *)&from, &size) == 0;

		if (!known
		    || !sp_peers_enter(
			peers, (struct sockaddr *)&from, &peer)) {
			sp_count(&worker->counters.limited_peer, known);
			sp_engine_unreserve(engine);
			close(fd);
			return;
		}
	}
	place(listener, worker, fd, peer);
}

void
sp_accept(struct sp_listener *listener, struct sp_worker *worker)
{
	struct sp_engine *engine = listener->shard->engine;

	for (int i = 0; i < SP_ACCEPT_BATCH; i++) {
		int fd;

		if (listener->resting || listener->fd < 0)
			return;
		if (!sp_engine_reserve(engine)) {
			sp_count(&worker->counters.limited, 1);
			rest(listener);
			return;
		}
		fd = accept4(
		    listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0 && has_reserve(engine)) {
			admit(listener, worker, fd);
			continue;
		}
		sp_engine_unreserve(engine);
		if (fd >= 0) {
			close(fd);
			count_error(worker, EMFILE);
			rest(listener);
			return;
		}
		if (errno == EAGAIN)
			return;
		count_error(worker, errno);
		if (is_passing(errno))
			continue;
		if (errno == EMFILE || errno == ENFILE)
			refuse_one(listener);
		else
			rest(listener); /* ENOBUFS, ENOMEM */
		return;
	}
}

void
sp_accept_stop(struct sp_shard *shard)
{
	for (unsigned i = 0; i < shard->listener_count; i++) {
		struct sp_listener *listener = shard->listeners[i];

		if (listener->fd < 0)
			continue;
		if (!listener->resting)
			sp_netpoll_close(&shard->np, listener->fd);
		sp_wheel_del(&shard->wheel, &listener->timer);
		close(listener->fd);
		listener->fd = -1;
	}
}

/* ------------------------------------------------------------ listening */

static int
set_options(int fd, bool local)
{
	int on = 1;

	if (local)
		return 0;
	/* Connections inherit TCP_NODELAY from their listener. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0
	    || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0
	    || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		return -errno;
	return 0;
}

static int
open_socket(const struct sockaddr_storage *address, socklen_t size, int backlog)
{
	int family = address->ss_family, error;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	error = set_options(fd, family == AF_UNIX);
	if (error == 0
	    && (bind(fd, (const struct sockaddr *)address, size) != 0
		|| listen(fd, backlog) != 0))
		error = -errno;
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

/*
 * SO_REUSEPORT would let a second server of the same user share the port
 * without a word. So a port is first bound without it, for a moment.
 */
static int
probe(const struct sockaddr_storage *address, socklen_t size)
{
	int on = 1, error = 0;
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0
	    || bind(fd, (const struct sockaddr *)address, size) != 0)
		error = -errno;
	close(fd);
	return error;
}

/* Takes fd over, also when it fails. */
static int
add_listener(struct sp_shard *shard, int fd, bool local,
    const struct sp_service *service)
{
	struct sp_listener *listener = calloc(1, sizeof(*listener));

	if (listener == NULL) {
		close(fd);
		return -ENOMEM;
	}
	listener->shard = shard;
	listener->service = service;
	listener->fd = fd;
	listener->local = local;
	listener->number = shard->listener_count;
	sp_timer_init(&listener->timer);
	listener->timer.kind = SP_TIMER_LISTENER;
	listener->next = shard->engine->listeners;
	shard->engine->listeners = listener;
	shard->listeners[shard->listener_count++] = listener;
	return listener_watch(listener);
}

int
sp_engine_listen(struct sp_engine *engine, struct sockaddr_storage *address,
    socklen_t size, int backlog, const struct sp_service *service)
{
	bool local = address->ss_family == AF_UNIX;
	int error = local ? 0 : probe(address, size);
	int first = -1;

	if (engine->shards[0]->listener_count == SP_LISTENERS_MAX)
		return -ENOSPC;
	for (uint32_t i = 0; error == 0 && i < engine->shard_count; i++) {
		int fd;

		/*
		 * A number of its own for each shard: one that two of them
		 * used would be somebody else's once one had closed it.
		 */
		if (local && i != 0) {
			fd = fcntl(first, F_DUPFD_CLOEXEC, 0);
			fd = fd < 0 ? -errno : fd;
		} else {
			fd = open_socket(address, size, backlog);
		}
		if (fd < 0)
			return fd;
		error = add_listener(engine->shards[i], fd, local, service);
		if (i != 0 || error != 0)
			continue;
		first = fd;
		/* Without the port that it has got, each would get another. */
		if (!local
		    && getsockname(fd, (struct sockaddr *)address, &size) != 0)
			error = -errno;
	}
	return error;
}
