/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/sim/meddle.h"

#include "tests/sim/app.h"
#include "tests/sim/client.h"
#include "tests/sim/kernel.h"
#include "tests/sim/stream.h"

#include <errno.h>

#define THREADS 5
#define ACTIONS 100 /* of each */
#define PAUSE_NS SIM_NS_PER_MS
#define PIN_NS (30 * SIM_NS_PER_MS)

static struct sim_thread *threads[THREADS];
static uint32_t thread_count;

/* ------------------------------------------------------ deferred answers */

static void
answer_one(struct sim_deferred deferred)
{
	struct sim_request *request = &sim_app.requests[deferred.number];
	char body[12001];
	int error;

	for (uint32_t i = 0; i < request->size; i++)
		body[i] = (char)sim_app_byte(deferred.number, i);
	sim_event("answers", deferred.number, 0);
	do {
		request->delayed = 0;
		error = spate_answer(sim_app.server, deferred.deferral, 200,
		    "text/plain", body, request->size);
	} while (error == -ENOMEM);
	if (error != 0 && error != -ESTALE)
		sim_fail("spate_answer() returns %d", error);
	if (spate_answer(sim_app.server, deferred.deferral, 200, NULL, "", 0)
	    == 0)
		sim_fail("request %u was answered twice", deferred.number);
}

static void *
answerer(void *unused)
{
	(void)unused;
	while (!sim_app.meddlers_end || sim_app.deferred_count != 0) {
		uint32_t pick;
		struct sim_deferred deferred;

		if (sim_app.deferred_count == 0) {
			sim_wait(&sim_app.deferred, SIM_NEVER, false);
			continue;
		}
		if (sim_chance(2))
			sim_sleep(sim_below(PAUSE_NS));
		pick = sim_below(sim_app.deferred_count);
		deferred = sim_app.deferred[pick];
		sim_app.deferred[pick] =
		    sim_app.deferred[--sim_app.deferred_count];
		answer_one(deferred);
	}
	return NULL;
}

/* --------------------------------------------------------------- others */

/* Mostly of a connection that is open. */
static spate_handle
draw_handle(void)
{
	spate_handle handle = sim_random();

	if (sim_app.handle_count == 0 || sim_chance(20))
		return handle;
	for (int i = 0; i < 8; i++) {
		handle = sim_app.handles[sim_below(sim_app.handle_count)];
		if (sim_chance(8) || sim_app_conn(handle) != NULL)
			break;
	}
	return handle;
}

static void
cast(void)
{
	uint32_t id = sim_app.casts++;
	uint8_t message[SIM_MESSAGE];

	if (id >= SIM_MESSAGES)
		return;
	sim_event("casts", id, 0);
	sim_stream_message(id, message);
	spate_broadcast(
	    sim_app.server, sim_app_stream, message, sizeof(message));
}

static void
send_one(void)
{
	spate_handle handle = draw_handle();
	struct sim_conn *conn = sim_app_conn(handle);
	struct sim_stream *stream = conn != NULL ? sim_stream_of(conn) : NULL;
	uint32_t id = sim_app.casts++;
	uint8_t message[SIM_MESSAGE];
	int error;

	if (id >= SIM_MESSAGES)
		return;
	sim_app.cast_to[id] = conn != NULL ? conn->serial : SIM_TO_NOBODY;
	sim_stream_message(id, message);
	error = spate_send(sim_app.server, handle, message, sizeof(message));
	sim_event("sends", id, (uint64_t)error);
	/* It may have been received meanwhile, or be another session. */
	if (error == 0 && stream != NULL && stream->peer.conn == conn
	    && sim_app_conn(handle) == conn)
		stream->owed[id] = !stream->seen[id];
}

static void
break_one(void)
{
	spate_handle handle = draw_handle();
	struct sim_conn *conn = sim_app_conn(handle);
	uint64_t serial = conn != NULL ? conn->serial : 0;
	bool deadline = sim_plan.deadlines && sim_chance(2);
	struct sim_client *client;
	struct sim_stream *stream;

	if (!deadline && !sim_plan.closes)
		return;
	if (conn != NULL && (client = sim_client_of(conn)) != NULL)
		client->peer.killed = true;
	if (conn != NULL && (stream = sim_stream_of(conn)) != NULL)
		stream->peer.killed = true;
	sim_event(deadline ? "deadline" : "closes",
	    conn != NULL ? conn->number : SIM_CONNS, 0);
	if (deadline)
		spate_set_deadline(sim_app.server, handle, sim_below(10));
	else if (spate_close(sim_app.server, handle) == 0 && conn != NULL
		 && conn->serial == serial)
		conn->cut = true;
}

/* A child that inherited a connection. */
static void
pin(void)
{
	struct sim_conn *conn = sim_app_conn(draw_handle());
	struct sim_file *file = conn != NULL ? conn->file : NULL;

	if (file == NULL || file->pinned)
		return;
	sim_event("pins", conn->number, 0);
	file->pinned = true;
	sim_file_hold(file);
	sim_sleep(sim_below(PIN_NS));
	file->pinned = false;
	sim_file_drop(file);
}

/* The process has no descriptors left, for a while. */
static void
press(void)
{
	int limit = 3;

	while (limit < SIM_FDS && sim_fds[limit] != NULL)
		limit++;
	sim_event("presses", (uint64_t)limit, 0);
	sim_fd_limit = limit + (int)sim_below(3);
	sim_sleep(sim_below(PAUSE_NS));
	sim_fd_limit = SIM_FDS;
}

static void *
meddler(void *unused)
{
	(void)unused;
	for (int i = 0; i < ACTIONS && !sim_app.meddlers_end; i++) {
		sim_sleep(1 + sim_below(sim_plan.meddle_ns));
		switch (sim_below(5)) {
		case 0:
			if (sim_plan.casts)
				cast();
			break;
		case 1:
			if (sim_plan.casts)
				send_one();
			break;
		case 2:
			break_one();
			break;
		case 3:
			if (sim_plan.pins)
				pin();
			break;
		default:
			if (sim_plan.presses)
				press();
		}
	}
	return NULL;
}

void
sim_meddle_start(void)
{
	thread_count = 0;
	threads[thread_count++] = sim_thread_new("answerer", answerer, NULL);
	while (thread_count <= sim_plan.meddlers) {
		threads[thread_count] = sim_thread_new(
		    "meddler", meddler, NULL);
		thread_count++;
	}
}

void
sim_meddle_end(void)
{
	sim_app.meddlers_end = true;
	sim_wake(&sim_app.deferred, 1);
	for (uint32_t i = 0; i < thread_count; i++)
		sim_join(threads[i]);
}
