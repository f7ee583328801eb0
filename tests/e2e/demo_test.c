/* SPDX-License-Identifier: BSD-2-Clause */

/* The demo's routes, each exactly as it is promised. */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MIB (1024u * 1024)

static const char *const two_shards[] = { "--shards", "2", NULL };

/* One demo, one connection; what every test here starts from. */
struct visit {
	struct demo demo;
	struct client client;
};

static bool
arrive(struct visit *visit)
{
	visit->client = (struct client) { .fd = -1 };
	if (!demo_start(&visit->demo, two_shards))
		return false;
	return client_open(&visit->client, visit->demo.port);
}

static void
leave(struct visit *visit)
{
	client_close(&visit->client);
	EXPECT_EQ(demo_stop(&visit->demo, SIGTERM), 0);
}

static void
expect_text(struct visit *visit, const char *request, int status,
    const char *type, const char *body)
{
	struct response answer;

	EXPECT_EQ(client_ask(&visit->client, request, &answer), 0);
	if (answer.status != status || !response_is(&answer, body))
		fprintf(stderr, "for %s\ngot %d %s\n", request, answer.status,
		    answer.body);
	EXPECT_EQ(answer.status, status);
	EXPECT(response_is(&answer, body));
	EXPECT(type == NULL
	    || (response_field(&answer, "Content-Type") != NULL
		&& strcmp(response_field(&answer, "Content-Type"), type)
		    == 0));
	EXPECT(response_field(&answer, "Date") != NULL);
	EXPECT(response_field(&answer, "Server") != NULL);
	EXPECT(response_field(&answer, "Connection") == NULL);
	response_free(&answer);
}

TEST(fixed_answers_are_as_promised)
{
	struct visit visit;

	if (arrive(&visit)) {
		expect_text(&visit, GET("/plaintext"), 200, "text/plain",
		    "Hello, World!");
		expect_text(&visit, GET("/json"), 200, "application/json",
		    "{\"message\":\"Hello, World!\"}");
		expect_text(&visit, GET("/plaintext?and=more"), 200,
		    "text/plain", "Hello, World!");
		expect_text(&visit,
		    "GET http://other:1/json?x HTTP/1.1\r\nHost: a\r\n\r\n",
		    200, "application/json", "{\"message\":\"Hello, World!\"}");
	}
	leave(&visit);
}

static bool
is_date(const char *text)
{
	struct tm tm = { 0 };
	const char *end = text == NULL
	    ? NULL
	    : strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	time_t now = time(NULL), then;

	if (end == NULL || *end != '\0')
		return false;
	then = timegm(&tm);
	return then > now - 60 && then < now + 60;
}

TEST(the_date_is_the_date)
{
	struct visit visit;
	struct response answer;

	if (arrive(&visit)) {
		EXPECT_EQ(
		    client_ask(&visit.client, GET("/plaintext"), &answer), 0);
		EXPECT(is_date(response_field(&answer, "Date")));
		response_free(&answer);
	}
	leave(&visit);
}

TEST(user_ids_come_back_without_their_escapes)
{
	struct visit visit;

	if (arrive(&visit)) {
		expect_text(
		    &visit, GET("/users/42"), 200, "text/plain", "42");
		expect_text(&visit, GET("/users/a%20b%2Fc%C3%A9"), 200,
		    "text/plain", "a b/c\xC3\xA9");
		expect_text(&visit, GET("/users/~x.y_z-1"), 200, "text/plain",
		    "~x.y_z-1");
		expect_text(&visit, GET("/us%65rs/7"), 200, "text/plain", "7");
	}
	leave(&visit);
}

static void
expect_status(struct visit *visit, const char *request, int status)
{
	int got = once(visit->demo.port, request, NULL, 0);

	if (got != status)
		fprintf(stderr, "for %s\n", request);
	EXPECT_EQ(got, status);
}

TEST(tasks_add_up_what_threads_have_multiplied)
{
	struct visit visit;

	if (arrive(&visit)) {
		expect_text(&visit, GET("/tasks"), 200, NULL, "30");
		expect_text(&visit, GET("/tasks?n=0"), 200, NULL, "0");
		expect_text(&visit, GET("/tasks?n=1000"), 200, NULL, "338350");
		expect_status(&visit, GET("/tasks?n=x"), 400);
	}
	leave(&visit);
}

TEST(what_is_not_there_is_404)
{
	struct visit visit;

	if (arrive(&visit)) {
		expect_status(&visit, GET("/nothing"), 404);
		expect_status(&visit, GET("/plaintext/"), 404);
		expect_status(&visit, GET("/users"), 404);
		expect_status(&visit, GET("/users/1/2"), 404);
		expect_status(&visit, GET("/bytes/1/x"), 404);
		expect_status(&visit, GET("/PLAINTEXT"), 404);
	}
	leave(&visit);
}

TEST(broken_escapes_are_400)
{
	struct visit visit;

	if (arrive(&visit)) {
		expect_status(&visit, GET("/users/%"), 400);
		expect_status(&visit, GET("/users/%4"), 400);
		expect_status(&visit, GET("/users/%zz"), 400);
	}
	leave(&visit);
}

static void
expect_allow(struct visit *visit, const char *request, int status,
    const char *allow)
{
	struct response answer;
	const char *got;

	EXPECT_EQ(client_ask(&visit->client, request, &answer), 0);
	EXPECT_EQ(answer.status, status);
	got = response_field(&answer, "Allow");
	if (got == NULL || strcmp(got, allow) != 0)
		fprintf(stderr, "%s\nAllow: %s\n", request,
		    got != NULL ? got : "none");
	EXPECT(got != NULL && strcmp(got, allow) == 0);
	if (status == 204) {
		EXPECT(!answer.has_length && !answer.chunked);
		EXPECT_EQ(answer.size, 0);
	}
	response_free(&answer);
}

#define ASK(method, path) method " " path " HTTP/1.1\r\nHost: a\r\n\r\n"

TEST(other_methods_are_405_and_options_tells_which_are_not)
{
	struct visit visit;

	if (arrive(&visit)) {
		expect_allow(&visit, ASK("POST", "/plaintext"), 405,
		    "GET, HEAD, OPTIONS");
		expect_allow(&visit, ASK("DELETE", "/bytes/5"), 405,
		    "GET, HEAD, OPTIONS");
		expect_allow(&visit, ASK("OPTIONS", "/json"), 204,
		    "GET, HEAD, OPTIONS");
		expect_status(&visit, ASK("OPTIONS", "/nothing"), 404);
		expect_status(&visit, ASK("TRACE", "/echo"), 405);
		expect_status(&visit,
		    "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501);
		expect_status(&visit, ASK("BREW", "/plaintext"), 501);
		expect_status(&visit, ASK("get", "/plaintext"), 501);
	}
	leave(&visit);
}

TEST(options_of_the_server_is_answered)
{
	struct visit visit;
	struct response answer;

	if (arrive(&visit)) {
		EXPECT_EQ(
		    client_ask(&visit.client, ASK("OPTIONS", "*"), &answer), 0);
		EXPECT(answer.status == 200 || answer.status == 204);
		response_free(&answer);
		expect_text(&visit, GET("/json"), 200, "application/json",
		    "{\"message\":\"Hello, World!\"}");
	}
	leave(&visit);
}

static void
expect_head(struct visit *visit, const char *request, const char *length)
{
	struct response answer;
	const char *got;

	EXPECT(client_say(&visit->client, request));
	EXPECT_EQ(client_read_head(&visit->client, &answer), 0);
	EXPECT_EQ(answer.status, 200);
	got = response_field(&answer, "Content-Length");
	EXPECT(length == NULL ? got == NULL
			      : got != NULL && strcmp(got, length) == 0);
	response_free(&answer);
}

TEST(head_is_the_head_of_get)
{
	struct visit visit;

	if (arrive(&visit)) {
		expect_head(&visit, ASK("HEAD", "/plaintext"), "13");
		expect_head(&visit, ASK("HEAD", "/json"), "27");
		expect_head(&visit, ASK("HEAD", "/bytes/50000000"), "50000000");
		expect_head(&visit, ASK("HEAD", "/bytes/9223372036854775807"),
		    "9223372036854775807");
		expect_head(&visit, ASK("HEAD", "/users/abc"), "3");
		expect_head(&visit, ASK("HEAD", "/echo"), "0");
		expect_text(&visit, GET("/users/1"), 200, "text/plain", "1");
	}
	leave(&visit);
}

TEST(burning_has_limits)
{
	struct visit visit;

	if (arrive(&visit)) {
		expect_text(&visit, GET("/burn?us=0"), 200,
		    "text/plain; charset=utf-8", "ok");
		expect_text(&visit, GET("/burn?us=2000"), 200, NULL, "ok");
		/* More than a second is a second. */
		expect_text(&visit, GET("/burn?us=99999999"), 200, NULL, "ok");
		expect_status(&visit, GET("/burn"), 400);
		expect_status(&visit, GET("/burn?us="), 400);
		expect_status(&visit, GET("/burn?us=x"), 400);
		expect_status(&visit, GET("/burn?us=-1"), 400);
		expect_status(&visit, GET("/burn?us=1.5"), 400);
		expect_status(
		    &visit, GET("/burn?us=99999999999999999999999"), 400);
	}
	leave(&visit);
}

/* ----------------------------------------------------------------- bytes */

static void
expect_bytes(struct visit *visit, const char *n, size_t size)
{
	char request[128];
	struct response answer;
	size_t wrong = 0;

	snprintf(request, sizeof(request), GET("/bytes/%s"), n);
	EXPECT_EQ(client_ask(&visit->client, request, &answer), 0);
	EXPECT_EQ(answer.status, 200);
	EXPECT(answer.has_length);
	EXPECT_EQ(answer.size, size);
	for (size_t i = 0; i < answer.size; i++)
		wrong += answer.body[i] != (char)('a' + i % MIB % 26);
	EXPECT_EQ(wrong, 0);
	response_free(&answer);
}

TEST(bytes_are_as_many_as_asked_for)
{
	struct visit visit;

	if (arrive(&visit)) {
		expect_bytes(&visit, "0", 0);
		expect_bytes(&visit, "1", 1);
		expect_bytes(&visit, "16383", 16383);
		expect_bytes(&visit, "16385", 16385);
		expect_bytes(&visit, "065536", 65536);
		expect_bytes(&visit, "8388609", 8 * MIB + 1);
		expect_status(&visit, GET("/bytes/x"), 400);
		expect_status(&visit, GET("/bytes/-1"), 400);
		expect_status(&visit, GET("/bytes/1k"), 400);
		expect_status(&visit, GET("/bytes/9223372036854775808"), 400);
	}
	leave(&visit);
}

TEST(fifty_mebibytes_reach_a_slow_reader)
{
	static char piece[97 * 1024];
	struct visit visit;
	struct response answer;
	size_t size = 0, wrong = 0;
	ssize_t n;

	if (!arrive(&visit)) {
		leave(&visit);
		return;
	}
	/* The reader looks away until the server can send no more. */
	EXPECT(client_say(&visit.client, GET_CLOSE("/bytes/52428800")));
	EXPECT_EQ(client_read_head(&visit.client, &answer), 0);
	response_free(&answer);
	EXPECT_EQ(once(visit.demo.port, GET("/burn?us=50000"), NULL, 0), 200);
	while ((n = client_receive(&visit.client, piece, sizeof(piece))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			wrong += piece[i]
			    != (char)('a' + (size + (size_t)i) % MIB % 26);
		size += (size_t)n;
	}
	EXPECT_EQ(n, 0);
	EXPECT_EQ(size, 50 * MIB);
	EXPECT_EQ(wrong, 0);
	leave(&visit);
}
