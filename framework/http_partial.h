/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_PARTIAL_H
#define SPATE_FRAMEWORK_HTTP_PARTIAL_H

/*
 * What an HTTP connection remembers from one turn to the next, at pd->proto:
 * nothing while it is idle; else part of a head, in a block of its own size,
 * or that it lingers.
 */

#include "framework/request.h"

struct sp_partial {
	struct sp_http_progress progress;
	sp_tick until; /* the head's deadline */
	sp_tick handed_at; /* or SP_DEADLINE_NONE */
	bool lingering;
	uint32_t size; /* of data; of what was thrown away, if lingering */
	char data[];
};

/*
 * sp_partial_keep: keep what has come of the next head, whose deadline is
 * until or, if that is SP_DEADLINE_NONE, begins now.
 * sp_partial_yield: keep what is left to be parsed; others have their turn.
 * sp_partial_hand_over: likewise for a worker that does not poll, whose queue
 * may be long: without a deadline.
 *
 * => Return false: no memory.
 */
bool sp_partial_keep(struct spate_req *req, sp_tick until);
bool sp_partial_yield(struct spate_req *req);
bool sp_partial_hand_over(struct spate_req *req);

/*
 * sp_partial_load: put what was kept, if anything, into the buffer.
 *
 * => Returns the head's deadline, or SP_DEADLINE_NONE.
 */
sp_tick sp_partial_load(struct spate_req *req);

/* sp_http_close: the end of a connection, by its owner. */
void sp_http_close(struct sp_worker *worker, struct sp_poll_desc *pd);

/*
 * sp_linger_begin: the answer is sent, but the client may still be sending:
 * closing now would reset the connection, and the reset could overtake the
 * answer. So shut the sending side down, and read on for a while.
 * sp_linger: one turn of that.
 *
 * => Returns false: closed.
 */
bool sp_linger_begin(struct sp_worker *worker, struct sp_poll_desc *pd);
void sp_linger(struct sp_worker *worker, struct sp_poll_desc *pd);

#endif /* SPATE_FRAMEWORK_HTTP_PARTIAL_H */
