/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/access_log.h"

#include "framework/log.h"
#include "framework/request.h"
#include "framework/traceparent.h"
#include "framework/view.h"

#include <string.h>

#define NS_PER_US 1000

/* Is this one of the requests that are logged? Of each worker its N-th. */
static bool
is_due(struct spate_req *req)
{
	struct sp_http_worker *http = req->worker->context;

	if (!sp_log_wanted(req->server, SPATE_LOG_INFO))
		return false;
	if (++http->not_logged < req->server->options.access_log)
		return false;
	http->not_logged = 0;
	return true;
}

/* Requests of a connection are counted if it ages, or else here. */
static void
count(struct spate_req *req, uint32_t n)
{
	if (!req->server->ageing)
		req->pd->requests += n;
}

/* Another worker has it now. Then another one is due here. */
static void
put_off(struct spate_req *req)
{
	struct sp_http_worker *http = req->worker->context;

	http->not_logged = req->server->options.access_log - 1;
}

static void
begin(struct sp_spent *spent, struct spate_req *req)
{
	sp_spent_begin(spent, req);
	/* The shortest way to answer does not write down what it did. */
	req->usual = false;
	req->status = 0;
	req->body_bytes = 0;
	req->out_left = 0;
}

static void
tell(const struct spate_req *req, const struct sp_access *access)
{
	const struct spate_server *server = req->server;
	char line[SP_LOG_LINE];
	struct sp_text text;

	if (server->log != NULL) {
		sp_log_access(
		    server->log, sp_http_worker_log(req->worker), access);
		return;
	}
	sp_text_init(&text, line, sizeof(line) - 1);
	sp_log_put_access(&text, access);
	line[text.size] = '\0';
	server->options.log(server->options.log_arg, SPATE_LOG_INFO, line);
}

/* Text that needs no quotes anywhere, and of a length that is no burden. */
static bool
is_fit(struct spate_str id)
{
	if (id.data == NULL || id.size == 0 || id.size > SP_REQUEST_ID)
		return false;
	for (size_t i = 0; i < id.size; i++) {
		if (id.data[i] <= ' ' || id.data[i] > '~' || id.data[i] == '"'
		    || id.data[i] == '\\')
			return false;
	}
	return true;
}

/* By what others know it: its trace, or what whoever sent it calls it. */
static void
correlate(struct sp_access *access, struct spate_req *req)
{
	struct spate_str id;

	if (spate_trace(req, &access->trace) == 0) {
		access->span = sp_traceparent_span(req);
		return;
	}
	access->trace.trace_id[0] = '\0';
	id = sp_only_field(req, "X-Request-Id");
	if (is_fit(id))
		memcpy(access->request_id, id.data, id.size);
}

static void
end(const struct sp_spent *spent, struct spate_req *req, const char *route)
{
	uint64_t ns[SP_PHASES];
	struct sp_access access = {
		.method = sp_http_method_name(
		    (enum sp_http_method)req->head.method),
		.route = route,
		.status = req->status,
		.shard = req->worker->shard->id,
		.bytes = req->body_bytes,
		.conn = sp_poll_desc_handle(req->pd),
		.req = req->pd->requests,
	};

	sp_spent_look(spent, req, ns);
	access.queue_us = ns[SP_PHASE_QUEUE] / NS_PER_US;
	access.run_us = ns[SP_PHASE_RUN] / NS_PER_US;
	access.parked_us = ns[SP_PHASE_PARKED] / NS_PER_US;
	access.blocked_us = ns[SP_PHASE_BLOCKED] / NS_PER_US;
	sp_peer_name(access.peer, req->pd->fd);
	correlate(&access, req);
	/* Fewer than were announced. */
	if (req->out_left <= access.bytes)
		access.bytes -= req->out_left;
	tell(req, &access);
}

/* The handler of every route, if answers are logged. */
static int
call_logged(struct spate_req *req, void *arg)
{
	const struct sp_route_target *target = arg;
	struct sp_spent spent;
	bool due = is_due(req);
	int result;

	count(req, 1);
	if (due)
		begin(&spent, req);
	result = target->logged(req, target->logged_arg);
	if (req->handed) {
		count(req, (uint32_t)-1);
		if (due)
			put_off(req);
	}
	if (!due || req->handed)
		return result;
	if (req->answer != SP_ANSWER_DONE)
		sp_req_settle(req, result);
	end(&spent, req, req->match.route->pattern);
	return 0;
}

void
sp_access_log_put(struct spate_server *server)
{
	struct spate_options *options = &server->options;

	if (options->log == NULL)
		options->access_log = 0;
	if (options->access_log == 0)
		return;
	for (struct sp_route_target *target = server->targets; target != NULL;
	     target = target->next) {
		target->logged = target->handler;
		target->logged_arg = target->arg;
		target->handler = call_logged;
		target->arg = target;
	}
}

void
sp_access_log_unrouted(struct spate_req *req, const struct sp_layers *layers,
    void (*answer)(struct spate_req *req))
{
	bool admin = req->router != req->server->router;
	struct sp_spent spent;

	count(req, !admin);
	if (admin || !is_due(req)) {
		sp_middleware_run(req, layers, answer);
		return;
	}
	begin(&spent, req);
	sp_middleware_run(req, layers, answer);
	end(&spent, req,
	    sp_view_pattern(req->server, sp_server_no_route(req->server)));
}
