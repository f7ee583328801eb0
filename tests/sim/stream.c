/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/sim/stream.h"

#include "tests/sim/check.h"

#include <string.h>

#define PAUSE_NS (3 * SIM_NS_PER_MS)

struct sim_stream sim_streams[SIM_STREAMS];

void
sim_stream_message(uint32_t id, uint8_t message[SIM_MESSAGE])
{
	message[0] = 255;
	message[1] = (uint8_t)(128 + id / 128);
	message[2] = (uint8_t)(128 + id % 128);
	message[3] = 254;
}

static void
take_message(struct sim_stream *stream)
{
	uint32_t id = (stream->message[1] - 128u) * 128
		      + (stream->message[2] - 128u);
	uint8_t expected[SIM_MESSAGE];

	stream->partial = 0;
	sim_stream_message(id, expected);
	if (id >= SIM_MESSAGES
	    || memcmp(expected, stream->message, SIM_MESSAGE) != 0)
		sim_fail("stream %u: a broken message", stream->number);
	if (stream->seen[id])
		sim_fail(
		    "stream %u: message %u comes twice", stream->number, id);
	if (sim_app.cast_to[id] != SIM_TO_ALL
	    && sim_app.cast_to[id] != stream->conn->serial)
		sim_fail(
		    "stream %u: message %u is for another", stream->number, id);
	stream->seen[id] = true;
	stream->owed[id] = false;
}

static void
take_byte(void *arg, uint8_t byte)
{
	struct sim_stream *stream = arg;
	if (byte >= 128) {
		stream->message[stream->partial++] = byte;
		if (stream->partial == SIM_MESSAGE)
			take_message(stream);
		return;
	}
	if (stream->partial != 0)
		sim_fail("stream %u: a message in two pieces", stream->number);
	if (stream->got == stream->sent
	    || byte != sim_app_byte(stream->number, stream->got))
		sim_fail(
		    "stream %u: byte %u is wrong", stream->number, stream->got);
	stream->got++;
}

static void
finish(struct sim_stream *stream)
{
	stream->done = true;
	sim_app_client_ends();
}

static void
end_session(struct sim_stream *stream)
{
	sim_event("stream ends", stream->number, stream->got);
	sim_conn_close(stream->conn, SIM_CLIENT);
	stream->conn = NULL;
	if (--stream->sessions == 0)
		finish(stream);
}

static bool
begin_session(struct sim_stream *stream)
{
	stream->conn = sim_conn_new(1, &stream->actor);
	if (stream->conn == NULL)
		return false;
	stream->size = 1 + sim_below(sim_plan.largest);
	stream->sent = stream->got = stream->partial = 0;
	stream->killed = false;
	memset(stream->owed, 0, sizeof(stream->owed));
	memset(stream->seen, 0, sizeof(stream->seen));
	return true;
}

static void
check_end(const struct sim_stream *stream)
{
	if (stream->killed || sim_plan.timely || sim_plan.faulty
	    || sim_app.stopping || stream->conn->dropped
	    || sim_plan.max_per_peer != 0 || stream->got == stream->size)
		return;
	sim_fail("stream %u: connection %u ends after %u of %u bytes",
	    stream->number, stream->conn->number, stream->got, stream->size);
}

static bool
read_some(struct sim_stream *stream)
{
	if (sim_conn_read(stream->conn, take_byte, stream))
		return true;
	if (!sim_conn_is_over(stream->conn))
		return false;
	check_end(stream);
	end_session(stream);
	return true;
}

static bool
write_some(struct sim_stream *stream)
{
	uint8_t piece[512];
	uint32_t n = stream->size - stream->sent;

	if (n == 0 || stream->conn->reset[SIM_CLIENT])
		return false;
	n = 1 + sim_below(n < sizeof(piece) ? n : sizeof(piece));
	for (uint32_t i = 0; i < n; i++)
		piece[i] = sim_app_byte(stream->number, stream->sent + i);
	n = sim_conn_send(stream->conn, SIM_CLIENT, piece, n);
	stream->sent += n;
	return n != 0;
}

static bool
stream_step(struct sim_actor *actor)
{
	struct sim_stream *stream = (struct sim_stream *)(void *)actor;
	bool read = sim_chance(2);

	if (stream->done)
		return false;
	if (stream->conn == NULL) {
		if (begin_session(stream))
			return true;
		if (sim_app.stopping)
			finish(stream);
		else
			sim_actor_sleep(actor, 1 + sim_below(PAUSE_NS));
		return false;
	}
	if (sim_chance(sim_plan.pause)) {
		sim_actor_sleep(actor, 1 + sim_below(PAUSE_NS));
		return false;
	}
	if (stream->got == stream->size && sim_chance(8)) {
		end_session(stream);
		return true;
	}
	if (read && read_some(stream))
		return true;
	if (stream->conn != NULL && write_some(stream))
		return true;
	if (!read && stream->conn != NULL && read_some(stream))
		return true;
	/* Stay a while for what others send, then go. */
	if (stream->conn != NULL && stream->got == stream->size)
		sim_actor_sleep(actor, 1 + sim_below(PAUSE_NS));
	return false;
}

void
sim_stream_start(struct sim_stream *stream, uint32_t number)
{
	memset(stream, 0, sizeof(*stream));
	stream->number = number;
	stream->sessions = sim_plan.sessions;
	sim_actor_add(&stream->actor, stream_step);
	sim_actor_sleep(&stream->actor, sim_below(PAUSE_NS));
}

struct sim_stream *
sim_stream_of(const struct sim_conn *conn)
{
	for (uint32_t i = 0; i < sim_plan.streams; i++)
		if (sim_streams[i].conn == conn)
			return &sim_streams[i];
	return NULL;
}

void
sim_stream_check_still(const struct sim_stream *stream)
{
	const struct sim_conn *conn = stream->conn;

	if (stream->done || conn == NULL || conn->closed[SIM_SERVER]
	    || sim_conn_has_news(conn) || sim_conn_is_pinned(conn)
	    || (conn->queued && sim_check_accepts_late()))
		return;
	if (stream->got != stream->sent)
		sim_fail("stream %u: connection %u waits for its echo",
		    stream->number, conn->number);
	for (uint32_t id = 0; id < SIM_MESSAGES; id++)
		if (stream->owed[id])
			sim_fail("stream %u: message %u was lost",
			    stream->number, id);
}
