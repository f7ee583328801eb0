/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_NAMES_H
#define SPATE_FRAMEWORK_NAMES_H

/*
 * Names of hosts, and the addresses that the system has for them. A look-up
 * blocks, so it is done by getaddrinfo() in a thread of the offload pool; the
 * fiber that waits may leave before it ends. Each worker remembers the last
 * few for a while, also that there was nothing to be found:
 *
 *     found         for name_cache_ms
 *     not found     for a tenth of that
 *
 * The system's answer does not say how long it holds.
 *
 * "localhost" and names below it are this machine, whatever the system would
 * say, and nobody is asked (RFC 6761, 6.3).
 */

#include "framework/server.h"

#define SP_NAME_SIZE 254 /* with its NUL; RFC 1035 */
#define SP_NAME_ADDRESSES 4

/* In the order in which to try them. */
struct sp_addresses {
	unsigned count;
	socklen_t size[SP_NAME_ADDRESSES];
	struct sockaddr_storage address[SP_NAME_ADDRESSES];
};

/* sp_name_ok: whether a text may be the name of a host. */
bool sp_name_ok(const char *name, size_t size);

/*
 * sp_names_find: the addresses of a name, with a port. In a fiber; until is a
 * tick of sp_tick_deadline() or SP_DEADLINE_NONE.
 *
 * => Returns 0, and found has at least one.
 * => Returns -EHOSTUNREACH: there is no such name, or it has no address;
 *    -EAGAIN: nobody could say, or the pool is full; -ETIMEDOUT, -ECANCELED,
 *    -ENOMEM.
 */
int sp_names_find(struct sp_worker *worker, const char *name, uint16_t port,
    sp_tick until, struct sp_addresses *found);

/* sp_names_free: what a worker remembers; NULL is fine. */
struct sp_names;
void sp_names_free(struct sp_names *names);

#endif /* SPATE_FRAMEWORK_NAMES_H */
