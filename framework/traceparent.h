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
 * sp_traceparent_span: what we call our own part of a trace: the parent-id in
 * all that is asked for this request, and in the log. Made when somebody asks
 * first; another one each time if there is no memory to keep it.
 *
 * => Never 0.
 */
uint64_t sp_traceparent_span(struct spate_req *req);

/*
 * sp_traceparent_put: a traceparent for a request of our own in this trace:
 * of version 00, of this part of it, and no flags but the one we know.
 * sp_traceparent_put_id: such a number, in its 16 digits.
 */
#define SP_TRACEPARENT_ID 16
void sp_traceparent_put(
    struct sp_text *text, const struct spate_trace *trace, uint64_t span);
void sp_traceparent_put_id(struct sp_text *text, uint64_t id);

/*
 * sp_traceparent_pass: the fields for a request that is made for req; none
 * if that is of no trace.
 */
void sp_traceparent_pass(struct sp_text *text, struct spate_req *req);

/*
 * sp_only_field: the value of a field that a request has once.
 *
 * => Returns NULL for its data: there is none, or there are several, and nobody
 *    can tell which is meant.
 */
struct spate_str sp_only_field(
    const struct spate_req *req, const char *wanted);

#endif /* SPATE_FRAMEWORK_TRACEPARENT_H */
