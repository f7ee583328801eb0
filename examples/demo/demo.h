/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_EXAMPLES_DEMO_DEMO_H
#define SPATE_EXAMPLES_DEMO_DEMO_H

/*
 * The demo's handlers that call another server. Their argument is its
 * address, as in "127.0.0.1:8081" or "unix:/run/my.sock", or NULL: then they
 * answer 404.
 */

#include <spate.h>

int demo_proxy(struct spate_req *req, void *upstream);
int demo_fanout(struct spate_req *req, void *upstream);

/*
 * demo_tasks: the sum of the first N squares, each by a task of its own that
 * has a thread of the pool multiply and sends the result by a channel; its
 * argument is the server.
 */
int demo_tasks(struct spate_req *req, void *server);

/*
 * demo_upstream_begin: read SPATE_UPSTREAM_MS: how long the proxy waits for
 * the other side, up to a minute; 30,000.
 */
void demo_upstream_begin(void);

/*
 * demo_control: what the buttons of the page at / do.
 *
 *     GET  /demo          what there is to do and how far it is, as JSON
 *     POST /demo/:action  load, hot or block: begins it, 202; 409: one runs;
 *                         403: another site's page asks
 *     GET  /demo/shard    the shard that serves the connection
 *
 * Whoever can reach the demo can press them, so each is held to its limits
 * here: one at a time, 64 connections from 127.0.0.1, ten seconds.
 *
 * demo_control_end: before the server stops.
 */
void demo_control(struct spate_server *server);
void demo_control_end(void);

#endif /* SPATE_EXAMPLES_DEMO_DEMO_H */
