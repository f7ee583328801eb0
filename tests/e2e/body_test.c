/* SPDX-License-Identifier: BSD-2-Clause */

/* What a handler is told that reads a body at the wrong time, or once more. */

#include "tests/e2e/ask.h"
#include "tests/harness.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* That of answers, with the default limits. */
#define BUFFER (20 * 1024 - 64)
#define GET "GET "
#define REST " HTTP/1.1\r\nHost: a\r\n\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
#define POST(path, rest) "POST " path " HTTP/1.1\r\nHost: a\r\n" rest

/* What each call said, in order. */
static ssize_t said[8];
static unsigned calls;

static atomic_int turn; /* of the client, or of the handler, one by one */

static void
note(ssize_t result)
{
	if (calls < sizeof(said) / sizeof(said[0]))
		said[calls++] = result;
}

/* Takes a POST; its arg is the server. */
static struct spate_server *
serve(int (*handler)(struct spate_req *, void *))
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "POST", "/", handler, server);
	ask_start(server);
	calls = 0;
	atomic_store(&turn, 0);
	return server;
}

static int
read_oddly(struct spate_req *req, void *arg)
{
	struct spate_str body;
	char buf[16];

	(void)arg;
	note(spate_body_read(req, buf, 0));
	note(spate_body_read(req, buf, sizeof(buf)));
	note(spate_body_read(req, buf, sizeof(buf)));
	note(spate_body(req, &body));
	return spate_text(req, 200, "done");
}

TEST(an_end_is_told_again_and_nothing_is_read_into_no_room)
{
	struct spate_server *server = serve(read_oddly);

	ask(server, POST("/", "Content-Length: 5\r\nConnection: close\r\n\r\n"
			      "hello"));
	EXPECT_EQ(ask_status(), 200);
	EXPECT_EQ(said[0], -EINVAL);
	EXPECT_EQ(said[1], 5);
	EXPECT_EQ(said[2], 0);
	EXPECT_EQ(said[3], 0);
	ask_stop(server);
}

TEST(a_broken_body_stays_broken)
{
	struct spate_server *server = serve(read_oddly);

	ask(server, POST("/", CHUNKED "x\r\n"));
	EXPECT_EQ(said[1], -EBADMSG);
	EXPECT_EQ(said[2], -EBADMSG);
	EXPECT_EQ(said[3], -EBADMSG);
	ask_stop(server);
}

static int
promise_and_read(struct spate_req *req, void *arg)
{
	struct spate_deferral promise = spate_defer(req);
	char buf[16];

	note(spate_body_read(req, buf, sizeof(buf)));
	note(spate_answer(arg, promise, 200, "text/plain", "later", 5));
	return spate_wait(req, 0);
}

TEST(a_body_is_not_read_behind_a_promise)
{
	struct spate_server *server = serve(promise_and_read);

	ask(server, POST("/", "Content-Length: 5\r\nConnection: close\r\n\r\n"
			      "hello"));
	EXPECT_EQ(ask_status(), 200);
	EXPECT(ask_says("later"));
	EXPECT_EQ(said[0], -EBUSY);
	EXPECT_EQ(said[1], 0);
	ask_stop(server);
}

static int
answer_and_read(struct spate_req *req, void *arg)
{
	char buf[16];
	int error = spate_text(req, 200, "before");

	(void)arg;
	note(spate_body_read(req, buf, sizeof(buf)));
	return error;
}

TEST(whoever_answers_before_the_body_asks_nobody_to_go_on)
{
	struct spate_server *server = serve(answer_and_read);
	static const char head[] = POST("/",
	    "Expect: 100-continue\r\nContent-Length: 5\r\n"
	    "Connection: close\r\n\r\n");
	int fd;

	fd = ask_connect(server);
	ask_send(fd, head, sizeof(head) - 1);
	ask_read(fd, "before");
	EXPECT_EQ(ask_status(), 200);
	EXPECT(!ask_says("100 Continue"));
	ask_send(fd, "hello", 5);
	ask_read(fd, NULL);
	close(fd);
	ask_stop(server);
	EXPECT_EQ(said[0], 5);
}

/* As many bytes as its path says, by a write. */
static int
fill(struct spate_req *req, void *arg)
{
	static char filling[BUFFER];
	long n = atol(spate_param(req, "n").data);
	int error = spate_begin(req, 200, "image/png", n);

	(void)arg;
	memset(filling, 'x', sizeof(filling));
	return error != 0 ? error : spate_write(req, filling, (size_t)n);
}

static int
count_x(const char *text)
{
	int count = 0;

	for (; *text != '\0'; text++)
		count += *text == 'x';
	return count;
}

/* The answers before are not sent yet, and leave no room for the words. */
TEST(whoever_asks_to_go_on_behind_a_full_buffer_is_told_so)
{
	struct spate_server *server = ask_new(NULL);
	const int large = BUFFER / 5 * 2;
	char text[512];
	int fd, head, rest, size;

	spate_route(server, "GET", "/:n", fill, NULL);
	spate_route(server, "POST", "/", read_oddly, NULL);
	ask_start(server);
	calls = 0;
	fd = ask_connect(server);
	ask_send(fd, GET "/1000" REST, sizeof(GET "/1000" REST) - 1);
	ask_read(fd, "x");
	head = (int)(ask_body() - ask_text());
	close(fd);

	/* A write leaves 20 bytes, which are for the size of a chunk. */
	rest = BUFFER - 22 - 3 * head - 2 * large;
	EXPECT(rest >= 1000 && rest < BUFFER / 2);
	size = snprintf(text, sizeof(text),
	    GET "/%d" REST GET "/%d" REST GET "/%d" REST "%s", large, large,
	    rest,
	    POST("/", "Expect: 100-continue\r\nContent-Length: 5\r\n"
		      "Connection: close\r\n\r\n"));
	fd = ask_connect(server);
	ask_send(fd, text, (size_t)size);
	ask_read(fd, "xHTTP/1.1 100 Continue\r\n\r\n");
	EXPECT_EQ(count_x(ask_text()), 2 * large + rest);
	ask_send(fd, "hello", 5);
	ask_read(fd, NULL);
	EXPECT(ask_says("done"));
	EXPECT_EQ(said[1], 5);
	close(fd);
	ask_stop(server);
}

static void
await_turn(int number)
{
	while (atomic_load(&turn) != number)
		EXPECT_EQ(spate_sleep(1), 0);
}

/*
 * Each look at the clock is a poll as well, which finds what came and leaves
 * its edge to the next read.
 */
static int
read_what_came_in_a_sleep(struct spate_req *req, void *arg)
{
	char buf[16];

	(void)arg;
	note(spate_body_read(req, buf, sizeof(buf)));
	atomic_store(&turn, 1);
	await_turn(2);
	EXPECT_EQ(spate_sleep(1), 0);
	note(spate_body_read(req, buf, sizeof(buf)));
	atomic_store(&turn, 3);
	await_turn(4);
	note(spate_body_read(req, buf, sizeof(buf)));
	return spate_text(req, 200, "done");
}

static void
client_turn(int fd, int number, const char *text)
{
	while (atomic_load(&turn) != number)
		usleep(100);
	ask_send(fd, text, strlen(text));
	atomic_store(&turn, number + 1);
}

TEST(a_read_after_a_short_one_finds_what_came_in_between)
{
	struct spate_server *server = serve(read_what_came_in_a_sleep);
	static const char head[] = POST(
	    "/", "Content-Length: 9\r\nConnection: close\r\n\r\nabc");
	int fd;

	fd = ask_connect(server);
	ask_send(fd, head, sizeof(head) - 1);
	client_turn(fd, 1, "def");
	client_turn(fd, 3, "ghi");
	ask_read(fd, NULL);
	EXPECT_EQ(ask_status(), 200);
	close(fd);
	ask_stop(server);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(said[i], 3);
}

/* The end is known, as a sleep says, before what came with it is read. */
static int
read_what_came_with_the_end(struct spate_req *req, void *arg)
{
	char buf[16];

	(void)arg;
	note(spate_body_read(req, buf, sizeof(buf)));
	atomic_store(&turn, 1);
	while (spate_sleep(1) == 0)
		;
	note(spate_body_read(req, buf, sizeof(buf)));
	note(spate_body_read(req, buf, sizeof(buf)));
	atomic_store(&turn, 3);
	return -ECANCELED;
}

TEST(an_end_that_came_with_the_last_piece_is_not_waited_for)
{
	struct spate_server *server = serve(read_what_came_with_the_end);
	static const char head[] = POST("/", "Content-Length: 9\r\n\r\nabc");
	int fd;

	fd = ask_connect(server);
	ask_send(fd, head, sizeof(head) - 1);
	client_turn(fd, 1, "def");
	shutdown(fd, SHUT_WR);
	while (atomic_load(&turn) != 3)
		usleep(100);
	close(fd);
	ask_stop(server);
	EXPECT_EQ(said[0], 3);
	EXPECT_EQ(said[1], 3);
	EXPECT_EQ(said[2], -ECONNRESET);
}
