/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The handler that passes a body on to another server and its answer back,
 * both at once: as the demo's proxy does, a piece of each at a time.
 */

#include "tests/sim/app.h"

#include "framework/request.h"
#include "tests/sim/client.h"
#include "tests/sim/kernel.h"

#include <spate/client.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#define PIECE 300

struct relay {
	struct spate_req *req;
	struct spate_upstream *up;
	uint32_t number, done;
	uint32_t at, size; /* of the piece */
	bool all_read, all_sent, answered, all_passed;
	bool by_client; /* an error is */
	char body[PIECE], answer[PIECE];
};

static int
read_body(struct relay *relay)
{
	ssize_t n = sim_app_read(
	    relay->req, relay->number, relay->done, relay->body, PIECE);

	relay->by_client = n < 0;
	if (n < 0)
		return (int)n;
	relay->at = 0;
	relay->size = (uint32_t)n;
	relay->done += (uint32_t)n;
	relay->all_read = n == 0;
	return 0;
}

static int
send_body(struct relay *relay)
{
	bool more = relay->at != relay->size;
	ssize_t n = 0;

	if (more)
		n = spate_upstream_send(relay->up, relay->body + relay->at,
		    relay->size - relay->at);
	else if (relay->all_read)
		n = spate_upstream_end(relay->up);
	if (n == -EAGAIN)
		return 0;
	relay->all_sent = n == -EPIPE || n == -ECONNRESET
			  || (n == 0 && !more && relay->all_read);
	relay->at += n > 0 ? (uint32_t)n : 0;
	return n > 0 || relay->all_sent ? 0 : (int)n;
}

static int
pass_answer(struct relay *relay)
{
	int status;
	ssize_t n;

	if (!relay->answered) {
		status = spate_upstream_answer(relay->up);
		if (status <= 0)
			return status;
		relay->answered = true;
		return spate_begin(
		    relay->req, status, NULL, spate_upstream_size(relay->up));
	}
	n = spate_upstream_read(relay->up, relay->answer, 1 + sim_below(PIECE));
	if (n < 0)
		return n == -EAGAIN ? 0 : (int)n;
	relay->all_passed = n == 0;
	return n != 0 ? spate_write(relay->req, relay->answer, (size_t)n) : 0;
}

/* What of the body can be gone on with. */
static unsigned
next_of_body(const struct relay *relay)
{
	if (relay->all_sent)
		return 0;
	if (relay->all_read || relay->at != relay->size)
		return SPATE_ROOM;
	return SPATE_BODY;
}

static int
go_on(struct relay *relay, unsigned ready)
{
	bool answer = (ready & SPATE_ANSWER) != 0, first = sim_chance(2);
	int error = answer && first ? pass_answer(relay) : 0;

	if (error == 0 && (ready & SPATE_BODY))
		error = read_body(relay);
	if (error == 0 && (ready & ~(unsigned)SPATE_ANSWER))
		error = send_body(relay);
	return error == 0 && answer && !first ? pass_answer(relay) : error;
}

static int
pass_on(struct relay *relay)
{
	int error = 0;

	while (error == 0 && !relay->all_passed) {
		error = spate_upstream_wait(
		    relay->up, SPATE_ANSWER | next_of_body(relay));
		if (error > 0)
			error = go_on(relay, (unsigned)error);
	}
	return error;
}

/* The other server is there, and so is the client: nothing may go wrong. */
static void
check_error(const struct relay *relay, int error)
{
	struct sp_poll_desc *pd = relay->req->pd;
	const struct sim_file *file = sim_fd_file(pd->fd, SIM_CONN);
	const struct sim_client *client = file != NULL
					      ? sim_client_of(file->conn)
					      : NULL;

	if (error == 0 || sim_plan.timely || sim_plan.faulty
	    || sim_plan.rude_upstream != 0 || client == NULL
	    || client->peer.killed
	    || (sp_load(&pd->info, relaxed) & SP_POLL_CLOSING)
	    || (sim_file_events(file) & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)))
		return;
	sim_fail(
	    "call %u ends with %d, and both are there", relay->number, error);
}

int
sim_app_relay(struct spate_req *req, void *arg)
{
	struct relay relay = { .req = req };
	struct sim_request *request = sim_app_begin(req, &relay.number);
	struct spate_call call = spate_call_default("POST", NULL);
	char url[64];
	int error;

	(void)arg;
	snprintf(url, sizeof(url), "http://127.0.0.1:4/%u", relay.number);
	call.url = url;
	call.duplex = true;
	call.body_size = spate_body_size(req);
	call.timeout_ms = sim_plan.timely ? 300 : 3600 * 1000;
	relay.all_read = relay.all_sent = call.body_size == 0;
	error = spate_upstream_open(&call, &relay.up);
	if (error == 0)
		error = pass_on(&relay);
	spate_upstream_close(relay.up);
	check_error(&relay, error);
	if (error != 0 && error != -ECANCELED && !relay.answered
	    && !relay.by_client)
		error = spate_text(req, 502, "%d\n", error);
	request->ended = true;
	return error;
}
