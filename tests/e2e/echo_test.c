/* SPDX-License-Identifier: BSD-2-Clause */

/* Bodies both ways, of all sizes and framings, through the demo's /echo. */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1024u * 1024)

static const char *const two_shards[] = { "--shards", "2", NULL };

/* A body, and how it goes out. */
struct sender {
	struct client *client;
	const char *method, *type;
	const unsigned char *body;
	size_t size;
	bool chunked;
	uint64_t random;
};

/* What is echoed comes while we still send, so sending is a thread. */
static void *
send_body(void *arg)
{
	struct sender *sender = arg;
	char head[256];
	size_t at = 0;
	int n;

	if (sender->chunked)
		snprintf(head, sizeof(head),
		    "%s /echo HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n",
		    sender->method, sender->type);
	else
		snprintf(head, sizeof(head),
		    "%s /echo HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\n"
		    "Content-Length: %zu\r\n\r\n",
		    sender->method, sender->type, sender->size);
	client_say(sender->client, head);
	while (at < sender->size) {
		size_t piece = test_random(&sender->random) % 40000 + 1;

		if (piece > sender->size - at)
			piece = sender->size - at;
		n = snprintf(head, sizeof(head), "%zx\r\n", piece);
		if (sender->chunked)
			client_send(sender->client, head, (size_t)n);
		client_send(sender->client, sender->body + at, piece);
		if (sender->chunked)
			client_say(sender->client, "\r\n");
		at += piece;
	}
	if (sender->chunked)
		client_say(sender->client, "0\r\n\r\n");
	return NULL;
}

static void
expect_echo(struct sender *sender)
{
	struct response answer;
	pthread_t thread;
	const char *type;

	EXPECT_EQ(pthread_create(&thread, NULL, send_body, sender), 0);
	EXPECT_EQ(client_read(sender->client, &answer), 0);
	pthread_join(thread, NULL);
	EXPECT_EQ(answer.status, 200);
	EXPECT_EQ(answer.size, sender->size);
	EXPECT_EQ(answer.chunked, sender->chunked);
	EXPECT(answer.size != sender->size
	    || memcmp(answer.body, sender->body, answer.size) == 0);
	type = answer.head != NULL ? response_field(&answer, "Content-Type")
				   : NULL;
	EXPECT(type != NULL && strcmp(type, sender->type) == 0);
	response_free(&answer);
}

static void
expect_echoes(struct sender *sender, const size_t sizes[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		sender->size = sizes[i];
		sender->chunked = false;
		expect_echo(sender);
		sender->chunked = true;
		expect_echo(sender);
	}
}

static unsigned char *
random_body(size_t size, uint64_t *random)
{
	unsigned char *body = malloc(size);

	if (body == NULL)
		abort();
	for (size_t i = 0; i + 8 <= size; i += 8) {
		uint64_t value = test_random(random);

		memcpy(body + i, &value, 8);
	}
	return body;
}

static void
with_demo(const size_t sizes[], size_t count, const char *method)
{
	struct sender sender = { .method = method,
		.type = "application/x; v=1",
		.random = test_seed() };
	unsigned char *body = random_body(9 * MIB, &sender.random);
	struct client client = { .fd = -1 };
	struct demo demo;

	sender.body = body;
	sender.client = &client;
	if (demo_start(&demo, two_shards) && client_open(&client, demo.port))
		expect_echoes(&sender, sizes, count);
	client_close(&client);
	EXPECT_EQ(demo_stop(&demo, SIGTERM), 0);
	free(body);
}

TEST(small_bodies_come_back)
{
	static const size_t sizes[] = { 0, 1, 2, 100, 4095, 4096, 16383,
		16384, 16385, 20000, 20479, 20480, 20481, 65536, 0, 3 };

	with_demo(sizes, sizeof(sizes) / sizeof(sizes[0]), "POST");
}

TEST(large_bodies_come_back)
{
	static const size_t sizes[] = { MIB, 8 * MIB, 8 * MIB + 1, 5 };

	with_demo(sizes, sizeof(sizes) / sizeof(sizes[0]), "PUT");
}

TEST(every_method_may_have_a_body)
{
	static const char *const methods[]
	    = { "GET", "PUT", "PATCH", "DELETE", "OPTIONS" };
	static const size_t sizes[] = { 0, 1, 70000 };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		with_demo(sizes, sizeof(sizes) / sizeof(sizes[0]), methods[i]);
}

TEST(a_body_without_a_type_is_bytes)
{
	struct client client = { .fd = -1 };
	struct response answer;
	struct demo demo;

	if (demo_start(&demo, two_shards) && client_open(&client, demo.port)) {
		EXPECT_EQ(client_ask(&client,
			      "POST /echo HTTP/1.1\r\nHost: a\r\n"
			      "Content-Length: 2\r\n\r\nhi",
			      &answer),
		    0);
		EXPECT(response_is(&answer, "hi"));
		EXPECT(strcmp(response_field(&answer, "Content-Type"),
			   "application/octet-stream")
		    == 0);
		response_free(&answer);
	}
	client_close(&client);
	EXPECT_EQ(demo_stop(&demo, SIGTERM), 0);
}

/* HEAD takes a body like any other, and answers with none. */
TEST(head_with_a_body_keeps_the_connection_in_step)
{
	struct client client = { .fd = -1 };
	struct response answer;
	struct demo demo;

	if (demo_start(&demo, two_shards) && client_open(&client, demo.port)) {
		client_say(&client,
		    "HEAD /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 70000"
		    "\r\n\r\n");
		for (int i = 0; i < 7000; i++)
			client_say(&client, "0123456789");
		EXPECT_EQ(client_read_head(&client, &answer), 0);
		EXPECT(strcmp(response_field(&answer, "Content-Length"),
			   "70000")
		    == 0);
		response_free(&answer);
		EXPECT_EQ(client_ask(&client, GET("/json"), &answer), 0);
		EXPECT_EQ(answer.status, 200);
		EXPECT_EQ(answer.size, 27);
		response_free(&answer);
	}
	client_close(&client);
	EXPECT_EQ(demo_stop(&demo, SIGTERM), 0);
}

static void
expect_refused(uint16_t port, const char *request, int status)
{
	int got = once(port, request, NULL, 0);

	if (got != status)
		fprintf(stderr, "for %s\n", request);
	EXPECT_EQ(got, status);
}

#define CHUNKED                                                                \
	"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

TEST(a_malformed_body_is_400)
{
	struct demo demo;

	if (demo_start(&demo, two_shards)) {
		expect_refused(demo.port, CHUNKED "x\r\n", 400);
		expect_refused(demo.port, CHUNKED "\r\n", 400);
		expect_refused(demo.port, CHUNKED "-1\r\nab", 400);
		expect_refused(
		    demo.port, CHUNKED "11111111111111111\r\n", 400);
	}
	EXPECT_EQ(demo_stop(&demo, SIGTERM), 0);
}

/* The answer has begun; only its end can say that it is not complete. */
TEST(a_body_that_breaks_later_cuts_the_answer)
{
	struct client client = { .fd = -1 };
	struct response answer;
	struct demo demo;

	if (demo_start(&demo, two_shards) && client_open(&client, demo.port)) {
		client_say(&client, CHUNKED "3\r\nabcXX");
		EXPECT_EQ(client_read(&client, &answer), -EPROTO);
	}
	client_close(&client);
	EXPECT_EQ(demo_stop(&demo, SIGTERM), 0);
}
