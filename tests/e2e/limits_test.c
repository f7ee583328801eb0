/* SPDX-License-Identifier: BSD-2-Clause */

/* Trailers, slow bodies, greedy peers, and connections that grow old. */

#include "framework/server.h"
#include "tests/e2e/ask.h"
#include "tests/harness.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --------------------------------------------------------------- trailers */

static int
trailer(struct spate_req *req, void *arg)
{
	struct spate_str body, sum;
	int error;

	(void)arg;
	EXPECT(spate_trailer(req, "X-Sum").data == NULL);
	error = spate_body(req, &body);
	if (error != 0)
		return error;
	sum = spate_trailer(req, "x-sum");
	return spate_text(req, 200, "%.*s sum=%.*s other=%d\n", (int)body.size,
	    body.data, sum.data != NULL ? (int)sum.size : 4,
	    sum.data != NULL ? sum.data : "none",
	    spate_trailer(req, "Other").data != NULL);
}

#define CHUNKED                                                                \
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"         \
	"Connection: close\r\n\r\n"

TEST(trailers_are_read_behind_the_body)
{
	const char *request = CHUNKED
	    "3\r\nabc\r\n0\r\nX-Sum:  17 \r\nX-Empty:\r\n\r\n";
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "POST", "/", trailer, NULL);
	ask_start(server);
	ask(server, request);
	EXPECT(ask_says("abc sum=17 other=0\n"));
	ask(server, CHUNKED "3\r\nabc\r\n0\r\n\r\n");
	EXPECT(ask_says("abc sum=none other=0\n"));
	ask(server, CHUNKED "0\r\nX-Sum: 1\r\nContent-Length: 5\r\n\r\n");
	EXPECT_EQ(ask_status(), 400);
	/* However it is cut into pieces. */
	for (size_t cut = sizeof(CHUNKED) - 1; cut < strlen(request); cut++) {
		int fd = ask_connect(server);

		ask_send(fd, request, cut);
		sched_yield();
		ask_send(fd, request + cut, strlen(request) - cut);
		ask_read(fd, NULL);
		close(fd);
		EXPECT(ask_says("abc sum=17 other=0\n"));
	}
	ask_stop(server);
}

/* ------------------------------------------------------------- slow bodies */

static uint64_t
count(struct spate_server *server, size_t offset)
{
	struct sp_shard *shard = server->engine->shards[0];
	uint64_t sum = 0;

	for (uint32_t i = 0; i < sp_load(&shard->worker_count, acquire); i++) {
		struct sp_worker *worker = sp_load(&shard->workers[i], acquire);

		sum += sp_load(
		    (SP_ATOMIC(uint64_t) *)((char *)&worker->counters + offset),
		    relaxed);
	}
	return sum;
}

#define COUNT(server, name) count(server, offsetof(struct sp_counters, name))

static int
take_body(struct spate_req *req, void *arg)
{
	struct spate_str body;
	int error = spate_body(req, &body);

	(void)arg;
	return error != 0 ? error : spate_text(req, 200, "%zu\n", body.size);
}

TEST(a_body_below_the_rate_gets_408)
{
	struct spate_options options = spate_options_default();
	const char *head = "POST / HTTP/1.1\r\nHost: a\r\n"
			   "Content-Length: 1000\r\n\r\n";
	struct spate_server *server;
	int fd;

	options.body_grace_ms = 50;
	options.min_body_rate = 1000;
	server = ask_new(&options);
	spate_route(server, "POST", "/", take_body, NULL);
	ask_start(server);
	fd = ask_connect(server);
	ask_send(fd, head, strlen(head));
	/* A byte now and then; each would begin an idle time-out anew. */
	for (int i = 0; i < 1000; i++) {
		char byte;

		if (send(fd, "x", 1, MSG_NOSIGNAL) != 1
		    || recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
			break;
		usleep(10000);
	}
	ask_read(fd, NULL);
	close(fd);
	EXPECT_EQ(ask_status(), 408);
	EXPECT_EQ(COUNT(server, timeouts_rate), 1);
	EXPECT_EQ(COUNT(server, timeouts_body), 0);
	ask_stop(server);
}

TEST(a_body_that_stops_gets_408_too)
{
	struct spate_options options = spate_options_default();
	struct spate_server *server;
	int fd;

	options.body_timeout_ms = 30;
	options.min_body_rate = 0;
	server = ask_new(&options);
	spate_route(server, "POST", "/", take_body, NULL);
	ask_start(server);
	fd = ask_connect(server);
	ask_send(fd, CHUNKED "3\r\nab", sizeof(CHUNKED "3\r\nab") - 1);
	ask_read(fd, NULL);
	close(fd);
	EXPECT_EQ(ask_status(), 408);
	EXPECT_EQ(COUNT(server, timeouts_body), 1);
	EXPECT_EQ(COUNT(server, timeouts_rate), 0);
	ask_stop(server);
}

/* ------------------------------------------------------------------- peers */

static int
hello(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_text(req, 200, "hello\n");
}

TEST(a_peer_has_only_so_many_connections)
{
	struct spate_options options = spate_options_default();
	const char *request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	struct spate_server *server;
	int fds[3], one_more;
	char byte;

	options.shards = 2;
	options.max_connections_per_peer = 3;
	server = ask_new(&options);
	spate_route(server, "GET", "/", hello, NULL);
	ask_start(server);
	for (int i = 0; i < 3; i++) {
		fds[i] = ask_connect(server);
		ask_send(fds[i], request, strlen(request));
		ask_read(fds[i], "hello\n");
		EXPECT_EQ(ask_status(), 200);
	}
	one_more = ask_connect(server);
	EXPECT(recv(one_more, &byte, 1, 0) <= 0);
	close(one_more);
	close(fds[0]);
	/* The server has to see that before there is room for another. */
	do {
		fds[0] = ask_connect(server);
		ask_send(fds[0], request, strlen(request));
		ask_read(fds[0], "hello\n");
		if (ask_status() != 200)
			close(fds[0]);
	} while (ask_status() != 200);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	ask_stop(server);
}

/* --------------------------------------------------------------------- age */

TEST(a_connection_ends_after_so_many_requests)
{
	struct spate_options options = spate_options_default();
	const char *request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	struct spate_server *server;
	int fd;

	options.max_requests = 3;
	server = ask_new(&options);
	spate_route(server, "GET", "/", hello, NULL);
	ask_start(server);
	fd = ask_connect(server);
	for (int i = 0; i < 2; i++) {
		ask_send(fd, request, strlen(request));
		ask_read(fd, "hello\n");
		EXPECT(strstr(ask_text(), "Connection: close") == NULL);
	}
	ask_send(fd, request, strlen(request));
	ask_read(fd, NULL);
	EXPECT(ask_says("Connection: close\r\n"));
	EXPECT(ask_says("hello\n"));
	close(fd);
	EXPECT_EQ(COUNT(server, aged), 1);
	ask_stop(server);
}

TEST(a_connection_ends_when_it_is_old)
{
	struct spate_options options = spate_options_default();
	const char *request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	struct spate_server *server;
	int fd, requests = 0;

	options.max_age_ms = 50;
	server = ask_new(&options);
	spate_route(server, "GET", "/", hello, NULL);
	ask_start(server);
	fd = ask_connect(server);
	do {
		ask_send(fd, request, strlen(request));
		ask_read(fd, "hello\n");
		requests++;
	} while (ask_status() == 200
		 && strstr(ask_text(), "Connection: close") == NULL);
	EXPECT_EQ(ask_status(), 200);
	EXPECT(requests > 1);
	close(fd);
	ask_stop(server);
}
