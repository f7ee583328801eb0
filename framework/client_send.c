/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A body that is sent in pieces, and both directions at once. What frames a
 * chunk is kept apart until it is sent, as the buffer is the answer's by then:
 *
 *     HEX CRLF | data | CRLF HEX CRLF | data | CRLF 0 CRLF CRLF
 *     frame            frame                  frame
 */

#include "framework/client.h"
#include "framework/request.h"
#include "shards/event.h"

#include <poll.h>
#include <string.h>

static bool
is_chunked(const struct spate_upstream *up)
{
	return up->owed == UINT64_MAX;
}

/* In front of so many bytes of data, or for 0 behind all of them. */
static void
put_frame(struct spate_upstream *up, uint64_t size)
{
	const char *end = size != 0 ? "\r\n" : "\r\n\r\n";
	size_t n = 0, ends = strlen(end);

	if (up->between) {
		memcpy(up->frame, "\r\n", 2);
		n = 2;
	}
	n += sp_format_hex(up->frame + n, size);
	memcpy(up->frame + n, end, ends);
	up->frame_size = (uint8_t)(n + ends);
	up->frame_at = 0;
	up->chunk_left = size;
	up->between = true;
}

/*
 * What there is room for: of the frame, and of data then.
 *
 * => Returns how many bytes of data, or -errno; -EAGAIN: none.
 */
static ssize_t
send_some(struct spate_upstream *up, const char *data, size_t size)
{
	for (;;) {
		size_t frame = (size_t)up->frame_size - up->frame_at;
		const struct iovec piece[2] = {
			{ up->frame + up->frame_at, frame },
			{ (char *)(uintptr_t)data, size },
		};
		ssize_t n = sp_outgoing_try_send(up->worker, up->pd, piece);

		if (n < 0)
			return n;
		if ((size_t)n < frame)
			frame = (size_t)n;
		up->frame_at = (uint8_t)(up->frame_at + frame);
		if ((size_t)n > frame || size == 0)
			return n - (ssize_t)frame;
	}
}

/* Likewise, with a frame if it is time for one; size is not 0. */
static ssize_t
send_data(struct spate_upstream *up, const char *data, size_t size)
{
	ssize_t n;

	if (!is_chunked(up)) {
		n = send_some(up, data, size);
		if (n > 0)
			up->owed -= (uint64_t)n;
		return n;
	}
	if (up->chunk_left == 0)
		put_frame(up, size);
	n = send_some(up, data, size < up->chunk_left ? size : up->chunk_left);
	if (n > 0)
		up->chunk_left -= (uint64_t)n;
	return n;
}

/* => Returns 0, or -EAGAIN: there was no room for all that says so. */
static int
send_end(struct spate_upstream *up)
{
	if (up->ended || !up->streamed || up->cut)
		return 0;
	if (!is_chunked(up)) {
		up->ended = up->owed == 0;
		return up->ended ? 0 : -EINVAL;
	}
	if (!up->ending) {
		if (up->chunk_left != 0)
			return -EINVAL;
		put_frame(up, 0);
		up->ending = true;
	}
	while (up->frame_at < up->frame_size) {
		ssize_t n = send_some(up, NULL, 0);

		if (n < 0)
			return (int)n;
	}
	up->ended = true;
	return 0;
}

static int
wait_for_room(struct spate_upstream *up)
{
	return sp_edge_wait(
	    up->worker, up->pd, SP_POLL_WRITE, sp_upstream_until(up));
}

int
sp_upstream_end_body(struct spate_upstream *up)
{
	int error;

	while ((error = send_end(up)) == -EAGAIN) {
		error = wait_for_room(up);
		if (error != 0)
			return error;
	}
	if (sp_upstream_has_left(error)) {
		sp_upstream_cut(up, error);
		error = 0;
	}
	return error;
}

/* => Returns 0, or why nothing of a body can be sent. */
static int
begin_piece(struct spate_upstream *up, size_t size)
{
	int error = spate_upstream_flush(up);

	if (error != 0)
		return error;
	if (!up->streamed || up->ending || up->ended
	    || (up->state != SP_UPSTREAM_SENT && !up->duplex))
		return -EINVAL;
	if (size > up->owed)
		return -EMSGSIZE;
	return up->cut ? -EPIPE : 0;
}

/* The other side has left, which may have answered before; or all is over. */
static int
end_piece(struct spate_upstream *up, int error)
{
	if (!sp_upstream_has_left(error))
		return sp_upstream_fail(up, error);
	sp_upstream_cut(up, error);
	return error;
}

int
spate_upstream_write(struct spate_upstream *up, const void *data, size_t size)
{
	const char *at = data;
	int error = begin_piece(up, size);

	if (error != 0)
		return error;
	while (size != 0 && error == 0) {
		ssize_t n = send_data(up, at, size);

		if (n >= 0) {
			at += n;
			size -= (size_t)n;
		} else {
			error = n == -EAGAIN ? wait_for_room(up) : (int)n;
		}
	}
	return error != 0 ? end_piece(up, error) : 0;
}

/* ------------------------------------------------- both ways at once */

ssize_t
spate_upstream_send(struct spate_upstream *up, const void *data, size_t size)
{
	int error = begin_piece(up, size);
	ssize_t n;

	if (error != 0 || size == 0)
		return error;
	n = send_data(up, data, size);
	if (n == -EAGAIN)
		return 0;
	return n < 0 ? end_piece(up, (int)n) : n;
}

int
spate_upstream_end(struct spate_upstream *up)
{
	int error = spate_upstream_flush(up);

	if (error != 0)
		return error;
	error = send_end(up);
	if (sp_upstream_has_left(error)) {
		sp_upstream_cut(up, error);
		error = 0;
	}
	return error == 0 || error == -EAGAIN || error == -EINVAL
		   ? error
		   : sp_upstream_fail(up, error);
}

/* What is there already. */
static unsigned
at_hand(const struct spate_upstream *up, struct spate_req *req)
{
	unsigned ready = 0;

	if (req != NULL && sp_req_body_at_hand(req))
		ready |= SPATE_BODY;
	if (up->state == SP_UPSTREAM_WHOLE
	    || (up->state == SP_UPSTREAM_ANSWERED && up->start < up->end))
		ready |= SPATE_ANSWER;
	return ready;
}

/* And what the kernel has. An end and a fault are for who reads or sends. */
static unsigned
look(
    const struct spate_upstream *up, const struct spate_req *req, unsigned what)
{
	struct pollfd fd[2] = {
		{ .fd = up->pd->fd,
		    .events = (short)((what & SPATE_ANSWER ? POLLIN : 0)
				      | (what & SPATE_ROOM ? POLLOUT : 0)) },
		{ .fd = req != NULL ? req->pd->fd : -1, .events = POLLIN },
	};
	const short over = POLLERR | POLLHUP | POLLNVAL;
	unsigned ready = 0;

	if (sp_poll_now(fd, 2) <= 0)
		return 0;
	if (fd[0].revents & (POLLIN | over))
		ready |= SPATE_ANSWER;
	if (fd[0].revents & (POLLOUT | over))
		ready |= SPATE_ROOM;
	if (fd[1].revents & (POLLIN | over))
		ready |= SPATE_BODY;
	return ready & what;
}

static sp_tick
sooner(sp_tick a, sp_tick b)
{
	if (a == SP_DEADLINE_NONE || b == SP_DEADLINE_NONE)
		return a == SP_DEADLINE_NONE ? b : a;
	return sp_tick_after(a, b) ? b : a;
}

/*
 * => Returns bits of what, or -errno. *late: the body's, as it has not come.
 *    Edges go before each look: what comes after it makes new ones.
 */
static int
wait_for(struct spate_upstream *up, struct spate_req *req, unsigned what,
    bool *late)
{
	sp_tick until = sp_upstream_until(up), body = SP_DEADLINE_NONE;
	int error = 0;

	if (req != NULL)
		body = sp_req_body_until(req);
	while (error == 0) {
		unsigned ready;

		for (int mode = 0; mode < SP_POLL_MODES; mode++)
			sp_slot_consume(&up->pd->slot[mode]);
		ready = look(up, req, what);
		if (ready != 0)
			return (int)ready;
		error = sp_edge_wait_any(
		    up->worker, up->pd, req != NULL, sooner(until, body));
	}
	/* It is the client who is late: reading the body tells. */
	*late = error == -ETIMEDOUT && body != SP_DEADLINE_NONE
		&& sooner(until, body) == body
		&& !sp_fiber_is_late(up->worker->current);
	return *late ? SPATE_BODY : error;
}

int
spate_upstream_wait(struct spate_upstream *up, unsigned what)
{
	struct spate_req *req = NULL;
	uint64_t start;
	int error = spate_upstream_flush(up), ready;
	bool late = false;

	if (error != 0)
		return error;
	if (what & SPATE_BODY)
		req = sp_req_current(up->worker);
	if (!up->duplex || what == 0
	    || (what & ~(unsigned)(SPATE_ROOM | SPATE_ANSWER | SPATE_BODY)) != 0
	    || ((what & SPATE_BODY) && req == NULL))
		return -EINVAL;
	if (req != NULL)
		error = sp_req_body_ask(req);
	if (error != 0)
		return sp_upstream_fail(up, error);
	ready = (int)(at_hand(up, req) & what);
	if (ready != 0)
		return ready;
	/* The client may wait for it, and its time begins then. */
	error = req != NULL ? sp_req_flush(req) : 0;
	if (error != 0)
		return sp_upstream_fail(up, error);
	start = sp_now_ns();
	ready = wait_for(up, req, what, &late);
	if (req != NULL)
		sp_req_body_waited(req, sp_now_ns() - start, late);
	return ready < 0 ? sp_upstream_fail(up, ready) : ready;
}
