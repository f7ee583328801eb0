/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/e2e/streams.h"

#include <stdio.h>
#include <string.h>

struct site site;
_Atomic spate_handle handle;
_Atomic int calls, ended;
_Atomic int64_t result;

int
echo_a_piece(struct spate_stream *stream, void *arg)
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

int
echo_to_the_end(struct spate_stream *stream, void *arg)
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

bool
start_at(const char *address, spate_stream_fn *handler)
{
	handle = 0;
	calls = ended = 0;
	result = 1;
	site_make(&site);
	EXPECT_EQ(spate_listen_stream(site.server, address, handler, NULL), 0);
	return site_start(&site);
}

bool
start(spate_stream_fn *handler)
{
	site_new(&site);
	return start_at("127.0.0.1:0", handler);
}

void
stop(void)
{
	EXPECT_EQ(site_stop(&site), 0);
}

void
expect_bytes(struct client *client, const char *text)
{
	char got[256] = "";

	EXPECT_EQ(
	    client_exactly(client, got, strlen(text)), (ssize_t)strlen(text));
	if (strcmp(got, text) != 0)
		fprintf(stderr, "got %s, expected %s\n", got, text);
	EXPECT(strcmp(got, text) == 0);
}

void
expect_echo(struct client *client, const char *text)
{
	client_say(client, text);
	expect_bytes(client, text);
}

bool
arrive(struct client *client)
{
	if (!client_open(client, site.port))
		return false;
	expect_echo(client, "hi");
	return true;
}
