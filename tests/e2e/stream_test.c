/* SPDX-License-Identifier: BSD-2-Clause */

/* Raw streams: what comes back, how they end, and their deadlines. */

#include "tests/e2e/streams.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024u * 1024)

TEST(tcp_comes_back)
{
	struct client client;

	if (start(echo_a_piece) && arrive(&client)) {
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
	unix_comes_back(echo_a_piece);
	unix_comes_back(echo_to_the_end);
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
	sends_and_closes(echo_a_piece);
	sends_and_closes(echo_to_the_end);
}

/* ------------------------------------------------------ closes, deadlines */

TEST(a_close_wakes_a_waiting_handler)
{
	struct client client;

	if (start(echo_to_the_end) && arrive(&client)) {
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

	if (start(echo_a_piece) && arrive(&client)) {
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

	if (start(echo_to_the_end) && arrive(&client)) {
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

	if (start(echo_a_piece) && arrive(&client)) {
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
	if (start_at("127.0.0.1:0", echo_to_the_end) && arrive(&client)) {
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

/* A byte a call, and each takes its time: there is always more to read. */
static int
take_slowly(struct spate_stream *stream, void *arg)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	char byte;

	(void)arg;
	nanosleep(&pause, NULL);
	result = spate_stream_read(stream, &byte, 1);
	calls++;
	return result == 1 ? spate_stream_write(stream, &byte, 1) : -1;
}

TEST(a_stream_that_always_has_more_is_not_idle)
{
	struct client client = { .fd = -1 };
	char sent[200], got[sizeof(sent)];

	site_new(&site);
	site.options.idle_timeout_ms = 50;
	memset(sent, 'x', sizeof(sent));
	if (start_at("127.0.0.1:0", take_slowly)
	    && client_open(&client, site.port)) {
		EXPECT(client_send(&client, sent, sizeof(sent)));
		EXPECT_EQ(client_exactly(&client, got, sizeof(got)),
		    (ssize_t)sizeof(got));
	}
	client_close(&client);
	stop();
}

TEST(without_a_limit_a_read_waits_longer_than_streams_may_be_idle)
{
	const struct timespec pause = { .tv_nsec = 300000000 };
	struct client client = { .fd = -1 };

	site_new(&site);
	site.options.idle_timeout_ms = 50;
	site.options.body_timeout_ms = 0;
	if (start_at("127.0.0.1:0", echo_to_the_end) && arrive(&client)) {
		nanosleep(&pause, NULL);
		expect_echo(&client, "still here");
		EXPECT_EQ(ended, 0);
	}
	client_close(&client);
	stop();
}

static int
read_nothing(struct spate_stream *stream, void *arg)
{
	char byte;

	EXPECT_EQ(spate_stream_read(stream, &byte, 0), -EINVAL);
	return echo_a_piece(stream, arg);
}

TEST(a_read_of_no_bytes_is_not_the_end)
{
	struct client client = { .fd = -1 };

	if (start(read_nothing) && arrive(&client))
		expect_echo(&client, "again");
	client_close(&client);
	stop();
}
