/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_ACCESS_LOG_H
#define SPATE_FRAMEWORK_ACCESS_LOG_H

/*
 * Access log: one of so many answers, as a line of the log. It is a handler
 * around those of the program, which is there only if answers are logged, so
 * that nobody else pays for it. Heads that are no request do not get there;
 * sp_req_refuse() logs them for debugging.
 */

#include <spate.h>

struct sp_layers;

/*
 * sp_access_log_put: around all handlers, after sp_route_classes_put(). If
 * there is no log, the option is set to 0; whether its level wants answers is
 * looked at for each.
 */
void sp_access_log_put(struct spate_server *server);

/* sp_access_log_unrouted: sp_middleware_run(), for a request without one. */
void sp_access_log_unrouted(struct spate_req *req,
    const struct sp_layers *layers, void (*answer)(struct spate_req *req));

#endif /* SPATE_FRAMEWORK_ACCESS_LOG_H */
