/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/sim/stream.h"

#include "tests/sim/check.h"

#include <string.h>

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
		sim_fail("stream %u: a broken message", stream->peer.number);
	if (stream->seen[id])
		sim_fail("stream %u: message %u comes twice",
		    stream->peer.number, id);
	if (sim_app.cast_to[id] != SIM_TO_ALL
	    && sim_app.cast_to[id] != stream->peer.conn->serial)
		sim_fail("stream %u: message %u is for another",
		    stream->peer.number, id);
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
		sim_fail(
		    "stream %u: a message in two pieces", stream->peer.number);
	if (stream->got == stream->peer.sent
	    || byte != sim_app_byte(stream->peer.number, stream->got))
		sim_fail("stream %u: byte %u is wrong", stream->peer.number,
		    stream->got);
	stream->got++;
}

static void
begin(struct sim_peer *peer)
{
	struct sim_stream *stream = (struct sim_stream *)(void *)peer;

	peer->size = 1 + sim_below(sim_plan.largest);
	peer->whole = sim_chance(3);
	stream->got = stream->partial = 0;
	memset(stream->owed, 0, sizeof(stream->owed));
	memset(stream->seen, 0, sizeof(stream->seen));
}

static void
check_end(const struct sim_peer *peer)
{
	const struct sim_stream *stream =
	    (const struct sim_stream *)(const void *)peer;

	if (peer->killed || sim_plan.timely || sim_plan.faulty
	    || sim_app.stopping || peer->conn->dropped
	    || sim_plan.max_per_peer != 0 || stream->got == peer->size)
		return;
	sim_fail("stream %u: connection %u ends after %u of %u bytes",
	    peer->number, peer->conn->number, stream->got, peer->size);
}

static uint32_t
due(struct sim_peer *peer)
{
	const struct sim_stream *stream =
	    (const struct sim_stream *)(const void *)peer;
	uint32_t piece = sizeof(stream->piece);

	return peer->size - peer->sent < piece ? peer->size
					       : peer->sent + piece;
}

static const uint8_t *
bytes(struct sim_peer *peer, uint32_t n)
{
	struct sim_stream *stream = (struct sim_stream *)(void *)peer;

	for (uint32_t i = 0; i < n; i++)
		stream->piece[i] = sim_app_byte(peer->number, peer->sent + i);
	return stream->piece;
}

/* Its end is answered by the server's. */
static bool
has_all(const struct sim_peer *peer)
{
	const struct sim_stream *stream =
	    (const struct sim_stream *)(const void *)peer;

	return stream->got == peer->size && !peer->ended;
}

static const struct sim_peer_kind of_streams = { .listener = 1,
	.stays = 8,
	.begin = begin,
	.due = due,
	.bytes = bytes,
	.take = take_byte,
	.has_all = has_all,
	.check_end = check_end };

void
sim_stream_start(struct sim_stream *stream, uint32_t number)
{
	memset(stream, 0, sizeof(*stream));
	sim_peer_start(&stream->peer, number, &of_streams);
}

struct sim_stream *
sim_stream_of(const struct sim_conn *conn)
{
	for (uint32_t i = 0; i < sim_plan.streams; i++)
		if (sim_streams[i].peer.conn == conn)
			return &sim_streams[i];
	return NULL;
}

void
sim_stream_check_still(const struct sim_stream *stream)
{
	const struct sim_conn *conn = stream->peer.conn;

	if (stream->peer.done || conn == NULL || conn->closed[SIM_SERVER]
	    || sim_conn_has_news(conn) || sim_conn_is_pinned(conn)
	    || (conn->queued && sim_check_accepts_late()))
		return;
	if (stream->got != stream->peer.sent)
		sim_fail("stream %u: connection %u waits for its echo",
		    stream->peer.number, conn->number);
	if (stream->peer.ended)
		sim_fail("stream %u: connection %u is not closed",
		    stream->peer.number, conn->number);
	for (uint32_t id = 0; id < SIM_MESSAGES; id++)
		if (stream->owed[id])
			sim_fail("stream %u: message %u was lost",
			    stream->peer.number, id);
}
