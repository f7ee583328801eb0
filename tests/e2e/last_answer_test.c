/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The last answer of a connection that the server ends, while the client,
 * who does not know yet, sends another request. Were the connection closed
 * at once, that request would be answered by a reset, and the reset takes
 * along what is still on its way to the client.
 *
 * So that something is, the client's kernel takes little: most of the answer
 * waits in the server's.
 */

#include "tests/e2e/client.h"
#include "tests/e2e/handlers.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#define SIZE 100000

static struct site site;

static bool
open_narrow(struct client *client)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(site.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct timeval patience = { .tv_sec = CLIENT_PATIENCE_S };
	int bytes = 4096;
	bool opened;

	*client = (struct client){ .fd = socket(AF_INET,
				       SOCK_STREAM | SOCK_CLOEXEC, 0) };
	setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	setsockopt(
	    client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	opened = connect(client->fd, (const struct sockaddr *)&address,
		     sizeof(address))
		 == 0;
	EXPECT(opened);
	return opened;
}

/* The server has sent all of an answer, and the client has read nothing. */
static bool
begin(struct client *client)
{
	if (!open_narrow(client))
		return false;
	client_say(client, GET("/size/100000"));
	return SITE_REACHES(&site, bytes_out, SIZE);
}

static void
expect_all(struct client *client)
{
	struct response answer;

	EXPECT_EQ(client_read(client, &answer), 0);
	EXPECT_EQ(answer.size, SIZE);
	response_free(&answer);
}

TEST(the_last_answer_outlives_a_request_behind_it)
{
	struct client client = { .fd = -1 };

	site_new(&site);
	site.options.max_requests = 1;
	handlers_make(&site);
	if (site_start(&site) && begin(&client)) {
		client_say(&client, GET("/hello"));
		expect_all(&client);
		EXPECT(client_at_end(&client));
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

static void *
stop(void *result)
{
	*(int *)result = spate_server_stop(site.server);
	return NULL;
}

/* Nobody listens any more: the shards have been told to drain. */
static bool
is_draining(void)
{
	struct client client;

	if (!client_try(&client, site.port))
		return true;
	client_close(&client);
	return false;
}

TEST(a_drain_leaves_an_answer_on_its_way_alone)
{
	struct client client = { .fd = -1 };
	pthread_t thread;
	int result = 0;

	if (!handlers_start(&site) || !begin(&client)) {
		site_stop(&site);
	} else {
		pthread_create(&thread, NULL, stop, &result);
		AWAIT(is_draining());
		client_say(&client, GET("/hello"));
		expect_all(&client);
		client_close(&client);
		pthread_join(thread, NULL);
		EXPECT_EQ(result, 0);
		spate_server_free(site.server);
	}
}

/* Until its client has ended one direction, and with it the wait. */
static int
leaves(struct spate_req *req, void *arg)
{
	(void)req;
	(void)arg;
	return spate_sleep(1000 * CLIENT_PATIENCE_S);
}

TEST(an_answer_outlives_the_request_behind_it_that_is_given_up)
{
	static const char body[40000];
	struct client client = { .fd = -1 };

	site_new(&site);
	handlers_make(&site);
	spate_route(site.server, "POST", "/leave", leaves, NULL);
	if (site_start(&site) && begin(&client)) {
		client_say(&client, "POST /leave HTTP/1.1\r\nHost: a\r\n"
				    "Content-Length: 40000\r\n\r\n");
		client_send(&client, body, sizeof(body));
		client_shut(&client);
		AWAIT(SITE_COUNT(&site, aborted) == 1);
		expect_all(&client);
		EXPECT(client_at_end(&client));
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}
