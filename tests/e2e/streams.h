/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_E2E_STREAMS_H
#define SPATE_TESTS_E2E_STREAMS_H

/*
 * A site with one stream address, and handlers that tell what they have
 * seen. There is one at a time.
 */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

extern struct site site;

/* What the handlers have seen; the last one of each. */
extern _Atomic spate_handle handle;
extern _Atomic int calls, ended;
extern _Atomic int64_t result; /* of the last read or write */

/* One piece a call, so between messages there is no fiber. */
int echo_a_piece(struct spate_stream *stream, void *arg);

/* All of it in one call, which waits. */
int echo_to_the_end(struct spate_stream *stream, void *arg);

/*
 * start_at: with the options that are in site.
 * start: with the default ones, at a free port.
 */
bool start_at(const char *address, spate_stream_fn *handler);
bool start(spate_stream_fn *handler);
void stop(void);

void expect_bytes(struct client *client, const char *text);
void expect_echo(struct client *client, const char *text);

/* A stream that has been heard of: its handle is known. */
bool arrive(struct client *client);

#endif /* SPATE_TESTS_E2E_STREAMS_H */
