/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Sockets in blocking style: an echo service made of tasks, one for each of
 * its clients, and handlers that are clients of it.
 */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 60
#define LARGE 3000000

static struct site site;
static char address[128];
static _Atomic int listening, begun, ended, last_error, echo_error;

/* ------------------------------------------------------------ the service */

static void
echoes(void *arg)
{
	struct spate_socket *peer = arg;
	char piece[4096];
	ssize_t n;
	int error = 0;

	while ((n = spate_socket_read(peer, piece, sizeof(piece), 0)) > 0
	       && error == 0)
		error = spate_socket_write(peer, piece, (size_t)n, 0);
	spate_socket_close(peer);
}

static void
serves(void *arg)
{
	struct spate_socket *listener, *peer;
	int error = spate_socket_listen(&listener, arg);

	EXPECT_EQ(error, 0);
	if (error != 0)
		return;
	if (spate_socket_port(listener) != 0)
		snprintf(address, sizeof(address), "127.0.0.1:%u",
		    spate_socket_port(listener));
	EXPECT_EQ(spate_socket_accept(listener, &peer, 1), -ETIMEDOUT);
	listening = 1;
	/* A stop may come between the two; the peer is then nobody's. */
	while ((error = spate_socket_accept(listener, &peer, 0)) == 0) {
		error = spate_spawn(
		    site.server, echoes, peer, SPATE_BACKGROUND);
		if (error != 0) {
			EXPECT_EQ(error, -ECANCELED);
			spate_socket_close(peer);
			break;
		}
	}
	echo_error = error;
	spate_socket_close(listener);
}

/* ------------------------------------------------------------ the handlers */

/* Says something, ends, and reads it back. */
static int
asks(struct spate_req *req, void *arg)
{
	struct spate_socket *socket;
	char back[64];
	size_t size = 0;
	ssize_t n = 1;
	int error = spate_socket_connect(&socket, address, 0);

	(void)arg;
	last_error = error;
	if (error != 0)
		return error;
	error = spate_socket_write(socket, "hello, you", 10, 0);
	if (error == 0)
		error = spate_socket_end(socket);
	while (error == 0 && n > 0) {
		n = spate_socket_read(
		    socket, back + size, sizeof(back) - size, 0);
		size += n > 0 ? (size_t)n : 0;
	}
	spate_socket_close(socket);
	if (error != 0 || n < 0)
		return error != 0 ? error : (int)n;
	return spate_respond(req, 200, NULL, back, size);
}

static void
reads_all(void *arg)
{
	struct spate_socket *socket = arg;
	static char piece[65536];
	size_t size = 0;
	ssize_t n;

	while ((n = spate_socket_read(socket, piece, sizeof(piece), 0)) > 0)
		size += (size_t)n;
	EXPECT_EQ(size, LARGE);
	spate_socket_close(socket);
	ended++;
}

/* Waits for a word that never comes. */
static int
waits(struct spate_req *req, void *arg)
{
	struct spate_socket *socket;
	char byte;
	ssize_t n;
	int error = spate_socket_connect(&socket, address, 0);

	(void)req;
	(void)arg;
	if (error != 0)
		return error;
	begun++;
	n = spate_socket_read(socket, &byte, 1, 0);
	spate_socket_close(socket);
	last_error = (int)n;
	ended++;
	return (int)n;
}

/* Takes nothing back, until there is no room for more. */
static int
writes(struct spate_req *req, void *arg)
{
	char *large = calloc(1, LARGE);
	struct spate_socket *socket;
	int error = spate_socket_connect(&socket, address, 0);

	(void)req;
	(void)arg;
	begun++;
	while (error == 0)
		error = spate_socket_write(socket, large, LARGE, 0);
	spate_socket_close(socket);
	free(large);
	last_error = error;
	ended++;
	return error;
}

static bool
start(const char *at)
{
	listening = begun = ended = last_error = echo_error = 0;
	snprintf(address, sizeof(address), "%s", at);
	site_new(&site);
	site.options.drain_timeout_ms = 50;
	site_make(&site);
	spate_route(site.server, "GET", "/ask", asks, NULL);
	spate_route(site.server, "GET", "/wait", waits, NULL);
	spate_route(site.server, "GET", "/write", writes, NULL);
	spate_route(site.server, "GET", "/late", waits, NULL);
	spate_route_deadline(site.server, "GET", "/late", 20);
	if (!site_start(&site))
		return false;
	EXPECT_EQ(
	    spate_spawn(site.server, serves, address, SPATE_BACKGROUND), 0);
	AWAIT(listening == 1);
	return listening == 1;
}

static void
echo_many(const char *at)
{
	static struct client clients[MANY];

	if (start(at)) {
		for (int i = 0; i < MANY; i++) {
			client_open(&clients[i], site.port);
			client_say(&clients[i], GET("/ask"));
		}
		for (int i = 0; i < MANY; i++) {
			struct response answer = { 0 };

			EXPECT_EQ(client_read(&clients[i], &answer), 0);
			EXPECT(response_is(&answer, "hello, you"));
			response_free(&answer);
			client_close(&clients[i]);
		}
	}
	EXPECT_EQ(site_stop(&site), 0);
	EXPECT_EQ(echo_error, -ECANCELED);
}

TEST(handlers_talk_to_tasks_by_tcp)
{
	echo_many("127.0.0.1:0");
}

TEST(handlers_talk_to_tasks_by_a_unix_socket)
{
	echo_many("unix:@spate-socket-test");
}

/* Also on a machine without /etc/hosts. */
TEST(a_name_will_do)
{
	static const char *const names[] = { "localhost", "LocalHost",
		"a.b.localhost" };
	struct client client = { .fd = -1 };
	char port[16];

	if (start("127.0.0.1:0") && client_open(&client, site.port)) {
		snprintf(port, sizeof(port), "%s", strchr(address, ':'));
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			snprintf(
			    address, sizeof(address), "%s%s", names[i], port);
			client_expect(&client, GET("/ask"), 200, "hello, you");
		}
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(addresses_that_cannot_be_are_refused)
{
	static const char *const bad[] = { "*:1", ":1", "nonsense", "a b:1",
		"name:0", "name:70000", "1.2.3:80" };
	struct client client = { .fd = -1 };

	if (start("127.0.0.1:0") && client_open(&client, site.port)) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			snprintf(address, sizeof(address), "%s", bad[i]);
			client_expect(&client, GET("/ask"), 400, NULL);
			EXPECT_EQ(last_error, -EINVAL);
		}
		/* Nobody listens there, as nobody may. */
		snprintf(address, sizeof(address), "127.0.0.1:1");
	}
	client_close(&client);
	if (client_open(&client, site.port))
		client_expect(&client, GET("/ask"), 500, NULL);
	EXPECT_EQ(last_error, -ECONNREFUSED);
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
	EXPECT_EQ(spate_socket_connect(NULL, "127.0.0.1:1", 0), -EPERM);
	EXPECT_EQ(spate_socket_listen(NULL, "127.0.0.1:0"), -EPERM);
}

static void
leave_while(const char *request)
{
	static struct client clients[MANY];

	if (start("127.0.0.1:0")) {
		for (int i = 0; i < MANY; i++) {
			client_open(&clients[i], site.port);
			client_say(&clients[i], request);
		}
		AWAIT(begun == MANY);
		for (int i = 0; i < MANY; i++)
			client_reset(&clients[i]);
		EXPECT(site_left(&site));
		EXPECT_EQ(ended, MANY);
		EXPECT_EQ(last_error, -ECANCELED);
		EXPECT_EQ(SITE_COUNT(&site, responses_5xx), 0);
	}
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(clients_leave_while_their_handlers_read)
{
	leave_while(GET("/wait"));
}

TEST(clients_leave_while_their_handlers_write)
{
	leave_while(GET("/write"));
}

TEST(the_deadline_of_a_route_holds)
{
	struct client client = { .fd = -1 };

	if (start("127.0.0.1:0") && client_open(&client, site.port))
		client_expect(&client, GET("/late"), 503, NULL);
	EXPECT_EQ(last_error, -ETIMEDOUT);
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

/* One task writes what another reads: each has one end of the connection. */
static void
floods(void *arg)
{
	char *large = calloc(1, LARGE);
	struct spate_socket *socket;

	(void)arg;
	EXPECT_EQ(spate_socket_connect(&socket, address, 0), 0);
	EXPECT_EQ(spate_socket_write(socket, large, LARGE, 0), 0);
	spate_socket_close(socket);
	free(large);
}

static void
takes_one(void *arg)
{
	struct spate_socket *listener, *peer;

	(void)arg;
	EXPECT_EQ(spate_socket_listen(&listener, "127.0.0.1:0"), 0);
	snprintf(address, sizeof(address), "127.0.0.1:%u",
	    spate_socket_port(listener));
	EXPECT_EQ(spate_spawn(site.server, floods, NULL, 0), 0);
	EXPECT_EQ(spate_socket_accept(listener, &peer, 0), 0);
	EXPECT_EQ(spate_spawn(site.server, reads_all, peer, 0), 0);
	spate_socket_close(listener);
}

TEST(a_socket_is_handed_from_task_to_task)
{
	if (start("127.0.0.1:0")) {
		EXPECT_EQ(spate_spawn(site.server, takes_one, NULL, 0), 0);
		AWAIT(ended == 1);
	}
	EXPECT_EQ(site_stop(&site), 0);
}
