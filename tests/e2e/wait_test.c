/* SPDX-License-Identifier: BSD-2-Clause */

/* Handlers that wait: what ends it, and what goes on meanwhile. */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARALLEL 200
#define LONG_MS 600000

static struct site site;
static _Atomic int begun, ended, last_error;
static _Atomic spate_handle sleeper;

static int
sleeps(struct spate_req *req, void *arg)
{
	uint64_t ms = LONG_MS;
	int error = spate_query_u64(req, "ms", &ms);

	(void)arg;
	(void)error;
	sleeper = spate_req_handle(req);
	begun++;
	last_error = spate_sleep((uint32_t)ms);
	ended++;
	return last_error != 0 ? last_error : spate_text(req, 200, "slept");
}

static int
answers(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_text(req, 200, "awake");
}

static bool
start(void)
{
	begun = ended = last_error = 0;
	site_new(&site);
	site.options.drain_timeout_ms = 50;
	site_make(&site);
	spate_route(site.server, "GET", "/sleep", sleeps, NULL);
	spate_route(site.server, "GET", "/", answers, NULL);
	return site_start(&site);
}

TEST(a_sleep_is_refused_outside_of_handlers)
{
	EXPECT_EQ(spate_sleep(1), -EPERM);
}

TEST(requests_that_come_during_a_sleep_are_answered_after_it)
{
	struct client client = { .fd = -1 };
	struct response answer;

	if (start() && client_open(&client, site.port)) {
		for (int i = 0; i < 20; i++) {
			client_say(&client, GET("/sleep?ms=20"));
			AWAIT(begun == i + 1);
			client_say(&client, GET("/"));
			EXPECT_EQ(client_read(&client, &answer), 0);
			EXPECT(response_is(&answer, "slept"));
			response_free(&answer);
			EXPECT_EQ(client_read(&client, &answer), 0);
			EXPECT(response_is(&answer, "awake"));
			response_free(&answer);
		}
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

typedef void leave_fn(struct client *client);

static void
leave(leave_fn *how)
{
	static struct client clients[PARALLEL];
	int opened = 0;

	if (start()) {
		for (; opened < PARALLEL; opened++) {
			if (!client_open(&clients[opened], site.port))
				break;
			client_say(&clients[opened], GET("/sleep"));
		}
		AWAIT(begun == opened);
		for (int i = 0; i < opened; i++)
			how(&clients[i]);
		EXPECT(site_left(&site));
		EXPECT_EQ(ended, opened);
		EXPECT_EQ(last_error, -ECANCELED);
		EXPECT_EQ(SITE_COUNT(&site, aborted), (uint64_t)opened);
		EXPECT_EQ(SITE_COUNT(&site, responses_5xx), 0);
		for (int i = 0; how == client_shut && i < opened; i++)
			client_close(&clients[i]);
	}
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(clients_reset_while_their_handlers_sleep)
{
	leave(client_reset);
}

TEST(clients_close_while_their_handlers_sleep)
{
	leave(client_close);
}

TEST(clients_shut_down_while_their_handlers_sleep)
{
	leave(client_shut);
}

TEST(a_close_by_handle_ends_a_sleep)
{
	struct client client = { .fd = -1 };

	if (start() && client_open(&client, site.port)) {
		client_say(&client, GET("/sleep"));
		AWAIT(begun == 1);
		EXPECT_EQ(spate_close(site.server, sleeper), 0);
		EXPECT(client_at_end(&client));
		EXPECT(site_left(&site));
		EXPECT_EQ(last_error, -ECANCELED);
		EXPECT_EQ(spate_close(site.server, sleeper), -ESTALE);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_stop_ends_a_sleep)
{
	struct client client = { .fd = -1 };

	if (start() && client_open(&client, site.port)) {
		client_say(&client, GET("/sleep"));
		AWAIT(begun == 1);
	}
	EXPECT_EQ(site_stop(&site), -ETIMEDOUT);
	EXPECT_EQ(ended, 1);
	EXPECT_EQ(last_error, -ECANCELED);
	client_close(&client);
}

/* -------------------------------------------------------------- classes */

static void
adds_one(void *arg)
{
	++*(int *)arg;
}

static int
offloads(struct spate_req *req, void *arg)
{
	int number = 41, error = spate_offload(adds_one, &number, 0);

	(void)arg;
	return error != 0 ? error : spate_text(req, 200, "%d", number);
}

static int
tells_thread(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_text(req, 200, "%d", sp_worker_self()->heavy);
}

static int
reads(struct spate_req *req, void *arg)
{
	struct spate_str body;
	int error = spate_body(req, &body);

	(void)arg;
	last_error = error;
	if (error != 0)
		return error;
	return spate_respond(req, 200, NULL, body.data, body.size);
}

static int
keeps_its_worker(struct spate_req *req, void *arg)
{
	(void)arg;
	AWAIT(site_logged(&site, "the handler of /stall has kept"));
	return spate_text(req, 200, "stalled");
}

static bool
start_classed(void)
{
	begun = ended = last_error = 0;
	site_new(&site);
	site_make(&site);
	spate_route(site.server, "GET", "/", tells_thread, NULL);
	spate_route(site.server, "GET", "/heavy", tells_thread, NULL);
	spate_route(site.server, "POST", "/heavy", reads, NULL);
	spate_route(site.server, "GET", "/offload", offloads, NULL);
	spate_route(site.server, "GET", "/late", sleeps, NULL);
	spate_route(site.server, "POST", "/late", reads, NULL);
	spate_route(site.server, "GET", "/few", sleeps, NULL);
	spate_route(site.server, "GET", "/stall", keeps_its_worker, NULL);
	EXPECT_EQ(
	    spate_route_class(site.server, "GET", "/heavy", SPATE_HEAVY, 0, 0),
	    0);
	spate_route_class(site.server, "POST", "/heavy", SPATE_HEAVY, 0, 0);
	spate_route_class(site.server, "GET", "/late", SPATE_INLINE, 0, 20);
	spate_route_class(site.server, "POST", "/late", SPATE_INLINE, 0, 20);
	spate_route_class(site.server, "GET", "/few", SPATE_INLINE, 2, 0);
	return site_start(&site);
}

static void
expect_answer(
    struct client *client, const char *request, int status, const char *body)
{
	struct response answer = { 0 };

	EXPECT_EQ(client_ask(client, request, &answer), 0);
	EXPECT_EQ(answer.status, status);
	EXPECT(body == NULL || response_is(&answer, body));
	response_free(&answer);
}

TEST(a_class_is_for_a_route_that_there_is)
{
	site_new(&site);
	site_make(&site);
	EXPECT_EQ(spate_route_class(site.server, "GET", "/", SPATE_HEAVY, 0, 0),
	    -ENOENT);
	EXPECT_EQ(spate_server_start(site.server), -ENOENT);
	spate_server_free(site.server);
}

TEST(heavy_handlers_have_a_thread_of_their_own)
{
	struct client client = { .fd = -1 };
	struct response answer;

	if (start_classed() && client_open(&client, site.port)) {
		for (int i = 0; i < 50; i++) {
			expect_answer(&client, GET("/"), 200, "0");
			expect_answer(&client, GET("/heavy"), 200, "1");
			expect_answer(&client,
			    "POST /heavy HTTP/1.1\r\nHost: a\r\n"
			    "Content-Length: 4\r\n\r\nbody",
			    200, "body");
		}
		client_say(&client, GET("/heavy") GET("/") GET("/heavy"));
		for (int i = 0; i < 3; i++) {
			EXPECT_EQ(client_read(&client, &answer), 0);
			EXPECT_EQ(answer.status, 200);
			response_free(&answer);
		}
		EXPECT_EQ(SITE_COUNT(&site, requests), 153);
		EXPECT_EQ(SITE_COUNT(&site, handed_heavy), 102);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_call_is_offloaded)
{
	struct client client = { .fd = -1 };

	EXPECT_EQ(spate_offload(adds_one, NULL, 0), -EPERM);
	if (start_classed() && client_open(&client, site.port)) {
		for (int i = 0; i < 20; i++)
			expect_answer(&client, GET("/offload"), 200, "42");
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(waits_end_at_the_deadline_of_their_route)
{
	struct client client = { .fd = -1 };

	if (start_classed() && client_open(&client, site.port)) {
		expect_answer(&client, GET("/late?ms=1"), 200, "slept");
		expect_answer(&client, GET("/late"), 503, NULL);
		EXPECT_EQ(last_error, -ETIMEDOUT);
	}
	client_close(&client);
	if (client_open(&client, site.port)) {
		expect_answer(&client,
		    "POST /late HTTP/1.1\r\nHost: a\r\n"
		    "Content-Length: 9\r\n\r\nbody",
		    503, NULL);
		EXPECT_EQ(last_error, -ETIMEDOUT);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_route), 2);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(more_than_may_be_in_flight_are_refused)
{
	struct client client[3] = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 } };

	if (start_classed() && client_open(&client[0], site.port)
	    && client_open(&client[1], site.port)
	    && client_open(&client[2], site.port)) {
		client_say(&client[0], GET("/few"));
		client_say(&client[1], GET("/few"));
		AWAIT(begun == 2);
		expect_answer(&client[2], GET("/few"), 503, NULL);
		EXPECT_EQ(SITE_COUNT(&site, refused_busy), 1);
		client_close(&client[0]);
		AWAIT(ended == 1);
		AWAIT(site_connections(&site) == 2);
		expect_answer(&client[2], GET("/few?ms=1"), 200, "slept");
	}
	for (int i = 0; i < 3; i++)
		client_close(&client[i]);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_handler_that_keeps_its_worker_is_named)
{
	struct client client = { .fd = -1 };

	if (start_classed() && client_open(&client, site.port)) {
		expect_answer(&client, GET("/stall"), 200, "stalled");
		EXPECT_EQ(sp_load(&site.server->engine->stalls, relaxed), 1);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}
