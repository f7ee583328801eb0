/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * From a request to its handler, and from what the handler returned to an
 * answer, if it gave none.
 */

#include "framework/request.h"

#include <errno.h>

/*
 * Back to before begin_request(): the worker that it is left to begins it
 * anew, from the head on.
 */
static void
hand_over(struct spate_req *req)
{
	req->start = (uint32_t)(req->base - req->in);
	req->heavy = true;
	sp_count(&req->worker->counters.requests, (uint64_t)-1);
	sp_count(&req->worker->counters.handed_heavy, 1);
}

static int
call_within_deadline(struct spate_req *req, struct sp_route_target *target)
{
	struct sp_fiber *fiber = req->worker->current;
	int result;

	fiber->until = sp_tick_deadline(
	    sp_tick_of(sp_now_ns()), target->deadline_ms);
	result = target->handler(req, target->arg);
	if (result == -ETIMEDOUT
	    && !sp_tick_after(fiber->until, sp_tick_of(sp_now_ns()))) {
		sp_count(&req->worker->counters.timeouts_route, 1);
		fiber->until = 0;
		if (req->answer == SP_ANSWER_NONE && !req->gone)
			sp_req_fail(req, 503, "the handler took too long");
	}
	fiber->until = 0;
	return result;
}

/* Of a route that has a class. Returns what the handler returned. */
static int
call_classed(struct spate_req *req, struct sp_route_target *target)
{
	int result;

	if (target->max_in_flight != 0
	    && sp_fetch_add(&target->in_flight, 1, relaxed)
		>= target->max_in_flight) {
		sp_fetch_sub(&target->in_flight, 1, relaxed);
		sp_count(&req->worker->counters.refused_busy, 1);
		spate_add_header(req, "Retry-After", "1");
		return spate_text(req, 503, "503 Service Unavailable\n");
	}
	if (target->deadline_ms != 0)
		result = call_within_deadline(req, target);
	else
		result = target->handler(req, target->arg);
	if (target->max_in_flight != 0)
		sp_fetch_sub(&target->in_flight, 1, relaxed);
	return result;
}

static void
call_handler(struct spate_req *req)
{
	struct sp_route_target *target = req->match.route->target;
	struct sp_worker *worker = req->worker;
	int result;

	if (sp_unlikely(target->heavy) && !worker->heavy) {
		hand_over(req);
		return;
	}
	sp_store(&worker->handler, req->match.route->pattern, relaxed);
	result = sp_likely(!target->classed)
	    ? target->handler(req, target->arg)
	    : call_classed(req, target);
	sp_store(&worker->handler, NULL, relaxed);
	if (sp_likely(req->answer == SP_ANSWER_DONE))
		return;
	if (req->answer == SP_ANSWER_BEGUN) {
		sp_req_finish(req, result >= 0);
		return;
	}
	if (result == -ECANCELED
	    && (sp_poll_info(req->pd) & (SP_POLL_CLOSING | SP_POLL_HANGUP)))
		req->gone = true; /* that is what ended its wait */
	if (req->gone || req->error != 0)
		return; /* nobody is there to answer */
	if (result == -ETIMEDOUT && req->body == SP_BODY_BROKEN) {
		sp_req_fail(req, 408, "the body took too long");
		return;
	}
	switch (result) {
	case -EINVAL:
	case -ENOENT:
	case -ERANGE:
		sp_req_fail(req, 400, "a parameter is missing or malformed");
		break;
	case -E2BIG:
		sp_req_fail(req, 413, "the body is too large");
		break;
	case -EBADMSG:
		sp_req_fail(req, 400, "malformed body");
		break;
	default:
		sp_log(req->server, SPATE_LOG_ERROR,
		    "the handler of %s did not answer: %s",
		    req->match.route->pattern,
		    result < 0 ? spate_strerror(result) : "no error given");
		sp_req_fail(req, 500, NULL);
	}
}

static void
answer_allow(struct spate_req *req, int status)
{
	char allow[SP_ROUTER_ALLOW];

	sp_router_allow(req->match.allow, allow, sizeof(allow));
	spate_add_header(req, "Allow", allow);
	if (status == 204)
		spate_respond(req, 204, NULL, NULL, 0);
	else
		spate_text(req, status, "405 Method Not Allowed\n");
}

void
sp_req_dispatch(struct spate_req *req)
{
	size_t scratch_size = 0;

	req->scratch = NULL;
	if (sp_unlikely(req->head.flags & SP_HTTP_ESCAPED)) {
		scratch_size = req->head.path_size;
		req->scratch = sp_bump_alloc(&req->memory, scratch_size);
		if (req->scratch == NULL)
			scratch_size = 0;
	}
	switch (sp_router_find(req->server->router,
	    (enum sp_http_method)req->head.method, req->base + req->head.path,
	    req->head.path_size, req->scratch, scratch_size, &req->match)) {
	case SP_ROUTE_FOUND:
		call_handler(req);
		break;
	case SP_ROUTE_NOT_FOUND:
		spate_text(req, 404, "404 Not Found\n");
		break;
	case SP_ROUTE_METHOD_NOT_ALLOWED:
		answer_allow(req, 405);
		break;
	case SP_ROUTE_OPTIONS_AUTO:
		answer_allow(req, 204);
		break;
	}
}
