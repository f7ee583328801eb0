/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Tasks and channels, as handlers use them: a result that many requests wait
 * for, a worker behind a channel, and what a stop makes of them.
 */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONG_MS 600000
#define MANY 50

static struct site site;
static struct spate_channel *jobs, *done;
static _Atomic int begun, ended, last_error, result;
static _Atomic uint32_t task_ms;

/* ------------------------------------------------------- one for many */

/* The result is there: whoever waits, and whoever comes later, is told. */
static void
computes(void *arg)
{
	struct spate_channel *channel = arg;

	AWAIT(begun == MANY);
	last_error = spate_sleep(1);
	result = 42;
	spate_channel_close(channel);
	spate_channel_release(channel);
	ended++;
}

static int
shares(struct spate_req *req, void *arg)
{
	void *nothing;
	int error = 0;

	(void)arg;
	if (begun++ == 0) {
		spate_channel_hold(done);
		error = spate_spawn(site.server, computes, done, 0);
	}
	if (error == 0)
		error = spate_channel_receive(done, &nothing, 0);
	if (error != -EPIPE)
		return error;
	return spate_text(req, 200, "%d", result);
}

/* ---------------------------------------------------- a worker of its own */

struct job {
	int number;
	struct spate_channel *answer;
};

static void
let_go(void *item)
{
	struct job *job = item;

	spate_channel_release(job->answer);
	free(job);
}

/* Doubles numbers, for as long as there are some. */
static void
doubles(void *arg)
{
	void *item;
	int error;

	(void)arg;
	while ((error = spate_channel_receive(jobs, &item, 0)) == 0) {
		struct job *job = item;

		spate_channel_try_send(
		    job->answer, (void *)(intptr_t)(2 * job->number));
		let_go(job);
	}
	last_error = error;
	ended++;
}

static int
asks(struct spate_req *req, void *arg)
{
	uint64_t number = 0;
	struct job *job = malloc(sizeof(*job));
	struct spate_channel *answer;
	void *doubled;
	int error = spate_query_u64(req, "n", &number);

	(void)arg;
	EXPECT_EQ(spate_channel_new(&answer, 1, 1, NULL), 0);
	spate_channel_hold(answer);
	*job = (struct job){ (int)number, answer };
	if (error == 0)
		error = spate_channel_send(jobs, job, 0);
	if (error != 0)
		let_go(job);
	if (error == 0)
		error = spate_channel_receive(answer, &doubled, 0);
	spate_channel_release(answer);
	begun++;
	if (error != 0)
		return error;
	return spate_text(req, 200, "%d", (int)(intptr_t)doubled);
}

/* -------------------------------------------------------------- the rest */

static void
sleeps(void *arg)
{
	(void)arg;
	begun++;
	last_error = spate_sleep(task_ms);
	ended++;
}

static int
spawns(struct spate_req *req, void *arg)
{
	unsigned flags = arg != NULL ? SPATE_BACKGROUND : 0;
	int error = spate_spawn(site.server, sleeps, NULL, flags);

	return error != 0 ? error : spate_text(req, 200, "spawned");
}

static int
waits_for_ever(struct spate_req *req, void *arg)
{
	void *nothing;

	(void)req;
	(void)arg;
	begun++;
	last_error = spate_channel_receive(jobs, &nothing, 0);
	ended++;
	return last_error;
}

/* Tasks that sleep take ms; a stop waits for drain_ms, 0: for ever. */
static bool
start(uint32_t ms, uint32_t drain_ms)
{
	begun = ended = last_error = result = 0;
	task_ms = ms;
	site_new(&site);
	site.options.drain_timeout_ms = drain_ms;
	site_make(&site);
	EXPECT_EQ(spate_channel_new(&jobs, 4, 64, let_go), 0);
	EXPECT_EQ(spate_channel_new(&done, 1, MANY, NULL), 0);
	spate_route(site.server, "GET", "/shared", shares, NULL);
	spate_route(site.server, "GET", "/double", asks, NULL);
	spate_route(site.server, "GET", "/spawn", spawns, NULL);
	spate_route(site.server, "GET", "/background", spawns, &site);
	spate_route(site.server, "GET", "/wait", waits_for_ever, NULL);
	return site_start(&site);
}

static int
stop(void)
{
	int error = site_stop(&site);

	spate_channel_release(jobs);
	spate_channel_release(done);
	return error;
}

TEST(arguments_that_make_no_sense_are_refused)
{
	struct spate_channel *channel;

	EXPECT_EQ(
	    spate_channel_new(&channel, (1u << 20) + 1, 1, NULL), -EINVAL);
	EXPECT_EQ(
	    spate_channel_new(&channel, 1, (1u << 16) + 1, NULL), -EINVAL);
	EXPECT_EQ(spate_spawn(NULL, sleeps, NULL, 0), -ESTALE);
	site_new(&site);
	site_make(&site);
	EXPECT_EQ(spate_spawn(site.server, sleeps, NULL, 0), -ESTALE);
	EXPECT(site_start(&site));
	EXPECT_EQ(spate_spawn(site.server, NULL, NULL, 0), -EINVAL);
	EXPECT_EQ(spate_spawn(site.server, sleeps, NULL, 2), -EINVAL);
	EXPECT_EQ(site_stop(&site), 0);
	EXPECT_EQ(spate_channel_new(&channel, 1, 1, NULL), 0);
	EXPECT_EQ(spate_channel_send(channel, NULL, 0), -EPERM);
	EXPECT_EQ(spate_channel_receive(channel, (void **)&channel, 0), -EPERM);
	spate_channel_release(channel);
	spate_channel_release(NULL);
	spate_channel_hold(NULL);
}

TEST(many_requests_wait_for_one_result)
{
	static struct client clients[MANY];

	if (start(0, 0)) {
		for (int i = 0; i < MANY; i++) {
			client_open(&clients[i], site.port);
			client_say(&clients[i], GET("/shared"));
		}
		for (int i = 0; i < MANY; i++) {
			struct response answer = { 0 };

			EXPECT_EQ(client_read(&clients[i], &answer), 0);
			EXPECT(response_is(&answer, "42"));
			response_free(&answer);
			client_close(&clients[i]);
		}
	}
	EXPECT_EQ(stop(), 0);
	EXPECT_EQ(ended, 1);
}

TEST(a_task_works_behind_a_channel)
{
	struct client client = { .fd = -1 };

	if (start(0, 0) && client_open(&client, site.port)) {
		EXPECT_EQ(
		    spate_spawn(site.server, doubles, NULL, SPATE_BACKGROUND),
		    0);
		for (int i = 0; i < 100; i++) {
			char request[64], answer[16];

			snprintf(
			    request, sizeof(request), GET("/double?n=%d"), i);
			snprintf(answer, sizeof(answer), "%d", 2 * i);
			client_expect(&client, request, 200, answer);
		}
	}
	client_close(&client);
	EXPECT_EQ(stop(), 0);
	EXPECT_EQ(ended, 1);
	EXPECT_EQ(last_error, -ECANCELED);
}

/* What was sent and never taken is dropped with the channel. */
TEST(clients_leave_while_their_handlers_wait_for_a_channel)
{
	static struct client clients[MANY];

	if (start(0, 0)) {
		for (int i = 0; i < MANY; i++) {
			client_open(&clients[i], site.port);
			client_say(&clients[i], GET("/double?n=1"));
		}
		AWAIT(SITE_COUNT(&site, fiber_waits) >= MANY);
		for (int i = 0; i < MANY; i++)
			client_reset(&clients[i]);
		EXPECT(site_left(&site));
		EXPECT_EQ(begun, MANY);
		EXPECT_EQ(SITE_COUNT(&site, responses_5xx), 0);
	}
	EXPECT_EQ(stop(), 0);
}

TEST(a_stop_waits_for_tasks_and_cancels_those_that_take_too_long)
{
	struct client client = { .fd = -1 };

	if (start(5, 0) && client_open(&client, site.port)) {
		client_expect(&client, GET("/spawn"), 200, "spawned");
		AWAIT(begun == 1);
	}
	client_close(&client);
	EXPECT_EQ(stop(), 0);
	EXPECT_EQ(ended, 1);
	EXPECT_EQ(last_error, 0);

	if (start(LONG_MS, 50) && client_open(&client, site.port)) {
		client_expect(&client, GET("/spawn"), 200, "spawned");
		AWAIT(begun == 1);
	}
	client_close(&client);
	EXPECT_EQ(stop(), -ETIMEDOUT);
	EXPECT_EQ(ended, 1);
	EXPECT_EQ(last_error, -ECANCELED);
}

TEST(a_stop_does_not_wait_for_what_is_in_the_background)
{
	struct client client = { .fd = -1 };

	if (start(LONG_MS, 0) && client_open(&client, site.port)) {
		client_expect(&client, GET("/background"), 200, "spawned");
		AWAIT(begun == 1);
	}
	client_close(&client);
	EXPECT_EQ(stop(), 0);
	EXPECT_EQ(ended, 1);
	EXPECT_EQ(last_error, -ECANCELED);
}

TEST(a_stop_ends_a_wait_for_a_channel)
{
	struct client client = { .fd = -1 };

	if (start(0, 50) && client_open(&client, site.port)) {
		client_say(&client, GET("/wait"));
		AWAIT(begun == 1);
	}
	EXPECT_EQ(stop(), -ETIMEDOUT);
	EXPECT_EQ(ended, 1);
	EXPECT_EQ(last_error, -ECANCELED);
	client_close(&client);
}
