/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TASKS_H
#define SPATE_TASKS_H

/*
 * What handlers do besides answering: have others do what would block. Part
 * of <spate.h>.
 */

#include <spate.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Run fn(arg) in a thread of the server's pool, and wait until it has
 * returned; other requests are served meanwhile. For what blocks in the
 * kernel or in another library: files, name look-ups, a database's client.
 *
 * fn can be given pointers to the handler's own variables: spate_offload()
 * does not return while fn runs. So timeout_ms (0: no limit) and the client's
 * leaving end the wait for a free thread, and not what has begun. fn is no
 * handler: calls for handlers return -EPERM there or may not be made.
 *
 * Returns 0: fn has returned. Any error: fn has not been called and will not
 * be.
 *
 * Errors: -ETIMEDOUT, -ECANCELED (as spate_sleep()), -EAGAIN (offload_queue
 * calls wait already), -ENOMEM, -EPERM (not in a handler). Context: handler.
 */
typedef void spate_offload_fn(void *arg);
SPATE_API int
spate_offload(spate_offload_fn *fn, void *arg, uint32_t timeout_ms);

#ifdef __cplusplus
}
#endif

#endif /* SPATE_TASKS_H */
