/* SPDX-License-Identifier: BSD-2-Clause */

/* Sending to streams from other threads, by their handles. */

#include "tests/e2e/streams.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

		while ((error = spate_send(
			    site.server, sender->handle, line, (size_t)size))
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
	sends_arrive_in_order(echo_a_piece);
}

TEST(sends_arrive_in_order_at_a_waiting_handler)
{
	sends_arrive_in_order(echo_to_the_end);
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

	if (start(echo_a_piece) && arrive(&client)) {
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

	if (start(echo_a_piece) && arrive(&client)) {
		old = handle;
		EXPECT_EQ(spate_send(site.server, old, "x", 1), 0);
		expect_bytes(&client, "x");
		client_close(&client);
		EXPECT(site_left(&site));
		EXPECT_EQ(spate_send(site.server, old, "x", 1), -ESTALE);
		EXPECT_EQ(spate_close(site.server, old), -ESTALE);
		EXPECT_EQ(spate_set_deadline(site.server, old, 1), -ESTALE);
		EXPECT_EQ(spate_send(site.server, 0, "x", 1), -ESTALE);
		EXPECT_EQ(spate_send(site.server, UINT64_MAX, "x", 1), -ESTALE);
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

static uint64_t
times_full(void)
{
	struct sp_engine *engine = site.server->engine;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < engine->shard_count; i++)
		sum += sp_load(&engine->shards[i]->outq_full, relaxed);
	return sum;
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
	if (start_at("127.0.0.1:0", echo_a_piece) && arrive(&client)) {
		EXPECT_EQ(
		    spate_send(site.server, handle, large, 65537), -EAGAIN);
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
		EXPECT(times_full() > (uint64_t)full);
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
	return echo_a_piece(stream, arg);
}

TEST(a_broadcast_reaches_every_stream_of_its_handler)
{
	struct client clients[40], other = { .fd = -1 };
	uint16_t other_port;

	site_new(&site);
	site_make(&site);
	spate_listen_stream(site.server, "127.0.0.1:0", echo_a_piece, NULL);
	spate_listen_stream(site.server, "127.0.0.1:0", another, NULL);
	if (!site_start(&site)) {
		stop();
		return;
	}
	other_port = ntohs(
	    ((struct sockaddr_in *)&site.server->addresses[1].storage)
		->sin_port);
	for (int i = 0; i < 40; i++)
		EXPECT(arrive(&clients[i]));
	if (client_open(&other, other_port))
		expect_echo(&other, "hi");
	EXPECT_EQ(
	    spate_broadcast(site.server, echo_a_piece, "to all of you", 13), 0);
	EXPECT_EQ(spate_broadcast(site.server, echo_a_piece, "!", 1), 0);
	for (int i = 0; i < 40; i++) {
		expect_bytes(&clients[i], "to all of you!");
		expect_echo(&clients[i], "yes");
		client_close(&clients[i]);
	}
	expect_echo(&other, "not to me");
	client_close(&other);
	stop();
}
