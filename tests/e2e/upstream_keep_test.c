/* SPDX-License-Identifier: BSD-2-Clause */

/* Connections to other servers: how they are kept, and how they end. */

#include "tests/e2e/client.h"
#include "tests/e2e/relay.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARALLEL 100

/* ------------------------------------------------- connections are kept */

TEST(connections_are_used_again)
{
	relay_alone();
	if (relay_start(NULL, 0)) {
		relay_to_path("/chunks/3");
		for (int i = 0; i < 10; i++)
			relay_answers(200, 'y', 6);
		EXPECT_EQ(SITE_COUNT(&relay_front, upstream_connects), 1);
		EXPECT_EQ(SITE_COUNT(&relay_front, upstream_reused), 9);
		EXPECT(site_left(&relay_front));
	}
	relay_stop();
}

TEST(whoever_polls_opens_for_the_others)
{
	relay_alone();
	relay_front.options.workers = 2;
	relay_front.options.upstream_idle_max = 0;
	if (relay_start(NULL, 0)) {
		relay_to_path("/hello");
		for (int i = 0; i < 20; i++)
			EXPECT_EQ(once(relay_front.port,
				      GET_CLOSE("/unattended"), NULL, 0),
			    200);
		EXPECT_EQ(SITE_COUNT(&relay_front, upstream_connects), 20);
	}
	relay_stop();
}

TEST(as_many_are_kept_as_there_is_room_for)
{
	char body[8];

	relay_alone();
	relay_front.options.upstream_idle_max = 3;
	if (relay_start(NULL, 0)) {
		relay_to_path("/size/10");
		for (int i = 0; i < 5; i++) {
			EXPECT_EQ(once(relay_front.port, GET_CLOSE("/fan"),
				      body, sizeof(body)),
			    200);
			EXPECT_EQ(atoi(body), RELAY_FAN);
			AWAIT(site_connections(&relay_back) == 3);
		}
		EXPECT_EQ(SITE_COUNT(&relay_front, upstream_reused), 4 * 3);
	}
	relay_stop();
}

TEST(none_are_kept_without_room_or_for_longer_than_they_may)
{
	relay_alone();
	relay_front.options.upstream_idle_max = 0;
	if (relay_start(NULL, 0)) {
		relay_to_path("/hello");
		EXPECT_EQ(
		    once(relay_front.port, GET_CLOSE("/relay"), NULL, 0), 200);
		EXPECT(site_left(&relay_back));
	}
	relay_stop();
	relay_alone();
	relay_front.options.upstream_idle_ms = 1;
	relay_front.options.idle_timeout_ms = 100;
	if (relay_start(NULL, 0)) {
		relay_to_path("/hello");
		EXPECT_EQ(
		    once(relay_front.port, GET_CLOSE("/relay"), NULL, 0), 200);
		EXPECT(site_left(&relay_back));
	}
	relay_stop();
}

/* The back answers once for each connection, and hangs up on the second. */
TEST(a_kept_connection_that_was_closed_costs_another)
{
	static const struct relay_script once = {
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\no", 2
	};

	relay_alone();
	if (relay_start(&once, 1)) {
		relay_to_script(&once);
		for (int i = 0; i < 6; i++)
			relay_answers(200, 'o', 1);
		EXPECT_EQ(SITE_COUNT(&relay_front, upstream_errors), 0);
		EXPECT_EQ(SITE_COUNT(&relay_front, upstream_connects), 3);
		EXPECT_EQ(SITE_COUNT(&relay_front, upstream_reused), 5);
		/* Two have been answered on the third: not twice. */
		relay_call.method = "POST";
		relay_fails(-ECONNRESET);
		relay_answers(200, 'o', 1);
	}
	relay_stop();
}

/* ------------------------------------------------------------- the ends */

static void
leave_while_waiting(void (*leave)(struct client *))
{
	static const struct relay_script never = { NULL, 9 };
	static struct client clients[PARALLEL];
	int opened = 0;

	site_new(&relay_front);
	if (relay_start(&never, 1)) {
		relay_to_script(&never);
		for (; opened < PARALLEL; opened++) {
			if (!client_open(&clients[opened], relay_front.port))
				break;
			client_say(&clients[opened], GET("/relay"));
		}
		AWAIT(relay_begun == opened);
		for (int i = 0; i < opened; i++)
			leave(&clients[i]);
		AWAIT(relay_ended == opened);
		EXPECT_EQ(relay_last_error, -ECANCELED);
		EXPECT(site_left(&relay_front));
		EXPECT_EQ(SITE_COUNT(&relay_front, aborted), (uint64_t)opened);
		EXPECT(!site_logged(&relay_front, "did not answer"));
		EXPECT(site_left(&relay_back));
		EXPECT_EQ(SITE_COUNT(&relay_front, upstream_errors),
		    (uint64_t)opened);
	}
	relay_stop();
}

TEST(clients_that_close_end_what_is_fetched_for_them)
{
	leave_while_waiting(client_close);
}

TEST(clients_that_reset_end_what_is_fetched_for_them)
{
	leave_while_waiting(client_reset);
}

TEST(a_stop_ends_what_is_fetched)
{
	static const struct relay_script never = { NULL, 9 };
	struct client client = { .fd = -1 };

	site_new(&relay_front);
	relay_front.options.drain_timeout_ms = 50;
	if (relay_start(&never, 1) && client_open(&client, relay_front.port)) {
		relay_to_script(&never);
		client_say(&client, GET("/relay"));
		AWAIT(relay_begun == 1);
		EXPECT_EQ(site_stop(&relay_front), -ETIMEDOUT);
		EXPECT_EQ(relay_last_error, -ECANCELED);
		EXPECT(site_left(&relay_back));
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&relay_back), 0);
}

#define THREADS 4
#define ROUNDS 100

static void *
fetch_often(void *arg)
{
	struct client client;
	struct response answer;
	intptr_t right = 0;

	(void)arg;
	if (!client_open(&client, relay_front.port))
		return NULL;
	for (int i = 0; i < ROUNDS; i++) {
		if (client_ask(&client, GET("/relay"), &answer) != 0)
			break;
		right += answer.status == 200 && answer.size == 5;
		response_free(&answer);
	}
	client_close(&client);
	return (void *)right;
}

TEST(many_fetch_at_once)
{
	pthread_t threads[THREADS];

	site_new(&relay_front);
	relay_front.options.workers = 3;
	if (relay_start(NULL, 0)) {
		relay_to_path("/hello");
		for (int i = 0; i < THREADS; i++)
			pthread_create(&threads[i], NULL, fetch_often, NULL);
		for (int i = 0; i < THREADS; i++) {
			void *right = NULL;

			pthread_join(threads[i], &right);
			EXPECT_EQ((intptr_t)right, ROUNDS);
		}
		EXPECT_EQ(SITE_COUNT(&relay_front, upstream_connects)
			      + SITE_COUNT(&relay_front, upstream_reused),
		    THREADS * ROUNDS);
	}
	relay_stop();
}
