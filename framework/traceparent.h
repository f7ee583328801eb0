/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_TRACEPARENT_H
#define SPATE_FRAMEWORK_TRACEPARENT_H

/*
 * The fields of W3C Trace Context, the Recommendation of 2021:
 *
 *     traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *                  |  |                                |                |
 *                  |  trace-id, not all 0      parent-id, not all 0     |
 *                  version, not ff                     flags; 1: sampled
 *     tracestate:  what others on the way want to find again
 *
 * Digits are lower case. Nothing may follow in version 00; in a later one
 * more may, behind a "-". What is not like that is as good as none, and then
 * nothing is made of tracestate either.
 */

#include "framework/text.h"

#include <spate.h>

/*
 * sp_traceparent_parse: the value of a traceparent.
 *
 * => Returns 0 and *trace, or -EINVAL.
 */
int
sp_traceparent_parse(struct spate_trace *trace, const char *value, size_t size);

/*
 * sp_traceparent_put: a traceparent for a request of our own in this trace:
 * of version 00, with a new parent-id, and no flags but the one we know.
 */
void sp_traceparent_put(struct sp_text *text, const struct spate_trace *trace);

/*
 * sp_traceparent_pass: the fields for a request that is made for req; none
 * if that is of no trace.
 */
void sp_traceparent_pass(struct sp_text *text, const struct spate_req *req);

#endif /* SPATE_FRAMEWORK_TRACEPARENT_H */
