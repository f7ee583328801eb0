/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Blocking routes: handlers that stand still in the system, each in a thread
 * of its own, while the one worker of the one shard goes on.
 */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LARGE (4u << 20)
#define LATE_MS 20

static struct site site;
static _Atomic int begun, ended, inside, most, gate, last_error, around;
static _Atomic int64_t left_ms;

static void
enter(void)
{
	int now = ++inside;

	EXPECT(sp_worker_self()->blocking);
	begun++;
	if (now > most)
		most = now;
}

static void
leave(void)
{
	inside--;
	ended++;
}

/* Blocks: nobody else can run in this thread. */
static int
stands(struct spate_req *req, void *arg)
{
	(void)arg;
	enter();
	AWAIT(gate != 0);
	leave();
	return spate_text(req, 200, "gone through");
}

static int
stands_until_stopped(struct spate_req *req, void *arg)
{
	struct sp_engine *engine = site.server->engine;

	enter();
	if (arg != NULL)
		AWAIT(sp_load(&engine->cancelling, seq_cst));
	else
		AWAIT(sp_load(&engine->draining, seq_cst));
	leave();
	return spate_text(req, 200, "let go");
}

static int
tells_thread(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_text(req, 200, "%s",
	    sp_worker_self()->blocking ? "blocking"
	    : sp_worker_self()->heavy  ? "heavy"
				       : "plain");
}

static int
reads(struct spate_req *req, void *arg)
{
	struct spate_str body;
	int error;

	(void)arg;
	enter();
	error = spate_body(req, &body);
	last_error = error;
	leave();
	return error != 0 ? error
			  : spate_respond(req, 200, NULL, body.data, body.size);
}

static void
increments(void *arg)
{
	++*(_Atomic int *)arg;
}

static void
sends_one(void *channel)
{
	static int item;

	EXPECT_EQ(spate_channel_send(channel, &item, 0), 0);
	spate_channel_release(channel);
}

/* Whatever a handler may call, one after the other. */
static int
does_all(struct spate_req *req, void *arg)
{
	struct spate_channel *channel;
	struct spate_upstream *up;
	struct spate_call call;
	_Atomic int calls = 0;
	char url[64];
	void *item;

	(void)arg;
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", site.port);
	call = spate_call_default("GET", url);
	EXPECT_EQ(usleep(1000), 0);
	EXPECT_EQ(spate_sleep(2), 0);
	EXPECT_EQ(spate_offload(increments, (void *)&calls, 0), 0);
	EXPECT_EQ(calls, 1);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(spate_fetch(&call, &up), 200);
		EXPECT_EQ(spate_upstream_size(up), 5);
		spate_upstream_close(up);
	}
	EXPECT_EQ(spate_channel_new(&channel, 2, 2, NULL), 0);
	spate_channel_hold(channel);
	EXPECT_EQ(spate_spawn(site.server, sends_one, channel, 0), 0);
	EXPECT_EQ(spate_channel_receive(channel, &item, 0), 0);
	spate_channel_release(channel);
	return spate_text(req, 200, "all done");
}

static int
writes_much(struct spate_req *req, void *arg)
{
	static const char piece[16384] = { 'x' };
	int error = spate_begin(req, 200, NULL, LARGE);

	(void)arg;
	enter();
	for (size_t i = 0; error == 0 && i < LARGE / sizeof(piece); i++)
		error = spate_write(req, piece, sizeof(piece));
	leave();
	return error;
}

static int
sleeps_long(struct spate_req *req, void *arg)
{
	(void)req;
	(void)arg;
	left_ms = spate_time_left();
	last_error = spate_sleep(600000);
	return last_error;
}

static int
counts(struct spate_req *req, void *arg)
{
	(void)req;
	(void)arg;
	around++;
	return 0;
}

/* ----------------------------------------------------------------- tests */

static void
add(const char *method, const char *path, spate_handler_fn *handler)
{
	EXPECT_EQ(spate_route(site.server, method, path, handler, NULL), 0);
	EXPECT_EQ(spate_route_blocking(site.server, method, path), 0);
}

static bool
start(uint32_t threads, uint32_t queue)
{
	begun = ended = inside = most = gate = last_error = around = 0;
	site_new(&site);
	site.options.shards = 1;
	site.options.workers = 1;
	site.options.blocking_threads = threads;
	site.options.blocking_queue = queue;
	site_make(&site);
	spate_use(site.server, counts, NULL, NULL);
	spate_route(site.server, "GET", "/", tells_thread, NULL);
	spate_route(site.server, "GET", "/heavy", tells_thread, NULL);
	spate_route_heavy(site.server, "GET", "/heavy", NULL);
	add("GET", "/stand", stands);
	add("GET", "/stopped", stands_until_stopped);
	add("GET", "/thread", tells_thread);
	add("POST", "/read", reads);
	add("GET", "/all", does_all);
	add("GET", "/much", writes_much);
	add("GET", "/few", stands);
	add("GET", "/late", sleeps_long);
	add("GET", "/late/stand", stands);
	spate_route(site.server, "GET", "/late/plain", sleeps_long, NULL);
	spate_route_deadline(site.server, "GET", "/late/plain", LATE_MS);
	spate_route_limit(site.server, "GET", "/few", 1);
	spate_route_deadline(site.server, "GET", "/late", LATE_MS);
	spate_route_deadline(site.server, "GET", "/late/stand", LATE_MS);
	return site_start(&site);
}

static struct sp_blocking *
pool(void)
{
	return &site.server->engine->blocking;
}

static void
begin(struct client *client, const char *request)
{
	if (client_open(client, site.port))
		client_say(client, request);
}

static void
gets(struct client *client, int status, const char *body)
{
	struct response answer;

	EXPECT_EQ(client_read(client, &answer), 0);
	EXPECT_EQ(answer.status, status);
	if (body != NULL)
		EXPECT(response_is(&answer, body));
	if (status == 503 && body == NULL)
		EXPECT(response_field(&answer, "Retry-After") != NULL);
	response_free(&answer);
}

TEST(handlers_that_block_have_a_thread_each_and_the_shard_goes_on)
{
	struct client client[6], other = { .fd = -1 };

	if (start(4, 16)) {
		for (int i = 0; i < 6; i++)
			begin(&client[i], GET("/stand"));
		AWAIT(begun == 4);
		AWAIT(sp_blocking_depth(pool()) == 2);
		if (client_open(&other, site.port)) {
			for (int i = 0; i < 20; i++)
				client_expect(&other, GET("/"), 200, "plain");
		}
		gate = 1;
		for (int i = 0; i < 6; i++) {
			gets(&client[i], 200, "gone through");
			client_close(&client[i]);
		}
		EXPECT_EQ(most, 4);
		EXPECT_EQ(sp_load(&pool()->threads, relaxed), 4);
		EXPECT_EQ(sp_load(&pool()->begun, relaxed), 6);
		EXPECT_EQ(around, 26);
		EXPECT(!site_logged(&site, "the handler of"));
	}
	client_close(&other);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(threads_are_made_as_they_are_needed)
{
	struct client client = { .fd = -1 };

	if (start(8, 16) && client_open(&client, site.port)) {
		EXPECT_EQ(sp_load(&pool()->threads, relaxed), 1);
		for (int i = 0; i < 50; i++)
			client_expect(&client, GET("/thread"), 200, "blocking");
		/* The watcher may look just before one has begun. */
		EXPECT(sp_load(&pool()->threads, relaxed) < 8);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(what_does_not_fit_into_the_queue_is_answered_503)
{
	struct client client[3], other = { .fd = -1 };

	if (start(1, 2)) {
		begin(&client[0], GET("/stand"));
		AWAIT(begun == 1);
		begin(&client[1], GET("/stand"));
		begin(&client[2], GET("/stand"));
		AWAIT(sp_blocking_depth(pool()) == 2);
		for (int i = 0; i < 3; i++) {
			begin(&other, GET("/stand"));
			gets(&other, 503, NULL);
			client_close(&other);
		}
		EXPECT_EQ(sp_load(&pool()->refused, relaxed), 3);
		EXPECT_EQ(SITE_COUNT(&site, refused_busy), 3);
		EXPECT_EQ(SITE_COUNT(&site, refused_queue), 3);
		EXPECT_EQ(sp_route_refused(site.server, 2), 3);
		gate = 1;
		for (int i = 0; i < 3; i++) {
			gets(&client[i], 200, "gone through");
			client_close(&client[i]);
		}
	}
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(without_threads_each_is_answered_503)
{
	struct client client = { .fd = -1 };

	if (start(0, 16)) {
		begin(&client, GET("/thread"));
		gets(&client, 503, NULL);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(all_that_is_for_handlers_may_be_called)
{
	struct client client = { .fd = -1 };

	if (start(2, 16) && client_open(&client, site.port)) {
		client_expect(&client, GET("/all"), 200, "all done");
		client_expect(&client, GET("/all"), 200, "all done");
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(bodies_are_streamed_in_both_directions)
{
	struct client client = { .fd = -1 };
	struct response answer = { 0 };

	if (start(2, 16) && client_open(&client, site.port)) {
		client_say(&client,
		    "POST /read HTTP/1.1\r\nHost: a\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
		/* It has what there is, and waits for the rest. */
		AWAIT(SITE_COUNT(&site, fiber_waits) >= 1);
		client_say(&client, "2\r\nde\r\n0\r\n\r\n");
		gets(&client, 200, "abcde");
		client_say(&client, GET("/much"));
		AWAIT(SITE_COUNT(&site, fiber_waits) >= 2);
		EXPECT_EQ(client_read(&client, &answer), 0);
		EXPECT_EQ(answer.size, LARGE);
		response_free(&answer);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_pipeline_goes_from_thread_to_thread_in_order)
{
	struct client client = { .fd = -1 };

	if (start(2, 16) && client_open(&client, site.port)) {
		client_say(&client,
		    GET("/") GET("/thread") GET("/thread") GET("/heavy")
			GET("/thread") GET("/nowhere"));
		gets(&client, 200, "plain");
		gets(&client, 200, "blocking");
		gets(&client, 200, "blocking");
		gets(&client, 200, "heavy");
		gets(&client, 200, "blocking");
		gets(&client, 404, NULL);
		EXPECT_EQ(SITE_COUNT(&site, requests), 6);
		EXPECT_EQ(around, 6);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(an_answer_does_not_wait_for_the_one_behind_it)
{
	struct client client = { .fd = -1 };

	if (start(1, 16) && client_open(&client, site.port)) {
		client_say(&client, GET("/thread") GET("/stand"));
		gets(&client, 200, "blocking");
		EXPECT_EQ(ended, 0);
		gate = 1;
		gets(&client, 200, "gone through");
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(slow_clients_do_not_keep_the_others_out)
{
	struct client slow[2], client = { .fd = -1 };

	if (start(2, 16)) {
		for (int i = 0; i < 2; i++)
			begin(&slow[i], "POST /read HTTP/1.1\r\nHost: a\r\n"
					"Content-Length: 4\r\n\r\nab");
		AWAIT(SITE_COUNT(&site, fiber_waits) == 2);
		if (client_open(&client, site.port)) {
			for (int i = 0; i < 20; i++)
				client_expect(
				    &client, GET("/thread"), 200, "blocking");
		}
		EXPECT_EQ(ended, 0);
		for (int i = 0; i < 2; i++) {
			client_say(&slow[i], "cd");
			gets(&slow[i], 200, "abcd");
			client_close(&slow[i]);
		}
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(who_has_left_the_queue_is_not_asked_for)
{
	struct client client[3];

	if (start(1, 16)) {
		begin(&client[0], GET("/stand"));
		AWAIT(begun == 1);
		begin(&client[1], GET("/stand"));
		begin(&client[2], GET("/stand"));
		AWAIT(sp_blocking_depth(pool()) == 2);
		client_reset(&client[1]);
		/* The reset is seen by the poller before this is answered. */
		client_close(&client[1]);
		begin(&client[1], GET("/"));
		gets(&client[1], 200, "plain");
		gate = 1;
		gets(&client[0], 200, "gone through");
		gets(&client[2], 200, "gone through");
		EXPECT_EQ(begun, 2);
		EXPECT_EQ(sp_load(&pool()->left, relaxed), 1);
		EXPECT_EQ(SITE_COUNT(&site, aborted), 1);
		for (int i = 0; i < 3; i++)
			client_close(&client[i]);
	}
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_client_that_leaves_ends_what_its_handler_waits_for)
{
	struct client client;

	if (start(1, 16)) {
		begin(&client, "POST /read HTTP/1.1\r\nHost: a\r\n"
			       "Content-Length: 4\r\n\r\nab");
		AWAIT(SITE_COUNT(&site, fiber_waits) == 1);
		client_reset(&client);
		AWAIT(ended == 1);
		EXPECT_EQ(last_error, -ECONNRESET);
		client_close(&client);
	}
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_deadline_holds_in_the_queue_and_in_the_handler)
{
	struct client client[2], other = { .fd = -1 };

	if (start(1, 16) && client_open(&other, site.port)) {
		client_expect(&other, GET("/late"), 503, NULL);
		EXPECT_EQ(last_error, -ETIMEDOUT);
		EXPECT(left_ms >= 0 && left_ms <= LATE_MS);
		begin(&client[0], GET("/stand"));
		AWAIT(begun == 1);
		begin(&client[1], GET("/late/stand"));
		AWAIT(sp_blocking_depth(pool()) == 1);
		usleep(2 * LATE_MS * 1000);
		gate = 1;
		gets(&client[0], 200, "gone through");
		gets(&client[1], 503,
		    "503 Service Unavailable: "
		    "the handler took too long\n");
		EXPECT_EQ(begun, 1);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_route), 2);
		for (int i = 0; i < 2; i++)
			client_close(&client[i]);
	}
	client_close(&other);
	EXPECT_EQ(site_stop(&site), 0);
}

/* It is told by what is around the handler, too, which has an answer then. */
TEST(a_deadline_is_one_also_within_middleware)
{
	struct client client = { .fd = -1 };

	if (start(1, 16) && client_open(&client, site.port)) {
		client_expect(&client, GET("/late/plain"), 503, NULL);
		EXPECT_EQ(last_error, -ETIMEDOUT);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_route), 1);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(more_than_may_be_in_flight_are_refused)
{
	struct client client[2];

	if (start(2, 16)) {
		begin(&client[0], GET("/few"));
		AWAIT(begun == 1);
		begin(&client[1], GET("/few"));
		gets(&client[1], 503, NULL);
		EXPECT_EQ(sp_load(&pool()->refused, relaxed), 0);
		/* A thread that has just begun is not yet asked. */
		EXPECT(SITE_REACHES(&site, refused_busy, 1));
		EXPECT_EQ(SITE_COUNT(&site, refused_busy), 1);
		EXPECT_EQ(SITE_COUNT(&site, refused_queue), 0);
		gate = 1;
		gets(&client[0], 200, "gone through");
		for (int i = 0; i < 2; i++)
			client_close(&client[i]);
	}
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_stop_waits_for_those_in_the_queue)
{
	struct client client[3];

	if (start(1, 16)) {
		for (int i = 0; i < 3; i++)
			begin(&client[i], GET("/stopped"));
		AWAIT(begun == 1 && sp_blocking_depth(pool()) == 2);
		EXPECT_EQ(site_stop(&site), 0);
		for (int i = 0; i < 3; i++) {
			gets(&client[i], 200, "let go");
			EXPECT(client_at_end(&client[i]));
			client_close(&client[i]);
		}
		EXPECT_EQ(ended, 3);
	}
}

TEST(those_in_the_queue_are_cancelled_when_the_stop_takes_too_long)
{
	struct client client[3];

	begun = ended = inside = most = 0;
	site_new(&site);
	site.options.shards = 1;
	site.options.blocking_threads = 1;
	site.options.drain_timeout_ms = 20;
	site_make(&site);
	spate_route(site.server, "GET", "/", stands_until_stopped, &site);
	EXPECT_EQ(spate_route_blocking(site.server, "GET", "/"), 0);
	if (site_start(&site)) {
		for (int i = 0; i < 3; i++)
			begin(&client[i], GET("/"));
		AWAIT(begun == 1 && sp_blocking_depth(pool()) == 2);
		EXPECT_EQ(site_stop(&site), -ETIMEDOUT);
		EXPECT_EQ(begun, 1);
		for (int i = 0; i < 3; i++)
			client_close(&client[i]);
	}
}

TEST(a_route_is_heavy_or_blocking)
{
	site_new(&site);
	site_make(&site);
	spate_route(site.server, "GET", "/", stands, NULL);
	EXPECT_EQ(spate_route_blocking(site.server, "POST", "/"), -ENOENT);
	EXPECT_EQ(spate_route_blocking(site.server, "GET", "/"), 0);
	EXPECT_EQ(spate_route_heavy(site.server, "GET", "/", NULL), -EINVAL);
	EXPECT(spate_server_start(site.server) != 0);
	spate_server_free(site.server);
}

TEST(a_shard_has_no_more_threads_than_it_can_name)
{
	site_new(&site);
	site.options.shards = 1;
	site.options.workers = 50;
	site_make(&site);
	spate_route(site.server, "GET", "/", stands, NULL);
	spate_route_blocking(site.server, "GET", "/");
	EXPECT_EQ(spate_server_start(site.server), -EINVAL);
	spate_server_free(site.server);
}
