/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_SERVER_TIMING_H
#define SPATE_FRAMEWORK_SERVER_TIMING_H

/*
 * Server-Timing (W3C): in each answer, where the time of its request went
 * until its head was composed. In milliseconds, as that document has them:
 *
 *     Server-Timing: queue;dur=0.021, run;dur=0.140, parked;dur=5.020
 *
 * Like the access log it is a handler around those of the program, there only
 * if it is asked for, which takes the request off the usual way to answer. In
 * the field are constant names and numbers, so nothing of the client's.
 */

#include <spate.h>

/* The longest field, with its end of line. */
#define SP_SERVER_TIMING_MAX 192

/* sp_server_timing_put: around all handlers, if the option says so. */
void sp_server_timing_put(struct spate_server *server);

/* sp_server_timing_begin: of a request that no route answers. */
void sp_server_timing_begin(struct spate_req *req);

/*
 * sp_server_timing_field: up to now, at a place with room for it.
 *
 * => Returns where it ends.
 */
char *sp_server_timing_field(const struct spate_req *req, char *at);

#endif /* SPATE_FRAMEWORK_SERVER_TIMING_H */
