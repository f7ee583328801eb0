/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Handlers that wait, for time to pass or for a call that is offloaded: what
 * ends it, and what goes on meanwhile.
 */

#include "tests/e2e/handlers.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARALLEL 200

static struct site site;
static struct handlers_seen seen;
static _Atomic int gate, dropped;
static pthread_t opener;

static int
answers(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_text(req, 200, "awake");
}

/* Until another handler has opened the gate, on the same worker. */
static int
lets_others(struct spate_req *req, void *arg)
{
	(void)arg;
	seen.begun++;
	while (gate == 0 && seen.last_error == 0)
		seen.last_error = spate_yield();
	return spate_text(req, 200, "%s",
	    pthread_equal(opener, pthread_self()) ? "same" : "other");
}

static int
opens_the_gate(struct spate_req *req, void *arg)
{
	(void)arg;
	opener = pthread_self();
	gate = 1;
	return spate_text(req, 200, "open");
}

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

static void
stands_at_the_gate(void *arg)
{
	seen.begun++;
	AWAIT(gate != 0);
	++*(int *)arg;
}

static void
drops(void *arg)
{
	dropped = *(int *)arg;
	free(arg);
}

static int
lets_go(struct spate_req *req, void *arg)
{
	int *number = malloc(sizeof(*number));

	*number = 41;
	seen.last_error
	    = spate_offload_owned(stands_at_the_gate, number, drops, 0);
	seen.ended++;
	(void)arg;
	if (seen.last_error != 0)
		return seen.last_error;
	spate_text(req, 200, "%d", *number);
	free(number);
	return 0;
}

static bool
start_with(uint32_t shards)
{
	seen = (struct handlers_seen) { 0 };
	gate = dropped = 0;
	site_new(&site);
	site.options.shards = shards;
	/* On a busy machine a worker may seem to be stuck. */
	site.options.spares = 0;
	site.options.drain_timeout_ms = 50;
	site_make(&site);
	spate_route(site.server, "GET", "/sleep", handlers_sleep, &seen);
	spate_route(site.server, "GET", "/yield", lets_others, NULL);
	spate_route(site.server, "GET", "/open", opens_the_gate, NULL);
	spate_route(site.server, "GET", "/offload", offloads, NULL);
	spate_route(site.server, "GET", "/owned", lets_go, NULL);
	spate_route(site.server, "GET", "/", answers, NULL);
	return site_start(&site);
}

static bool
start(void)
{
	return start_with(2);
}

TEST(a_yield_lets_others_have_the_worker)
{
	struct client client = { .fd = -1 }, other = { .fd = -1 };
	struct response answer;

	EXPECT_EQ(spate_yield(), -EPERM);
	if (start_with(1) && client_open(&client, site.port)
	    && client_open(&other, site.port)) {
		client_say(&client, GET("/yield"));
		AWAIT(seen.begun == 1);
		client_expect(&other, GET("/open"), 200, "open");
		EXPECT_EQ(client_read(&client, &answer), 0);
		EXPECT(response_is(&answer, "same"));
		response_free(&answer);
		EXPECT(SITE_COUNT(&site, yields) > 0);
	}
	client_close(&client);
	client_close(&other);
	EXPECT_EQ(site_stop(&site), 0);
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
			AWAIT(seen.begun == i + 1);
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
		AWAIT(seen.begun == opened);
		for (int i = 0; i < opened; i++)
			how(&clients[i]);
		EXPECT(site_left(&site));
		EXPECT_EQ(seen.ended, opened);
		EXPECT_EQ(seen.last_error, -ECANCELED);
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
		AWAIT(seen.begun == 1);
		EXPECT_EQ(spate_close(site.server, seen.sleeper), 0);
		EXPECT(client_at_end(&client));
		EXPECT(site_left(&site));
		EXPECT_EQ(seen.last_error, -ECANCELED);
		EXPECT_EQ(spate_close(site.server, seen.sleeper), -ESTALE);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_stop_ends_a_sleep)
{
	struct client client = { .fd = -1 };

	if (start() && client_open(&client, site.port)) {
		client_say(&client, GET("/sleep"));
		AWAIT(seen.begun == 1);
	}
	EXPECT_EQ(site_stop(&site), -ETIMEDOUT);
	EXPECT_EQ(seen.ended, 1);
	EXPECT_EQ(seen.last_error, -ECANCELED);
	client_close(&client);
}

/* -------------------------------------------------------------- offload */

TEST(a_call_is_offloaded)
{
	struct client client = { .fd = -1 };

	EXPECT_EQ(spate_offload(adds_one, NULL, 0), -EPERM);
	if (start() && client_open(&client, site.port)) {
		for (int i = 0; i < 20; i++)
			client_expect(&client, GET("/offload"), 200, "42");
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_call_that_is_nobody_s_is_let_go)
{
	struct client client = { .fd = -1 };
	struct response answer = { 0 };

	EXPECT_EQ(spate_offload_owned(adds_one, NULL, NULL, 0), -EINVAL);
	if (start() && client_open(&client, site.port)) {
		client_say(&client, GET("/owned"));
		AWAIT(seen.begun == 1);
		client_close(&client);
		AWAIT(seen.ended == 1);
		EXPECT_EQ(seen.last_error, -ECANCELED);
		EXPECT_EQ(dropped, 0);
		gate = 1;
		AWAIT(dropped == 42);
	}
	if (client_open(&client, site.port)) {
		EXPECT_EQ(client_ask(&client, GET("/owned"), &answer), 0);
		EXPECT(response_is(&answer, "42"));
		response_free(&answer);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}
