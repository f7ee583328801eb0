/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/sim/compose.h"

#include "tests/sim/app.h"

#include <stdio.h>
#include <string.h>

static void
put(struct sim_session *session, const void *data, size_t size)
{
	memcpy(session->out + session->size, data, size);
	session->size += (uint32_t)size;
}

static void
put_text(struct sim_session *session, const char *text)
{
	put(session, text, strlen(text));
}

/* Here it goes on when so much of the answer has come. */
static void
put_stop(struct sim_session *session, uint32_t heard)
{
	if (session->stops == SIM_STOPS)
		return;
	session->stop[session->stops++] = (struct sim_stop){
		.at = session->size, .index = session->count, .heard = heard
	};
}

/*
 * Some bytes of a body. What comes back may be waited for wherever the server
 * has them all: the end of a chunk may be still to come.
 */
static void
put_piece(
    struct sim_session *session, uint32_t number, uint32_t from, uint32_t n)
{
	const struct sim_request *request = &sim_app.requests[number];

	for (uint32_t i = 0; i < n; i++)
		session->out[session->size++] = sim_app_byte(number, from + i);
	if ((request->kind == SIM_PUMP || request->kind == SIM_RELAY)
	    && request->listens && sim_chance(2))
		put_stop(session, from + n);
	/* Answered before it has all of the body, if it has this much. */
	if (request->kind == SIM_PART && request->listens
	    && from < request->wants && from + n >= request->wants)
		put_stop(session, 1);
}

static void
put_chunked(struct sim_session *session, uint32_t number, uint32_t size)
{
	char line[32];
	uint32_t done = 0;

	while (done < size) {
		uint32_t n = 1 + sim_below(size - done);

		snprintf(line, sizeof(line), "%x%s\r\n", n,
		    sim_chance(4) ? ";ext=1" : "");
		put_text(session, line);
		put_piece(session, number, done, n);
		put_text(session, "\r\n");
		done += n;
	}
	put_text(session, "0\r\n\r\n");
}

static void
put_whole(struct sim_session *session, uint32_t number, uint32_t size)
{
	uint32_t done = 0;

	while (done < size) {
		uint32_t n = 1 + sim_below(size - done);

		put_piece(session, number, done, n);
		done += n;
	}
}

static void
put_head(struct sim_session *session, uint32_t number, bool chunked)
{
	const struct sim_request *request = &sim_app.requests[number];
	bool body = sim_app_has_body(request->kind);
	char line[256];

	snprintf(line, sizeof(line), "%s %s%u HTTP/1.1\r\nHost: sim\r\n",
	    body ? "POST" : "GET", sim_app_path(request->kind), number);
	put_text(session, line);
	snprintf(line, sizeof(line), "Content-Length: %u\r\n", request->size);
	if (body)
		put_text(
		    session, chunked ? "Transfer-Encoding: chunked\r\n" : line);
	if (request->expects)
		put_text(session, "Expect: 100-continue\r\n");
	put_text(session, "\r\n");
}

static void
put_request(struct sim_session *session, uint32_t number)
{
	struct sim_request *request = &sim_app.requests[number];
	bool body = sim_app_has_body(request->kind), chunked = sim_chance(2);
	static const char bad[] = "GET /\x01 HTTP/1.1\r\n\r\n";

	if (request->kind == SIM_BAD) {
		put(session, bad, sizeof(bad) - 1);
		return;
	}
	request->expects = body && sim_chance(3);
	request->listens = body && !sim_chance(3);
	request->wants = sim_below(request->size + 1);
	put_head(session, number, chunked);
	if (!body)
		return;
	/* Nobody says so to a body of no bytes. */
	if (request->expects && request->listens
	    && (chunked || request->size != 0))
		put_stop(session, 0);
	if (request->kind == SIM_PART && request->listens
	    && request->wants == 0)
		put_stop(session, 1);
	if (chunked)
		put_chunked(session, number, request->size);
	else
		put_whole(session, number, request->size);
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

void
sim_compose(struct sim_session *session)
{
	uint32_t count = 1 + sim_below(sim_plan.requests);

	session->count = session->stops = session->size = 0;
	while (session->count < count) {
		enum sim_request_kind kind = draw_kind();
		uint32_t size = sim_below(sim_plan.largest + 1);
		uint32_t number;

		/* A chunk of one byte costs six. */
		if (session->size + 6 * size + 1000 > SIM_OUT_MAX)
			break;
		number = sim_app_request(kind, size, draw_ms(kind));
		if (number == SIM_REQUESTS)
			break;
		put_request(session, number);
		session->request[session->count] = number;
		session->end[session->count++] = session->size;
		if (kind == SIM_BAD)
			break;
	}
}
