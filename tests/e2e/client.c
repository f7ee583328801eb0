/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/e2e/client.h"

#include "tests/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PIECE 65536

static void *
must(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

/* ----------------------------------------------------------- connections */

static bool
open_to(struct client *client, const struct sockaddr *address, socklen_t size)
{
	const struct timeval patience = { .tv_sec = CLIENT_PATIENCE_S };
	int on = 1;

	*client = (struct client) { .fd = socket(
		address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	if (client->fd < 0)
		return false;
	setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
	    sizeof(patience));
	if (address->sa_family == AF_INET)
		setsockopt(
		    client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(client->fd, address, size) == 0)
		return true;
	client_close(client);
	return false;
}

bool
client_try(struct client *client, uint16_t port)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	return open_to(
	    client, (const struct sockaddr *)&address, sizeof(address));
}

bool
client_open(struct client *client, uint16_t port)
{
	bool opened = client_try(client, port);

	EXPECT(opened);
	return opened;
}

bool
client_open_unix(struct client *client, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	bool opened;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	opened = open_to(
	    client, (const struct sockaddr *)&address, sizeof(address));
	EXPECT(opened);
	return opened;
}

void
client_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	free(client->data);
	*client = (struct client) { .fd = -1 };
}

void
client_reset(struct client *client)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	client_close(client);
}

void
client_shut(struct client *client)
{
	shutdown(client->fd, SHUT_WR);
}

/* ----------------------------------------------------------------- bytes */

bool
client_send(struct client *client, const void *data, size_t size)
{
	const char *at = data;

	while (size != 0) {
		ssize_t n = send(client->fd, at, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

bool
client_say(struct client *client, const char *text)
{
	return client_send(client, text, strlen(text));
}

static void
use(struct client *client, size_t size)
{
	client->start += size;
	client->size -= size;
}

ssize_t
client_receive(struct client *client, void *buf, size_t size)
{
	ssize_t n;

	if (client->size != 0) {
		if (size > client->size)
			size = client->size;
		memcpy(buf, client->data + client->start, size);
		use(client, size);
		return (ssize_t)size;
	}
	do {
		n = recv(client->fd, buf, size, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t
client_exactly(struct client *client, void *buf, size_t size)
{
	size_t at = 0;

	while (at < size) {
		ssize_t n = client_receive(
		    client, (char *)buf + at, size - at);

		if (n <= 0)
			return n < 0 ? n : (ssize_t)at;
		at += (size_t)n;
	}
	return (ssize_t)at;
}

/* More into data. => Returns as recv(2), or -errno. */
static ssize_t
more(struct client *client)
{
	ssize_t n;

	if (client->size != 0)
		memmove(client->data, client->data + client->start,
		    client->size);
	client->start = 0;
	if (client->capacity - client->size < PIECE) {
		client->capacity = client->capacity * 2 + PIECE;
		client->data = must(realloc(client->data, client->capacity));
	}
	do {
		n = recv(client->fd, client->data + client->size,
		    client->capacity - client->size, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	client->size += (size_t)n;
	return n;
}

void
client_expect(
    struct client *client, const char *request, int status, const char *body)
{
	struct response answer = { 0 };

	EXPECT_EQ(client_ask(client, request, &answer), 0);
	EXPECT_EQ(answer.status, status);
	EXPECT(body == NULL || response_is(&answer, body));
	response_free(&answer);
}

bool
client_at_end(struct client *client)
{
	return client->size == 0 && more(client) == 0;
}

/* --------------------------------------------------------------- answers */

/* Where the head ends, behind the blank line; 0 if it has not come yet. */
static size_t
end_of_head(const struct client *client)
{
	const char *end = client->size == 0
	    ? NULL
	    : memmem(client->data + client->start, client->size, "\r\n\r\n", 4);

	return end == NULL ? 0
			   : (size_t)(end - client->data - client->start) + 4;
}

/* => Returns 0, or -EPROTO. */
static int
split_head(struct response *answer, size_t size)
{
	char *at = answer->head, *end = at + size - 2;

	if (sscanf(at, "HTTP/1.%d %3d ", &answer->minor, &answer->status) != 2)
		return -EPROTO;
	while (at < end) {
		char *line = memmem(at, (size_t)(end + 2 - at), "\r\n", 2);

		memset(line, 0, 2);
		if (memchr(at, '\n', (size_t)(line - at)) != NULL)
			return -EPROTO;
		at = line + 2;
	}
	memset(end, 0, 2);
	return 0;
}

static int
take_head(struct client *client, struct response *answer)
{
	size_t size = 0;

	while ((size = end_of_head(client)) == 0) {
		ssize_t n = more(client);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return client->size == 0 ? -ENODATA : -EPROTO;
	}
	answer->head = must(malloc(size + 1));
	memcpy(answer->head, client->data + client->start, size);
	answer->head[size] = '\0'; /* sscanf() looks for the end */
	use(client, size);
	return split_head(answer, size);
}

/* Adds size bytes to the body. */
static int
take_body(struct client *client, struct response *answer, size_t size)
{
	ssize_t n;

	if (answer->size + size >= answer->capacity) {
		answer->capacity = answer->size * 2 + size + 1;
		answer->body = must(realloc(answer->body, answer->capacity));
	}
	n = client_exactly(client, answer->body + answer->size, size);
	if (n >= 0)
		answer->size += (size_t)n;
	answer->body[answer->size] = '\0';
	if (n < 0)
		return (int)n;
	return (size_t)n == size ? 0 : -EPROTO;
}

static int
take_line(struct client *client, char *line, size_t size)
{
	for (size_t at = 0; at < size; at++) {
		if (client_exactly(client, line + at, 1) != 1)
			return -EPROTO;
		if (line[at] == '\n') {
			if (at == 0 || line[at - 1] != '\r')
				return -EPROTO;
			line[at - 1] = '\0';
			return 0;
		}
	}
	return -EPROTO;
}

static int
take_chunks(struct client *client, struct response *answer)
{
	char line[64], *end;

	for (;;) {
		size_t size;
		int error = take_line(client, line, sizeof(line));

		if (error != 0)
			return error;
		size = strtoul(line, &end, 16);
		if (end == line || *end != '\0')
			return -EPROTO;
		if (size == 0)
			return take_line(client, line, sizeof(line)) == 0
				&& line[0] == '\0'
			    ? 0
			    : -EPROTO;
		error = take_body(client, answer, size);
		if (error == 0)
			error = take_line(client, line, sizeof(line));
		if (error != 0 || line[0] != '\0')
			return -EPROTO;
	}
}

static int
take_until_end(struct client *client, struct response *answer)
{
	char piece[PIECE];

	for (;;) {
		ssize_t n = client_receive(client, piece, sizeof(piece));

		if (n <= 0)
			return (int)n;
		answer->body = must(
		    realloc(answer->body, answer->size + (size_t)n + 1));
		memcpy(answer->body + answer->size, piece, (size_t)n);
		answer->size += (size_t)n;
		answer->body[answer->size] = '\0';
	}
}

static int
read_answer(struct client *client, struct response *answer, bool with_body)
{
	const char *length, *coding;
	int error;

	memset(answer, 0, sizeof(*answer));
	error = take_head(client, answer);
	if (error == 0) {
		answer->body = must(calloc(1, 1));
		length = response_field(answer, "Content-Length");
		coding = response_field(answer, "Transfer-Encoding");
		answer->has_length = length != NULL;
		answer->chunked
		    = coding != NULL && strcmp(coding, "chunked") == 0;
		if (answer->has_length && answer->chunked)
			error = -EPROTO;
		else if (!with_body || answer->status < 200
		    || answer->status == 204 || answer->status == 304)
			error = 0;
		else if (answer->chunked)
			error = take_chunks(client, answer);
		else if (answer->has_length)
			error = take_body(
			    client, answer, strtoul(length, NULL, 10));
		else
			error = take_until_end(client, answer);
	}
	if (error != 0)
		response_free(answer);
	return error;
}

int
client_read(struct client *client, struct response *answer)
{
	return read_answer(client, answer, true);
}

int
client_read_head(struct client *client, struct response *answer)
{
	return read_answer(client, answer, false);
}

int
client_ask(struct client *client, const char *request, struct response *answer)
{
	memset(answer, 0, sizeof(*answer));
	return client_say(client, request) ? client_read(client, answer)
					   : -EPIPE;
}

const char *
response_field(const struct response *answer, const char *name)
{
	size_t size = strlen(name);
	const char *line = answer->head;

	if (line == NULL)
		return NULL;
	for (line += strlen(line) + 2; *line != '\0';
	     line += strlen(line) + 2) {
		if (strncasecmp(line, name, size) == 0 && line[size] == ':')
			return line + size + 1 + (line[size + 1] == ' ');
	}
	return NULL;
}

bool
response_is(const struct response *answer, const char *text)
{
	return answer->body != NULL && answer->size == strlen(text)
	    && memcmp(answer->body, text, answer->size) == 0;
}

void
response_free(struct response *answer)
{
	free(answer->head);
	free(answer->body);
	memset(answer, 0, sizeof(*answer));
}

int
once(uint16_t port, const char *request, char *body, size_t size)
{
	struct client client;
	struct response answer;
	int status;

	if (!client_open(&client, port))
		return -ECONNREFUSED;
	status = client_ask(&client, request, &answer);
	if (status == 0) {
		status = answer.status;
		if (body != NULL)
			snprintf(body, size, "%s", answer.body);
		response_free(&answer);
	}
	client_close(&client);
	return status;
}
