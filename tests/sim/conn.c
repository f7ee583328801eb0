/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Connections of the simulated kernel, as TCP over a loopback that takes its
 * time.
 *
 *     send() --> under way --> has arrived --> recv()
 *                         actor
 *
 * The actor of a connection delivers: some bytes, the end, a reset. A reset
 * takes with it what is under way, but not what has arrived. Closing with
 * something unread is one, and so is sending to who has closed.
 */

#include "tests/sim/kernel.h"
#include "tests/sim/plan.h"

#include <string.h>
#include <sys/epoll.h>

#define ALL_EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP | EPOLLERR)

#define READ_SIZE 512

struct sim_conn sim_conns[SIM_CONNS];

static uint8_t memory[SIM_CONNS][2][SIM_PIPE];
static uint64_t serials;

static void
kick(struct sim_conn *conn)
{
	sim_actor_kick(&conn->actor);
	if (conn->client != NULL)
		sim_actor_kick(conn->client);
}

static void
tell_server(struct sim_conn *conn, uint32_t events)
{
	if (conn->file != NULL)
		sim_epoll_tell(conn->file, events);
}

uint32_t
sim_conn_room(const struct sim_conn *conn, int side)
{
	const struct sim_pipe *out = &conn->pipe[!side];

	return out->size - out->here - out->flying;
}

static bool
is_writable(const struct sim_conn *conn)
{
	return sim_conn_room(conn, SIM_SERVER) * 3
	       >= conn->pipe[SIM_CLIENT].size;
}

uint32_t
sim_conn_events(const struct sim_conn *conn)
{
	const struct sim_pipe *in = &conn->pipe[SIM_SERVER];
	const struct sim_pipe *out = &conn->pipe[SIM_CLIENT];
	bool done = in->ended || conn->silent || conn->reset[SIM_SERVER];
	uint32_t events = 0;

	if (conn->connecting)
		return 0;
	if (in->here != 0 || done)
		events |= EPOLLIN;
	if (done)
		events |= EPOLLRDHUP;
	if ((done && out->ending) || conn->reset[SIM_SERVER])
		events |= EPOLLHUP;
	if (conn->error[SIM_SERVER])
		events |= EPOLLERR;
	if (out->ending || conn->reset[SIM_SERVER] || is_writable(conn))
		events |= EPOLLOUT;
	else /* who asks wants to be told, as tcp_poll() has it */
		((struct sim_conn *)conn)->no_room = true;
	return events;
}

/* ---------------------------------------------------------------- bytes */

static void
copy_out(const struct sim_pipe *pipe, uint8_t *to, uint32_t size)
{
	uint32_t first = SIM_PIPE - pipe->head;

	if (first > size)
		first = size;
	memcpy(to, pipe->data + pipe->head, first);
	memcpy(to + first, pipe->data, size - first);
}

uint32_t
sim_conn_send(struct sim_conn *conn, int from, const void *data, uint32_t size)
{
	struct sim_pipe *out = &conn->pipe[!from];
	uint32_t room = sim_conn_room(conn, from);
	uint32_t tail = (out->head + out->here + out->flying) % SIM_PIPE;
	uint32_t first = SIM_PIPE - tail;

	if (size > room) {
		size = room;
		conn->no_room |= from == SIM_SERVER;
	}
	if (first > size)
		first = size;
	memcpy(out->data + tail, data, first);
	memcpy(out->data, (const uint8_t *)data + first, size - first);
	out->flying += size;
	sim_actor_kick(&conn->actor);
	return size;
}

void
sim_conn_peek(const struct sim_conn *conn, int side, void *data, uint32_t size)
{
	copy_out(&conn->pipe[side], data, size);
}

uint32_t
sim_conn_receive(struct sim_conn *conn, int side, void *data, uint32_t size)
{
	struct sim_pipe *in = &conn->pipe[side];

	if (size > in->here)
		size = in->here;
	copy_out(in, data, size);
	in->head = (in->head + size) % SIM_PIPE;
	in->here -= size;
	if (side == SIM_SERVER && conn->client != NULL)
		sim_actor_kick(conn->client);
	if (side == SIM_CLIENT && conn->no_room && is_writable(conn)) {
		conn->no_room = false;
		tell_server(conn, EPOLLOUT);
	}
	return size;
}

/* ------------------------------------------------------------------ ends */

void
sim_conn_end(struct sim_conn *conn, int from)
{
	conn->pipe[!from].ending = true;
	kick(conn);
}

void
sim_conn_reset(struct sim_conn *conn, int from)
{
	struct sim_pipe *out = &conn->pipe[!from];

	if (conn->reset[!from] || conn->reset_flying[!from])
		return;
	/* Some of what is under way may still be ahead of it. */
	out->flying = sim_below(out->flying + 1);
	conn->reset_flying[!from] = true;
	kick(conn);
}

void
sim_conn_close(struct sim_conn *conn, int side)
{
	bool unread = conn->pipe[side].here != 0
		      || (side == SIM_SERVER && conn->abrupt);

	conn->closed[side] = true;
	conn->pipe[side].here = 0;
	if (side == SIM_CLIENT)
		conn->client = NULL;
	if (unread)
		sim_conn_reset(conn, side);
	else if (!conn->reset_flying[!side]) /* which no end follows */
		conn->pipe[!side].ending = true;
	kick(conn);
}

void
sim_conn_refuse(struct sim_conn *conn)
{
	conn->queued = false;
	conn->dropped = true;
	conn->closed[SIM_SERVER] = true;
	conn->pipe[SIM_SERVER].here = 0;
	sim_conn_reset(conn, SIM_SERVER);
}

/* --------------------------------------------------------------- network */

static void
reset_arrives(struct sim_conn *conn, bool side)
{
	sim_event("reset", conn->number, (uint64_t)side);
	conn->reset_flying[side] = false;
	conn->reset[side] = conn->error[side] = true;
	conn->pipe[side].flying = 0;
	conn->pipe[!side].flying = 0;
	conn->pipe[!side].ending = true;
	if (side == SIM_SERVER)
		tell_server(conn, ALL_EVENTS);
}

static void
bytes_arrive(struct sim_conn *conn, bool side)
{
	struct sim_pipe *pipe = &conn->pipe[side];
	uint32_t size = sim_chance(sim_kernel.whole)
			    ? pipe->flying
			    : 1 + sim_below(pipe->flying);

	sim_event(
	    side == SIM_SERVER ? "to server" : "to client", conn->number, size);
	pipe->flying -= size;
	if (side == SIM_CLIENT)
		conn->acked += size;
	if (conn->closed[side] || (side == SIM_SERVER && conn->silent)) {
		pipe->head = (pipe->head + size) % SIM_PIPE;
		sim_conn_reset(conn, side);
		return;
	}
	pipe->here += size;
	/* Often the end comes in the same segment. */
	if (pipe->flying == 0 && pipe->ending && sim_chance(2))
		pipe->ended = true;
	if (side == SIM_SERVER)
		tell_server(conn, EPOLLIN | (pipe->ended ? EPOLLRDHUP : 0));
}

static void
end_arrives(struct sim_conn *conn, bool side)
{
	struct sim_pipe *out = &conn->pipe[!side];

	sim_event("end", conn->number, (uint64_t)side);
	conn->pipe[side].ended = true;
	if (side == SIM_SERVER)
		tell_server(
		    conn, EPOLLIN | EPOLLRDHUP | (out->ending ? EPOLLHUP : 0));
}

/* => Returns false: nothing is under way to that side. */
static bool
deliver(struct sim_conn *conn, bool side)
{
	struct sim_pipe *pipe = &conn->pipe[side];
	uint32_t slow = sim_kernel.slow[side];

	if (conn->reset[side])
		return false;
	if (slow != 0 && pipe->flying != 0 && !sim_chance(slow))
		return true;
	if (pipe->flying != 0)
		bytes_arrive(conn, side);
	else if (conn->reset_flying[side])
		reset_arrives(conn, side);
	else if (pipe->ending && !pipe->ended)
		end_arrives(conn, side);
	else
		return false;
	if (conn->client != NULL)
		sim_actor_kick(conn->client);
	return true;
}

bool
sim_conn_is_over(const struct sim_conn *conn)
{
	return conn->pipe[SIM_CLIENT].ended || conn->reset[SIM_CLIENT];
}

bool
sim_conn_has_news(const struct sim_conn *conn)
{
	return conn->pipe[SIM_CLIENT].here != 0 || sim_conn_is_over(conn);
}

bool
sim_conn_read(
    struct sim_conn *conn, void (*take)(void *arg, uint8_t byte), void *arg)
{
	uint8_t piece[READ_SIZE];
	uint32_t n = sim_conn_receive(
	    conn, SIM_CLIENT, piece, 1 + sim_below(READ_SIZE - 1));

	for (uint32_t i = 0; i < n; i++)
		take(arg, piece[i]);
	return n != 0;
}

bool
sim_conn_is_pinned(const struct sim_conn *conn)
{
	return conn->file != NULL && conn->file->pinned;
}

/* Somebody is there, or it is refused. */
static bool
connect_ends(struct sim_conn *conn)
{
	sim_event("connected", conn->number, 0);
	conn->connecting = false;
	if (sim_chance(sim_plan.rude_upstream))
		conn->reset[SIM_SERVER] = conn->error[SIM_SERVER] = true;
	tell_server(conn, conn->error[SIM_SERVER] ? ALL_EVENTS : EPOLLOUT);
	if (conn->client != NULL)
		sim_actor_kick(conn->client);
	return true;
}

static bool
network_step(struct sim_actor *actor)
{
	struct sim_conn *conn =
	    (struct sim_conn *)(void *)((char *)actor
					- offsetof(struct sim_conn, actor));
	bool side = sim_below(2) == SIM_SERVER;

	if (!conn->used)
		return false;
	if (conn->connecting)
		return connect_ends(conn);
	if (deliver(conn, side) || deliver(conn, !side))
		return true;
	if (conn->closed[SIM_CLIENT] && conn->closed[SIM_SERVER]
	    && !conn->queued)
		conn->used = false;
	return false;
}

/* ------------------------------------------------------------ connecting */

static struct sim_file *
draw_listener(unsigned address)
{
	struct sim_file *found = NULL;
	uint32_t n = 0;

	for (int fd = 0; fd < SIM_FDS; fd++) {
		struct sim_file *file = sim_fds[fd];

		if (file != NULL && file->kind == SIM_LISTENER
		    && file->address == address && sim_below(++n) == 0)
			found = file;
	}
	return found;
}

static struct sim_conn *
free_conn(struct sim_actor *client)
{
	for (uint32_t i = 0; i < SIM_CONNS; i++) {
		struct sim_conn *conn = &sim_conns[i];

		if (conn->used)
			continue;
		memset(conn, 0, sizeof(*conn));
		conn->number = i;
		conn->used = true;
		conn->pipe[SIM_CLIENT].data = memory[i][SIM_CLIENT];
		conn->pipe[SIM_SERVER].data = memory[i][SIM_SERVER];
		conn->pipe[SIM_CLIENT].size = sim_kernel.send_buffer;
		conn->pipe[SIM_SERVER].size = sim_kernel.receive_buffer;
		conn->client = client;
		conn->serial = ++serials;
		sim_actor_add(&conn->actor, network_step);
		return conn;
	}
	return NULL;
}

struct sim_conn *
sim_conn_new(unsigned address, struct sim_actor *client)
{
	struct sim_file *listener = draw_listener(address);
	struct sim_conn *conn;

	if (listener == NULL || listener->queued == SIM_QUEUE)
		return NULL;
	conn = free_conn(client);
	if (conn == NULL)
		return NULL;
	conn->local = listener->local;
	conn->queued = true;
	listener->queue[listener->queued++] = conn;
	sim_event("connect", conn->number, address);
	sim_epoll_tell(listener, EPOLLIN);
	return conn;
}

struct sim_conn *
sim_conn_out(struct sim_file *socket, struct sim_actor *client)
{
	struct sim_conn *conn = free_conn(client);

	if (conn == NULL)
		return NULL;
	conn->file = socket;
	conn->connecting = true;
	socket->kind = SIM_CONN;
	socket->conn = conn;
	sim_event("connects", conn->number, 0);
	return conn;
}
