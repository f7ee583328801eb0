/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/sim/upstream.h"

#include "tests/sim/app.h"
#include "tests/sim/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 200 /* with what frames it, less than out */

enum { HEAD, BODY, SIZE, CHUNK, CHUNK_END, TRAILER };
enum { BY_LENGTH, BY_CHUNK, BY_CLOSE, FRAMINGS };

static struct sim_upstream upstreams[SIM_CONNS];

void
sim_upstream_reset(void)
{
	for (int i = 0; i < SIM_CONNS; i++) {
		upstreams[i].actor = (struct sim_actor){ .step = NULL };
		upstreams[i].conn = NULL;
	}
}

/* ------------------------------------------------------------ the answer */

static void
put(struct sim_upstream *up, const char *data, size_t size)
{
	if (up->size + size > sizeof(up->out))
		sim_fail("the other server says too much");
	memcpy(up->out + up->size, data, size);
	up->size += (uint32_t)size;
}

static void
put_text(struct sim_upstream *up, const char *text)
{
	put(up, text, strlen(text));
}

static void
put_head(struct sim_upstream *up)
{
	char line[64];

	put_text(up, "HTTP/1.1 200 OK\r\n");
	snprintf(line, sizeof(line), "Content-Length: %u\r\n",
	    sim_app.requests[up->number].size);
	if (up->framing != BY_CLOSE)
		put_text(up, up->framing == BY_LENGTH
				 ? line
				 : "Transfer-Encoding: chunked\r\n");
	put_text(up, up->closes ? "Connection: close\r\n\r\n" : "\r\n");
	up->answered = true;
}

static void
put_piece(struct sim_upstream *up, const char *data, uint32_t size)
{
	char line[16];

	if (size == 0)
		return;
	if (!up->answered)
		put_head(up);
	snprintf(line, sizeof(line), "%x\r\n", size);
	if (up->framing == BY_CHUNK)
		put_text(up, line);
	put(up, data, size);
	if (up->framing == BY_CHUNK)
		put_text(up, "\r\n");
}

/* ----------------------------------------------------------- the request */

static void
begin_request(struct sim_upstream *up)
{
	const char *length;

	up->line[up->used] = '\0';
	up->used = up->got = 0;
	if (strncmp(up->line, "POST /", 6) != 0)
		sim_fail("a call begins with %.20s", up->line);
	up->number = (uint32_t)atoi(up->line + 6);
	if (up->number >= sim_app.request_count)
		sim_fail("a call is for request %u", up->number);
	sim_event("called", up->number, up->conn->number);
	length = strcasestr(up->line, "\r\nContent-Length: ");
	up->left = length != NULL ? (uint32_t)atoi(length + 18) : 0;
	up->state = length != NULL ? BODY : SIZE;
	if (length == NULL
	    && strcasestr(up->line, "\r\nTransfer-Encoding: chunked") == NULL)
		sim_fail("call %u has no body", up->number);
	up->framing = sim_below(FRAMINGS);
	up->closes = up->framing == BY_CLOSE || sim_chance(4);
	up->answered = false;
	if (sim_chance(2))
		put_head(up);
}

static bool
is_idle(const struct sim_upstream *up)
{
	return up->state == HEAD && up->used == 0;
}

static bool
take_line(struct sim_upstream *up, char byte)
{
	if (up->used == sizeof(up->line) - 1)
		sim_fail("a call has a line too long");
	up->line[up->used++] = byte;
	if (up->used < 2 || byte != '\n')
		return false;
	if (up->state == HEAD
	    && (up->used < 4
		|| memcmp(up->line + up->used - 4, "\r\n\r\n", 4) != 0))
		return false;
	if (up->state != HEAD)
		up->used = 0;
	return true;
}

/* => Returns whether it is one of the body. */
static bool
take_byte(struct sim_upstream *up, char byte)
{
	switch (up->state) {
	case HEAD:
		if (take_line(up, byte))
			begin_request(up);
		return false;
	case BODY:
	case CHUNK:
		if ((uint8_t)byte != sim_app_byte(up->number, up->got))
			sim_fail(
			    "byte %u of call %u is wrong", up->got, up->number);
		up->got++;
		up->left--;
		if (up->state == CHUNK && up->left == 0)
			up->state = CHUNK_END;
		return true;
	case SIZE:
		if (!take_line(up, byte))
			return false;
		up->left = (uint32_t)strtoul(up->line, NULL, 16);
		up->state = up->left != 0 ? CHUNK : TRAILER;
		return false;
	case CHUNK_END:
		if (take_line(up, byte))
			up->state = SIZE;
		return false;
	default: /* no trailer has a field */
		if (take_line(up, byte))
			up->state = BODY;
		return false;
	}
}

/* Of the request: behind the last chunk it is BODY as well. */
static bool
has_all(const struct sim_upstream *up)
{
	return up->state == BODY && up->left == 0;
}

static void
end_request(struct sim_upstream *up)
{
	if (up->got != sim_app.requests[up->number].size)
		sim_fail("call %u ends after %u bytes", up->number, up->got);
	if (!up->answered)
		put_head(up);
	if (up->framing == BY_CHUNK)
		put_text(up, "0\r\n\r\n");
	up->state = HEAD;
}

/* --------------------------------------------------------------- its turn */

static void
leave(struct sim_upstream *up)
{
	sim_event("leaves", up->conn->number, 0);
	sim_conn_close(up->conn, SIM_CLIENT);
	up->conn = NULL;
}

/* To the end of a request, and no further. => Returns false: nothing is there.
 */
static bool
read_some(struct sim_upstream *up)
{
	uint32_t size = 0, used = 0, most = 1 + sim_below(PIECE);
	char piece[PIECE], body[PIECE];

	if (most > up->conn->pipe[SIM_CLIENT].here)
		most = up->conn->pipe[SIM_CLIENT].here;
	sim_conn_peek(up->conn, SIM_CLIENT, piece, most);
	up->sent = up->size = 0;
	while (used < most && (used == 0 || !has_all(up))) {
		if (take_byte(up, piece[used]))
			body[size++] = piece[used];
		used++;
	}
	sim_conn_receive(up->conn, SIM_CLIENT, piece, used);
	put_piece(up, body, size);
	if (used != 0 && has_all(up))
		end_request(up);
	return used != 0;
}

static bool
upstream_step(struct sim_actor *actor)
{
	struct sim_upstream *up = (struct sim_upstream *)(void *)actor;
	uint32_t n;

	if (up->conn == NULL || up->conn->connecting)
		return false;
	if (up->sent < up->size && !up->conn->reset[SIM_CLIENT]) {
		n = sim_conn_send(up->conn, SIM_CLIENT, up->out + up->sent,
		    1 + sim_below(up->size - up->sent));
		up->sent += n;
		return n != 0;
	}
	if (up->closes && up->answered && is_idle(up)) {
		leave(up);
		return true;
	}
	if (sim_chance(sim_plan.rude_upstream)) {
		/* By an end it would say that this was all. */
		if (up->framing == BY_CLOSE || sim_chance(2))
			sim_conn_reset(up->conn, SIM_CLIENT);
		leave(up);
		return true;
	}
	if (read_some(up))
		return true;
	if (sim_conn_is_over(up->conn))
		leave(up);
	return false;
}

struct sim_upstream *
sim_upstream_new(void)
{
	for (int i = 0; i < SIM_CONNS; i++) {
		struct sim_upstream *up = &upstreams[i];

		if (up->conn != NULL)
			continue;
		up->state = HEAD;
		up->used = up->sent = up->size = 0;
		up->closes = up->answered = false;
		if (up->actor.step == NULL)
			sim_actor_add(&up->actor, upstream_step);
		sim_actor_kick(&up->actor);
		return up;
	}
	sim_fail("too many call at once");
}
