/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/e2e/ask.h"

#include "tests/e2e/client.h"
#include "tests/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX (4 * 1024 * 1024)

static char answer[ANSWER_MAX + 1];
static size_t answer_size;

struct spate_server *
ask_new(const struct spate_options *given)
{
	struct spate_options options = given != NULL ? *given
						     : spate_options_default();
	struct spate_server *server;

	if (options.shards == 0)
		options.shards = 1;
	server = spate_server_new(&options);
	EXPECT(server != NULL);
	EXPECT_EQ(spate_listen(server, "127.0.0.1:0"), 0);
	return server;
}

void
ask_start(struct spate_server *server)
{
	EXPECT_EQ(spate_server_start(server), 0);
}

void
ask_stop(struct spate_server *server)
{
	EXPECT_EQ(spate_server_stop(server), 0);
	spate_server_free(server);
}

int
ask_connect(struct spate_server *server)
{
	struct client client;

	client_open(&client, spate_server_port(server));
	return client.fd;
}

void
ask_send(int fd, const char *text, size_t size)
{
	struct client client = { .fd = fd };

	client_send(&client, text, size);
}

void
ask_read(int fd, const char *until)
{
	ssize_t n = 1;

	answer_size = 0;
	answer[0] = '\0';
	while (n > 0 && answer_size < ANSWER_MAX) {
		if (until != NULL && strstr(answer, until) != NULL)
			return;
		n = recv(fd, answer + answer_size, ANSWER_MAX - answer_size, 0);
		if (n > 0)
			answer_size += (size_t)n;
		answer[answer_size] = '\0';
	}
	EXPECT(n == 0 || (n < 0 && errno == ECONNRESET));
}

void
ask_bytes(struct spate_server *server, const char *request, size_t size)
{
	int fd = ask_connect(server);

	ask_send(fd, request, size);
	ask_read(fd, NULL);
	close(fd);
}

void
ask(struct spate_server *server, const char *request)
{
	ask_bytes(server, request, strlen(request));
}

int
ask_status(void)
{
	if (answer_size < 12 || memcmp(answer, "HTTP/1.1 ", 9) != 0)
		return 0;
	return atoi(answer + 9);
}

const char *
ask_text(void)
{
	return answer;
}

size_t
ask_size(void)
{
	return answer_size;
}

const char *
ask_body(void)
{
	const char *blank = strstr(answer, "\r\n\r\n");

	return blank != NULL ? blank + 4 : "";
}

bool
ask_says(const char *text)
{
	if (strstr(answer, text) != NULL)
		return true;
	fprintf(stderr, "not in the answer: %s\n%.2000s\n", text, answer);
	return false;
}
