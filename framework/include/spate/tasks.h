/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TASKS_H
#define SPATE_TASKS_H

/*
 * What handlers have others do: calls that block, tasks of their own, and
 * channels in between. Part of <spate.h>.
 */

#include <spate.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- waiting */

/*
 * Let time pass; other requests are served meanwhile.
 *
 * A client has gone when it has closed its connection, or no more than its
 * sending side: a FIN is all that either shows here. That holds for all waits
 * of this header, of <spate/client.h>, fd.h and socket.h; those for a promise
 * or for events can tell the two apart, by options.half_close_cancels.
 *
 * Errors: -ECANCELED (the client has gone, or the server stops), -ETIMEDOUT
 * (the deadline of the route has come first), -ENOMEM (max_fibers handlers
 * wait already), -EPERM (not in a handler). Context: handler.
 */
SPATE_API int spate_sleep(uint32_t ms);

/*
 * Let all that is ready go first: for a handler that computes for long, every
 * some ten microseconds. Costs about as much as an epoll_wait(2) that finds
 * nothing. A route of class SPATE_HEAVY does not need it.
 *
 * Errors: -ENOMEM, -EPERM, as above. Context: handler.
 */
SPATE_API int spate_yield(void);

/* ---------------------------------------------------------------- offload */

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

/*
 * Likewise for a call that nobody has to wait for: arg is not the handler's
 * but the call's. timeout_ms and the client's leaving end the wait also when
 * fn has begun; it then goes on by itself, and drop(arg) is called in its
 * thread when it has returned.
 *
 * Returns 0: fn has returned, and arg is the caller's. Any error: arg is or
 * will be dropped; but for -EINVAL (there is no drop). Context: handler.
 */
typedef void spate_drop_fn(void *item);
SPATE_API int spate_offload_owned(
    spate_offload_fn *fn, void *arg, spate_drop_fn *drop, uint32_t timeout_ms);

/* ------------------------------------------------------------------ tasks */

/*
 * Have fn(arg) called once, soon, in a fiber of its own: from a handler by a
 * worker of the same shard, else of any. It may call all that is for handlers
 * and takes neither a request nor a stream: sleep, offload, call other
 * servers, use channels, spawn more. No client is behind it, so its waits end
 * with -ECANCELED when the server is stopped and drain_timeout_ms are over; in
 * that time the server waits for it to return.
 *
 * It does not inherit the deadline of a route.
 *
 * SPATE_BACKGROUND: a task that is there for as long as the server runs. A
 * stop does not wait for it; when all others have gone, its waits end.
 *
 * Errors: -EAGAIN (max_tasks are there), -ECANCELED (the server ends),
 * -EINVAL, -ESTALE (it has not started), -ENOMEM. fn is then not called.
 * Context: any, while the server runs.
 */
typedef void spate_task_fn(void *arg);
enum { SPATE_BACKGROUND = 1 << 0 };
SPATE_API int spate_spawn(
    struct spate_server *server, spate_task_fn *fn, void *arg, unsigned flags);

/* --------------------------------------------------------------- channels */

/*
 * A channel takes pointers from tasks and handlers to others, whichever
 * thread they run in:
 *
 *     struct spate_channel *channel;
 *
 *     spate_channel_new(&channel, 16, 64, free);
 *     ...
 *     error = spate_channel_send(channel, item, 1000);
 *                                     error = spate_channel_receive(channel,
 *                                         &item, 0);
 *
 * It holds a number of pointers, first in first out. Who sends to a full one,
 * or receives from an empty one, waits. What was written before a send is
 * seen after the receive; and what was written before a close, by who is told
 * of it. So a channel that is only ever closed says to any number of waiters
 * that a result is there.
 *
 * Whoever uses it holds a reference. With the last one it is freed, and what
 * is left in it given to drop, if there is one.
 */
struct spate_channel;

/*
 * Make one, with a reference for the caller. capacity is rounded up to a power
 * of two, and is at least 2 and at most 1,048,576. waiters is how many may
 * wait at a time to send, and as many to receive: rounded up to a multiple of
 * 64, at most 65,536; each takes some 16 bytes.
 *
 * Errors: -EINVAL, -ENOMEM. Context: any.
 */
SPATE_API int spate_channel_new(struct spate_channel **out, size_t capacity,
    size_t waiters, spate_drop_fn *drop);

/* One reference more, and one less; NULL is fine. Context: any. */
SPATE_API void spate_channel_hold(struct spate_channel *channel);
SPATE_API void spate_channel_release(struct spate_channel *channel);

/*
 * Send no more. What is in it can still be received. One that is sent at the
 * same moment may be left in it. Context: any.
 */
SPATE_API void spate_channel_close(struct spate_channel *channel);

/*
 * Send or receive, and wait until it can be done, for at most timeout_ms; 0 is
 * no limit. An item that was not sent is the caller's still.
 *
 * Errors: -EPIPE (closed; for who receives: and empty), -ETIMEDOUT,
 * -ECANCELED (as spate_sleep()), -EAGAIN (too many wait), -ENOMEM, -EPERM (not
 * in a handler or task). Context: handler.
 */
SPATE_API int spate_channel_send(
    struct spate_channel *channel, void *item, uint32_t timeout_ms);
SPATE_API int spate_channel_receive(
    struct spate_channel *channel, void **item, uint32_t timeout_ms);

/* Likewise without waiting: -EAGAIN, -EPIPE. Context: any. */
SPATE_API int spate_channel_try_send(struct spate_channel *channel, void *item);
SPATE_API int
spate_channel_try_receive(struct spate_channel *channel, void **item);

#ifdef __cplusplus
}
#endif

#endif /* SPATE_TASKS_H */
