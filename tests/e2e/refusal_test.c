/* SPDX-License-Identifier: BSD-2-Clause */

/* What is refused, how, and that the client gets to read it. */

#include "tests/e2e/handlers.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next answer has this status, says that it is the last, and is. */
static void
expect_last(struct client *client, int status)
{
	struct response answer;
	const char *connection;

	EXPECT_EQ(client_read(client, &answer), 0);
	EXPECT_EQ(answer.status, status);
	if (answer.head != NULL) {
		connection = response_field(&answer, "Connection");
		EXPECT(connection != NULL && strcmp(connection, "close") == 0);
		EXPECT(response_field(&answer, "Date") != NULL);
		EXPECT(answer.has_length);
	}
	response_free(&answer);
	EXPECT(client_at_end(client));
}

static void
expect_ok(struct client *client, const char *body)
{
	struct response answer;

	EXPECT_EQ(client_read(client, &answer), 0);
	EXPECT_EQ(answer.status, 200);
	EXPECT(response_is(&answer, body));
	response_free(&answer);
}

static const struct {
	int status;
	const char *request;
} refused[] = {
	{ 400, "GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n" },
	{ 400, "GET /hello HTTP/1.1\r\n\r\n" },
	{ 400, "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" },
	{ 400, "GET /hello HTTP/1.1\nHost: a\n\n" },
	{ 400, "GET /hello HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n" },
	{ 400, "GET /hello HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n" },
	{ 400, "GET hello HTTP/1.1\r\nHost: a\r\n\r\n" },
	{ 400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n" },
	{ 400, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\n" },
	{ 400,
	    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n" },
	{ 400,
	    "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
	    "\r\n" },
	{ 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n" },
	{ 417, "GET /hello HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n" },
	{ 501,
	    "POST /echo HTTP/1.1\r\nHost: a\r\n"
	    "Transfer-Encoding: gzip, chunked\r\n\r\n" },
	{ 501, "BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n" },
	{ 505, "GET /hello HTTP/2.0\r\nHost: a\r\n\r\n" },
	{ 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
};

#define REFUSED (sizeof(refused) / sizeof(refused[0]))

TEST(what_is_wrong_is_refused_by_its_status)
{
	struct site site;
	struct client client = { .fd = -1 };

	if (handlers_start(&site)) {
		for (size_t i = 0; i < REFUSED; i++) {
			if (!client_open(&client, site.port))
				break;
			client_say(&client, refused[i].request);
			expect_last(&client, refused[i].status);
			client_close(&client);
		}
		EXPECT_EQ(SITE_COUNT(&site, parse_errors), REFUSED);
		EXPECT_EQ(SITE_COUNT(&site, responses_2xx), 0);
	}
	handlers_leave(&site, &client);
}

TEST(good_requests_in_front_of_a_bad_one_are_answered_first)
{
	struct site site;
	struct client client = { .fd = -1 };

	if (handlers_start(&site)) {
		for (size_t i = 0; i < REFUSED; i++) {
			if (!client_open(&client, site.port))
				break;
			client_say(&client, GET("/hello") GET("/size/3"));
			client_say(&client, refused[i].request);
			expect_ok(&client, "hello");
			expect_ok(&client, "xxx");
			expect_last(&client, refused[i].status);
			client_close(&client);
		}
	}
	handlers_leave(&site, &client);
}

TEST(what_follows_a_bad_request_is_not_answered)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client,
		    "GET /hello HTTP/9.9\r\nHost: a\r\n\r\n" GET("/hello"));
		expect_last(&client, 505);
		EXPECT_EQ(SITE_COUNT(&site, requests), 0);
	}
	handlers_leave(&site, &client);
}

static void
say_many(struct client *client, const char *text, size_t count)
{
	size_t size = strlen(text);
	char *all = malloc(size * count);

	if (all == NULL)
		abort();
	for (size_t i = 0; i < count; i++)
		memcpy(all + i * size, text, size);
	client_send(client, all, size * count);
	free(all);
}

TEST(too_long_a_target_is_414)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client, "GET /");
		say_many(&client, "abcdefgh", 1100);
		client_say(&client, " HTTP/1.1\r\nHost: a\r\n\r\n");
		expect_last(&client, 414);
		EXPECT_EQ(SITE_COUNT(&site, limited_target), 1);
	}
	handlers_leave(&site, &client);
}

TEST(a_target_without_an_end_is_414)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client, "GET /");
		say_many(&client, "abcdefgh", 1100);
		expect_last(&client, 414);
		EXPECT_EQ(SITE_COUNT(&site, limited_target), 1);
	}
	handlers_leave(&site, &client);
}

TEST(too_many_fields_are_431)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client, "GET /hello HTTP/1.1\r\nHost: a\r\n");
		say_many(&client, "X: y\r\n", 101);
		client_say(&client, "\r\n");
		expect_last(&client, 431);
		EXPECT_EQ(SITE_COUNT(&site, limited_fields), 1);
	}
	handlers_leave(&site, &client);
}

TEST(too_large_a_head_is_431_even_without_an_end)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client, "GET /hello HTTP/1.1\r\nHost: a\r\nX: ");
		say_many(&client, "abcdefgh", 4000);
		expect_last(&client, 431);
		EXPECT_EQ(SITE_COUNT(&site, limited_head), 1);
	}
	handlers_leave(&site, &client);
}

TEST(the_largest_head_is_taken)
{
	struct site site;
	struct client client;
	char *head = malloc(16384 + 1);
	int size;

	if (handlers_arrive(&site, &client)) {
		memset(head, 'x', 16384);
		size = sprintf(
		    head, "GET /hello HTTP/1.1\r\nHost: a\r\nX: ");
		head[size] = 'x';
		memcpy(head + 16380, "\r\n\r\n", 5);
		for (int i = 0; i < 3; i++) {
			client_say(&client, head);
			expect_ok(&client, "hello");
		}
	}
	handlers_leave(&site, &client);
	free(head);
}

TEST(a_body_beyond_the_limit_is_413)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client,
		    "POST /collect HTTP/1.1\r\nHost: a\r\n"
		    "Content-Length: 1048577\r\n\r\n");
		expect_last(&client, 413);
		client_close(&client);
		if (client_open(&client, site.port)) {
			client_say(&client,
			    "POST /collect HTTP/1.1\r\nHost: a\r\n"
			    "Transfer-Encoding: chunked\r\n\r\n100001\r\n");
			say_many(&client, "abcdefgh", 131073);
			expect_last(&client, 413);
		}
		EXPECT_EQ(SITE_COUNT(&site, limited_body), 2);
	}
	handlers_leave(&site, &client);
}

TEST(a_body_at_the_limit_is_taken)
{
	struct site site;
	struct client client;
	struct response answer;

	if (handlers_arrive(&site, &client)) {
		client_say(&client,
		    "POST /collect HTTP/1.1\r\nHost: a\r\n"
		    "Content-Length: 1048576\r\n\r\n");
		say_many(&client, "abcdefgh", 131072);
		EXPECT_EQ(client_read(&client, &answer), 0);
		EXPECT_EQ(answer.size, 1048576);
		response_free(&answer);
		client_say(&client,
		    "POST /collect HTTP/1.1\r\nHost: a\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n100000\r\n");
		say_many(&client, "abcdefgh", 131072);
		client_say(&client, "\r\n0\r\n\r\n");
		EXPECT_EQ(client_read(&client, &answer), 0);
		EXPECT_EQ(answer.status, 200);
		EXPECT_EQ(answer.size, 1048576);
		response_free(&answer);
	}
	handlers_leave(&site, &client);
}

/* -------------------------------------------------------------- deadlines */

TEST(a_head_that_takes_too_long_is_408)
{
	struct site site;
	struct client client = { .fd = -1 };

	site_new(&site);
	site.options.header_timeout_ms = 60;
	handlers_make(&site);
	if (site_start(&site) && client_open(&client, site.port)) {
		client_say(&client, "GET /hello HTTP/1.1\r\nHost: ");
		expect_last(&client, 408);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_header), 1);
	}
	handlers_leave(&site, &client);
}

/* More bytes do not put the deadline off; it is from the first one. */
TEST(a_head_that_trickles_is_408)
{
	struct site site;
	struct client client = { .fd = -1 };
	struct response answer;
	unsigned looks = 0;

	site_new(&site);
	site.options.header_timeout_ms = 100;
	handlers_make(&site);
	if (site_start(&site) && client_open(&client, site.port)) {
		struct pollfd ready = { client.fd, POLLIN, 0 };

		client_say(&client, GET("/hello") "GET / HTTP/1.1\r\nHost: a");
		expect_ok(&client, "hello");
		while (poll(&ready, 1, 5) == 0 && site_look(&looks))
			client_say(&client, "b");
		EXPECT_EQ(client_read(&client, &answer), 0);
		EXPECT_EQ(answer.status, 408);
		response_free(&answer);
	}
	handlers_leave(&site, &client);
}

TEST(a_body_that_stops_coming_is_408)
{
	struct site site;
	struct client client = { .fd = -1 };

	site_new(&site);
	site.options.body_timeout_ms = 60;
	handlers_make(&site);
	if (site_start(&site) && client_open(&client, site.port)) {
		client_say(&client,
		    "POST /collect HTTP/1.1\r\nHost: a\r\n"
		    "Content-Length: 5\r\n\r\nab");
		expect_last(&client, 408);
		client_close(&client);
		if (client_open(&client, site.port)) {
			client_say(&client,
			    "POST /collect HTTP/1.1\r\nHost: a\r\n"
			    "Transfer-Encoding: chunked\r\n\r\n5\r\nab");
			expect_last(&client, 408);
		}
		EXPECT_EQ(SITE_COUNT(&site, timeouts_body), 2);
	}
	handlers_leave(&site, &client);
}

/* --------------------------------------------------------- 100 Continue */

#define EXPECTING(path, length)                                                \
	"POST " path " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"        \
	"Content-Length: " length "\r\n\r\n"

static void
expect_continue(struct client *client)
{
	static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
	char got[sizeof(line)] = "";

	EXPECT_EQ(client_exactly(client, got, sizeof(line) - 1),
	    (ssize_t)sizeof(line) - 1);
	EXPECT(strcmp(got, line) == 0);
}

TEST(continue_is_said_when_the_body_is_read)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client, EXPECTING("/collect", "4"));
		expect_continue(&client);
		client_say(&client, "body" EXPECTING("/echo", "3"));
		expect_ok(&client, "body");
		expect_continue(&client);
		client_say(&client, "end" GET("/hello"));
		expect_ok(&client, "end");
		expect_ok(&client, "hello");
		EXPECT_EQ(SITE_COUNT(&site, responses_1xx), 2);
	}
	handlers_leave(&site, &client);
}

TEST(continue_is_said_for_chunks)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client,
		    "POST /collect HTTP/1.1\r\nHost: a\r\n"
		    "Expect: 100-continue\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n");
		expect_continue(&client);
		client_say(&client, "2\r\nab\r\n0\r\n\r\n" GET("/hello"));
		expect_ok(&client, "ab");
		expect_ok(&client, "hello");
	}
	handlers_leave(&site, &client);
}

/* A client that was not told to go on may send the body or a request. */
TEST(continue_is_not_said_for_a_body_that_nobody_reads)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client, EXPECTING("/ignore", "4"));
		expect_last(&client, 200);
		EXPECT_EQ(SITE_COUNT(&site, responses_1xx), 0);
	}
	handlers_leave(&site, &client);
}

TEST(continue_is_not_said_in_front_of_a_refusal)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client, EXPECTING("/nowhere", "4"));
		expect_last(&client, 404);
		client_close(&client);
		if (client_open(&client, site.port)) {
			client_say(&client, EXPECTING("/hello", "4"));
			expect_last(&client, 405);
		}
		client_close(&client);
		if (client_open(&client, site.port)) {
			client_say(&client, EXPECTING("/collect", "1048577"));
			expect_last(&client, 413);
		}
		EXPECT_EQ(SITE_COUNT(&site, responses_1xx), 0);
	}
	handlers_leave(&site, &client);
}

TEST(continue_is_not_said_to_who_has_sent_already)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(
		    &client, EXPECTING("/collect", "4") "body" GET("/hello"));
		expect_ok(&client, "body");
		expect_ok(&client, "hello");
		EXPECT_EQ(SITE_COUNT(&site, responses_1xx), 0);
	}
	handlers_leave(&site, &client);
}

TEST(continue_is_not_said_to_http_1_0_nor_without_a_body)
{
	struct site site;
	struct client client;

	if (handlers_arrive(&site, &client)) {
		client_say(&client, EXPECTING("/collect", "0"));
		expect_ok(&client, "");
		client_say(&client,
		    "POST /collect HTTP/1.0\r\nExpect: 100-continue\r\n"
		    "Content-Length: 2\r\n\r\nab");
		expect_last(&client, 200);
		EXPECT_EQ(SITE_COUNT(&site, responses_1xx), 0);
	}
	handlers_leave(&site, &client);
}

/* -------------------------------------------------------------- lingering */

/*
 * The client goes on sending while the refusal is on its way. Were the
 * connection closed at once, the bytes that nobody has read would make it a
 * reset, and that can overtake the answer.
 */
static void
expect_read_after_sending(struct site *site, const char *request, int status)
{
	struct client client;
	struct response answer;

	if (!client_open(&client, site->port))
		return;
	client_say(&client, request);
	for (int i = 0; i < 24; i++)
		say_many(&client, "0123456789abcdef", 512);
	EXPECT_EQ(client_read(&client, &answer), 0);
	EXPECT_EQ(answer.status, status);
	response_free(&answer);
	EXPECT(client_at_end(&client));
	client_close(&client);
}

TEST(a_refusal_survives_what_is_still_being_sent)
{
	struct site site;

	if (handlers_start(&site)) {
		for (int i = 0; i < 20; i++) {
			expect_read_after_sending(&site,
			    "POST /collect HTTP/1.1\r\nHost: a\r\n"
			    "Content-Length: 99999999\r\n\r\n",
			    413);
			expect_read_after_sending(&site,
			    "POST /nowhere HTTP/1.1\r\nHost: a\r\n"
			    "Content-Length: 99999999\r\n\r\n",
			    404);
			expect_read_after_sending(&site,
			    "POST /echo HTTP/1.1\r\nHost a\r\n\r\n", 400);
			expect_read_after_sending(&site,
			    "POST /ignore HTTP/1.1\r\nHost: a\r\n"
			    "Connection: close\r\n"
			    "Content-Length: 99999999\r\n\r\n",
			    200);
		}
		EXPECT(site_left(&site));
	}
	EXPECT_EQ(site_stop(&site), 0);
}

/* Who never reads nor leaves does not keep the connection for good. */
TEST(lingering_ends_without_the_client)
{
	struct site site;
	struct client client = { .fd = -1 };

	site_new(&site);
	/* Deadlines are looked at as often. */
	site.options.body_timeout_ms = 200;
	handlers_make(&site);
	if (site_start(&site) && client_open(&client, site.port)) {
		client_say(&client, "GET /hello HTTP/9.9\r\n\r\n");
		EXPECT(SITE_REACHES(&site, closed, 1));
		EXPECT(site_left(&site));
	}
	handlers_leave(&site, &client);
}
