/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TRACE_H
#define SPATE_TRACE_H

/*
 * Which trace a request belongs to, by W3C Trace Context. Part of <spate.h>.
 *
 *     struct spate_trace trace;
 *
 *     if (spate_trace(req, &trace) == 0)
 *             printf("of trace %s\n", trace.trace_id);
 *
 * A request that the handler makes of another server (spate/client.h) is of
 * the same trace, unless its call says otherwise.
 */

#include <spate.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spate_trace {
	char trace_id[33];  /* 32 hexadecimal digits in lower case, and NUL */
	char parent_id[17]; /* 16; what the caller calls its own part */
	bool sampled;       /* the caller may have recorded its part */
};

/*
 * The trace of a request, by its field traceparent.
 *
 * Errors: -ENOENT (there is none, or it is malformed or there are several,
 * which counts as none). Context: handler.
 */
SPATE_API int
spate_trace(const struct spate_req *req, struct spate_trace *trace);

#ifdef __cplusplus
}
#endif

#endif /* SPATE_TRACE_H */
