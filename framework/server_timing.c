/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/server_timing.h"

#include "framework/request.h"
#include "framework/text.h"

#define NS_PER_US 1000

void
sp_server_timing_begin(struct spate_req *req)
{
	struct sp_req_more *more = sp_req_more(req);

	if (more == NULL)
		return;
	more->timed = true;
	sp_spent_begin(&more->spent, req);
}

/* The handler of every route, if answers are to say what took how long. */
static int
call_timed(struct spate_req *req, void *arg)
{
	const struct sp_route_target *target = arg;

	sp_server_timing_begin(req);
	return target->timed(req, target->timed_arg);
}

void
sp_server_timing_put(struct spate_server *server)
{
	if (!server->options.server_timing)
		return;
	for (struct sp_route_target *target = server->targets; target != NULL;
	     target = target->next) {
		target->timed = target->handler;
		target->timed_arg = target->arg;
		target->handler = call_timed;
		target->arg = target;
	}
}

/* Milliseconds with three places. */
static void
put_ms(struct sp_text *text, uint64_t ns)
{
	uint64_t us = ns / NS_PER_US;

	sp_text_u64(text, us / 1000);
	sp_text_char(text, '.');
	for (uint64_t place = 100; place != 0; place /= 10)
		sp_text_char(text, (char)('0' + us / place % 10));
}

char *
sp_server_timing_field(const struct spate_req *req, char *at)
{
	static const char *const names[SP_PHASES] = {
		[SP_PHASE_QUEUE] = "queue;dur=",
		[SP_PHASE_RUN] = "run;dur=",
		[SP_PHASE_PARKED] = "parked;dur=",
		[SP_PHASE_BLOCKED] = "blocked;dur=",
	};
	uint64_t ns[SP_PHASES];
	struct sp_text text;

	sp_spent_look(&req->more->spent, req, ns);
	sp_text_init(&text, at, SP_SERVER_TIMING_MAX);
	sp_text_string(&text, "Server-Timing: ");
	for (int phase = 0; phase < SP_PHASES; phase++) {
		if (phase > SP_PHASE_RUN && ns[phase] == 0)
			continue;
		if (phase != 0)
			sp_text_string(&text, ", ");
		sp_text_string(&text, names[phase]);
		put_ms(&text, ns[phase]);
	}
	sp_text_string(&text, "\r\n");
	return at + text.size;
}
