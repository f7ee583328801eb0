/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/sim/client.h"

#include "tests/sim/app.h"
#include "tests/sim/check.h"

#include <string.h>

/* When it sends: all in any pieces; each whole; each when due. */
enum { ANY_PIECES, WHOLE, ANSWERED };

struct sim_client sim_clients[SIM_CLIENTS];

/* --------------------------------------------------------------- sessions */

static void
begin(struct sim_peer *peer)
{
	struct sim_client *client = (struct sim_client *)(void *)peer;

	client->next = client->stop = 0;
	client->shut = client->unread = false;
	sim_compose(&client->session);
	peer->size = client->session.size;
	client->pace = sim_below(3);
	peer->whole = client->pace == WHOLE;
	sim_answer_init(&client->answer);
}

/* Its call may end early: the client has ended, or the one that is called. */
static bool
may_break(const struct sim_client *client, const struct sim_request *request)
{
	return request->kind == SIM_RELAY
	       && (sim_plan.rude_upstream != 0 || client->peer.ended);
}

/*
 * The server has ended the connection. Has it answered what it had to?
 */
static void
check_end(const struct sim_peer *peer)
{
	const struct sim_client *client =
	    (const struct sim_client *)(const void *)peer;
	const struct sim_request *next =
	    &sim_app.requests[client->session.request[client->next]];
	bool begun;

	if (client->next == client->session.count || peer->killed
	    || sim_plan.timely || sim_plan.faulty)
		return;
	begun = next->begun != 0 || client->answer.started;
	/* It was told that there would be no more, or has cost too much. */
	if ((client->shut || client->unread) && !begun)
		return;
	if (may_break(client, next))
		return;
	/* It has ended in the middle of this one. */
	if (peer->ended && peer->sent < client->session.end[client->next])
		return;
	/* A drain ends what has not begun, and lets the rest finish. */
	if (sim_app.stopping && !begun)
		return;
	/* Refused: too many from one address. */
	if (sim_plan.max_per_peer != 0 && client->next == 0 && !begun)
		return;
	/* Neither accepted nor served: aborted in the queue. */
	if (peer->conn->dropped)
		return;
	sim_fail("client %u: connection %u ends, request %u %s", peer->number,
	    peer->conn->number, client->session.request[client->next],
	    begun ? "has begun" : "has not begun");
}

static int
expected_status(enum sim_request_kind kind)
{
	return kind == SIM_MISSING ? 404 : kind == SIM_BAD ? 400 : 200;
}

/* There was no room in the queue for who may block. */
static bool
is_refused(const struct sim_request *request, int status)
{
	return status == 503 && request->begun == 0
	       && sim_app_is_blocking(request->kind)
	       && sim_plan.blocking_queue < SIM_QUEUE_LONG;
}

/* Whether the server may have had enough of what its handler did not read. */
static bool
leaves_some(const struct sim_request *request, int status)
{
	return sim_app_has_body(request->kind)
	       && (request->kind == SIM_PART || status != 200)
	       && request->size > sim_plan.max_unread;
}

static void
check_answer(struct sim_client *client, uint32_t number)
{
	const struct sim_request *request = &sim_app.requests[number];
	const struct sim_answer *answer = &client->answer;
	int expected = expected_status(request->kind);

	sim_event("answered", number, (uint64_t)answer->status);
	if (answer->told > request->expects)
		sim_fail("client %u: request %u is told to go on",
		    client->peer.number, number);
	if (leaves_some(request, answer->status))
		client->unread = true;
	if (answer->wrong)
		sim_fail("client %u: the answer to request %u is wrong",
		    client->peer.number, number);
	if (is_refused(request, answer->status)) {
		sim_app.refused++;
		return;
	}
	if (answer->status != expected) {
		if (client->peer.killed || sim_plan.timely || sim_plan.faulty
		    || may_break(client, request))
			return;
		sim_fail("client %u: request %u is answered by %d",
		    client->peer.number, number, answer->status);
	}
	if (expected != 200)
		return;
	if (answer->got != request->size)
		sim_fail("client %u: %u of %u bytes of request %u",
		    client->peer.number, answer->got, request->size, number);
	if (request->begun != 1)
		sim_fail("request %u is answered, and nobody has", number);
}

static void
take_byte(void *arg, uint8_t byte)
{
	struct sim_client *client = arg;
	uint32_t number;

	/* Such as a 408 for the request that does not come. */
	if (client->next == client->session.count) {
		if (sim_plan.timely)
			return;
		sim_fail("client %u: an answer too many", client->peer.number);
	}
	number = client->session.request[client->next];
	switch (sim_answer_feed(&client->answer, byte, number)) {
	case SIM_ANSWER_MORE:
		return;
	case SIM_ANSWER_BAD:
		sim_fail("client %u: what is that? %.40s", client->peer.number,
		    client->answer.line);
	case SIM_ANSWER_DONE:
		if (client->shut)
			sim_fail("client %u: an answer behind the last",
			    client->peer.number);
		check_answer(client, number);
		client->shut = client->answer.closes;
		client->next++;
		sim_answer_init(&client->answer);
	}
}

/* ----------------------------------------------------------------- sending */

/* The request that its next byte belongs to. */
static uint32_t
first_unsent(const struct sim_client *client)
{
	uint32_t i = 0;

	while (client->session.end[i] <= client->peer.sent)
		i++;
	return i;
}

/* Whether it may go on behind it. */
static bool
has_heard(const struct sim_client *client, const struct sim_stop *stop)
{
	const struct sim_answer *answer = &client->answer;

	if (client->next != stop->index)
		return client->next > stop->index;
	if (stop->heard == 0)
		return answer->started || answer->told != 0;
	return answer->got >= stop->heard;
}

/* Where it stops, having all of that. */
static const struct sim_stop *
next_stop(struct sim_client *client)
{
	const struct sim_session *session = &client->session;

	while (client->stop < session->stops
	       && has_heard(client, &session->stop[client->stop]))
		client->stop++;
	return client->stop < session->stops ? &session->stop[client->stop]
					     : NULL;
}

static uint32_t
due(struct sim_peer *peer)
{
	struct sim_client *client = (struct sim_client *)(void *)peer;
	const struct sim_stop *stop = next_stop(client);
	uint32_t most = peer->size;

	/* An answer may come before all of its request is sent. */
	if (client->pace == ANSWERED && client->next < client->session.count)
		most = client->session.end[client->next];
	if (client->pace == WHOLE)
		most = client->session.end[first_unsent(client)];
	return stop != NULL && stop->at < most ? stop->at : most;
}

static const uint8_t *
bytes(struct sim_peer *peer, uint32_t n)
{
	(void)n;
	return ((struct sim_client *)(void *)peer)->session.out + peer->sent;
}

/* But for an end that was announced. */
static bool
has_all(const struct sim_peer *peer)
{
	const struct sim_client *client =
	    (const struct sim_client *)(const void *)peer;

	return client->next == client->session.count && !client->shut;
}

static const struct sim_peer_kind of_http = { .listener = 0,
	.stays = 2,
	.begin = begin,
	.due = due,
	.bytes = bytes,
	.take = take_byte,
	.has_all = has_all,
	.check_end = check_end };

void
sim_client_start(struct sim_client *client, uint32_t number)
{
	memset(client, 0, offsetof(struct sim_client, session));
	sim_peer_start(&client->peer, number, &of_http);
}

struct sim_client *
sim_client_of(const struct sim_conn *conn)
{
	for (uint32_t i = 0; i < sim_plan.clients; i++)
		if (sim_clients[i].peer.conn == conn)
			return &sim_clients[i];
	return NULL;
}

/*
 * Whether it waits for something of the program's and not of the server's. A
 * handler may be waiting in front of the one whose answer is due: an answer
 * may be complete before its handler is. One behind it sends what is due
 * before it waits, if the connection still can.
 */
static bool
is_delayed(const struct sim_client *client)
{
	uint32_t most = client->next + 1;

	if (client->peer.killed || sim_plan.timely
	    || most > client->session.count)
		most = client->session.count;
	for (uint32_t i = 0; i < most; i++) {
		const struct sim_request *request =
		    &sim_app.requests[client->session.request[i]];

		if (request->delayed != 0 && request->delayed >= sim_now)
			return true;
	}
	/* What is due was sent before one behind it began to block. */
	for (uint32_t i = most; i < client->session.count; i++) {
		const struct sim_request *behind =
		    &sim_app.requests[client->session.request[i]];

		if (sim_app_is_blocking(behind->kind) && behind->delayed != 0)
			return false;
	}
	for (uint32_t i = 0; i < client->session.count; i++) {
		const struct sim_request *request =
		    &sim_app.requests[client->session.request[i]];

		if (sim_check_waits_for_thread(request))
			return true;
		/* A 408 by a thread that has not begun it. */
		if (client->peer.killed && sim_app.blocks != 0
		    && sim_app_is_blocking(request->kind))
			return true;
	}
	return false;
}

/* It has sent all up to there, and the server says nothing. */
static bool
is_stopped(const struct sim_client *client)
{
	const struct sim_stop *stop = &client->session.stop[client->stop];

	return client->stop < client->session.stops
	       && stop->index == client->next && stop->at == client->peer.sent
	       && !has_heard(client, stop);
}

void
sim_client_check_still(const struct sim_client *client)
{
	const struct sim_conn *conn = client->peer.conn;

	if (client->peer.done || conn == NULL || sim_conn_has_news(conn)
	    || sim_conn_is_pinned(conn) || is_delayed(client)
	    || (conn->queued && sim_check_accepts_late()))
		return;
	if (client->next == client->session.count) {
		if (client->peer.ended)
			sim_fail("client %u: connection %u is not closed",
			    client->peer.number, conn->number);
		return;
	}
	if (client->peer.sent < client->session.end[client->next]) {
		if (client->peer.ended)
			sim_fail("client %u: connection %u is not closed",
			    client->peer.number, conn->number);
		if (!is_stopped(client))
			return;
	}
	sim_fail("client %u: connection %u%s: request %u waits, and nobody "
		 "works on it",
	    client->peer.number, conn->number,
	    conn->queued ? " is not accepted" : "",
	    client->session.request[client->next]);
}
