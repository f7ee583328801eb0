/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_EXAMPLES_DEMO_STREAMS_H
#define SPATE_EXAMPLES_DEMO_STREAMS_H

#include <spate.h>

/*
 * Answers and bodies that take their time:
 *
 *     GET  /chunks/:n?delay_ms=N     n chunks, with a pause before each
 *     GET  /slow-body?ms=N&n=N       a body of n bytes, one at a time
 *     GET  /events?ms=N              events, one each N milliseconds
 *     POST /upload                   size and SHA-256 of the body, as JSON
 */
void demo_streams(struct spate_server *server);

#endif /* SPATE_EXAMPLES_DEMO_STREAMS_H */
