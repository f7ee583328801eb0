/* SPDX-License-Identifier: BSD-2-Clause */

/* The access log: which requests are in it, and what it says of them. */

#include "tests/e2e/ask.h"

#include "tests/harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char lines[8192];

static void
keep(void *arg, enum spate_log_level level, const char *line)
{
	size_t size;

	(void)arg;
	EXPECT_EQ(level, SPATE_LOG_INFO);
	pthread_mutex_lock(&lock);
	size = strlen(lines);
	snprintf(lines + size, sizeof(lines) - size, "%s\n", line);
	pthread_mutex_unlock(&lock);
}

static unsigned
count(const char *text)
{
	const char *at = lines;
	unsigned n = 0;

	while ((at = strstr(at, text)) != NULL) {
		at += strlen(text);
		n++;
	}
	return n;
}

static int
hello(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_text(req, 200, "hello");
}

static int
pieces(struct spate_req *req, void *arg)
{
	int error = spate_begin(req, 201, "text/plain", -1);

	(void)arg;
	if (error == 0)
		error = spate_write(req, "abc", 3);
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
waits(struct spate_req *req, void *arg)
{
	(void)arg;
	spate_sleep(30);
	return spate_text(req, 200, "waited");
}

/* A server with all of these; the lines of before are gone. */
static struct spate_server *
serve(uint32_t access_log, enum spate_log_level level)
{
	struct spate_options options = spate_options_default();
	struct spate_server *server;

	options.log = keep;
	options.log_level = level;
	options.access_log = access_log;
	options.spares = 0;
	options.stall_ms = 0; /* a slow machine is no news here */
	lines[0] = '\0';
	server = ask_new(&options);
	spate_route(server, "GET", "/hello/:name", hello, NULL);
	spate_route(server, "GET", "/pieces", pieces, NULL);
	spate_route(server, "GET", "/missing", missing, NULL);
	spate_route(server, "GET", "/waits", waits, NULL);
	ask_start(server);
	return server;
}

TEST(a_line_has_the_pattern_and_nothing_that_the_client_chose)
{
	struct spate_server *server = serve(1, SPATE_LOG_INFO);

	ask(server, ASK("GET", "/hello/secret%0a?token=secret"));
	EXPECT_EQ(ask_status(), 200);
	ask(server, ASK("GET", "/secret\"%0Alevel=error"));
	EXPECT_EQ(ask_status(), 404);
	ask_stop(server);
	EXPECT_EQ(
	    count("method=GET route=/hello/:name status=200 bytes=5 "), 1);
	EXPECT_EQ(count(" route=none status=404 "), 1);
	EXPECT_EQ(count("secret"), 0);
	EXPECT_EQ(count("\n"), 2);
}

TEST(a_line_has_the_status_and_bytes_of_every_way_to_answer)
{
	struct spate_server *server = serve(1, SPATE_LOG_INFO);

	ask(server, ASK("GET", "/pieces"));
	ask(server, ASK("HEAD", "/hello/a"));
	ask(server, ASK("GET", "/missing"));
	EXPECT_EQ(ask_status(), 400);
	ask(server, ASK("POST", "/pieces"));
	EXPECT_EQ(ask_status(), 405);
	ask_stop(server);
	EXPECT_EQ(count("method=GET route=/pieces status=201 bytes=7 "), 1);
	EXPECT_EQ(
	    count("method=HEAD route=/hello/:name status=200 bytes=0 "), 1);
	EXPECT_EQ(count(" route=/missing status=400 "), 1);
	EXPECT_EQ(count("method=POST route=none status=405 "), 1);
}

TEST(time_in_a_wait_is_parked)
{
	struct spate_server *server = serve(1, SPATE_LOG_INFO);
	unsigned long long parked = 0;
	const char *at;

	ask(server, ASK("GET", "/waits"));
	ask_stop(server);
	at = strstr(lines, "parked_us=");
	EXPECT(at != NULL && sscanf(at, "parked_us=%llu", &parked) == 1);
	EXPECT(parked >= 29000);
}

TEST(one_of_so_many_requests_is_logged)
{
	struct spate_server *server = serve(3, SPATE_LOG_INFO);

	for (int i = 0; i < 10; i++)
		ask(server, ASK("GET", "/hello/a"));
	ask_stop(server);
	EXPECT_EQ(count("route=/hello/:name"), 3);
}

TEST(requests_of_a_pipeline_are_each_logged)
{
	struct spate_server *server = serve(1, SPATE_LOG_INFO);

	ask(server,
	    "GET /hello/a HTTP/1.1\r\nHost: a\r\n\r\n"
	    "GET /hello/b HTTP/1.1\r\nHost: a\r\n\r\n" ASK("GET", "/hello/c"));
	ask_stop(server);
	EXPECT_EQ(count("route=/hello/:name status=200 bytes=5"), 3);
}

TEST(nothing_is_logged_if_nobody_asked_or_wants_that_level)
{
	struct spate_server *server = serve(0, SPATE_LOG_INFO);

	ask(server, ASK("GET", "/hello/a"));
	ask(server, ASK("GET", "/none"));
	ask_stop(server);
	EXPECT_EQ(count("route="), 0);
	server = serve(1, SPATE_LOG_WARNING);
	ask(server, ASK("GET", "/hello/a"));
	ask(server, ASK("GET", "/none"));
	ask_stop(server);
	EXPECT_EQ(count("route="), 0);
}
