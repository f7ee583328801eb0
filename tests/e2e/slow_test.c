/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * T8: clients that are slow on purpose. All of them are cut and counted, and
 * others are answered. perf/slow does the same by slowhttptest, with a
 * thousand of them and with figures.
 */

#include "tests/e2e/handlers.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define SLOW 60
#define READERS 20 /* each fills a send buffer */

static struct site site;

/* Writes n times 64 KiB. */
static int
pours(struct spate_req *req, void *arg)
{
	static const char piece[64 * 1024];
	uint64_t n = 0;
	int error = spate_param_u64(req, "n", &n);

	(void)arg;
	if (error == 0)
		error = spate_begin(req, 200, NULL, -1);
	while (error == 0 && n-- > 0)
		error = spate_write(req, piece, sizeof(piece));
	return error;
}

static bool
start(void)
{
	site_new(&site);
	site.options.header_timeout_ms = 400;
	site.options.body_grace_ms = 400;
	site.options.min_body_rate = 100000;
	site.options.write_timeout_ms = 400;
	site.options.min_write_rate = 20000;
	handlers_make(&site);
	spate_route(site.server, "GET", "/pour/:n", pours, NULL);
	return site_start(&site);
}

/* One of the slow: what it says first, and what then, a bit at a time. */
struct siege {
	const char *first;
	const char *more; /* NULL: it reads, a byte at a time */
	int count;
};

/* A reset is seen past what is still to be read. */
static bool
is_reset(const struct client *client)
{
	struct pollfd look = { .fd = client->fd, .events = 0 };

	return poll(&look, 1, 0) == 1;
}

/* => Returns whether the server has not cut it yet. */
static bool
goes_on(struct client *client, const struct siege *siege)
{
	char byte;
	ssize_t n;

	if (is_reset(client))
		return false;
	if (siege->more != NULL
	    && send(client->fd, siege->more, strlen(siege->more),
		   MSG_NOSIGNAL | MSG_DONTWAIT)
		   < 0)
		return errno == EAGAIN;
	n = recv(client->fd, &byte, 1, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN;
	/* Who sends is told 408, and is not waited for. */
	return n > 0 && siege->more == NULL;
}

static int
open_all(struct client clients[SLOW], const struct siege *siege)
{
	for (int i = 0; i < siege->count; i++) {
		if (!client_open(&clients[i], site.port))
			return i;
		client_say(&clients[i], siege->first);
	}
	return siege->count;
}

/*
 * Goal: whoever is slow is cut by the deadline, and nobody else notices.
 * Method: all of them go on, each by a bit, for as long as one is there; in
 * between others ask, and every one of those is answered.
 */
static void
besiege(const struct siege *siege)
{
	struct client clients[SLOW];
	int left = open_all(clients, siege);
	unsigned looks = 0;

	EXPECT_EQ(left, siege->count);
	while (left > 0 && site_look(&looks)) {
		for (int i = 0; i < left; i++) {
			if (goes_on(&clients[i], siege))
				continue;
			client_close(&clients[i]);
			clients[i--] = clients[--left];
		}
		EXPECT_EQ(once(site.port, GET("/hello"), NULL, 0), 200);
	}
	EXPECT_EQ(left, 0);
	while (left > 0)
		client_close(&clients[--left]);
	EXPECT(site_left(&site));
}

TEST(slow_heads_are_cut_and_others_answered)
{
	static const struct siege siege = {
		.first = "GET /hello HTTP/1.1\r\nHost: a\r\n",
		.more = "X: y\r\n",
		.count = SLOW,
	};

	if (start()) {
		besiege(&siege);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_header)
			      + SITE_COUNT(&site, limited_fields),
		    SLOW);
	}
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(slow_bodies_are_cut_and_others_answered)
{
	static const struct siege siege = {
		.first = "POST /collect HTTP/1.1\r\nHost: a\r\n"
			 "Content-Length: 1000000\r\n\r\n",
		.more = "b",
		.count = SLOW,
	};

	if (start()) {
		besiege(&siege);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_rate), SLOW);
	}
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(slow_chunks_are_cut_and_others_answered)
{
	static const struct siege siege = {
		.first = "POST /collect HTTP/1.1\r\nHost: a\r\n"
			 "Transfer-Encoding: chunked\r\n\r\n",
		.more = "1\r\nc\r\n",
		.count = SLOW,
	};

	if (start()) {
		besiege(&siege);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_rate), SLOW);
	}
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(slow_readers_are_cut_and_others_answered)
{
	static const struct siege siege = {
		.first = GET("/pour/512"),
		.count = READERS,
	};

	if (start()) {
		besiege(&siege);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_write), READERS);
	}
	EXPECT_EQ(site_stop(&site), 0);
}

/* A client whose own buffer is so small that it acknowledges often. */
static bool
open_narrow(struct client *client, int size)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(site.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	*client = (struct client){ .fd = socket(AF_INET, SOCK_STREAM, 0) };
	return setsockopt(
		   client->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size))
		   == 0
	       && connect(client->fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

/* It takes something in each time-out, but less than the rate wants. */
TEST(who_reads_a_little_now_and_then_is_cut)
{
	struct client client;
	size_t size = 0;

	if (start() && open_narrow(&client, 2048)) {
		unsigned looks = 0;

		client_say(&client, GET("/pour/512"));
		while (!is_reset(&client) && size < 400000) {
			char piece[64];
			ssize_t n = recv(
			    client.fd, piece, sizeof(piece), MSG_DONTWAIT);

			size += n > 0 ? (size_t)n : 0;
			for (int i = 0; i < 5; i++)
				site_look(&looks);
		}
		EXPECT(is_reset(&client));
		EXPECT_EQ(SITE_COUNT(&site, timeouts_write), 1);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

/*
 * Not slow by what the limit says, though it takes long to make room: the
 * kernel reports some when a third of its buffer is free, on loopback after
 * most of a megabyte.
 */
TEST(who_keeps_to_the_rate_is_not_cut)
{
	static char piece[8 * 1024];
	struct client client = { .fd = -1 };
	size_t size = 0;
	ssize_t n = 0;

	site_new(&site);
	site.options.write_timeout_ms = 2000;
	handlers_make(&site);
	spate_route(site.server, "GET", "/pour/:n", pours, NULL);
	if (site_start(&site) && open_narrow(&client, 16 * 1024)) {
		unsigned looks = 0;

		client_say(&client, GET_CLOSE("/pour/64"));
		/* Slowly until the server is done, then the rest. */
		do {
			n = client_receive(&client, piece, sizeof(piece));
			size += n > 0 ? (size_t)n : 0;
			for (int i = 0; i < 20; i++) {
				if (SITE_COUNT(&site, closed) == 0)
					site_look(&looks);
			}
		} while (n > 0);
		EXPECT_EQ(n, 0);
		EXPECT(size > 64 * 64 * 1024);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_write), 0);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

#define REPEATED (6 * 1024)

static _Atomic int last;
static _Atomic bool ended;

/* Answers each byte by so many that a send buffer is full before long. */
static int
repeats(struct spate_req *req, void *arg)
{
	static const char piece[REPEATED];
	int error = spate_begin(req, 200, NULL, 1 << 30);
	ssize_t n = 1;
	char byte;

	(void)arg;
	while (error == 0 && n > 0) {
		n = spate_body_read(req, &byte, 1);
		if (n > 0)
			error = spate_write(req, piece, sizeof(piece));
	}
	last = error != 0 ? error : (int)n;
	ended = true;
	return last;
}

/*
 * Goal: who takes nothing of what comes back is cut by that, though its body
 * is waited for with all patience.
 * Method: each byte is sent when all that the one before is answered by has
 * left the server. That is sent where the next byte is waited for, and at some
 * time is stuck there.
 */
TEST(a_body_is_not_waited_for_by_who_cannot_answer)
{
	struct client client = { .fd = -1 };
	uint64_t due = 0;

	site_new(&site);
	site.options.body_timeout_ms = 0;
	site.options.min_body_rate = 0;
	site.options.write_timeout_ms = 200;
	handlers_make(&site);
	spate_route(site.server, "POST", "/repeat", repeats, NULL);
	ended = false;
	if (site_start(&site) && open_narrow(&client, 2048)) {
		client_say(&client, "POST /repeat HTTP/1.1\r\nHost: a\r\n"
				    "Content-Length: 100000\r\n\r\n");
		AWAIT(SITE_COUNT(&site, bytes_out) != 0);
		due = SITE_COUNT(&site, bytes_out);
		for (int sent = 0; !ended && sent < 100000; sent++) {
			client_say(&client, "b");
			due += REPEATED;
			AWAIT(SITE_COUNT(&site, bytes_out) >= due || ended);
		}
		EXPECT_EQ(last, -ETIMEDOUT);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_write), 1);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_body), 0);
		AWAIT(is_reset(&client));
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}
