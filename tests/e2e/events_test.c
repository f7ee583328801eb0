/* SPDX-License-Identifier: BSD-2-Clause */

/* Server-sent events, and waits for what never comes. */

#include "tests/e2e/ask.h"
#include "tests/harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET_EVENTS "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static atomic_int ended; /* what the stream's handler saw at last */

static int
few(struct spate_req *req, void *arg)
{
	int error = spate_events_begin(req);

	(void)arg;
	if (error == 0)
		error = spate_events_retry(req, 500);
	if (error == 0)
		error = spate_event(req, "1", "tick", "one", 3);
	if (error == 0)
		error = spate_event(req, NULL, NULL, "a\nb\r\nc\rd\n", 9);
	if (error == 0)
		error = spate_event(req, NULL, NULL, "", 0);
	return error;
}

TEST(events_have_a_line_for_each_line_of_data)
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "GET", "/", few, NULL);
	ask_start(server);
	ask(server, "GET / HTTP/1.0\r\n\r\n");
	EXPECT(ask_says("Content-Type: text/event-stream\r\n"));
	EXPECT(ask_says("Cache-Control: no-store\r\n"));
	EXPECT(
	    strcmp(ask_body(), "retry: 500\n\n"
			       "id: 1\nevent: tick\ndata: one\n\n"
			       "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"
			       "data: \n\n")
	    == 0);
	ask(server, ASK("GET", "/"));
	EXPECT(ask_says("Transfer-Encoding: chunked\r\n"));
	EXPECT(ask_says("\r\n0\r\n\r\n"));
	ask(server, ASK("HEAD", "/"));
	EXPECT_EQ(ask_status(), 200);
	EXPECT(ask_body()[0] == '\0');
	ask_stop(server);
}

static int
forge(struct spate_req *req, void *arg)
{
	int error = spate_events_begin(req);

	(void)arg;
	EXPECT_EQ(spate_event(req, "1\ndata: x", NULL, "y", 1), -EINVAL);
	EXPECT_EQ(spate_event(req, NULL, "e\r", "y", 1), -EINVAL);
	return error;
}

static int
not_begun(struct spate_req *req, void *arg)
{
	(void)arg;
	EXPECT_EQ(spate_event(req, NULL, NULL, "y", 1), -EINVAL);
	EXPECT_EQ(spate_events_wait(req, 1), -EINVAL);
	return spate_text(req, 200, "%.*s\n",
	    (int)spate_last_event_id(req).size, spate_last_event_id(req).data);
}

TEST(an_id_with_a_line_end_is_refused)
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "GET", "/", forge, NULL);
	spate_route(server, "GET", "/none", not_begun, NULL);
	ask_start(server);
	ask(server, ASK("GET", "/"));
	EXPECT_EQ(ask_status(), 200);
	ask(server, ASK_WITH("GET", "/none", "Last-Event-ID: 17\r\n"));
	EXPECT(ask_says("\r\n\r\n17\n"));
	ask_stop(server);
}

static int
large(struct spate_req *req, void *arg)
{
	size_t size = 100000;
	char *data = malloc(size);
	int error = spate_events_begin(req);

	(void)arg;
	memset(data, 'x', size);
	for (size_t i = 999; i < size; i += 1000)
		data[i] = '\n';
	if (error == 0)
		error = spate_event(req, NULL, NULL, data, size);
	free(data);
	return error;
}

TEST(a_large_event_arrives_whole)
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "GET", "/", large, NULL);
	ask_start(server);
	ask(server, "GET / HTTP/1.0\r\n\r\n");
	/* 100 lines of 999 and an empty one, each with "data: " and an end. */
	EXPECT_EQ(strlen(ask_body()), 100 * (999 + 7) + 7 + 1);
	ask_stop(server);
}

static int
ticker(struct spate_req *req, void *arg)
{
	int error = spate_events_begin(req);

	while (error == 0) {
		error = spate_event(req, NULL, "tick", "x", 1);
		if (error == 0)
			error = spate_events_wait(req, *(uint32_t *)arg);
	}
	atomic_store(&ended, error);
	return error;
}

TEST(comments_come_while_there_are_no_events)
{
	struct spate_options options = spate_options_default();
	uint32_t ms = 600000;
	struct spate_server *server;
	int fd;

	options.events_comment_ms = 5;
	server = ask_new(&options);
	spate_route(server, "GET", "/", ticker, &ms);
	ask_start(server);
	fd = ask_connect(server);
	ask_send(fd, GET_EVENTS, strlen(GET_EVENTS));
	ask_read(fd, "3\r\n:\n\n\r\n3\r\n:\n\n\r\n");
	EXPECT(ask_says("event: tick\n"));
	close(fd);
	ask_stop(server);
	EXPECT(atomic_load(&ended) != 0);
}

TEST(a_stream_ends_when_the_server_stops)
{
	uint32_t ms = 600000;
	struct spate_server *server = ask_new(NULL);
	int fd;

	spate_route(server, "GET", "/", ticker, &ms);
	ask_start(server);
	fd = ask_connect(server);
	ask_send(fd, GET_EVENTS, strlen(GET_EVENTS));
	ask_read(fd, "data: x\n\n");
	ask_stop(server);
	EXPECT_EQ(atomic_load(&ended), -ESHUTDOWN);
	close(fd);
}

TEST(a_stream_ends_when_the_client_resets)
{
	uint32_t ms = 600000;
	const struct linger now = { .l_onoff = 1 };
	struct spate_server *server = ask_new(NULL);
	int fd;

	spate_route(server, "GET", "/", ticker, &ms);
	ask_start(server);
	atomic_store(&ended, 0);
	fd = ask_connect(server);
	ask_send(fd, GET_EVENTS, strlen(GET_EVENTS));
	ask_read(fd, "data: x\n\n");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	while (atomic_load(&ended) == 0)
		sched_yield();
	EXPECT_EQ(atomic_load(&ended), -ECANCELED);
	ask_stop(server);
}

/* ------------------------------------------------------------------ waits */

static int
waiting(struct spate_req *req, void *arg)
{
	uint64_t ms = 0;
	int error = spate_query_u64(req, "ms", &ms);

	(void)arg;
	if (error == 0 && ms != 0) {
		spate_defer(req);
		error = spate_wait(req, (uint32_t)ms);
		if (error == -ETIMEDOUT)
			error = 0;
	}
	atomic_store(&ended, error == 0 ? 1 : error);
	return error != 0 ? error : spate_text(req, 200, "waited\n");
}

TEST(others_are_served_during_a_wait)
{
	struct spate_options options = spate_options_default();
	struct spate_server *server;
	int fds[100];

	options.spares = 0;
	server = ask_new(&options);
	spate_route(server, "GET", "/", waiting, NULL);
	ask_start(server);
	for (int i = 0; i < 100; i++) {
		const char *request = ASK("GET", "/?ms=50");

		fds[i] = ask_connect(server);
		ask_send(fds[i], request, strlen(request));
	}
	ask(server, ASK("GET", "/?ms=0"));
	EXPECT(ask_says("waited\n"));
	for (int i = 0; i < 100; i++) {
		ask_read(fds[i], NULL);
		EXPECT(ask_says("waited\n"));
		close(fds[i]);
	}
	ask_stop(server);
}

/* What has arrived during a wait is not forgotten. */
TEST(a_request_behind_a_wait_is_answered)
{
	struct spate_server *server = ask_new(NULL);
	const char *first = "GET /?ms=30 HTTP/1.1\r\nHost: a\r\n\r\n";
	const char *second = ASK("GET", "/?ms=0");
	int fd;

	spate_route(server, "GET", "/", waiting, NULL);
	ask_start(server);
	fd = ask_connect(server);
	ask_send(fd, first, strlen(first));
	ask_send(fd, second, strlen(second));
	ask_read(fd, NULL);
	EXPECT(strstr(ask_body() + 1, "HTTP/1.1 200 OK") != NULL);
	close(fd);
	ask_stop(server);
}

/* Half closed: whether that counts as gone is an option. */
static int
half_closed(bool cancels)
{
	struct spate_options options = spate_options_default();
	const char *request = ASK("GET", "/?ms=30");
	struct spate_server *server;
	int fd;

	options.half_close_cancels = cancels;
	server = ask_new(&options);
	spate_route(server, "GET", "/", waiting, NULL);
	ask_start(server);
	atomic_store(&ended, 0);
	fd = ask_connect(server);
	ask_send(fd, request, strlen(request));
	shutdown(fd, SHUT_WR);
	ask_read(fd, NULL);
	close(fd);
	ask_stop(server);
	return atomic_load(&ended);
}

TEST(half_a_close_is_what_the_option_says)
{
	EXPECT_EQ(half_closed(false), 1);
	EXPECT(ask_says("waited\n"));
	EXPECT_EQ(half_closed(true), -ECANCELED);
	EXPECT_EQ(ask_size(), 0);
}
