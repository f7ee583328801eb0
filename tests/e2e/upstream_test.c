/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Handlers that call other servers. The front is what the clients of the
 * tests talk to; the back is what its handlers fetch from: a site, and raw
 * streams that answer by a script, on sockets of the abstract namespace.
 */

#include "tests/e2e/client.h"
#include "tests/e2e/handlers.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <spate/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (1024u * 1024)
#define PARALLEL 100

static struct site front, back;

/* What the front's handler is to ask for, and what it has met. */
static struct spate_call call;
static uint64_t body_max;
static char url[256];
static _Atomic int begun, ended, last_error;

/* ------------------------------------------------------------- the back */

struct script {
	const char *answer; /* NULL: never one */
	int requests;       /* of one connection, before it is closed */
};

/* Answers a request that comes in one piece, unless it is one too many. */
static int
play(struct spate_stream *stream, void *arg)
{
	const struct script *script = arg;
	void **data = spate_stream_data(stream);
	intptr_t answered = (intptr_t)*data;
	char request[4096];
	ssize_t n = spate_stream_read(stream, request, sizeof(request));

	if (n <= 0 || answered == script->requests)
		return 1;
	if (script->answer == NULL)
		return 0;
	spate_stream_write(stream, script->answer, strlen(script->answer));
	*data = (void *)(answered + 1);
	return answered + 1 == script->requests && script->requests == 1;
}

static void
name_script(char *text, size_t size, const char *scheme, const void *script)
{
	snprintf(text, size, "%sunix:@spate-%d-%p%s", scheme, (int)getpid(),
	    script, scheme[0] != '\0' ? ":/x" : "");
}

static void
fetch_script(const struct script *script)
{
	name_script(url, sizeof(url), "http://", script);
}

static void
fetch_path(const char *path)
{
	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", back.port, path);
}

/* ------------------------------------------------------------ the front */

static int
write_in_pieces(struct spate_upstream *up)
{
	static const char piece[7001];
	size_t left = 100000;
	int error = 0;

	while (left != 0 && error == 0) {
		size_t size = left < sizeof(piece) ? left : sizeof(piece);

		error = spate_upstream_write(up, piece, size);
		left -= size;
	}
	return error;
}

static int
fetch(struct spate_upstream **up)
{
	int error;

	if (call.body != NULL || call.body_size == 0)
		return spate_fetch(&call, up);
	error = spate_upstream_open(&call, up);
	if (error == 0)
		error = write_in_pieces(*up);
	return error == 0 ? spate_upstream_answer(*up) : error;
}

static int
relay(struct spate_req *req, void *arg)
{
	struct spate_upstream *up;
	struct spate_str body = { NULL, 0 };
	int status, error;

	(void)arg;
	begun++;
	status = fetch(&up);
	error = status < 0 ? status : spate_upstream_body(up, body_max, &body);
	if (error == 0)
		spate_respond(req, status, "text/plain", body.data, body.size);
	else
		spate_text(req, 502, "%d", error);
	spate_upstream_close(up);
	last_error = error;
	ended++;
	return error;
}

/*
 * Held up until somebody else polls the shard, which the watcher sees to:
 * then a descriptor of it is theirs to open.
 */
static int
relay_unattended(struct spate_req *req, void *arg)
{
	const struct sp_worker *worker = sp_worker_self();

	while (sp_token_free(&worker->shard->token))
		sched_yield();
	return relay(req, arg);
}

#define FAN 8

static int
fan_out(struct spate_req *req, void *arg)
{
	struct spate_upstream *up[FAN];
	struct spate_str body;
	int right = 0;

	(void)arg;
	for (int i = 0; i < FAN; i++)
		EXPECT_EQ(spate_upstream_open(&call, &up[i]), 0);
	for (int i = 0; i < FAN; i++)
		EXPECT_EQ(spate_upstream_flush(up[i]), 0);
	for (int i = 0; i < FAN; i++)
		right += spate_upstream_answer(up[i]) == 200
			 && spate_upstream_body(up[i], MIB, &body) == 0;
	for (int i = 0; i < FAN; i++)
		spate_upstream_close(up[i]);
	return spate_text(req, 200, "%d", right);
}

/* Both, with up to four scripts at the back. */
static bool
start(const struct script *scripts, size_t count)
{
	begun = ended = last_error = 0;
	body_max = 64 * MIB;
	call = spate_call_default("GET", url);
	site_new(&back);
	handlers_make(&back);
	EXPECT_EQ(spate_listen(back.server, "127.0.0.1:0"), 0);
	for (size_t i = 0; i < count; i++) {
		char name[128];

		name_script(name, sizeof(name), "", &scripts[i]);
		EXPECT_EQ(spate_listen_stream(back.server, name, play,
			      (void *)(uintptr_t)&scripts[i]),
		    0);
	}
	site_make(&front);
	spate_route(front.server, "*", "/relay", relay, NULL);
	spate_route(front.server, "GET", "/unattended", relay_unattended, NULL);
	spate_route(front.server, "GET", "/fan", fan_out, NULL);
	return site_start(&back) && site_start(&front);
}

/* One worker, so that what one request has kept the next one finds. */
static void
front_alone(void)
{
	site_new(&front);
	front.options.shards = 1;
	front.options.spares = 0;
}

static void
stop(void)
{
	EXPECT_EQ(site_stop(&front), 0);
	EXPECT_EQ(site_stop(&back), 0);
}

static void
expect_error(int error)
{
	char body[64];

	EXPECT_EQ(
	    ask(front.port, GET_CLOSE("/relay"), body, sizeof(body)), 502);
	EXPECT_EQ(atoi(body), error);
}

static void
expect_answer(int status, char filling, size_t size)
{
	struct client client;
	struct response answer;
	size_t wrong = 0;

	if (!client_open(&client, front.port))
		return;
	EXPECT_EQ(client_ask(&client, GET_CLOSE("/relay"), &answer), 0);
	if (answer.status != status)
		fprintf(stderr, "%s: %s\n", url, answer.body);
	EXPECT_EQ(answer.status, status);
	EXPECT_EQ(answer.size, size);
	for (size_t i = 0; i < answer.size; i++)
		wrong += answer.body[i] != filling;
	EXPECT_EQ(wrong, 0);
	response_free(&answer);
	client_close(&client);
}

/* ------------------------------------------------------------- answers */

TEST(bodies_of_every_framing_come_whole)
{
	static const struct script scripts[] = {
		{ "HTTP/1.1 200 OK\r\n\r\naaaaa", 1 },
		{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n"
		  "\r\nHTTP/1.1 201 Made\r\nContent-Length: 2\r\n\r\nbb",
		    1 },
		{ "HTTP/1.0 404 No\r\nContent-Length: 1\r\n\r\nc", 1 },
		{ "HTTP/1.1 204 No\r\nContent-Length: 7\r\n\r\n", 1 },
	};

	site_new(&front);
	if (start(scripts, 4)) {
		fetch_path("/size/1");
		expect_answer(200, 'x', 1);
		fetch_path("/size/0");
		expect_answer(200, 'x', 0);
		fetch_path("/size/20000000");
		expect_answer(200, 'x', 20000000);
		fetch_path("/chunks/1000");
		expect_answer(200, 'y', 500500);
		fetch_script(&scripts[0]);
		expect_answer(200, 'a', 5);
		fetch_script(&scripts[1]);
		expect_answer(201, 'b', 2);
		fetch_script(&scripts[2]);
		expect_answer(404, 'c', 1);
		fetch_script(&scripts[3]);
		expect_answer(204, 'd', 0);
		EXPECT_EQ(SITE_COUNT(&front, upstream_errors), 0);
	}
	stop();
}

TEST(head_has_no_body)
{
	site_new(&front);
	if (start(NULL, 0)) {
		call.method = "HEAD";
		fetch_path("/size/50");
		expect_answer(200, 'x', 0);
		expect_answer(200, 'x', 0);
	}
	stop();
}

TEST(bodies_are_sent_in_one_piece_and_in_many)
{
	char *large = calloc(1, 900000);

	site_new(&front);
	if (start(NULL, 0)) {
		call.method = "POST";
		fetch_path("/echo");
		expect_answer(200, '\0', 0);
		call.body = large;
		call.body_size = 100;
		expect_answer(200, '\0', 100);
		call.body_size = 900000;
		fetch_path("/collect");
		expect_answer(200, '\0', 900000);
		call.body = NULL;
		call.body_size = 100000;
		expect_answer(200, '\0', 100000);
		call.body_size = -1;
		expect_answer(200, '\0', 100000);
		call.body_size = 200000;
		expect_error(-EINVAL);
		call.body_size = 99999;
		expect_error(-EMSGSIZE);
	}
	stop();
	free(large);
}

/* ------------------------------------------------------ what goes wrong */

TEST(what_is_no_answer_is_an_error)
{
	static const struct script scripts[] = {
		{ "SSH-2.0-OpenSSH\r\n", 1 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", 1 },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		    1 },
		{ "", 1 },
	};

	site_new(&front);
	if (start(scripts, 4)) {
		fetch_script(&scripts[0]);
		expect_error(-EBADMSG);
		fetch_script(&scripts[1]);
		expect_error(-ECONNRESET);
		fetch_script(&scripts[2]);
		expect_error(-EBADMSG);
		fetch_script(&scripts[3]);
		expect_error(-ECONNRESET);
		fetch_path("/size/1000");
		body_max = 999;
		expect_error(-E2BIG);
		fetch_path("/chunks/100");
		expect_error(-E2BIG);
		snprintf(url, sizeof(url), "http://unix:@spate-nobody:/");
		expect_error(-ECONNREFUSED);
		EXPECT_EQ(SITE_COUNT(&front, upstream_errors), 7);
		EXPECT(site_left(&back));
	}
	stop();
}

TEST(urls_and_fields_are_checked)
{
	static const char *const wrong[] = { "", "http://", "https://1.2.3.4/",
		"http://name/", "http://*:1/", "http://:1/",
		"http://1.2.3.4:x/", "http://1.2.3.4/a b",
		"http://1.2.3.4/\r\nA: b", "http://1.2.3.4/#a",
		"http://u@1.2.3.4/", "http://[::1/", "http://[::g]/",
		"http://unix:", "http://unix:/a:b" };
	static const struct spate_field fields[] = { { "A", "b\nc" },
		{ "A b", "c" }, { "content-length", "1" }, { "Host", "a" } };

	site_new(&front);
	if (start(NULL, 0)) {
		for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
			snprintf(url, sizeof(url), "%s", wrong[i]);
			expect_error(-EINVAL);
		}
		fetch_path("?query");
		EXPECT_EQ(ask(front.port, GET_CLOSE("/relay"), NULL, 0), 404);
		fetch_path("/hello");
		call.field_count = 1;
		for (int i = 0; i < 3; i++) {
			call.fields = &fields[i];
			expect_error(-EINVAL);
		}
		call.fields = &fields[3];
		EXPECT_EQ(ask(front.port, GET_CLOSE("/relay"), NULL, 0), 200);
		call.method = "CONNECT";
		expect_error(-EINVAL);
	}
	stop();
}

TEST(who_never_answers_is_given_up_in_time)
{
	static const struct script scripts[] = { { NULL, 9 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", 9 } };

	site_new(&front);
	if (start(scripts, 2)) {
		call.timeout_ms = 20;
		fetch_script(&scripts[0]);
		expect_error(-ETIMEDOUT);
		fetch_script(&scripts[1]);
		expect_error(-ETIMEDOUT);
		call.timeout_ms = 0;
		call.deadline_ms = 20;
		expect_error(-ETIMEDOUT);
		EXPECT(site_left(&back));
	}
	stop();
}

/* ------------------------------------------------- connections are kept */

TEST(connections_are_used_again)
{
	front_alone();
	if (start(NULL, 0)) {
		fetch_path("/chunks/3");
		for (int i = 0; i < 10; i++)
			expect_answer(200, 'y', 6);
		EXPECT_EQ(SITE_COUNT(&front, upstream_connects), 1);
		EXPECT_EQ(SITE_COUNT(&front, upstream_reused), 9);
		EXPECT(site_left(&front));
	}
	stop();
}

TEST(whoever_polls_opens_for_the_others)
{
	front_alone();
	front.options.workers = 2;
	front.options.upstream_idle_max = 0;
	if (start(NULL, 0)) {
		fetch_path("/hello");
		for (int i = 0; i < 20; i++)
			EXPECT_EQ(
			    ask(front.port, GET_CLOSE("/unattended"), NULL, 0),
			    200);
		EXPECT_EQ(SITE_COUNT(&front, upstream_connects), 20);
	}
	stop();
}

TEST(as_many_are_kept_as_there_is_room_for)
{
	char body[8];

	front_alone();
	front.options.upstream_idle_max = 3;
	if (start(NULL, 0)) {
		fetch_path("/size/10");
		for (int i = 0; i < 5; i++) {
			EXPECT_EQ(ask(front.port, GET_CLOSE("/fan"), body,
				      sizeof(body)),
			    200);
			EXPECT_EQ(atoi(body), FAN);
			AWAIT(site_connections(&back) == 3);
		}
		EXPECT_EQ(SITE_COUNT(&front, upstream_reused), 4 * 3);
	}
	stop();
}

TEST(none_are_kept_without_room_or_for_longer_than_they_may)
{
	front_alone();
	front.options.upstream_idle_max = 0;
	if (start(NULL, 0)) {
		fetch_path("/hello");
		EXPECT_EQ(ask(front.port, GET_CLOSE("/relay"), NULL, 0), 200);
		EXPECT(site_left(&back));
	}
	stop();
	front_alone();
	front.options.upstream_idle_ms = 1;
	front.options.idle_timeout_ms = 100;
	if (start(NULL, 0)) {
		fetch_path("/hello");
		EXPECT_EQ(ask(front.port, GET_CLOSE("/relay"), NULL, 0), 200);
		EXPECT(site_left(&back));
	}
	stop();
}

/* The back answers once for each connection, and hangs up on the second. */
TEST(a_kept_connection_that_was_closed_costs_another)
{
	static const struct script once = {
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\no", 2
	};

	front_alone();
	if (start(&once, 1)) {
		fetch_script(&once);
		for (int i = 0; i < 6; i++)
			expect_answer(200, 'o', 1);
		EXPECT_EQ(SITE_COUNT(&front, upstream_errors), 0);
		EXPECT_EQ(SITE_COUNT(&front, upstream_connects), 3);
		EXPECT_EQ(SITE_COUNT(&front, upstream_reused), 5);
		/* Two have been answered on the third: not twice. */
		call.method = "POST";
		expect_error(-ECONNRESET);
		expect_answer(200, 'o', 1);
	}
	stop();
}

/* ------------------------------------------------------------- the ends */

static void
leave_while_waiting(void (*leave)(struct client *))
{
	static const struct script never = { NULL, 9 };
	static struct client clients[PARALLEL];
	int opened = 0;

	site_new(&front);
	if (start(&never, 1)) {
		fetch_script(&never);
		for (; opened < PARALLEL; opened++) {
			if (!client_open(&clients[opened], front.port))
				break;
			client_say(&clients[opened], GET("/relay"));
		}
		AWAIT(begun == opened);
		for (int i = 0; i < opened; i++)
			leave(&clients[i]);
		AWAIT(ended == opened);
		EXPECT_EQ(last_error, -ECANCELED);
		EXPECT(site_left(&front));
		EXPECT(site_left(&back));
		EXPECT_EQ(
		    SITE_COUNT(&front, upstream_errors), (uint64_t)opened);
	}
	stop();
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
	static const struct script never = { NULL, 9 };
	struct client client = { .fd = -1 };

	site_new(&front);
	front.options.drain_timeout_ms = 50;
	if (start(&never, 1) && client_open(&client, front.port)) {
		fetch_script(&never);
		client_say(&client, GET("/relay"));
		AWAIT(begun == 1);
		EXPECT_EQ(site_stop(&front), -ETIMEDOUT);
		EXPECT_EQ(last_error, -ECANCELED);
		EXPECT(site_left(&back));
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&back), 0);
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
	if (!client_open(&client, front.port))
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

	site_new(&front);
	front.options.workers = 3;
	if (start(NULL, 0)) {
		fetch_path("/hello");
		for (int i = 0; i < THREADS; i++)
			pthread_create(&threads[i], NULL, fetch_often, NULL);
		for (int i = 0; i < THREADS; i++) {
			void *right = NULL;

			pthread_join(threads[i], &right);
			EXPECT_EQ((intptr_t)right, ROUNDS);
		}
		EXPECT_EQ(SITE_COUNT(&front, upstream_connects)
			      + SITE_COUNT(&front, upstream_reused),
		    THREADS * ROUNDS);
	}
	stop();
}
