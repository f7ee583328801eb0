/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What a client reads when something is wrong, and what becomes of a request
 * that its handler did not answer.
 */

#include "framework/http_status.h"
#include "framework/json_out.h"
#include "framework/negotiate.h"
#include "framework/request.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* An error's page goes into the buffer, before the rest has been read. */
#define PAGE_MAX 1024
#define REASON_MAX 400

struct sp_req_more *
sp_req_more(struct spate_req *req)
{
	struct sp_req_more *more = req->more;

	if (more != NULL)
		return more;
	more = sp_bump_alloc(&req->memory, sizeof(*more));
	if (more == NULL)
		return NULL;
	req->usual = false;
	return req->more = memset(more, 0, sizeof(*more));
}

void **
spate_req_data(struct spate_req *req)
{
	struct sp_req_more *more = sp_req_more(req);

	return more != NULL ? &more->data : NULL;
}

/* ----------------------------------------------------------------- pages */

unsigned
spate_accepts(const struct spate_req *req, const char *type)
{
	const struct sp_http_field *field = sp_http_head_find(
	    &req->head, req->base, "Accept", 6);
	struct sp_quality best = { 0, 0 };

	if (field == NULL)
		return SP_QUALITY_MAX;
	for (; field != NULL;
	     field = sp_http_head_find_next(&req->head, req->base, field))
		sp_accept_media(
		    req->base + field->value, field->value_size, type, &best);
	return best.quality;
}

unsigned
sp_req_coding(const struct spate_req *req, const char *coding)
{
	const struct sp_http_field *field = sp_http_head_find(
	    &req->head, req->base, "Accept-Encoding", 15);
	struct sp_quality best = { 0, 0 };

	for (; field != NULL;
	     field = sp_http_head_find_next(&req->head, req->base, field))
		sp_accept_coding(
		    req->base + field->value, field->value_size, coding, &best);
	return best.quality;
}

static void
text_page(struct sp_text *page, int status, const char *reason, size_t size)
{
	sp_text_u64(page, (uint64_t)status);
	sp_text_char(page, ' ');
	sp_text_string(page, sp_http_reason(status));
	if (size != 0) {
		sp_text_string(page, ": ");
		sp_text_bytes(page, reason, size);
	}
}

static void
json_page(struct sp_text *page, int status, const char *reason, size_t size)
{
	const char *error = sp_http_reason(status);
	struct sp_json json;

	sp_json_init(&json, page);
	sp_json_object(&json);
	sp_json_key(&json, "status");
	sp_json_u64(&json, (uint64_t)status);
	sp_json_key(&json, "error");
	sp_json_string(&json, error, strlen(error));
	if (size != 0) {
		sp_json_key(&json, "reason");
		sp_json_string(&json, reason, size);
	}
	sp_json_end(&json);
}

/* Text where both are as good: it can be read by people and by programs. */
static int
answer_page(struct spate_req *req, int status, const char *reason)
{
	size_t size = reason != NULL ? strnlen(reason, REASON_MAX) : 0;
	bool as_json = spate_accepts(req, "application/json")
		       > spate_accepts(req, "text/plain");
	char memory[PAGE_MAX];
	struct sp_text page;

	sp_text_init(&page, memory, sizeof(memory) - 1);
	(as_json ? json_page : text_page)(&page, status, reason, size);
	if (page.overflow) {
		/* Escapes have made it longer; the status says enough. */
		sp_text_init(&page, memory, sizeof(memory) - 1);
		(as_json ? json_page : text_page)(&page, status, NULL, 0);
	}
	memory[page.size++] = '\n';
	return spate_respond(req, status,
	    as_json ? "application/json" : "text/plain; charset=utf-8", memory,
	    page.size);
}

int
spate_error(struct spate_req *req, int status, const char *reason)
{
	const struct spate_server *server = req->server;

	if (req->answer > SP_ANSWER_PROMISED)
		return -EALREADY;
	/* An error of the page itself would call it again, and so on. */
	if (server->error_page != NULL && !req->in_page) {
		req->in_page = true;
		server->error_page(req, status, reason, server->error_page_arg);
		req->in_page = false;
		if (req->answer == SP_ANSWER_BEGUN)
			sp_req_finish(req, true);
		if (req->answer > SP_ANSWER_PROMISED)
			return req->error;
	}
	return answer_page(req, status, reason);
}

int
spate_error_page(
    struct spate_server *server, spate_error_page_fn *page, void *arg)
{
	if (server == NULL)
		return -ENOMEM;
	server->error_page = page;
	server->error_page_arg = arg;
	return 0;
}

void
sp_req_fail(struct spate_req *req, int status, const char *reason)
{
	req->close = true;
	if (req->answer > SP_ANSWER_PROMISED)
		return;
	req->extra_size = 0;
	spate_error(req, status, reason);
}

/* Which limit it was, if it was one. */
static void
count_limit(struct sp_counters *counters, int status, const char *reason)
{
	if (status == 414)
		sp_count(&counters->limited_target, 1);
	else if (status == 431 && reason == sp_http_too_many_fields)
		sp_count(&counters->limited_fields, 1);
	else if (status == 431)
		sp_count(&counters->limited_head, 1);
}

void
sp_req_refuse(struct spate_req *req, int status)
{
	const char *reason = req->head.error;

	sp_times_refuse(&req->times);
	sp_count(&req->worker->counters.parse_errors, 1);
	count_limit(&req->worker->counters, status, reason);
	sp_log(req->server, SPATE_LOG_DEBUG, "refused a request: %d, %s",
	    status, reason);
	req->state = 0;
	req->extra_size = 0;
	req->extra_capacity = 0;
	req->more = NULL;
	req->match.route = NULL;
	req->base = req->in;
	memset(&req->head, 0, offsetof(struct sp_http_head, error));
	req->head.method = SP_HTTP_GET;
	req->head.minor = 1;
	sp_req_fail(req, status, reason);
}

/* --------------------------------------------------------------- handlers */

static const char *
in_words(int error)
{
	switch (error) {
	case -ENOENT:
		return "is missing";
	case -ERANGE:
		return "is out of range";
	default:
		return "is malformed";
	}
}

static const char *
bad_value_text(
    struct spate_req *req, const char *what, const char *name, int error)
{
	return sp_bump_printf(
	    &req->memory, "%s '%.100s' %s", what, name, in_words(error));
}

int
sp_req_bad_value(
    struct spate_req *req, const char *what, const char *name, int error)
{
	struct sp_req_more *more = sp_req_more(req);

	if (more != NULL) {
		more->bad_error = error;
		more->bad_value = bad_value_text(req, what, name, error);
	}
	return error;
}

int
spate_bad_value(
    struct spate_req *req, const char *what, const char *name, int error)
{
	return spate_error(req, 400, bad_value_text(req, what, name, error));
}

static void
answer_bad_value(struct spate_req *req, int error)
{
	const struct sp_req_more *more = req->more;
	const char *reason = NULL;

	if (more != NULL && more->bad_error == error)
		reason = more->bad_value;
	if (reason == NULL)
		reason = error == -ENOENT ? "a value is missing"
					  : "a value is malformed";
	spate_error(req, 400, reason);
}

/* Whether what a wait said of the client is so: it has left, or must. */
static bool
has_left(struct spate_req *req, int result)
{
	return result == -ECANCELED && sp_poll_is_over(req->pd);
}

/* The handler has returned and has not answered. */
static void
answer_result(struct spate_req *req, int result)
{
	const struct sp_route *route = req->match.route;

	if (req->gone || req->error != 0)
		return; /* nobody is there to answer */
	if (has_left(req, result)) {
		req->gone = true;
		return;
	}
	if (result == -ETIMEDOUT && req->body == SP_BODY_BROKEN) {
		sp_req_fail(req, 408, "the body took too long");
		return;
	}
	switch (result) {
	case -EINVAL:
	case -ENOENT:
	case -ERANGE:
		answer_bad_value(req, result);
		break;
	case -EBADMSG:
		sp_req_fail(req, 400, "malformed body");
		break;
	case -E2BIG:
		sp_req_fail(req, 413, "the body is too large");
		break;
	case -EMEDIUMTYPE:
		spate_error(req, 415, "the body is not of the type wanted");
		break;
	default:
		sp_log(req->server, SPATE_LOG_ERROR,
		    "the handler of %s did not answer: %s",
		    route != NULL ? route->pattern : "no route",
		    result < 0 ? spate_strerror(result) : "no error given");
		sp_req_fail(req, 500, NULL);
	}
}

void
sp_req_settle_late(struct spate_req *req, int result)
{
	struct sp_fiber *fiber = req->worker->current;

	if (result != -ETIMEDOUT || !sp_fiber_is_late(fiber))
		return;
	sp_count(&req->worker->counters.timeouts_route, 1);
	fiber->until = SP_DEADLINE_NONE;
	if (!req->gone)
		sp_req_fail(req, 503, "the handler took too long");
}

void
sp_req_settle(struct spate_req *req, int result)
{
	if (sp_req_promised(req))
		sp_defer_end(req);
	sp_req_settle_late(req, result);
	if (req->answer == SP_ANSWER_BEGUN)
		sp_req_finish(req, result >= 0);
	if (req->answer == SP_ANSWER_NONE)
		answer_result(req, result);
}
