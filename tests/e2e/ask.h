/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_E2E_ASK_H
#define SPATE_TESTS_E2E_ASK_H

/*
 * A server in this process, and a client that says one thing and reads all
 * that comes until the connection ends.
 *
 *     struct spate_server *server = ask_new(NULL);
 *
 *     spate_route(server, "GET", "/", hello, NULL);
 *     ask_start(server);
 *     ask(server, ASK("GET", "/"));
 *     EXPECT_EQ(ask_status(), 200);
 *     EXPECT(ask_says("Hello"));
 *     ask_stop(server);
 *
 * The last answer is kept, and printed if a test finds it to be wrong.
 */

#include <spate.h>

#include <stdbool.h>

/* A request without a body, after which the connection ends. */
#define ASK(method, target) ASK_WITH(method, target, "")
#define ASK_WITH(method, target, fields)                                       \
	method " " target                                                      \
	       " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" fields "\r\n"

/* One shard, a free port, and the options if there are any. */
struct spate_server *ask_new(const struct spate_options *given);
void ask_start(struct spate_server *server);
void ask_stop(struct spate_server *server); /* and free */

/* A connection of one's own; the caller closes it. */
int ask_connect(struct spate_server *server);
void ask_send(int fd, const char *text, size_t size);
/* Read until the end, or until what was read has this text in it. */
void ask_read(int fd, const char *until);

void ask(struct spate_server *server, const char *request);
void ask_bytes(struct spate_server *server, const char *request, size_t size);

/* Of what was read last: its status, its text, and what it holds. */
int ask_status(void);
const char *ask_text(void);
size_t ask_size(void);
const char *ask_body(void); /* behind the first blank line; or "" */
bool ask_says(const char *text);

#endif /* SPATE_TESTS_E2E_ASK_H */
