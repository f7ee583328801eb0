/* SPDX-License-Identifier: BSD-2-Clause */

/* Server-Timing: which answers have it, and what it says. */

#include "tests/e2e/ask.h"

#include "tests/harness.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Milliseconds: what a handler waits, or computes. */
#define LONG 30

#define FIELD "\r\nServer-Timing: queue;dur="
#define METRIC ";dur=[0-9]+\\.[0-9]{3}"

static void
compute(void)
{
	struct timespec now;
	int64_t until;

	clock_gettime(CLOCK_MONOTONIC, &now);
	until = now.tv_sec * 1000 + now.tv_nsec / 1000000 + LONG;
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < until);
}

static int
hello(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_text(req, 200, "hello");
}

static int
computes(struct spate_req *req, void *arg)
{
	(void)arg;
	compute();
	return spate_text(req, 200, "computed");
}

/* Waits before its head leaves, if so asked, and after that. */
static int
streams(struct spate_req *req, void *arg)
{
	int error;

	(void)arg;
	if (spate_query_str(req, "first").data != NULL)
		spate_sleep(LONG);
	error = spate_begin(req, 200, "text/plain", -1);
	if (error == 0)
		error = spate_write(req, "abc", 3);
	if (error == 0)
		error = spate_flush(req);
	spate_sleep(LONG);
	return error == 0 ? spate_write(req, "defg", 4) : error;
}

static int
missing(struct spate_req *req, void *arg)
{
	(void)req;
	(void)arg;
	return -ENOENT;
}

static int
has_its_own(struct spate_req *req, void *arg)
{
	(void)arg;
	spate_add_header(req, "Server-Timing", "db;dur=53");
	return spate_text(req, 200, "two");
}

static struct spate_server *
serve(bool server_timing)
{
	struct spate_options options = spate_options_default();
	struct spate_server *server;

	options.server_timing = server_timing;
	options.spares = 0;
	options.stall_ms = 0;
	server = ask_new(&options);
	spate_route(server, "GET", "/hello", hello, NULL);
	spate_route(server, "GET", "/computes", computes, NULL);
	spate_route(server, "GET", "/streams", streams, NULL);
	spate_route(server, "GET", "/missing", missing, NULL);
	spate_route(server, "GET", "/own", has_its_own, NULL);
	ask_start(server);
	return server;
}

/* The n-th field of what was read, from 0 on; or NULL. */
static const char *
field(unsigned n)
{
	const char *at = strstr(ask_text(), FIELD);

	while (at != NULL && n-- > 0)
		at = strstr(at + 1, FIELD);
	return at;
}

/* What the n-th field says of a phase, or -1 if it is not there. */
static double
phase(unsigned n, const char *name)
{
	const char *at = field(n);
	const char *end;

	EXPECT(at != NULL);
	if (at == NULL)
		return -1;
	end = strstr(at + 2, "\r\n");
	at = strstr(at, name);
	return at != NULL && at < end ? atof(at + strlen(name)) : -1;
}

TEST(nothing_is_said_by_default)
{
	struct spate_server *server = serve(false);

	ask(server, ASK("GET", "/hello"));
	EXPECT_EQ(ask_status(), 200);
	EXPECT(!ask_says("Server-Timing"));
	ask_stop(server);
}

/*
 * Goal: the grammar of W3C Server Timing, whatever the way to answer.
 *
 * Method: one answer by each, and a client that tries to get a line of its
 * own in.
 */
TEST(every_way_to_answer_has_one_well_formed_field)
{
	static const char *const asked[] = {
		ASK("GET", "/hello"),
		ASK("HEAD", "/hello"),
		ASK("GET", "/streams"),
		ASK("GET", "/missing"),
		ASK("GET", "/nowhere%0d%0aServer-Timing:%20x?a%0d%0a;dur=1"),
		ASK("POST", "/hello"),
		ASK("OPTIONS", "/hello"),
	};
	struct spate_server *server = serve(true);
	regex_t form;

	EXPECT_EQ(regcomp(&form,
		      "\r\nServer-Timing: queue" METRIC ", run" METRIC
		      "(, parked" METRIC ")?(, blocked" METRIC ")?\r\n",
		      REG_EXTENDED | REG_NOSUB),
	    0);
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		ask(server, asked[i]);
		EXPECT_EQ(regexec(&form, ask_text(), 0, NULL, 0), 0);
		EXPECT(field(1) == NULL);
	}
	regfree(&form);
	ask_stop(server);
}

TEST(what_is_parked_is_what_was_waited_until_the_head_left)
{
	struct spate_server *server = serve(true);

	ask(server, ASK("GET", "/streams?first=1"));
	EXPECT(phase(0, "parked;dur=") >= LONG - 1);
	EXPECT(phase(0, "blocked;dur=") < 0);
	ask(server, ASK("GET", "/streams"));
	EXPECT(phase(0, "parked;dur=") < 0);
	ask_stop(server);
}

TEST(of_a_pipeline_each_has_its_own_and_waits_for_those_before)
{
	struct spate_server *server = serve(true);

	ask(server,
	    "GET /computes HTTP/1.1\r\nHost: a\r\n\r\n" ASK("GET", "/hello"));
	EXPECT(phase(0, "run;dur=") >= LONG - 1);
	EXPECT(phase(1, "queue;dur=") >= LONG - 1);
	EXPECT(phase(1, "run;dur=") >= 0);
	EXPECT(field(2) == NULL);
	ask_stop(server);
}

TEST(a_field_of_the_handlers_stays_beside_it)
{
	struct spate_server *server = serve(true);

	ask(server, ASK("GET", "/own"));
	EXPECT(ask_says("\r\nServer-Timing: db;dur=53\r\n"));
	EXPECT(field(0) != NULL);
	ask_stop(server);
}
