/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_DISPATCH_H
#define SPATE_FRAMEWORK_DISPATCH_H

/*
 * From a head to its handler, for requests of every kind; what is most
 * frequent goes by a shorter way, in http_conn.c.
 */

#include "framework/request.h"

/*
 * sp_req_dispatch: route the request, and call what answers it. Afterwards
 * it has been answered, as well as that was possible.
 */
void sp_req_dispatch(struct spate_req *req);

#endif /* SPATE_FRAMEWORK_DISPATCH_H */
