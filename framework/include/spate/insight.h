/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_INSIGHT_H
#define SPATE_INSIGHT_H

/*
 * What a running server tells of itself: counters, latencies, health. Part
 * of <spate.h>. docs/stats.md has every path and every key.
 */

#include <spate.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Have all of it at a listener of its own, at an address as for
 * spate_listen(). Neither the program's routes nor its middleware are there.
 * Who can connect can read it, so let it be a loopback address or a Unix
 * socket: a name other than localhost in the Host field is refused, as a web
 * page from elsewhere would have one.
 *
 * address may be "none": then there is none, also under spate_main(), which
 * otherwise has one at a free port of 127.0.0.1 if the program has called
 * neither of these. The last call counts.
 *
 * Errors: -EINVAL (no such address), -ENOMEM. Context: setup.
 */
SPATE_API int spate_admin(struct spate_server *server, const char *address);

/* Its port, once started; 0: there is none, or a Unix socket. Context: any. */
SPATE_API uint16_t spate_admin_port(const struct spate_server *server);

/*
 * Have all of it among the program's routes, below a prefix, which may be
 * empty, but for the list of connections and what changes something. Who can
 * reach the program can read it. The live page is at the prefix with a slash
 * behind it; if the prefix is empty, it is where spate_route_dashboard() says.
 *
 * Errors: as spate_route(). Context: setup.
 */
SPATE_API int
spate_route_admin(struct spate_server *server, const char *prefix);

/*
 * Have the live page among the program's routes. It looks for the pages of
 * spate_route_admin() beside itself: with an empty prefix it may be at "/" or
 * at "/dashboard".
 *
 * Errors: as spate_route(). Context: setup.
 */
SPATE_API int
spate_route_dashboard(struct spate_server *server, const char *path);

#ifdef __cplusplus
}
#endif

#endif /* SPATE_INSIGHT_H */
