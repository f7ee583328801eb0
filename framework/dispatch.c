/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/dispatch.h"

#include "framework/access_log.h"
#include "framework/server_timing.h"

static void
call_handler(struct spate_req *req)
{
	const struct sp_route *route = req->match.route;
	struct sp_route_target *target = route->target;
	struct sp_worker *worker = req->worker;
	int result;

	sp_store(&worker->handler, route->pattern, relaxed);
	result = target->handler(req, target->arg);
	sp_store(&worker->handler, NULL, relaxed);
	if (req->answer != SP_ANSWER_DONE)
		sp_req_settle(req, result);
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
		spate_error(req, status, NULL);
}

/* What no route answers. */
static void
answer_unrouted(struct spate_req *req)
{
	if (req->routed == SP_ROUTE_METHOD_NOT_ALLOWED)
		answer_allow(req, 405);
	else if (req->routed == SP_ROUTE_OPTIONS_AUTO)
		answer_allow(req, 204);
	else
		spate_error(req, 404, NULL);
}

/* Returns what goes around it: nothing of the program's, if not its own. */
static const struct sp_layers *
begin_unrouted(struct spate_req *req)
{
	bool admin = req->router != req->server->router;

	sp_times_route(&req->times,
	    admin ? sp_server_admin_route(req->server)
		  : sp_server_no_route(req->server));
	return admin ? NULL : req->server->layers;
}

/* Apart from the usual way, which would have more registers to save. */
static __attribute__((noinline)) void
answer_outside(struct spate_req *req)
{
	const struct sp_layers *layers = begin_unrouted(req);

	if (req->server->options.server_timing)
		sp_server_timing_begin(req);
	if (req->server->options.access_log != 0)
		sp_access_log_unrouted(req, layers, answer_unrouted);
	else
		sp_middleware_run(req, layers, answer_unrouted);
}

void
sp_req_dispatch(struct spate_req *req)
{
	size_t scratch_size = 0;
	enum sp_route_result routed;

	req->scratch = NULL;
	if (req->head.flags & SP_HTTP_ESCAPED) {
		scratch_size = req->head.path_size;
		req->scratch = sp_bump_alloc(&req->memory, scratch_size);
		if (req->scratch == NULL)
			scratch_size = 0;
	}
	routed = sp_router_find(req->router,
	    (enum sp_http_method)req->head.method, req->base + req->head.path,
	    req->head.path_size, req->scratch, scratch_size, &req->match);
	if (sp_likely(routed == SP_ROUTE_FOUND)) {
		sp_times_route(&req->times,
		    ((struct sp_route_target *)req->match.route->target)
			->number);
		call_handler(req);
		return;
	}
	req->match.route = NULL;
	req->routed = (uint8_t)routed;
	answer_outside(req);
}
