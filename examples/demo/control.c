/* SPDX-License-Identifier: BSD-2-Clause */

#include "examples/demo/demo.h"
#include "examples/demo/load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define STATE_MAX 4096

static const struct action {
	const char *name, *title, *about, *look;
	struct demo_plan plan;
} actions[] = {
	{ "load", "Start a load",
	    "64 connections ask for /plaintext, each as soon as it has its "
	    "answer. 10 seconds.",
	    "Requests and CPU rise on all shards alike; the wait for a worker "
	    "grows with the number of those who ask.",
	    { .connections = 64, .path = "/plaintext", .ms = 10000 } },
	{ "hot", "Make a shard hot",
	    "16 connections, all of shard 0, ask for 150 \302\265s of CPU time "
	    "each. 10 seconds.",
	    "All connections are those of shard 0. Workers of other shards "
	    "steal from it, and answer their part.",
	    { .connections = 16,
		.on_shard_0 = true,
		.path = "/burn?us=150",
		.ms = 10000 } },
	{ "block", "Block a handler",
	    "A handler on shard 0 sleeps for 2 seconds and keeps its worker; 8 "
	    "others ask on. 4 seconds.",
	    "Shard 0 gets another worker, which polls in its place. /block "
	    "takes 2 s, the others what they took before.",
	    { .connections = 9,
		.path = "/plaintext",
		.once = "/block?ms=2000",
		.pause_us = 2000,
		.ms = 4000 } },
};

#define ACTIONS (sizeof(actions) / sizeof(*actions))

/* ----------------------------------------------------------------- access */

static bool
is_same(struct spate_str value, const char *text)
{
	return value.size == strlen(text)
	       && memcmp(value.data, text, value.size) == 0;
}

/*
 * A page of another site may send a POST here from a visitor's browser, which
 * says so in one of these fields; other clients send neither.
 */
static bool
is_from_elsewhere(struct spate_req *req)
{
	struct spate_str site = spate_header(req, "Sec-Fetch-Site");
	struct spate_str origin = spate_header(req, "Origin");
	struct spate_str host = spate_host(req);
	size_t scheme = 0;

	if (site.data != NULL && !is_same(site, "same-origin")
	    && !is_same(site, "none"))
		return true;
	if (origin.data == NULL)
		return false;
	if (origin.size > 7 && memcmp(origin.data, "http://", 7) == 0)
		scheme = 7;
	else if (origin.size > 8 && memcmp(origin.data, "https://", 8) == 0)
		scheme = 8;
	return scheme == 0 || origin.size - scheme != host.size
	       || strncasecmp(origin.data + scheme, host.data, host.size) != 0;
}

/* ----------------------------------------------------------------- answers */

static const char *
name_of(const struct demo_plan *plan)
{
	for (size_t i = 0; i < ACTIONS; i++) {
		if (&actions[i].plan == plan)
			return actions[i].name;
	}
	return NULL;
}

/* A name in quotes, or null. Names have nothing to escape. */
static void
put_name(FILE *out, const char *key, const struct demo_plan *plan)
{
	const char *name = name_of(plan);

	if (name != NULL)
		fprintf(out, "\"%s\":\"%s\",", key, name);
	else
		fprintf(out, "\"%s\":null,", key);
}

static int
answer_state(struct spate_req *req, int status)
{
	struct demo_progress progress;
	char text[STATE_MAX];
	FILE *out = fmemopen(text, sizeof(text), "w");
	long size;

	if (out == NULL)
		return -ENOMEM;
	demo_load_look(&progress);
	fputc('{', out);
	put_name(out, "running", progress.plan);
	put_name(out, "last", progress.last);
	fprintf(out,
	    "\"total_ms\":%u,\"left_ms\":%u,\"answers\":%" PRIu64
	    ",\"failed\":%" PRIu64 ",\"actions\":[",
	    progress.last != NULL ? progress.last->ms : 0, progress.left_ms,
	    progress.answers, progress.failed);
	for (size_t i = 0; i < ACTIONS; i++)
		fprintf(out,
		    "%s{\"name\":\"%s\",\"title\":\"%s\",\"about\":\"%s\","
		    "\"look\":\"%s\"}",
		    i != 0 ? "," : "", actions[i].name, actions[i].title,
		    actions[i].about, actions[i].look);
	fputs("]}\n", out);
	fflush(out);
	size = ftell(out);
	fclose(out);
	spate_add_header(req, "Cache-Control", "no-store");
	return spate_respond(
	    req, status, "application/json", text, (size_t)size);
}

static int
tell(struct spate_req *req, void *arg)
{
	(void)arg;
	return answer_state(req, 200);
}

static int
begin(struct spate_req *req, void *arg)
{
	struct spate_str name = spate_param(req, "action");
	const struct action *action = NULL;
	uint16_t port = spate_server_port(arg);
	int error;

	if (is_from_elsewhere(req))
		return spate_error(req, 403, "from a page of another site");
	for (size_t i = 0; i < ACTIONS; i++) {
		if (is_same(name, actions[i].name))
			action = &actions[i];
	}
	if (action == NULL)
		return spate_error(req, 404, "load, hot or block");
	if (port == 0)
		return spate_error(req, 409, "the demo has no TCP port");
	error = demo_load_begin(&action->plan, port);
	if (error == -EBUSY)
		return spate_error(req, 409, "one is running");
	return error != 0 ? error : answer_state(req, 202);
}

static int
shard(struct spate_req *req, void *arg)
{
	char text[12];
	int size = snprintf(
	    text, sizeof(text), "%u", (unsigned)spate_shard(req));

	(void)arg;
	/* One whose handle is known does not move to where its packets are. */
	(void)spate_req_handle(req);
	return spate_respond(req, 200, "text/plain", text, (size_t)size);
}

/* ------------------------------------------------------------------ set-up */

void
demo_control(struct spate_server *server)
{
	demo_load_init();
	spate_route(server, "GET", "/demo", tell, NULL);
	spate_route(server, "GET", "/demo/shard", shard, NULL);
	spate_route(server, "POST", "/demo/:action", begin, server);
}

void
demo_control_end(void)
{
	demo_load_end();
}
