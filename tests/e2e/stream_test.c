/* SPDX-License-Identifier: BSD-2-Clause */

/* Raw streams, and what other threads do with them by their handles. */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (1024u * 1024)

static struct site site;

/* What the handlers have seen; the last one of each. */
static _Atomic spate_handle handle;
static _Atomic int calls, ended;
static _Atomic int64_t result;

/* One piece a call, so between messages there is no fiber. */
static int
echo_once(struct spate_stream *stream, void *arg)
{
	char piece[4096];
	ssize_t n = spate_stream_read(stream, piece, sizeof(piece));

	(void)arg;
	handle = spate_stream_handle(stream);
	calls++;
	if (n <= 0) {
		result = n;
		ended++;
		return -1;
	}
	return spate_stream_write(stream, piece, (size_t)n);
}

/* All of it in one call, that waits. */
static int
echo_all(struct spate_stream *stream, void *arg)
{
	char piece[4096];
	ssize_t n;

	(void)arg;
	handle = spate_stream_handle(stream);
	calls++;
	while ((n = spate_stream_read(stream, piece, sizeof(piece))) > 0) {
		if (spate_stream_write(stream, piece, (size_t)n) != 0)
			break;
	}
	result = n;
	ended++;
	return -1;
}

/* One stream address at a free port, which is the one that site.port has. */
static bool
start_at(const char *address, spate_stream_fn *handler)
{
	handle = 0;
	calls = ended = 0;
	result = 1;
	site_make(&site);
	EXPECT_EQ(spate_listen_stream(site.server, address, handler, NULL), 0);
	return site_start(&site);
}

static bool
start(spate_stream_fn *handler)
{
	site_new(&site);
	return start_at("127.0.0.1:0", handler);
}

static void
stop(void)
{
	EXPECT_EQ(site_stop(&site), 0);
}

static void
expect_bytes(struct client *client, const char *text)
{
	char got[256] = "";

	EXPECT_EQ(client_exactly(client, got, strlen(text)),
	    (ssize_t)strlen(text));
	if (strcmp(got, text) != 0)
		fprintf(stderr, "got %s, expected %s\n", got, text);
	EXPECT(strcmp(got, text) == 0);
}

static void
expect_echo(struct client *client, const char *text)
{
	client_say(client, text);
	expect_bytes(client, text);
}

/* A stream that has been heard of: its handle is known. */
static bool
arrive(struct client *client)
{
	if (!client_open(client, site.port))
		return false;
	expect_echo(client, "hi");
	return true;
}

TEST(tcp_comes_back)
{
	struct client client;

	if (start(echo_once) && arrive(&client)) {
		for (int i = 0; i < 100; i++)
			expect_echo(&client, "again");
		client_shut(&client);
		EXPECT(client_at_end(&client));
		client_close(&client);
		EXPECT(site_left(&site));
	}
	stop();
}

static void
unix_comes_back(spate_stream_fn *handler)
{
	char path[] = "/tmp/spate-test-XXXXXX", address[128], name[96];
	struct client client;

	EXPECT(mkdtemp(path) != NULL);
	snprintf(name, sizeof(name), "%s/socket", path);
	snprintf(address, sizeof(address), "unix:%s", name);
	site_new(&site);
	if (start_at(address, handler)) {
		for (int i = 0; i < 20; i++) {
			if (!client_open_unix(&client, name))
				break;
			expect_echo(&client, "one");
			expect_echo(&client, "two");
			client_close(&client);
		}
		EXPECT(site_left(&site));
	}
	stop();
	EXPECT(access(name, F_OK) != 0);
	rmdir(path);
}

TEST(unix_sockets_come_back)
{
	unix_comes_back(echo_once);
	unix_comes_back(echo_all);
}

/* T3: what was sent before the end arrives before the end. */
static void
sends_and_closes(spate_stream_fn *handler)
{
	static char body[300000], got[sizeof(body)];
	struct client client;

	if (start(handler)) {
		for (size_t i = 0; i < sizeof(body); i++)
			body[i] = (char)(i * 7 + i / 251);
		for (int i = 0; i < 10; i++) {
			if (!client_open(&client, site.port))
				break;
			EXPECT(client_send(&client, body, sizeof(body)));
			client_shut(&client);
			EXPECT_EQ(client_exactly(&client, got, sizeof(got)),
			    (ssize_t)sizeof(got));
			EXPECT(memcmp(got, body, sizeof(got)) == 0);
			EXPECT(client_at_end(&client));
			client_close(&client);
		}
		for (int i = 0; i < 100; i++) {
			if (!client_open(&client, site.port))
				break;
			client_say(&client, "short");
			client_shut(&client);
			expect_bytes(&client, "short");
			EXPECT(client_at_end(&client));
			client_close(&client);
		}
	}
	stop();
}

TEST(all_that_was_sent_before_the_end_arrives)
{
	sends_and_closes(echo_once);
	sends_and_closes(echo_all);
}

/* ------------------------------------------------------------ from outside */

struct sender {
	spate_handle handle;
	int count, refused;
};

static void *
send_numbers(void *arg)
{
	struct sender *sender = arg;
	char line[32];

	for (int i = 0; i < sender->count; i++) {
		int size = snprintf(line, sizeof(line), "%08d\n", i);
		unsigned looks = 0;
		int error;

		while ((error = spate_send(site.server, sender->handle, line,
			    (size_t)size))
			== -EAGAIN
		    && site_look(&looks))
			;
		if (error != 0)
			sender->refused++;
	}
	return NULL;
}

static void
sends_arrive_in_order(spate_stream_fn *handler)
{
	struct sender sender = { .count = 20000 };
	struct client client;
	pthread_t thread;
	char line[10] = "", want[16];
	int wrong = 0;

	if (start(handler) && arrive(&client)) {
		sender.handle = handle;
		EXPECT_EQ(
		    pthread_create(&thread, NULL, send_numbers, &sender), 0);
		for (int i = 0; i < sender.count; i++) {
			if (client_exactly(&client, line, 9) != 9) {
				wrong++;
				break;
			}
			snprintf(want, sizeof(want), "%08d\n", i);
			wrong += strcmp(line, want) != 0;
		}
		pthread_join(thread, NULL);
		EXPECT_EQ(wrong, 0);
		EXPECT_EQ(sender.refused, 0);
		client_close(&client);
	}
	stop();
}

TEST(sends_arrive_in_order_at_a_parked_stream)
{
	sends_arrive_in_order(echo_once);
}

TEST(sends_arrive_in_order_at_a_waiting_handler)
{
	sends_arrive_in_order(echo_all);
}

static void *
send_a_letter(void *arg)
{
	const char *letter = arg;
	char line[64];
	unsigned looks = 0;

	memset(line, *letter, sizeof(line));
	for (int i = 0; i < 2000; i++) {
		while (spate_send(site.server, handle, line, sizeof(line))
			== -EAGAIN
		    && site_look(&looks))
			;
	}
	return NULL;
}

/* Sends are not torn apart by those of others. */
TEST(sends_of_several_threads_stay_whole)
{
	static char letters[4] = { 'a', 'b', 'c', 'd' };
	struct client client;
	pthread_t threads[4];
	char line[64];
	int wrong = 0;

	if (start(echo_once) && arrive(&client)) {
		for (int i = 0; i < 4; i++)
			EXPECT_EQ(pthread_create(&threads[i], NULL,
				      send_a_letter, &letters[i]),
			    0);
		for (int i = 0; i < 4 * 2000; i++) {
			if (client_exactly(&client, line, sizeof(line)) != 64)
				break;
			for (size_t j = 1; j < sizeof(line); j++)
				wrong += line[j] != line[0];
		}
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
		EXPECT_EQ(wrong, 0);
		client_close(&client);
	}
	stop();
}

TEST(a_handle_is_stale_once_its_stream_has_gone)
{
	struct client client;
	spate_handle old;

	if (start(echo_once) && arrive(&client)) {
		old = handle;
		EXPECT_EQ(spate_send(site.server, old, "x", 1), 0);
		expect_bytes(&client, "x");
		client_close(&client);
		EXPECT(site_left(&site));
		EXPECT_EQ(spate_send(site.server, old, "x", 1), -ESTALE);
		EXPECT_EQ(spate_close(site.server, old), -ESTALE);
		EXPECT_EQ(spate_set_deadline(site.server, old, 1), -ESTALE);
		EXPECT_EQ(spate_send(site.server, 0, "x", 1), -ESTALE);
		EXPECT_EQ(
		    spate_send(site.server, UINT64_MAX, "x", 1), -ESTALE);
		/* One that comes after it is another one. */
		if (arrive(&client)) {
			EXPECT(handle != old);
			EXPECT_EQ(
			    spate_send(site.server, old, "x", 1), -ESTALE);
			expect_echo(&client, "y");
			client_close(&client);
		}
	}
	stop();
}

/*
 * A peer that takes nothing: its queue has an end, and so has the wait for
 * it, whoever goes on sending.
 */
TEST(sends_have_a_bound)
{
	static char piece[16000], large[65537];
	struct client client;
	unsigned looks = 0;
	int error = 0, full = 0;

	site_new(&site);
	site.options.max_outq = 65536;
	site.options.write_timeout_ms = 300;
	if (start_at("127.0.0.1:0", echo_once) && arrive(&client)) {
		EXPECT_EQ(spate_send(site.server, handle, large, 65537),
		    -EAGAIN);
		do {
			error = spate_send(
			    site.server, handle, piece, sizeof(piece));
			full += error == -EAGAIN;
			/* Small ones find room where that did not. */
			if (error == -EAGAIN)
				error = spate_send(
				    site.server, handle, piece, 1);
		} while ((error == 0 || error == -EAGAIN)
		    && (full == 0 || site_look(&looks)));
		EXPECT_EQ(error, -ESTALE);
		EXPECT(full > 0);
		EXPECT(site_left(&site));
		EXPECT_EQ(SITE_COUNT(&site, timeouts_write), 1);
		client_close(&client);
	}
	stop();
}

static int
keep_handle(struct spate_req *req, void *arg)
{
	(void)arg;
	handle = spate_req_handle(req);
	return spate_text(req, 200, "kept");
}

TEST(http_connections_take_no_sends)
{
	struct client client = { .fd = -1 };
	struct response answer;

	site_new(&site);
	site_make(&site);
	spate_route(site.server, "GET", "/", keep_handle, NULL);
	if (site_start(&site) && client_open(&client, site.port)) {
		EXPECT_EQ(client_ask(&client, GET("/"), &answer), 0);
		response_free(&answer);
		EXPECT_EQ(spate_send(site.server, handle, "x", 1), -ENOTSUP);
		EXPECT_EQ(client_ask(&client, GET("/"), &answer), 0);
		EXPECT(response_is(&answer, "kept"));
		response_free(&answer);
		/* But they can be closed. */
		EXPECT_EQ(spate_close(site.server, handle), 0);
		EXPECT(client_at_end(&client));
		EXPECT(site_left(&site));
		EXPECT_EQ(spate_close(site.server, handle), -ESTALE);
	}
	client_close(&client);
	stop();
}

/* --------------------------------------------------------------- broadcast */

static int
another(struct spate_stream *stream, void *arg)
{
	return echo_once(stream, arg);
}

TEST(a_broadcast_reaches_every_stream_of_its_handler)
{
	struct client clients[40], other = { .fd = -1 };
	uint16_t other_port;

	site_new(&site);
	site_make(&site);
	spate_listen_stream(site.server, "127.0.0.1:0", echo_once, NULL);
	spate_listen_stream(site.server, "127.0.0.1:0", another, NULL);
	if (!site_start(&site)) {
		stop();
		return;
	}
	other_port = ntohs(((struct sockaddr_in *)&site.server->addresses[1]
				.storage)
			       ->sin_port);
	for (int i = 0; i < 40; i++)
		EXPECT(arrive(&clients[i]));
	if (client_open(&other, other_port))
		expect_echo(&other, "hi");
	EXPECT_EQ(
	    spate_broadcast(site.server, echo_once, "to all of you", 13), 0);
	EXPECT_EQ(spate_broadcast(site.server, echo_once, "!", 1), 0);
	for (int i = 0; i < 40; i++) {
		expect_bytes(&clients[i], "to all of you!");
		expect_echo(&clients[i], "yes");
		client_close(&clients[i]);
	}
	expect_echo(&other, "not to me");
	client_close(&other);
	stop();
}

/* ------------------------------------------------------ closes, deadlines */

TEST(a_close_wakes_a_waiting_handler)
{
	struct client client;

	if (start(echo_all) && arrive(&client)) {
		AWAIT(SITE_COUNT(&site, fiber_waits) > 0);
		EXPECT_EQ(spate_close(site.server, handle), 0);
		AWAIT(ended == 1);
		EXPECT_EQ(result, -ECANCELED);
		EXPECT(client_at_end(&client));
		client_close(&client);
		EXPECT(site_left(&site));
	}
	stop();
}

TEST(a_close_wakes_a_parked_stream)
{
	struct client client;

	if (start(echo_once) && arrive(&client)) {
		EXPECT_EQ(spate_close(site.server, handle), 0);
		EXPECT(client_at_end(&client));
		client_close(&client);
		EXPECT(site_left(&site));
	}
	stop();
}

static int
writes_for_ever(struct spate_stream *stream, void *arg)
{
	static char piece[MIB];
	int error = 0;

	(void)arg;
	handle = spate_stream_handle(stream);
	calls++;
	while (error == 0)
		error = spate_stream_write(stream, piece, sizeof(piece));
	result = error;
	ended++;
	return -1;
}

TEST(a_close_wakes_a_handler_that_waits_to_write)
{
	struct client client;

	if (start(writes_for_ever) && client_open(&client, site.port)) {
		client_say(&client, "go");
		AWAIT(SITE_COUNT(&site, fiber_waits) > 0);
		EXPECT_EQ(spate_close(site.server, handle), 0);
		AWAIT(ended == 1);
		EXPECT_EQ(result, -ECANCELED);
		client_close(&client);
		EXPECT(site_left(&site));
	}
	stop();
}

TEST(a_deadline_ends_a_wait_early)
{
	struct client client;

	if (start(echo_all) && arrive(&client)) {
		AWAIT(SITE_COUNT(&site, fiber_waits) > 0);
		EXPECT_EQ(spate_set_deadline(site.server, handle, 20), 0);
		AWAIT(ended == 1);
		EXPECT_EQ(result, -ETIMEDOUT);
		EXPECT(client_at_end(&client));
		client_close(&client);
	}
	stop();
}

TEST(a_deadline_ends_a_parked_stream_early)
{
	struct client client;

	if (start(echo_once) && arrive(&client)) {
		/* It may be on its way to park, which sets its own. */
		unsigned looks = 0;

		while (site_connections(&site) != 0 && site_look(&looks)) {
			if (looks % 500 == 1)
				spate_set_deadline(site.server, handle, 20);
		}
		EXPECT(client_at_end(&client));
		EXPECT(site_left(&site));
		client_close(&client);
	}
	stop();
}

TEST(a_deadline_can_be_taken_away)
{
	struct client client;

	site_new(&site);
	site.options.body_timeout_ms = 150;
	if (start_at("127.0.0.1:0", echo_all) && arrive(&client)) {
		int looks = 0;
		unsigned pause = 0;

		/* Well beyond what would have ended it. */
		for (; looks < 300; looks++) {
			if (spate_set_deadline(site.server, handle, 0) != 0)
				break;
			site_look(&pause);
		}
		EXPECT_EQ(looks, 300);
		EXPECT_EQ(ended, 0);
		expect_echo(&client, "still here");
		client_close(&client);
	}
	stop();
}

/* ------------------------------------------------------------------- data */

static int
counts(struct spate_stream *stream, void *arg)
{
	char piece[256], line[16];
	ssize_t n = spate_stream_read(stream, piece, sizeof(piece));
	void **data = spate_stream_data(stream);
	int size;

	(void)arg;
	if (n <= 0)
		return -1;
	*data = (void *)((uintptr_t)*data + (uintptr_t)n);
	size = snprintf(line, sizeof(line), "%04d", (int)(uintptr_t)*data);
	return spate_stream_write(stream, line, (size_t)size);
}

TEST(data_of_a_stream_lasts_between_calls)
{
	struct client one, two;

	if (start(counts) && client_open(&one, site.port)
	    && client_open(&two, site.port)) {
		client_say(&one, "abc");
		expect_bytes(&one, "0003");
		client_say(&two, "z");
		expect_bytes(&two, "0001");
		client_say(&one, "de");
		expect_bytes(&one, "0005");
		client_close(&one);
		client_close(&two);
	}
	stop();
}
