/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_E2E_CLIENT_H
#define SPATE_TESTS_E2E_CLIENT_H

/*
 * A client that says what a test wants said, byte for byte, and reads what
 * comes back. It blocks, for at most CLIENT_PATIENCE_S at a time, so that a
 * server that says nothing fails the test and does not hang it.
 *
 *     struct client client;
 *     struct response answer;
 *
 *     client_open(&client, port);
 *     client_say(&client, GET("/plaintext"));
 *     EXPECT_EQ(client_read(&client, &answer), 0);
 *     EXPECT_EQ(answer.status, 200);
 *     response_free(&answer);
 *     client_close(&client);
 *
 * What is read beyond one answer is kept for the next, so answers to a
 * pipeline come one by one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CLIENT_PATIENCE_S 40

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_CLOSE(path)                                                        \
	"GET " path " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

struct client {
	int fd; /* -1: none */
	char *data;
	size_t start, size, capacity; /* read and not yet used */
};

struct response {
	int status, minor;
	bool chunked;
	bool has_length;
	char *head; /* of lines that each end in a NUL; the last is empty */
	char *body; /* without the chunks' framing; also NUL-terminated */
	size_t size, capacity;
};

/* Each returns whether there is a connection; if not, the test has failed. */
bool client_open(struct client *client, uint16_t port);
bool client_open_unix(struct client *client, const char *path);

/* client_try: likewise, but it is no failure if nobody answers. */
bool client_try(struct client *client, uint16_t port);

/* By FIN, by RST, and only the sending half. */
void client_close(struct client *client);
void client_reset(struct client *client);
void client_shut(struct client *client);

/* => Return whether all of it went out. */
bool client_send(struct client *client, const void *data, size_t size);
bool client_say(struct client *client, const char *text);

/*
 * client_receive: some bytes, as they come.
 * client_exactly: this many, into memory of the caller's.
 *
 * => Return how many; 0 at the end; -errno.
 */
ssize_t client_receive(struct client *client, void *buf, size_t size);
ssize_t client_exactly(struct client *client, void *buf, size_t size);

/*
 * client_read: the next answer. After HEAD there is no body, whatever the
 * head says.
 *
 * => Returns 0; the caller frees the answer.
 * => Returns -ENODATA: the end, in front of an answer. -EPROTO: what came is
 *    not HTTP, or ends early. Other values of -errno: of recv(2).
 */
int client_read(struct client *client, struct response *answer);
int client_read_head(struct client *client, struct response *answer);

/* client_ask: client_say() and client_read(). */
int client_ask(
    struct client *client, const char *request, struct response *answer);

/*
 * client_expect: the test fails unless the answer has this status and, if
 * body is not NULL, this body.
 */
void client_expect(struct client *client, const char *request, int status,
    const char *body);

/*
 * client_at_end: does the next read say that the server has closed? A reset
 * or a byte more is not that.
 */
bool client_at_end(struct client *client);

/* A field's value, or NULL. => Constant until the answer is freed. */
const char *response_field(const struct response *answer, const char *name);

/* Is the body this text? */
bool response_is(const struct response *answer, const char *text);

void response_free(struct response *answer);

/*
 * once: the status of one request on a connection of its own, or -errno.
 * The body, as far as it fits, goes to body unless that is NULL.
 */
int once(uint16_t port, const char *request, char *body, size_t size);

#endif /* SPATE_TESTS_E2E_CLIENT_H */
