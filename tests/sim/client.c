/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/sim/client.h"

#include "tests/sim/app.h"
#include "tests/sim/check.h"

#include <stdio.h>
#include <string.h>

/* When it sends: all in any pieces; each whole; each when due. */
enum { ANY_PIECES, WHOLE, ANSWERED };

struct sim_client sim_clients[SIM_CLIENTS];

/* --------------------------------------------------------------- requests */

static void
put(struct sim_client *client, const void *data, size_t size)
{
	memcpy(client->out + client->peer.size, data, size);
	client->peer.size += (uint32_t)size;
}

static void
put_body(struct sim_client *client, uint32_t number, uint32_t from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		client->out[client->peer.size++] = sim_app_byte(
		    number, from + i);
}

static void
put_chunked(struct sim_client *client, uint32_t number, uint32_t size)
{
	char line[32];
	uint32_t done = 0;

	while (done < size) {
		uint32_t n = 1 + sim_below(size - done);
		int length = snprintf(line, sizeof(line), "%x%s\r\n", n,
		    sim_chance(4) ? ";ext=1" : "");

		put(client, line, (size_t)length);
		put_body(client, number, done, n);
		put(client, "\r\n", 2);
		done += n;
	}
	put(client, "0\r\n\r\n", 5);
}

static bool
has_body(enum sim_request_kind kind)
{
	return kind == SIM_ECHO || kind == SIM_PUMP || kind == SIM_KEEP;
}

static void
put_request(struct sim_client *client, uint32_t number)
{
	const struct sim_request *request = &sim_app.requests[number];
	bool body = has_body(request->kind), chunked = sim_chance(2);
	static const char bad[] = "GET /\x01 HTTP/1.1\r\n\r\n";
	char head[256];
	int n;

	if (request->kind == SIM_BAD) {
		put(client, bad, sizeof(bad) - 1);
		return;
	}
	n = snprintf(head, sizeof(head), "%s %s%u HTTP/1.1\r\nHost: sim\r\n",
	    body ? "POST" : "GET", sim_app_path(request->kind), number);
	if (body && chunked)
		n += snprintf(head + n, sizeof(head) - (size_t)n,
		    "Transfer-Encoding: chunked\r\n");
	else if (body)
		n += snprintf(head + n, sizeof(head) - (size_t)n,
		    "Content-Length: %u\r\n", request->size);
	if (body && sim_chance(3))
		n += snprintf(head + n, sizeof(head) - (size_t)n,
		    "Expect: 100-continue\r\n");
	n += snprintf(head + n, sizeof(head) - (size_t)n, "\r\n");
	put(client, head, (size_t)n);
	if (body && chunked)
		put_chunked(client, number, request->size);
	else if (body)
		put_body(client, number, 0, request->size);
}

static enum sim_request_kind
draw_kind(void)
{
	enum sim_request_kind kind = sim_below(SIM_KINDS);

	if (sim_plan.hoggish && sim_chance(2))
		return SIM_HOG;
	/* Most are simple, and few block a worker. */
	if (kind == SIM_HOG && !sim_chance(sim_plan.hogs))
		return SIM_GET;
	if (kind == SIM_BAD && !sim_chance(4))
		return SIM_GET;
	if (sim_app_is_blocking(kind) && !sim_chance(sim_plan.blocks))
		return SIM_GET;
	return kind;
}

/* Some hogs stay until the watcher has long looked at what they keep. */
static uint32_t
draw_ms(enum sim_request_kind kind)
{
	return sim_below(kind == SIM_HOG && sim_chance(4) ? 400 : 8);
}

static void
put_requests(struct sim_client *client)
{
	uint32_t count = 1 + sim_below(sim_plan.requests);

	while (client->count < count) {
		enum sim_request_kind kind = draw_kind();
		uint32_t size = sim_below(sim_plan.largest + 1);
		uint32_t number;

		/* A chunk of one byte costs six. */
		if (client->peer.size + 6 * size + 1000 > SIM_OUT_MAX)
			break;
		number = sim_app_request(kind, size, draw_ms(kind));
		if (number == SIM_REQUESTS)
			break;
		put_request(client, number);
		client->request[client->count] = number;
		client->end[client->count++] = client->peer.size;
		if (kind == SIM_BAD)
			break;
	}
}

/* --------------------------------------------------------------- sessions */

static void
begin(struct sim_peer *peer)
{
	struct sim_client *client = (struct sim_client *)(void *)peer;

	client->count = client->next = peer->size = 0;
	client->shut = false;
	put_requests(client);
	client->pace = sim_below(3);
	peer->whole = client->pace == WHOLE;
	sim_answer_init(&client->answer);
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
	    &sim_app.requests[client->request[client->next]];
	bool begun;

	if (client->next == client->count || peer->killed || sim_plan.timely
	    || sim_plan.faulty)
		return;
	begun = next->begun != 0 || client->answer.started;
	/* It was told that there would be no more. */
	if (client->shut && !begun)
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
	    peer->conn->number, client->request[client->next],
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

static void
check_answer(struct sim_client *client, uint32_t number)
{
	const struct sim_request *request = &sim_app.requests[number];
	const struct sim_answer *answer = &client->answer;
	int expected = expected_status(request->kind);

	sim_event("answered", number, (uint64_t)answer->status);
	if (answer->wrong)
		sim_fail("client %u: the answer to request %u is wrong",
		    client->peer.number, number);
	if (is_refused(request, answer->status)) {
		sim_app.refused++;
		return;
	}
	if (answer->status != expected) {
		if (client->peer.killed || sim_plan.timely || sim_plan.faulty)
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
	if (client->next == client->count) {
		if (sim_plan.timely)
			return;
		sim_fail("client %u: an answer too many", client->peer.number);
	}
	number = client->request[client->next];
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

	while (client->end[i] <= client->peer.sent)
		i++;
	return i;
}

static uint32_t
due(const struct sim_peer *peer)
{
	const struct sim_client *client =
	    (const struct sim_client *)(const void *)peer;

	switch (client->pace) {
	case ANSWERED:
		/* An answer may come before all of its request is sent. */
		if (client->next == client->count)
			return peer->size;
		return client->end[client->next];
	case WHOLE:
		return client->end[first_unsent(client)];
	default:
		return peer->size;
	}
}

static const uint8_t *
bytes(struct sim_peer *peer, uint32_t n)
{
	(void)n;
	return ((struct sim_client *)(void *)peer)->out + peer->sent;
}

/* But for an end that was announced. */
static bool
has_all(const struct sim_peer *peer)
{
	const struct sim_client *client =
	    (const struct sim_client *)(const void *)peer;

	return client->next == client->count && !client->shut;
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
	memset(client, 0, offsetof(struct sim_client, out));
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

	if (client->peer.killed || sim_plan.timely || most > client->count)
		most = client->count;
	for (uint32_t i = 0; i < most; i++) {
		const struct sim_request *request =
		    &sim_app.requests[client->request[i]];

		if (request->delayed != 0 && request->delayed >= sim_now)
			return true;
	}
	/* What is due was sent before one behind it began to block. */
	for (uint32_t i = most; i < client->count; i++) {
		const struct sim_request *behind =
		    &sim_app.requests[client->request[i]];

		if (sim_app_is_blocking(behind->kind) && behind->delayed != 0)
			return false;
	}
	for (uint32_t i = 0; i < client->count; i++) {
		const struct sim_request *request =
		    &sim_app.requests[client->request[i]];

		if (sim_check_waits_for_thread(request))
			return true;
		/* A 408 by a thread that has not begun it. */
		if (client->peer.killed && sim_app.blocks != 0
		    && sim_app_is_blocking(request->kind))
			return true;
	}
	return false;
}

void
sim_client_check_still(const struct sim_client *client)
{
	const struct sim_conn *conn = client->peer.conn;

	if (client->peer.done || conn == NULL || sim_conn_has_news(conn)
	    || sim_conn_is_pinned(conn) || is_delayed(client)
	    || (conn->queued && sim_check_accepts_late()))
		return;
	if (client->next == client->count) {
		if (client->peer.ended)
			sim_fail("client %u: connection %u is not closed",
			    client->peer.number, conn->number);
		return;
	}
	if (client->peer.sent < client->end[client->next])
		return;
	sim_fail("client %u: connection %u%s: request %u waits, and nobody "
		 "works on it",
	    client->peer.number, conn->number,
	    conn->queued ? " is not accepted" : "",
	    client->request[client->next]);
}
