/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Waiting in a handler for something other than bytes of the body: a time,
 * or what another thread brings. It is a wait for an edge of the connection,
 * so a client that leaves ends it.
 *
 *     edge, and the client      poll(2) says     half_close_cancels
 *     -----------------------   --------------   ------------------
 *     has sent more             nothing          goes on waiting
 *     has shut its sending      POLLRDHUP        decides
 *     has closed, by FIN        POLLRDHUP        decides
 *     has reset                 POLLHUP          is gone
 */

#include "framework/request.h"

#include <errno.h>
#include <poll.h>

int
sp_poll_now(struct pollfd *fds, unsigned count)
{
	int n;

	do {
		n = poll(fds, count, 0);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* The bit is set by every kind of end; which one it was, poll(2) knows. */
bool
sp_req_left(struct spate_req *req)
{
	struct pollfd fd = { .fd = req->pd->fd, .events = POLLRDHUP };
	short gone = POLLHUP | POLLERR | POLLNVAL;

	if (!(sp_poll_info(req->pd) & SP_POLL_HANGUP))
		return false;
	if (req->server->options.half_close_cancels)
		gone |= POLLRDHUP;
	return sp_poll_now(&fd, 1) > 0 && (fd.revents & gone) != 0;
}

void
sp_req_wait_until(struct spate_req *req, sp_tick until)
{
	until = sp_fiber_until(req->worker->current, until);
	/* An edge that is taken here tells of a request that follows. */
	req->drained = false;
	sp_poll_set_deadline(req->pd, SP_POLL_READ, until);
	/* Without memory for that, the next sweep sees it. */
	if (until != SP_DEADLINE_NONE)
		sp_shard_rearm(sp_conn_shard(req->worker, req->pd), req->pd);
}

void
sp_req_wait_end(struct spate_req *req)
{
	sp_poll_set_deadline(req->pd, SP_POLL_READ, SP_DEADLINE_NONE);
}

int
sp_req_wait(struct spate_req *req, bool until_drain)
{
	uint32_t bits = until_drain ? SP_POLL_DRAIN : 0;
	int error;

	/*
	 * Not left to the wait, which does not look at how that ended: for a
	 * client that takes nothing there is nothing to wait for.
	 */
	if (sp_req_flush(req) != 0 || sp_req_left(req)) {
		req->gone = true;
		return -ECANCELED;
	}
	if (until_drain && sp_load(&req->worker->engine->draining, relaxed))
		return -ESHUTDOWN;
	error = sp_poll_wait_unless(req->worker, req->pd, SP_POLL_READ, bits);
	if (error == -EIO || (error == 0 && sp_req_left(req)))
		error = -ECANCELED;
	req->gone |= error == -ECANCELED;
	return error;
}
