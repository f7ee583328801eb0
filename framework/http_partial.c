/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/http_partial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LINGER_MS 2000
#define LINGER_BYTES (256 * 1024)

bool
sp_partial_keep(struct spate_req *req, sp_tick until)
{
	uint32_t size = req->end - req->start;
	uint32_t ms = req->server->options.header_timeout_ms;
	struct sp_partial *partial = malloc(sizeof(*partial) + size);

	if (partial == NULL)
		return false;
	memset(partial, 0, sizeof(*partial));
	if (req->resuming)
		partial->progress = req->progress;
	else
		partial->progress.seen = partial->progress.tried = size;
	partial->until = until != SP_DEADLINE_NONE ? until
			 : ms == 0                 ? SP_DEADLINE_NONE
				   : sp_tick_deadline(req->worker->now, ms);
	partial->size = size;
	memcpy(partial->data, req->in + req->start, size);
	req->pd->proto = partial;
	sp_poll_set_deadline(req->pd, SP_POLL_READ, partial->until);
	return true;
}

sp_tick
sp_partial_load(struct spate_req *req)
{
	struct sp_partial *partial = req->pd->proto;
	sp_tick until;

	req->resuming = partial != NULL;
	if (partial == NULL)
		return SP_DEADLINE_NONE;
	until = partial->until;
	req->progress = partial->progress;
	req->handed_at = partial->handed_at;
	memcpy(req->in, partial->data, partial->size);
	req->end = partial->size;
	free(partial);
	req->pd->proto = NULL;
	return until;
}

/* All of it may be there already: parse before reading. */
static bool
keep_to_parse(struct spate_req *req)
{
	struct sp_partial *partial;

	if (!sp_partial_keep(req, SP_DEADLINE_NONE))
		return false;
	partial = req->pd->proto;
	partial->progress.seen = partial->progress.tried = 0;
	return true;
}

bool
sp_partial_yield(struct spate_req *req)
{
	sp_count(&req->worker->counters.yields, 1);
	if (req->start != req->end)
		return keep_to_parse(req);
	/* There is more to read: it is not the client who is waited for. */
	sp_poll_set_deadline(req->pd, SP_POLL_READ, SP_DEADLINE_NONE);
	return true;
}

bool
sp_partial_hand_over(struct spate_req *req)
{
	struct sp_partial *partial;

	if (!keep_to_parse(req))
		return false;
	partial = req->pd->proto;
	partial->until = SP_DEADLINE_NONE;
	partial->handed_at = sp_tick_in(0);
	sp_poll_set_deadline(req->pd, SP_POLL_READ, SP_DEADLINE_NONE);
	return true;
}

void
sp_http_close(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	free(pd->proto);
	pd->proto = NULL;
	sp_count(&worker->counters.closed, 1);
	sp_shard_close(sp_conn_shard(worker, pd), pd);
}

bool
sp_linger_begin(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	struct sp_partial *partial = calloc(1, sizeof(*partial));

	if (partial == NULL || shutdown(pd->fd, SHUT_WR) != 0) {
		free(partial);
		sp_http_close(worker, pd);
		return false;
	}
	partial->lingering = true;
	pd->proto = partial;
	sp_poll_set_deadline(
	    pd, SP_POLL_READ, sp_tick_deadline(worker->now, LINGER_MS));
	return true;
}

void
sp_linger(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	struct sp_partial *partial = pd->proto;
	char piece[4096];
	ssize_t n;

	sp_poll_take_drain(pd);
	do {
		n = sp_conn_try_recv(worker, pd, piece, sizeof(piece));
		if (n > 0)
			partial->size += (uint32_t)n;
		if ((n <= 0 && n != -EAGAIN) || partial->size > LINGER_BYTES
		    || sp_netpoll_check_err(pd, SP_POLL_READ) != 0) {
			sp_http_close(worker, pd);
			return;
		}
	} while (n != -EAGAIN || !sp_poll_park(pd));
}
