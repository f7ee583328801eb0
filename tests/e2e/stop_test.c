/* SPDX-License-Identifier: BSD-2-Clause */

/* Starting and stopping: what is finished, what is cut, what is left. */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct site site;
static _Atomic int begun, gate;

/* Waits, without a fiber, until the test lets it go. */
static int
gated(struct spate_req *req, void *arg)
{
	unsigned looks = 0;

	(void)arg;
	begun++;
	while (!gate && site_look(&looks))
		;
	return spate_text(req, 200, "through");
}

static int
reads_body(struct spate_req *req, void *arg)
{
	struct spate_str body;
	int error;

	(void)arg;
	begun++;
	error = spate_body(req, &body);
	if (error != 0)
		return error;
	return spate_respond(req, 200, NULL, body.data, body.size);
}

static int
hello(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_text(req, 200, "hello");
}

static int
echo_all(struct spate_stream *stream, void *arg)
{
	char piece[256];
	ssize_t n;

	(void)arg;
	while ((n = spate_stream_read(stream, piece, sizeof(piece))) > 0
	       && spate_stream_write(stream, piece, (size_t)n) == 0)
		;
	return -1;
}

static bool
start(struct site *at)
{
	begun = gate = 0;
	site_make(at);
	spate_route(at->server, "GET", "/gate", gated, NULL);
	spate_route(at->server, "POST", "/body", reads_body, NULL);
	spate_route(at->server, "GET", "/hello", hello, NULL);
	return site_start(at);
}

/* site_stop() in a thread of its own, since it waits. */
static void *
stop_thread(void *arg)
{
	int *result = arg;

	*result = spate_server_stop(site.server);
	return NULL;
}

static pthread_t stopper;
static int stop_result;

static void
begin_stop(void)
{
	stop_result = 1;
	EXPECT_EQ(pthread_create(&stopper, NULL, stop_thread, &stop_result), 0);
	AWAIT(sp_load(&site.server->engine->draining, relaxed));
}

static int
end_stop(void)
{
	pthread_join(stopper, NULL);
	spate_server_free(site.server);
	site.server = NULL;
	return stop_result;
}

/* The answer is there, and is the last. */
static void
expect_last(struct client *client, const char *body)
{
	struct response answer;
	const char *connection;

	EXPECT_EQ(client_read(client, &answer), 0);
	EXPECT_EQ(answer.status, 200);
	EXPECT(response_is(&answer, body));
	connection = answer.head ? response_field(&answer, "Connection") : NULL;
	EXPECT(connection != NULL && strcmp(connection, "close") == 0);
	response_free(&answer);
	EXPECT(client_at_end(client));
}

TEST(a_stop_without_connections_is_immediate)
{
	site_new(&site);
	site.options.drain_timeout_ms = 0;
	start(&site);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_request_under_way_is_finished)
{
	struct client client = { .fd = -1 };

	site_new(&site);
	if (start(&site) && client_open(&client, site.port)) {
		client_say(&client, GET("/gate"));
		AWAIT(begun == 1);
		begin_stop();
		gate = 1;
		expect_last(&client, "through");
		EXPECT_EQ(end_stop(), 0);
	}
	client_close(&client);
}

TEST(a_body_under_way_is_read_to_its_end)
{
	struct client client = { .fd = -1 };

	site_new(&site);
	if (start(&site) && client_open(&client, site.port)) {
		client_say(&client,
		    "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
		    "\r\nab");
		AWAIT(begun == 1);
		begin_stop();
		client_say(&client, "cd");
		expect_last(&client, "abcd");
		EXPECT_EQ(end_stop(), 0);
	}
	client_close(&client);
}

TEST(idle_connections_are_closed)
{
	struct client clients[50];
	struct response answer;

	site_new(&site);
	site.options.drain_timeout_ms = 0;
	if (start(&site)) {
		for (int i = 0; i < 50; i++) {
			EXPECT(client_open(&clients[i], site.port));
			/* Every other one has been answered before. */
			if (i % 2 == 0)
				continue;
			EXPECT_EQ(
			    client_ask(&clients[i], GET("/hello"), &answer), 0);
			response_free(&answer);
		}
		AWAIT(SITE_COUNT(&site, accepted) == 50);
		begin_stop();
		for (int i = 0; i < 50; i++) {
			EXPECT(client_at_end(&clients[i]));
			client_close(&clients[i]);
		}
		EXPECT_EQ(end_stop(), 0);
	}
}

/* The only worker is busy as it comes, and looks when the stop has begun. */
TEST(a_request_that_has_come_by_then_is_answered)
{
	struct client client = { .fd = -1 }, other = { .fd = -1 };

	site_new(&site);
	site.options.shards = 1;
	site.options.spares = 0;
	if (start(&site) && client_open(&client, site.port)
	    && client_open(&other, site.port)) {
		client_expect(&other, GET("/hello"), 200, "hello");
		client_say(&client, GET("/gate"));
		AWAIT(begun == 1);
		client_say(&other, GET("/hello") GET("/hello"));
		begin_stop();
		gate = 1;
		expect_last(&other, "hello");
		client_close(&other);
		EXPECT_EQ(end_stop(), 0);
	}
	client_close(&client);
	client_close(&other);
}

TEST(half_a_head_has_until_the_drain_timeout)
{
	struct client client = { .fd = -1 }, late = { .fd = -1 };

	site_new(&site);
	site.options.drain_timeout_ms = 20000;
	if (start(&site) && client_open(&client, site.port)) {
		client_say(&client, "GET /hello HT");
		EXPECT(SITE_REACHES(&site, bytes_in, 13));
		begin_stop();
		client_say(&client, "TP/1.1\r\nHost: a\r\n\r\n");
		expect_last(&client, "hello");
		EXPECT_EQ(end_stop(), 0);
	}
	client_close(&client);

	site_new(&site);
	site.options.drain_timeout_ms = 100;
	if (start(&site) && client_open(&late, site.port)) {
		client_say(&late, "GET /hello HT");
		EXPECT(SITE_REACHES(&site, bytes_in, 13));
		EXPECT_EQ(site_stop(&site), -ETIMEDOUT);
	}
	client_close(&late);
}

TEST(what_is_not_done_in_time_is_cancelled)
{
	struct client client = { .fd = -1 };

	site_new(&site);
	site.options.drain_timeout_ms = 100;
	if (start(&site) && client_open(&client, site.port)) {
		client_say(&client,
		    "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
		    "\r\nab");
		AWAIT(begun == 1);
		EXPECT_EQ(site_stop(&site), -ETIMEDOUT);
	}
	client_close(&client);
}

/* A stream whose handler waits has until then too; one that is parked ends. */
TEST(streams_end_with_the_server)
{
	struct client client = { .fd = -1 };
	char got[2];

	site_new(&site);
	site.options.drain_timeout_ms = 100;
	site_make(&site);
	spate_listen_stream(site.server, "127.0.0.1:0", echo_all, NULL);
	if (site_start(&site) && client_open(&client, site.port)) {
		client_say(&client, "hi");
		EXPECT_EQ(client_exactly(&client, got, 2), 2);
		EXPECT_EQ(site_stop(&site), -ETIMEDOUT);
		EXPECT(client_at_end(&client));
	}
	client_close(&client);
}

TEST(nobody_gets_in_after_a_stop_has_begun)
{
	struct client client = { .fd = -1 }, late = { .fd = -1 };

	site_new(&site);
	if (start(&site) && client_open(&client, site.port)) {
		client_say(&client, GET("/gate"));
		AWAIT(begun == 1);
		begin_stop();
		/* The listeners close in their shards' own time. */
		unsigned looks = 0;

		while (client_try(&late, site.port) && site_look(&looks)) {
			char byte;

			EXPECT(client_receive(&late, &byte, 1) <= 0);
			client_close(&late);
		}
		gate = 1;
		expect_last(&client, "through");
		EXPECT_EQ(end_stop(), 0);
	}
	client_close(&client);
}

/* ------------------------------------------------------------- under load */

static _Atomic bool loaded;
static _Atomic uint64_t asked, answered, torn;

/* Asks until it is told that this was the last. */
static void *
load(void *arg)
{
	struct client client;
	struct response answer;
	bool last = false;

	(void)arg;
	if (!client_open(&client, site.port))
		return NULL;
	while (!last) {
		int error;

		if (!client_say(&client, GET("/hello")))
			break;
		asked++;
		error = client_read(&client, &answer);
		/* A request may cross the close of an idle connection. */
		if (error == -ENODATA || error == -ECONNRESET)
			break;
		if (error != 0 || answer.status != 200
		    || !response_is(&answer, "hello"))
			torn++;
		else
			answered++;
		last = error != 0
		       || response_field(&answer, "Connection") != NULL;
		response_free(&answer);
		loaded = loaded || answered > 500;
	}
	client_close(&client);
	return NULL;
}

TEST(a_stop_under_load_loses_no_answer)
{
	pthread_t threads[8];

	for (int round = 0; round < 5; round++) {
		loaded = false;
		asked = answered = torn = 0;
		site_new(&site);
		if (!start(&site))
			return;
		for (int i = 0; i < 8; i++)
			EXPECT_EQ(
			    pthread_create(&threads[i], NULL, load, NULL), 0);
		AWAIT(loaded);
		EXPECT_EQ(spate_server_stop(site.server), 0);
		for (int i = 0; i < 8; i++)
			pthread_join(threads[i], NULL);
		EXPECT_EQ(torn, 0);
		/* What the server counts, the clients have. */
		EXPECT_EQ(SITE_COUNT(&site, responses_2xx), answered);
		EXPECT(asked - answered <= 8);
		spate_server_free(site.server);
	}
}

/* ------------------------------------------------------------ many, again */

static void
start_ask_stop(void)
{
	site_new(&site);
	if (start(&site))
		EXPECT_EQ(once(site.port, GET_CLOSE("/hello"), NULL, 0), 200);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_hundred_starts_and_stops_leave_nothing)
{
	int fds;

	/* The first leaves what a process has once, such as RCU's thread. */
	start_ask_stop();
	fds = test_count_in("/proc/self/fd");
	for (int i = 0; i < 100; i++)
		start_ask_stop();
	EXPECT_EQ(test_count_in("/proc/self/fd"), fds);
	EXPECT(test_threads_ended());
}

TEST(two_servers_run_side_by_side)
{
	struct site other;
	struct client client = { .fd = -1 };
	struct response answer;

	site_new(&site);
	site_new(&other);
	if (start(&site) && start(&other)) {
		EXPECT(site.port != other.port);
		for (int i = 0; i < 20; i++) {
			EXPECT_EQ(
			    once(site.port, GET_CLOSE("/hello"), NULL, 0), 200);
			EXPECT_EQ(
			    once(other.port, GET_CLOSE("/hello"), NULL, 0),
			    200);
		}
		EXPECT_EQ(SITE_COUNT(&site, requests), 20);
		EXPECT_EQ(SITE_COUNT(&other, requests), 20);
		/* One stops, and the other does not mind. */
		EXPECT(client_open(&client, other.port));
		EXPECT_EQ(site_stop(&site), 0);
		EXPECT_EQ(client_ask(&client, GET("/hello"), &answer), 0);
		response_free(&answer);
		client_close(&client);
	}
	EXPECT_EQ(site_stop(&other), 0);
}

TEST(what_cannot_start_says_why_and_leaves_nothing)
{
	struct spate_options options = spate_options_default();
	struct spate_server *server;
	char address[32];

	site_new(&site);
	if (start(&site)) {
		snprintf(address, sizeof(address), "127.0.0.1:%u", site.port);
		server = spate_server_new(&options);
		EXPECT_EQ(spate_listen(server, address), 0);
		EXPECT_EQ(spate_server_start(server), -EADDRINUSE);
		EXPECT_EQ(spate_server_stop(server), 0);
		spate_server_free(server);
	}
	EXPECT_EQ(site_stop(&site), 0);

	server = spate_server_new(&options);
	EXPECT_EQ(spate_listen(server, "nohost:80"), -EINVAL);
	EXPECT_EQ(spate_server_start(server), -EINVAL);
	spate_server_free(server);
	options.workers = 0;
	server = spate_server_new(&options);
	EXPECT_EQ(spate_server_start(server), -EINVAL);
	spate_server_free(server);
	/* One that was never started. */
	server = spate_server_new(NULL);
	EXPECT_EQ(spate_listen(server, "127.0.0.1:0"), 0);
	EXPECT_EQ(spate_server_stop(server), 0);
	spate_server_free(server);
	spate_server_free(NULL);
}

/* T20: a program that a handler starts has none of our descriptors. */
static int
list_descriptors(char *text, size_t size)
{
	FILE *program = popen("ls -l /proc/self/fd", "r");
	size_t n = program == NULL ? 0 : fread(text, 1, size - 1, program);
	int lines = 0;

	text[n] = '\0';
	if (program != NULL)
		pclose(program);
	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

static int
starts_a_program(struct spate_req *req, void *arg)
{
	static char text[16384];
	int lines = list_descriptors(text, sizeof(text));

	(void)arg;
	EXPECT(strstr(text, "eventpoll") == NULL);
	EXPECT(strstr(text, "eventfd") == NULL);
	return spate_text(req, 200, "%d", lines);
}

TEST(programs_started_by_a_handler_inherit_nothing)
{
	char text[16384], body[16] = "";
	struct client client = { .fd = -1 };
	int lines = list_descriptors(text, sizeof(text));

	EXPECT(lines > 3);
	site_new(&site);
	site_make(&site);
	spate_route(site.server, "GET", "/", starts_a_program, NULL);
	spate_listen(site.server, "127.0.0.1:0");
	spate_listen_stream(site.server, "127.0.0.1:0", echo_all, NULL);
	if (site_start(&site) && client_open(&client, site.port)) {
		for (int i = 0; i < 3; i++) {
			EXPECT_EQ(
			    once(site.port, GET_CLOSE("/"), body, sizeof(body)),
			    200);
			EXPECT_EQ(atoi(body), lines);
		}
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

/* ------------------------------------------------------------- placement */

TEST(connections_are_spread_evenly)
{
	struct client clients[64];
	int64_t most = 0;

	site_new(&site);
	if (start(&site)) {
		struct sp_engine *engine = site.server->engine;

		for (int i = 0; i < 64; i++)
			EXPECT(client_open(&clients[i], site.port));
		AWAIT(SITE_COUNT(&site, accepted) == 64);
		for (uint32_t i = 0; i < engine->shard_count; i++) {
			int64_t load_now = sp_load(
			    &engine->shards[i]->load, relaxed);

			most = load_now > most ? load_now : most;
		}
		EXPECT(most * 100 <= 32 * 115);
		for (int i = 0; i < 64; i++)
			client_close(&clients[i]);
	}
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(connections_beyond_the_limit_wait_and_get_their_turn)
{
	struct client clients[12];
	struct response answer;

	site_new(&site);
	site.options.max_connections = 4;
	if (start(&site)) {
		for (int i = 0; i < 12; i++) {
			EXPECT(client_open(&clients[i], site.port));
			client_say(&clients[i], GET_CLOSE("/hello"));
		}
		for (int i = 0; i < 12; i++) {
			EXPECT_EQ(client_read(&clients[i], &answer), 0);
			EXPECT_EQ(answer.status, 200);
			response_free(&answer);
			client_close(&clients[i]);
		}
		/* Now with four that stay. */
		for (int i = 0; i < 4; i++) {
			EXPECT(client_open(&clients[i], site.port));
			EXPECT_EQ(
			    client_ask(&clients[i], GET("/hello"), &answer), 0);
			response_free(&answer);
		}
		EXPECT(client_open(&clients[4], site.port));
		client_say(&clients[4], GET("/hello"));
		EXPECT(SITE_REACHES(&site, limited, 1));
		EXPECT_EQ(SITE_COUNT(&site, requests), 16);
		client_close(&clients[0]);
		EXPECT_EQ(client_read(&clients[4], &answer), 0);
		response_free(&answer);
		for (int i = 1; i < 5; i++)
			client_close(&clients[i]);
	}
	EXPECT_EQ(site_stop(&site), 0);
}
