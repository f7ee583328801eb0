/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The calls by which a handler sends a body and reads the answer at the same
 * time: what they say when they are used wrongly, and whose fault a wait is.
 */

#include "tests/e2e/client.h"
#include "tests/e2e/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EITHER (SPATE_BODY | SPATE_ANSWER)

static struct site site;
static _Atomic int ended, last;

/* An echo behind this server. */
static struct spate_upstream *
open_echo(int64_t size, bool duplex)
{
	struct spate_upstream *up = NULL;
	struct spate_call call = spate_call_default("POST", relay_url);

	relay_to_path("/echo");
	call.url = relay_url;
	call.body_size = size;
	call.duplex = duplex;
	EXPECT_EQ(spate_upstream_open(&call, &up), 0);
	return up;
}

static int
misuses(struct spate_req *req, void *arg)
{
	struct spate_upstream *up = open_echo(4, false);
	char piece[8];

	(void)arg;
	EXPECT_EQ(spate_upstream_wait(up, SPATE_ANSWER), -EINVAL);
	spate_upstream_close(up);
	up = open_echo(4, true);
	EXPECT_EQ(spate_upstream_wait(up, 0), -EINVAL);
	EXPECT_EQ(spate_upstream_wait(up, 8), -EINVAL);
	EXPECT_EQ(spate_upstream_end(up), -EINVAL);
	EXPECT_EQ(spate_upstream_answer(up), 0);
	EXPECT_EQ(spate_upstream_wait(up, SPATE_ROOM), SPATE_ROOM);
	EXPECT_EQ(spate_upstream_send(up, "12345", 5), -EMSGSIZE);
	EXPECT_EQ(spate_upstream_send(up, "1234", 4), 4);
	EXPECT_EQ(spate_upstream_end(up), 0);
	EXPECT_EQ(spate_upstream_end(up), 0);
	EXPECT_EQ(spate_upstream_send(up, "", 0), -EINVAL);
	/* From here on they wait as those of any other call do. */
	EXPECT_EQ(spate_upstream_answer(up), 200);
	EXPECT_EQ(spate_upstream_read(up, piece, sizeof(piece)), 4);
	EXPECT_EQ(spate_upstream_wait(up, EITHER), EITHER);
	EXPECT_EQ(spate_upstream_read(up, piece, sizeof(piece)), 0);
	spate_upstream_close(up);
	return spate_text(req, 200, "as it should be");
}

/* Passes on nothing: what it waits for is its client. */
static int
waits(struct spate_req *req, void *arg)
{
	struct spate_upstream *up = open_echo(-1, true);
	char piece[64];
	ssize_t n = 1;
	int ready = SPATE_BODY;

	(void)arg;
	while (ready == SPATE_BODY && n > 0) {
		ready = spate_upstream_wait(up, EITHER);
		if (ready == SPATE_BODY)
			n = spate_body_read(req, piece, sizeof(piece));
	}
	spate_upstream_close(up);
	last = ready < 0 ? ready : (int)n;
	ended++;
	return ready < 0 ? ready : (int)n;
}

/* Reads some of the body, late or not, and what it costs. */
static int
reads_late(struct spate_req *req, void *arg)
{
	struct spate_upstream *up = open_echo(-1, true);
	uint64_t waits;
	char piece[8];

	(void)arg;
	EXPECT_EQ(spate_body_read(req, piece, sizeof(piece)), 2);
	EXPECT_EQ(spate_upstream_wait(up, EITHER), SPATE_BODY);
	waits = SITE_COUNT(&site, fiber_waits);
	last = (int)spate_body_read(req, piece, sizeof(piece));
	EXPECT_EQ(SITE_COUNT(&site, fiber_waits), waits);
	spate_upstream_close(up);
	ended++;
	return last;
}

static char reset_url[64];
static _Atomic bool has_part;

/* Sends until the other side has reset, and then reads what is left. */
static int
sends_to_reset(struct spate_req *req, void *arg)
{
	struct spate_call call = spate_call_default("POST", reset_url);
	struct spate_upstream *up = NULL;
	char piece[8];
	ssize_t n = 0;

	(void)arg;
	call.body_size = -1;
	call.duplex = true;
	EXPECT_EQ(spate_upstream_open(&call, &up), 0);
	while (n == 0 && spate_upstream_wait(up, SPATE_ANSWER) > 0)
		n = spate_upstream_answer(up);
	EXPECT_EQ(n, 200);
	EXPECT_EQ(spate_upstream_read(up, piece, sizeof(piece)), 4);
	has_part = true;
	while ((n = spate_upstream_send(up, "b", 1)) >= 0)
		spate_sleep(1);
	EXPECT_EQ(n, -ECONNRESET);
	last = (int)spate_upstream_read(up, piece, sizeof(piece));
	spate_upstream_close(up);
	return spate_text(req, 200, "done");
}

static bool
start(uint32_t body_timeout_ms, uint32_t min_body_rate)
{
	static const struct relay_script none;

	ended = last = 0;
	relay_alone();
	if (!relay_start(&none, 0))
		return false;
	site_new(&site);
	site.options.body_timeout_ms = body_timeout_ms;
	site.options.min_body_rate = min_body_rate;
	site_make(&site);
	spate_route(site.server, "POST", "/misuse", misuses, NULL);
	spate_route(site.server, "POST", "/wait", waits, NULL);
	spate_route(site.server, "POST", "/late", reads_late, NULL);
	spate_route(site.server, "GET", "/reset", sends_to_reset, NULL);
	return site_start(&site);
}

TEST(calls_say_what_is_wrong_with_them)
{
	struct client client = { .fd = -1 };

	if (start(30, 240) && client_open(&client, site.port))
		client_expect(&client,
		    "POST /misuse HTTP/1.1\r\nHost: a\r\n"
		    "Content-Length: 0\r\n\r\n",
		    200, "as it should be");
	client_close(&client);
	site_stop(&site);
	relay_stop();
}

#define LATE(path)                                                             \
	"POST " path " HTTP/1.1\r\nHost: a\r\n"                                \
	"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"

static void
expect_late(const char *request, uint32_t min_body_rate)
{
	struct client client = { .fd = -1 };

	if (start(30, min_body_rate) && client_open(&client, site.port)) {
		client_expect(&client, request, 408, NULL);
		EXPECT_EQ(last, -ETIMEDOUT);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_body), 1);
	}
	client_close(&client);
	site_stop(&site);
	relay_stop();
}

TEST(a_client_that_is_late_with_its_body_is_told)
{
	expect_late(LATE("/wait"), 240);
	expect_late(LATE("/wait"), 0);
}

/* The answer that may come meanwhile is not kept waiting for as long again. */
TEST(a_read_tells_at_once_that_a_client_is_late)
{
	expect_late(LATE("/late"), 240);
	expect_late(LATE("/late"), 0);
}

/* A server at the listener, that says half and resets. */
static void
answer_and_reset(int listener)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };
	static const char half[] = "HTTP/1.1 200 OK\r\n\r\nhalf";
	int fd = accept(listener, NULL, NULL);

	EXPECT_EQ(
	    send(fd, half, sizeof(half) - 1, MSG_NOSIGNAL), sizeof(half) - 1);
	AWAIT(has_part);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

/* Goal: half an answer that ends with its connection is not taken for all. */
TEST(a_reset_that_a_send_was_told_of_is_no_end)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t size = sizeof(at);
	struct client client = { .fd = -1 };

	EXPECT_EQ(bind(listener, (struct sockaddr *)&at, size), 0);
	EXPECT_EQ(listen(listener, 1), 0);
	EXPECT_EQ(getsockname(listener, (struct sockaddr *)&at, &size), 0);
	snprintf(reset_url, sizeof(reset_url), "http://127.0.0.1:%u/",
	    ntohs(at.sin_port));
	has_part = false;
	if (start(0, 0) && client_open(&client, site.port)) {
		client_say(&client, GET("/reset"));
		answer_and_reset(listener);
		client_expect(&client, "", 200, "done");
		EXPECT_EQ(last, -ECONNRESET);
	}
	client_close(&client);
	close(listener);
	site_stop(&site);
	relay_stop();
}

TEST(without_a_limit_a_body_is_waited_for)
{
	struct client client = { .fd = -1 };

	if (start(0, 0) && client_open(&client, site.port)) {
		client_say(&client, "POST /wait HTTP/1.1\r\nHost: a\r\n"
				    "Content-Length: 4\r\n\r\nab");
		AWAIT(SITE_COUNT(&site, fiber_waits) >= 1);
		client_say(&client, "cd");
		AWAIT(ended == 1);
		EXPECT_EQ(last, 0);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_body), 0);
	}
	client_close(&client);
	site_stop(&site);
	relay_stop();
}

TEST(a_client_that_leaves_ends_the_wait)
{
	struct client client = { .fd = -1 };

	if (start(30, 240) && client_open(&client, site.port)) {
		client_say(&client, "POST /wait HTTP/1.1\r\nHost: a\r\n"
				    "Content-Length: 9\r\n\r\nab");
		AWAIT(SITE_COUNT(&site, fiber_waits) >= 1);
		client_reset(&client);
		AWAIT(ended == 1);
		EXPECT(last < 0);
	}
	client_close(&client);
	site_stop(&site);
	relay_stop();
}
