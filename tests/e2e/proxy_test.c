/* SPDX-License-Identifier: BSD-2-Clause */

/* The demo in front of another server: itself, and one by a script. */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------- another demo */

struct pair {
	struct demo back, front;
	struct client client;
};

static bool
start_front(struct pair *pair, const char *upstream)
{
	const char *const arguments[] = { "--upstream", upstream, "--shards",
		"2", NULL };

	pair->client.fd = -1;
	return demo_start(&pair->front, arguments)
	       && client_open(&pair->client, pair->front.port);
}

static bool
start_pair(struct pair *pair)
{
	static const char *const arguments[] = { "--shards", "2", NULL };
	char upstream[64];

	*pair = (struct pair){ .front.pid = -1, .front.log = -1 };
	if (!demo_start(&pair->back, arguments))
		return false;
	snprintf(upstream, sizeof(upstream), "127.0.0.1:%d", pair->back.port);
	return start_front(pair, upstream);
}

/* The back first: it need not wait for what the front keeps. */
static void
stop_pair(struct pair *pair)
{
	client_close(&pair->client);
	EXPECT_EQ(demo_stop(&pair->back, SIGTERM), 0);
	EXPECT_EQ(demo_stop(&pair->front, SIGTERM), 0);
}

static void
expect(struct pair *pair, const char *request, int status, const char *body)
{
	struct response answer;

	EXPECT_EQ(client_ask(&pair->client, request, &answer), 0);
	if (answer.status != status || !response_is(&answer, body))
		fprintf(
		    stderr, "%s\n%d %s\n", request, answer.status, answer.body);
	EXPECT_EQ(answer.status, status);
	EXPECT(response_is(&answer, body));
	response_free(&answer);
}

TEST(answers_pass_as_they_are)
{
	struct pair pair;
	struct response answer;

	if (start_pair(&pair)) {
		expect(&pair, GET("/proxy/plaintext"), 200, "Hello, World!");
		expect(&pair, GET("/proxy/users/a%2Fb?c"), 200, "a/b");
		expect(&pair, GET("/proxy/no"), 404, "404 Not Found\n");
		expect(&pair,
		    "POST /proxy/echo HTTP/1.1\r\nHost: a\r\n"
		    "Content-Length: 5\r\n\r\nhello",
		    200, "hello");
		expect(&pair,
		    "PUT /proxy/echo HTTP/1.1\r\nHost: a\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n"
		    "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
		    200, "hello");
		EXPECT(client_say(&pair.client,
		    "HEAD /proxy/bytes/70000 HTTP/1.1\r\nHost: a\r\n\r\n"));
		EXPECT_EQ(client_read_head(&pair.client, &answer), 0);
		EXPECT(
		    strcmp(response_field(&answer, "Content-Length"), "70000")
		    == 0);
		EXPECT(response_field(&answer, "Via") != NULL);
		response_free(&answer);
		EXPECT_EQ(client_ask(&pair.client, GET("/proxy/bytes/5000000"),
			      &answer),
		    0);
		EXPECT_EQ(answer.size, 5000000);
		response_free(&answer);
	}
	stop_pair(&pair);
}

TEST(a_fan_of_requests_is_answered_whole)
{
	struct pair pair;

	if (start_pair(&pair)) {
		expect(&pair, GET("/fanout?n=0"), 200, "0 of 0\n");
		expect(&pair, GET("/fanout?n=50"), 200, "50 of 50\n");
		expect(&pair, GET("/fanout?n=50&ms=5"), 200, "50 of 50\n");
		EXPECT_EQ(once(pair.front.port, GET("/fanout"), NULL, 0), 400);
		EXPECT_EQ(
		    once(pair.front.port, GET("/fanout?n=x"), NULL, 0), 400);
		EXPECT_EQ(
		    once(pair.front.port, GET("/fanout?n=1001"), NULL, 0), 400);
		EXPECT_EQ(
		    once(pair.back.port, GET("/fanout?n=1"), NULL, 0), 404);
		EXPECT_EQ(
		    once(pair.back.port, GET("/proxy/json"), NULL, 0), 404);
	}
	stop_pair(&pair);
}

/* ---------------------------------------------------------- by a script */

static struct site back;

/* What to answer; NULL: what was asked, as the body. */
static const char *script;

#define ECHO_HEAD                                                              \
	"HTTP/1.1 200 OK\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\n"          \
	"X-Late: 1\r\nConnection: x-late\r\nKeep-Alive: 5\r\n"                \
	"Server: other\r\nX-Stays: 2\r\n\r\n"

static int
play(struct spate_stream *stream, void *arg)
{
	char request[4096];
	ssize_t n = spate_stream_read(stream, request, sizeof(request));

	(void)arg;
	if (n > 0 && script != NULL) {
		spate_stream_write(stream, script, strlen(script));
	} else if (n > 0) {
		spate_stream_write(stream, ECHO_HEAD, sizeof(ECHO_HEAD) - 1);
		spate_stream_write(stream, request, (size_t)n);
	}
	return 1;
}

static bool
start_script(struct pair *pair, const char *text)
{
	char address[64];

	*pair = (struct pair){ .client.fd = -1,
		.front.pid = -1,
		.front.log = -1,
		.back.pid = -1,
		.back.log = -1 };
	script = text;
	snprintf(
	    address, sizeof(address), "unix:@spate-proxy-%d", (int)getpid());
	site_new(&back);
	site_make(&back);
	spate_listen_stream(back.server, address, play, NULL);
	return site_start(&back) && start_front(pair, address);
}

static void
stop_script(struct pair *pair)
{
	client_close(&pair->client);
	EXPECT_EQ(demo_stop(&pair->front, SIGTERM), 0);
	EXPECT_EQ(site_stop(&back), 0);
}

TEST(fields_of_one_hop_stay_behind)
{
	struct pair pair;
	struct response answer;

	if (start_script(&pair, NULL)
	    && client_ask(&pair.client,
		   "GET /proxy/a%2Fb?c=d HTTP/1.1\r\nHost: a\r\n"
		   "Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\n"
		   "TE: trailers\r\nUpgrade: x\r\nKeep-Alive: 1\r\n"
		   "X-Late: 1\r\nConnection: x-late\r\n"
		   "X-Other: 2\r\n\r\n",
		   &answer)
		   == 0) {
		EXPECT_EQ(answer.status, 200);
		EXPECT(response_is(&answer,
		    "GET /a%2Fb?c=d HTTP/1.1\r\nHost: localhost\r\n"
		    "X-Other: 2\r\nVia: 1.1 spate\r\n\r\n"));
		EXPECT(response_field(&answer, "X-Hop") == NULL);
		EXPECT(response_field(&answer, "X-Late") == NULL);
		EXPECT(response_field(&answer, "Keep-Alive") == NULL);
		EXPECT(response_field(&answer, "Connection") == NULL);
		EXPECT(response_field(&answer, "X-Stays") != NULL);
		EXPECT(strcmp(response_field(&answer, "Server"), "spate") == 0);
		response_free(&answer);
	}
	stop_script(&pair);
}

#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"
#define TRACEPARENT "traceparent: 00-" TRACE_ID "-" PARENT "-01\r\n"
#define TRACED                                                                 \
	"GET /proxy/ HTTP/1.1\r\nHost: a\r\ntracestate: a=1\r\n" TRACEPARENT

/* The parent is by chance: all but its 16 digits is known. */
TEST(a_trace_goes_on_with_another_parent)
{
	static const char head[] =
	    "GET / HTTP/1.1\r\nHost: localhost\r\nVia: 1.1 spate\r\n"
	    "traceparent: 00-" TRACE_ID "-";
	static const char rest[] = "-01\r\ntracestate: a=1\r\n\r\n";
	struct pair pair;
	struct response answer;

	if (start_script(&pair, NULL)
	    && client_ask(&pair.client, TRACED "\r\n", &answer) == 0) {
		const size_t size = sizeof(head) - 1 + 16 + sizeof(rest) - 1;

		EXPECT_EQ(answer.size, size);
		if (answer.size == size) {
			const char *id = answer.body + sizeof(head) - 1;

			EXPECT(
			    memcmp(answer.body, head, sizeof(head) - 1) == 0);
			EXPECT(memcmp(id, PARENT, 16) != 0);
			EXPECT(memcmp(id + 16, rest, sizeof(rest) - 1) == 0);
		}
		response_free(&answer);
		/* Two of them are none. */
		expect(&pair, TRACED TRACEPARENT "\r\n", 200,
		    "GET / HTTP/1.1\r\nHost: localhost\r\n"
		    "Via: 1.1 spate\r\n\r\n");
	}
	stop_script(&pair);
}

TEST(what_is_no_answer_is_502)
{
	struct pair pair;

	if (start_script(&pair, "220 ready\r\n"))
		EXPECT_EQ(once(pair.front.port, GET("/proxy/"), NULL, 0), 502);
	stop_script(&pair);
	if (start_script(&pair, ""))
		EXPECT_EQ(once(pair.front.port, GET("/proxy/"), NULL, 0), 502);
	stop_script(&pair);
}

/* More than the 8 KiB that an answer of this server has for them. */
TEST(an_answer_with_too_many_fields_is_502)
{
	static char text[10000] = "HTTP/1.1 200 OK\r\nX-Long: ";
	struct pair pair;
	size_t size = strlen(text);

	memset(text + size, 'x', 8100);
	strcpy(text + size + 8100, "\r\nContent-Length: 2\r\n\r\nok");
	if (start_script(&pair, text))
		EXPECT_EQ(once(pair.front.port, GET("/proxy/"), NULL, 0), 200);
	stop_script(&pair);
	memset(text + size, 'x', 8200);
	strcpy(text + size + 8200, "\r\nContent-Length: 2\r\n\r\nok");
	if (start_script(&pair, text))
		EXPECT_EQ(once(pair.front.port, GET("/proxy/"), NULL, 0), 502);
	stop_script(&pair);
}

TEST(no_answer_in_time_is_504)
{
	struct pair pair;

	setenv("SPATE_UPSTREAM_MS", "20", 1);
	if (start_pair(&pair)) {
		EXPECT_EQ(
		    once(pair.front.port, GET("/proxy/sleep?ms=60000"), NULL,
			0),
		    504);
		EXPECT_EQ(
		    once(pair.front.port, GET("/proxy/sleep?ms=0"), NULL, 0),
		    200);
	}
	stop_pair(&pair);
}

/* After its head an answer can only be cut short, not taken back. */
TEST(an_answer_that_ends_early_ends_early)
{
	struct pair pair;
	struct response answer;

	if (start_script(
		&pair, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort")) {
		client_say(&pair.client, GET("/proxy/"));
		EXPECT_EQ(client_read(&pair.client, &answer), -EPROTO);
	}
	stop_script(&pair);
	if (start_script(&pair,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		"5\r\nshort\r\n")) {
		client_say(&pair.client, GET("/proxy/"));
		EXPECT_EQ(client_read(&pair.client, &answer), -EPROTO);
	}
	stop_script(&pair);
}

TEST(nobody_there_is_502)
{
	struct pair pair = { .back = { .pid = -1, .log = -1 } };

	if (start_front(&pair, "unix:@spate-nobody-at-all")) {
		EXPECT_EQ(once(pair.front.port, GET("/proxy/"), NULL, 0), 502);
		EXPECT_EQ(
		    once(pair.front.port, GET("/fanout?n=2"), NULL, 0), 502);
	}
	client_close(&pair.client);
	EXPECT_EQ(demo_stop(&pair.front, SIGTERM), 0);
	if (start_front(&pair, "no.number:80"))
		EXPECT_EQ(once(pair.front.port, GET("/proxy/"), NULL, 0), 502);
	client_close(&pair.client);
	EXPECT_EQ(demo_stop(&pair.front, SIGTERM), 0);
}
