/* SPDX-License-Identifier: BSD-2-Clause */

/* What a connection goes through: several requests, their order, its end. */

#include "tests/e2e/handlers.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next answer has this body and this Connection; NULL: none. */
static void
expect_next(struct client *client, const char *body, const char *connection)
{
	struct response answer;
	const char *got;

	EXPECT_EQ(client_read(client, &answer), 0);
	EXPECT_EQ(answer.status, 200);
	EXPECT(response_is(&answer, body));
	got = answer.head != NULL ? response_field(&answer, "Connection")
				  : NULL;
	EXPECT(connection == NULL
		? got == NULL
		: got != NULL && strcmp(got, connection) == 0);
	response_free(&answer);
}

TEST(a_connection_is_kept)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		for (int i = 0; i < 50; i++) {
			client_say(&client, GET("/hello"));
			expect_next(&client, "hello", NULL);
		}
		EXPECT_EQ(SITE_COUNT(&site, accepted), 1);
		EXPECT_EQ(SITE_COUNT(&site, requests), 50);
		EXPECT_EQ(SITE_COUNT(&site, responses_2xx), 50);
	}
	handlers_leave(&site, &client);
}

TEST(a_connection_is_closed_when_asked)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client, GET("/hello"));
		expect_next(&client, "hello", NULL);
		client_say(&client, GET_CLOSE("/hello"));
		expect_next(&client, "hello", "close");
		EXPECT(client_at_end(&client));
	}
	handlers_leave(&site, &client);
}

TEST(what_follows_a_last_request_is_not_answered)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client, GET_CLOSE("/hello") GET("/size/3"));
		expect_next(&client, "hello", "close");
		EXPECT(client_at_end(&client));
	}
	handlers_leave(&site, &client);
}

TEST(http_1_0_closes_unless_it_keeps_alive)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client,
		    "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
		expect_next(&client, "hello", "keep-alive");
		client_say(&client, "GET /size/2 HTTP/1.0\r\n\r\n");
		expect_next(&client, "xx", "close");
		EXPECT(client_at_end(&client));
	}
	handlers_leave(&site, &client);
}

TEST(http_1_0_gets_no_chunks)
{
	struct site site;
	struct client client;
	struct response answer;

	if (handlers_arrive(&site, &client)) {
		EXPECT_EQ(client_ask(&client,
			      "GET /chunks/3 HTTP/1.0\r\n"
			      "Connection: keep-alive\r\n\r\n",
			      &answer),
		    0);
		EXPECT(!answer.chunked && !answer.has_length);
		EXPECT(response_is(&answer, "yyyyyy"));
		EXPECT(strcmp(response_field(&answer, "Connection"), "close")
		    == 0);
		response_free(&answer);
		EXPECT(client_at_end(&client));
	}
	handlers_leave(&site, &client);
}

/* -------------------------------------------------------------- pipelines */

TEST(a_pipeline_of_sixteen_is_answered_in_order)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		char all[16 * 64] = "";
		size_t size = 0;

		for (int i = 0; i < 16; i++)
			size += (size_t)snprintf(all + size,
			    sizeof(all) - size, GET("/size/%d"), i);
		EXPECT(client_send(&client, all, size));
		for (int i = 0; i < 16; i++) {
			char body[17] = "";

			memset(body, 'x', (size_t)i);
			expect_next(&client, body, NULL);
		}
	}
	handlers_leave(&site, &client);
}

/* One of a hundred requests, each of another kind. => Returns its size. */
static size_t
put_request(char *at, size_t room, int i)
{
	switch (i % 6) {
	case 0:
		return (size_t)snprintf(at, room, GET("/size/%d"), i * 700);
	case 1:
		return (size_t)snprintf(at, room,
		    "POST /echo HTTP/1.1\r\nHost: a\r\n"
		    "Content-Length: 6\r\n\r\nbody%02d",
		    i);
	case 2:
		return (size_t)snprintf(at, room,
		    "HEAD /size/%d HTTP/1.1\r\nHost: a\r\n\r\n", i * 1000);
	case 3:
		return (size_t)snprintf(at, room,
		    "PUT /echo HTTP/1.1\r\nHost: a\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n"
		    "4\r\nbody\r\n2;x=y\r\n%02d\r\n0\r\nT: u\r\n\r\n",
		    i);
	case 4:
		return (size_t)snprintf(at, room,
		    "POST /ignore HTTP/1.1\r\nHost: a\r\n"
		    "Content-Length: 9\r\n\r\nGET / HTT");
	default:
		return (size_t)snprintf(at, room, GET("/chunks/%d"), i);
	}
}

static void
expect_answer(struct client *client, int i)
{
	struct response answer;
	char body[8];

	snprintf(body, sizeof(body), "body%02d", i);
	EXPECT_EQ(i % 6 == 2 ? client_read_head(client, &answer)
			     : client_read(client, &answer),
	    0);
	EXPECT_EQ(answer.status, 200);
	switch (i % 6) {
	case 0:
		EXPECT_EQ(answer.size, i * 700);
		break;
	case 1:
	case 3:
		EXPECT(response_is(&answer, body));
		break;
	case 4:
		EXPECT(response_is(&answer, "ignored"));
		break;
	case 5:
		EXPECT_EQ(answer.size, i * (i + 1) / 2);
		break;
	default:
		EXPECT_EQ(answer.size, 0);
	}
	response_free(&answer);
}

static void
expect_hundred(struct site *site, size_t piece)
{
	static char all[100 * 200];
	struct client client;
	size_t size = 0, at = 0;

	for (int i = 0; i < 100; i++)
		size += put_request(all + size, sizeof(all) - size, i);
	if (!client_open(&client, site->port))
		return;
	for (; at < size; at += piece)
		EXPECT(client_send(&client, all + at,
		    size - at < piece ? size - at : piece));
	for (int i = 0; i < 100; i++)
		expect_answer(&client, i);
	client_close(&client);
}

TEST(a_pipeline_of_a_hundred_mixed_requests_is_answered_in_order)
{
	struct site site;

	if (handlers_start(&site)) {
		expect_hundred(&site, 20000);
		expect_hundred(&site, 1000);
		expect_hundred(&site, 7);
	}
	EXPECT_EQ(site_stop(&site), 0);
}

/* Bodies that are larger than the buffer, between small requests. */
TEST(large_bodies_in_a_pipeline_keep_their_place)
{
	static char body[100000];
	struct site site;
	struct client client;
	struct response answer;

	memset(body, 'b', sizeof(body));
	if (handlers_arrive(&site, &client)) {
		client_say(&client,
		    GET("/hello") "POST /collect HTTP/1.1\r\nHost: a\r\n"
				  "Content-Length: 100000\r\n\r\n");
		client_send(&client, body, sizeof(body));
		client_say(&client,
		    GET("/size/4")
			"POST /collect HTTP/1.1\r\nHost: a\r\n"
			"Transfer-Encoding: chunked\r\n\r\n186a0\r\n");
		client_send(&client, body, sizeof(body));
		client_say(&client, "\r\n0\r\n\r\n" GET("/hello"));
		expect_next(&client, "hello", NULL);
		EXPECT_EQ(client_read(&client, &answer), 0);
		EXPECT_EQ(answer.size, sizeof(body));
		response_free(&answer);
		expect_next(&client, "xxxx", NULL);
		EXPECT_EQ(client_read(&client, &answer), 0);
		EXPECT_EQ(answer.size, sizeof(body));
		response_free(&answer);
		expect_next(&client, "hello", NULL);
	}
	handlers_leave(&site, &client);
}

TEST(an_answer_does_not_wait_for_the_next_request)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		/* The second is not complete, and the first is answered. */
		client_say(&client, GET("/hello") "GET /size/1 HT");
		expect_next(&client, "hello", NULL);
		client_say(&client, "TP/1.1\r\nHost: a\r\n\r");
		client_say(&client, "\n");
		expect_next(&client, "x", NULL);
	}
	handlers_leave(&site, &client);
}

/* A handler that waits does not hold back the answers in front of it. */
TEST(an_answer_does_not_wait_for_the_next_body)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client,
		    GET("/hello") "POST /collect HTTP/1.1\r\nHost: a\r\n"
				  "Content-Length: 4\r\n\r\nab");
		expect_next(&client, "hello", NULL);
		client_say(&client, "cd");
		expect_next(&client, "abcd", NULL);
	}
	handlers_leave(&site, &client);
}

/* ----------------------------------------------------- bodies, not read */

TEST(an_answer_does_not_wait_for_a_body_that_nobody_reads)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client,
		    "POST /ignore HTTP/1.1\r\nHost: a\r\n"
		    "Content-Length: 5\r\n\r\n");
		expect_next(&client, "ignored", NULL);
		client_say(&client, "GET /" GET("/hello"));
		expect_next(&client, "hello", NULL);
	}
	handlers_leave(&site, &client);
}

TEST(a_body_that_nobody_reads_is_skipped_within_a_bound)
{
	static char body[200000];
	struct site site;
	struct client client;
	struct response answer;

	memset(body, 'b', sizeof(body));
	if (handlers_arrive(&site, &client)) {
		client_say(&client,
		    "POST /ignore HTTP/1.1\r\nHost: a\r\n"
		    "Content-Length: 200000\r\n\r\n");
		client_send(&client, body, sizeof(body));
		client_say(&client,
		    "POST /nowhere HTTP/1.1\r\nHost: a\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n30d40\r\n");
		client_send(&client, body, sizeof(body));
		client_say(&client, "\r\n0\r\n\r\n" GET("/hello"));
		expect_next(&client, "ignored", NULL);
		EXPECT_EQ(client_read(&client, &answer), 0);
		EXPECT_EQ(answer.status, 404);
		response_free(&answer);
		expect_next(&client, "hello", NULL);
		/* Of one beyond the bound the rest is not waited for. */
		client_say(&client,
		    "POST /ignore HTTP/1.1\r\nHost: a\r\n"
		    "Content-Length: 9000000\r\n\r\n");
		EXPECT_EQ(client_read(&client, &answer), 0);
		EXPECT_EQ(answer.status, 200);
		response_free(&answer);
		EXPECT(client_at_end(&client));
		EXPECT_EQ(SITE_COUNT(&site, limited_unread), 1);
	}
	handlers_leave(&site, &client);
}

/* A malformed body that nobody reads is still not a request. */
TEST(what_follows_a_malformed_body_is_not_a_request)
{
	struct site site;
	struct client client;
	struct response answer;

	if (handlers_arrive(&site, &client)) {
		client_say(&client,
		    "POST /ignore HTTP/1.1\r\nHost: a\r\n"
		    "Transfer-Encoding: chunked\r\n\r\nzz\r\n" GET("/hello"));
		EXPECT_EQ(client_read(&client, &answer), 0);
		response_free(&answer);
		EXPECT(client_at_end(&client));
		EXPECT_EQ(SITE_COUNT(&site, requests), 1);
	}
	handlers_leave(&site, &client);
}

/* ----------------------------------------------------------------- splits */

static const char *const split_requests[] = {
	GET_CLOSE("/hello"),
	"\r\nGET /size/9 HTTP/1.1\r\nHost: a\r\nX: y\r\nConnection: close\r\n"
	"\r\n",
	"POST /collect HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
	"Connection: close\r\n\r\nabcde",
	"POST /collect HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
	"Connection: close\r\n\r\n3;e=f\r\nabc\r\n2\r\nde\r\n0\r\nA: b\r\n\r\n",
	"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
	"GET /hello HTTP/1.1\r\nHost : a\r\n\r\n",
	"GET /hello HTTP/3.0\r\nHost: a\r\n\r\n",
};

#define SPLIT_REQUESTS (sizeof(split_requests) / sizeof(split_requests[0]))

/* Does the server have everything that was sent? */
static bool
is_idle(struct site *site, uint64_t bytes)
{
	return SITE_REACHES(site, bytes_in, bytes);
}

/* All of the answer, but for its date. */
static size_t
whole_answer(struct client *client, char *text, size_t size)
{
	ssize_t n = client_exactly(client, text, size - 1);
	char *date;

	EXPECT(n > 0 && (size_t)n < size - 1);
	text[n > 0 ? n : 0] = '\0';
	date = strstr(text, "Date: ");
	if (date != NULL)
		memset(date, '-', strcspn(date, "\r"));
	return n > 0 ? (size_t)n : 0;
}

static void
expect_same(struct site *site, const char *request, size_t at)
{
	char want[2048], got[2048];
	size_t size = strlen(request);
	struct client client;

	if (!client_open(&client, site->port))
		return;
	client_say(&client, request);
	whole_answer(&client, want, sizeof(want));
	client_close(&client);
	if (!client_open(&client, site->port))
		return;
	uint64_t before = SITE_COUNT(site, bytes_in);

	client_send(&client, request, at);
	EXPECT(is_idle(site, before + at));
	/* A refusal may have come already, and the rest go nowhere. */
	client_send(&client, request + at, size - at);
	whole_answer(&client, got, sizeof(got));
	client_close(&client);
	if (strcmp(want, got) != 0)
		fprintf(stderr, "split at %zu of:\n%s\n", at, request);
	EXPECT(strcmp(want, got) == 0);
}

TEST(a_request_split_anywhere_gets_the_same_answer)
{
	struct site site;

	if (handlers_start(&site)) {
		for (size_t i = 0; i < SPLIT_REQUESTS; i++) {
			size_t size = strlen(split_requests[i]);

			for (size_t at = 1; at < size; at++)
				expect_same(&site, split_requests[i], at);
		}
	}
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_request_may_come_byte_by_byte)
{
	struct site site;
	struct client client;
	const char *request = split_requests[3];

	if (handlers_arrive(&site, &client)) {
		for (const char *at = request; *at != '\0'; at++) {
			uint64_t before = SITE_COUNT(&site, bytes_in);

			client_send(&client, at, 1);
			EXPECT(is_idle(&site, before + 1));
		}
		expect_next(&client, "abcde", "close");
		EXPECT(client_at_end(&client));
	}
	handlers_leave(&site, &client);
}

/* A head of many pieces, as large as heads may be. */
TEST(a_large_head_may_come_in_small_pieces)
{
	struct site site;
	struct client client;
	char piece[160];

	if (handlers_arrive(&site, &client)) {
		client_say(&client, "GET /hello HTTP/1.1\r\nHost: a\r\n");
		for (int i = 0; i < 90; i++) {
			uint64_t before = SITE_COUNT(&site, bytes_in);
			int size = snprintf(piece, sizeof(piece),
			    "X-Field-%02d: %0120d\r\n", i, i);

			client_send(&client, piece, 70);
			EXPECT(is_idle(&site, before + 70));
			client_send(&client, piece + 70, (size_t)size - 70);
		}
		client_say(&client, "\r\n");
		expect_next(&client, "hello", NULL);
	}
	handlers_leave(&site, &client);
}

/* --------------------------------------------------------------- the end */

TEST(a_client_that_sends_its_last_still_gets_its_answers)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client, GET("/hello") GET("/size/3"));
		client_shut(&client);
		expect_next(&client, "hello", NULL);
		expect_next(&client, "xxx", NULL);
		EXPECT(client_at_end(&client));
		EXPECT(site_left(&site));
	}
	handlers_leave(&site, &client);
}

TEST(an_idle_connection_ends_at_its_deadline)
{
	struct site site;
	struct client client = { .fd = -1 };

	site_new(&site);
	site.options.idle_timeout_ms = 50;
	handlers_make(&site);
	if (site_start(&site) && client_open(&client, site.port)) {
		client_say(&client, GET("/hello"));
		expect_next(&client, "hello", NULL);
		EXPECT(client_at_end(&client));
		EXPECT_EQ(SITE_COUNT(&site, timeouts_idle), 1);
		/* Likewise before the first request. */
		client_close(&client);
		if (client_open(&client, site.port))
			EXPECT(client_at_end(&client));
		EXPECT_EQ(SITE_COUNT(&site, timeouts_idle), 2);
	}
	handlers_leave(&site, &client);
}
