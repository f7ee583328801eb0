/* SPDX-License-Identifier: BSD-2-Clause */

/* Clients that leave, and clients that take nothing. */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB (1024u * 1024)
#define PARALLEL 200

static struct site site;

/* What the handlers have seen. */
static _Atomic int begun, ended, last_error;
static _Atomic uint64_t written;

static int
reads_all(struct spate_req *req, void *arg)
{
	char piece[4096];
	ssize_t n;

	(void)arg;
	begun++;
	while ((n = spate_body_read(req, piece, sizeof(piece))) > 0)
		;
	last_error = (int)n;
	ended++;
	return n < 0 ? (int)n : spate_text(req, 200, "read");
}

static int
writes_64_mib(struct spate_req *req, void *arg)
{
	static char piece[MIB];
	int error = spate_begin(req, 200, NULL, 64 * MIB);

	(void)arg;
	begun++;
	for (int i = 0; i < 64 && error == 0; i++) {
		error = spate_write(req, piece, sizeof(piece));
		if (error == 0)
			written += sizeof(piece);
	}
	last_error = error;
	ended++;
	return error;
}

static _Atomic bool may_read;

static int
reads_later(struct spate_req *req, void *arg)
{
	begun++;
	while (!may_read)
		spate_sleep(1);
	begun--;
	return reads_all(req, arg);
}

static bool
start(void)
{
	begun = ended = last_error = 0;
	may_read = false;
	written = 0;
	site_make(&site);
	spate_route(site.server, "*", "/read", reads_all, NULL);
	spate_route(site.server, "GET", "/write", writes_64_mib, NULL);
	spate_route(site.server, "POST", "/later", reads_later, NULL);
	return site_start(&site);
}

typedef void leave_fn(struct client *client);

/* Many at once, each in the middle of its request or its answer. */
static void
leave_in_the_middle(const char *request, leave_fn *leave)
{
	static struct client clients[PARALLEL];
	int opened = 0;

	site_new(&site);
	if (start()) {
		for (; opened < PARALLEL; opened++) {
			if (!client_open(&clients[opened], site.port))
				break;
			client_say(&clients[opened], request);
		}
		AWAIT(begun == opened);
		for (int i = 0; i < opened; i++)
			leave(&clients[i]);
		EXPECT(site_left(&site));
		EXPECT_EQ(ended, opened);
		EXPECT(last_error < 0);
		EXPECT_EQ(SITE_COUNT(&site, aborted), (uint64_t)opened);
		EXPECT_EQ(SITE_COUNT(&site, closed), (uint64_t)opened);
	}
	EXPECT_EQ(site_stop(&site), 0);
}

#define HALF_SENT                                                              \
	"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nhalf"
#define HALF_CHUNKED                                                           \
	"POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" \
	"10\r\nhalf"

TEST(clients_reset_while_their_bodies_are_read)
{
	leave_in_the_middle(HALF_SENT, client_reset);
}

TEST(clients_close_while_their_bodies_are_read)
{
	leave_in_the_middle(HALF_SENT, client_close);
}

TEST(clients_close_while_their_chunks_are_read)
{
	leave_in_the_middle(HALF_CHUNKED, client_close);
}

TEST(clients_reset_while_they_are_written_to)
{
	leave_in_the_middle(GET("/write"), client_reset);
}

/* Nobody reads what is in the client's buffer, so this is a reset too. */
TEST(clients_close_while_they_are_written_to)
{
	leave_in_the_middle(GET("/write"), client_close);
}

/* What was asked for before is answered all the same. */
TEST(a_client_that_ends_in_a_body_gets_the_answers_before_it)
{
	struct client client = { .fd = -1 };
	struct response answer;

	site_new(&site);
	if (start() && client_open(&client, site.port)) {
		client_say(&client, "POST /read HTTP/1.1\r\nHost: "
				    "a\r\nContent-Length: 2\r\n\r\n"
				    "ab" HALF_SENT);
		client_shut(&client);
		EXPECT_EQ(client_read(&client, &answer), 0);
		EXPECT(response_is(&answer, "read"));
		response_free(&answer);
		EXPECT(client_at_end(&client));
		EXPECT_EQ(SITE_COUNT(&site, aborted), 1);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

static void
leave_at_once(leave_fn *leave, const char *text)
{
	struct client client;

	site_new(&site);
	if (start()) {
		for (int i = 0; i < PARALLEL; i++) {
			if (!client_open(&client, site.port))
				break;
			client_say(&client, text);
			leave(&client);
		}
		EXPECT(SITE_REACHES(&site, closed, PARALLEL));
		EXPECT(site_left(&site));
		EXPECT_EQ(once(site.port,
			      "POST /read HTTP/1.1\r\nHost: a\r\n"
			      "Content-Length: 0\r\n\r\n",
			      NULL, 0),
		    200);
	}
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(clients_leave_at_once)
{
	leave_at_once(client_close, "");
	leave_at_once(client_close, "GET /read HTT");
	leave_at_once(client_close, GET("/write"));
	leave_at_once(client_reset, GET("/write") GET("/write"));
	leave_at_once(client_close, "GET / HTTP/7.0\r\n\r\nmore");
}

/* ---------------------------------------------------------- back-pressure */

/* Resident memory of this process, in bytes. */
static uint64_t
resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long size = 0, pages = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%lu %lu", &size, &pages) != 2)
		pages = 0;
	fclose(file);
	return (uint64_t)pages * 4096;
}

/* => Returns how it ends: 0 or -errno. */
static ssize_t
read_to_the_end(struct client *client)
{
	static char piece[64 * 1024];
	ssize_t n;

	while ((n = client_receive(client, piece, sizeof(piece))) > 0)
		;
	return n;
}

TEST(a_client_that_takes_nothing_fills_no_memory)
{
	struct client client = { .fd = -1 };
	uint64_t before, so_far;

	site_new(&site);
	site.options.write_timeout_ms = 500;
	if (start() && client_open(&client, site.port)) {
		client_say(&client, GET("/write"));
		AWAIT(begun == 1);
		before = resident();
		/* Until it waits for good, which the time-out ends. */
		AWAIT(ended == 1);
		EXPECT_EQ(last_error, -ETIMEDOUT);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_write), 1);
		EXPECT(written < 32 * MIB);
		so_far = resident();
		EXPECT(so_far < before + 16 * MIB);
		EXPECT(site_left(&site));
		EXPECT_EQ(SITE_COUNT(&site, aborted), 1);
		/* Nor does the kernel keep what it still had for it. */
		EXPECT_EQ(read_to_the_end(&client), -ECONNRESET);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

/* => Returns how much of it went out before there was no more room. */
static size_t
send_until_full(struct client *client, size_t size)
{
	static const char piece[MIB];
	size_t sent = 0;
	unsigned looks = 0;

	while (sent < size && looks < 100) {
		ssize_t n = send(client->fd, piece,
		    size - sent < MIB ? size - sent : MIB,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			sent += (size_t)n;
			looks = 0;
		} else if (!site_look(&looks)) {
			break;
		}
	}
	return sent;
}

/* What a handler does not read stays with the client. */
TEST(a_handler_that_reads_nothing_fills_no_memory)
{
	static const char rest[MIB];
	struct client client = { .fd = -1 };
	struct response answer;

	site_new(&site);
	if (start() && client_open(&client, site.port)) {
		size_t size = 64 * MIB, sent;

		client_say(&client,
		    "POST /later HTTP/1.1\r\nHost: a\r\n"
		    "Content-Length: 67108864\r\n\r\n");
		AWAIT(begun == 1);
		sent = send_until_full(&client, size);
		EXPECT(sent < 32 * MIB);
		EXPECT(SITE_COUNT(&site, bytes_in) < 64 * 1024);
		may_read = true;
		for (; size - sent >= MIB; sent += MIB)
			client_send(&client, rest, MIB);
		client_send(&client, rest, size - sent);
		EXPECT_EQ(client_read(&client, &answer), 0);
		EXPECT(response_is(&answer, "read"));
		response_free(&answer);
		EXPECT(SITE_COUNT(&site, bytes_in) > size);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

/* The time-out is for a client that takes nothing, not for a slow one. */
TEST(a_slow_client_gets_all_of_it)
{
	static char piece[400 * 1024];
	struct client client = { .fd = -1 };
	struct response answer;
	size_t size = 0;
	ssize_t n = 0;

	site_new(&site);
	site.options.write_timeout_ms = 2000;
	if (start() && client_open(&client, site.port)) {
		unsigned looks = 0;

		client_say(&client, GET_CLOSE("/write"));
		EXPECT_EQ(client_read_head(&client, &answer), 0);
		response_free(&answer);
		while (
		    (n = client_receive(&client, piece, sizeof(piece))) > 0) {
			size += (size_t)n;
			site_look(&looks);
		}
		EXPECT_EQ(n, 0);
		EXPECT_EQ(size, 64 * MIB);
		EXPECT_EQ(last_error, 0);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_write), 0);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

/* Others are served while some take nothing. */
TEST(clients_that_take_nothing_do_not_hold_up_others)
{
	struct client stuck[20];
	int opened = 0;

	site_new(&site);
	site.options.shards = 1;
	site.options.spares = 0;
	if (start()) {
		for (; opened < 20; opened++) {
			if (!client_open(&stuck[opened], site.port))
				break;
			client_say(&stuck[opened], GET("/write"));
		}
		AWAIT(begun == opened);
		for (int i = 0; i < 50; i++)
			EXPECT_EQ(once(site.port,
				      "POST /read HTTP/1.1\r\nHost: a\r\n"
				      "Content-Length: 2\r\n\r\nab",
				      NULL, 0),
			    200);
		while (opened > 0)
			client_close(&stuck[--opened]);
		EXPECT(site_left(&site));
	}
	EXPECT_EQ(site_stop(&site), 0);
}

/* T15: with SIGPIPE's default disposition, a write to nobody is an error. */
TEST(sigpipe_ends_nothing)
{
	EXPECT(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	leave_in_the_middle(GET("/write"), client_reset);
}

/* Does not look at what has happened to its client meanwhile. */
static int
answers_nobody(struct spate_req *req, void *arg)
{
	static char piece[MIB];
	const bool *is_large = arg;
	int error;

	begun++;
	while (!may_read)
		usleep(1000);
	if (!*is_large)
		return spate_text(req, 200, "small");
	error = spate_begin(req, 200, NULL, sizeof(piece));
	return error != 0 ? error : spate_write(req, piece, sizeof(piece));
}

/* Our threads block it, so one that was raised is still there. */
static int
tells_of_sigpipe(struct spate_req *req, void *arg)
{
	sigset_t pending;

	(void)arg;
	EXPECT_EQ(sigpending(&pending), 0);
	return spate_text(req, 200, "%d", sigismember(&pending, SIGPIPE));
}

/*
 * Goal: a send to who has left raises no SIGPIPE, though it would harm nobody.
 * Method: the only worker is busy while its client says that it sends no more
 * and resets, so that it finds out by the send; and answers the next request.
 */
TEST(a_send_to_nobody_raises_no_sigpipe)
{
	static bool is_large[] = { false, true };
	struct client client;
	char body[16];

	for (int i = 0; i < 2; i++) {
		site_new(&site);
		site.options.shards = 1;
		site.options.spares = 0;
		site_make(&site);
		begun = 0;
		may_read = false;
		spate_route(
		    site.server, "GET", "/", answers_nobody, &is_large[i]);
		spate_route(
		    site.server, "GET", "/pending", tells_of_sigpipe, NULL);
		if (site_start(&site) && client_open(&client, site.port)) {
			client_say(&client, GET("/"));
			AWAIT(begun == 1);
			client_shut(&client);
			client_reset(&client);
			may_read = true;
			EXPECT_EQ(once(site.port, GET_CLOSE("/pending"), body,
				      sizeof(body)),
			    200);
			EXPECT_EQ(atoi(body), 0);
		}
		EXPECT_EQ(site_stop(&site), 0);
	}
}
