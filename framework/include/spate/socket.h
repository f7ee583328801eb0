/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SOCKET_H
#define SPATE_SOCKET_H

/*
 * Stream sockets for handlers and tasks, as one would write them with a
 * thread for each. Part of <spate.h>.
 *
 *     static void
 *     serve(void *arg)
 *     {
 *             struct spate_socket *listener, *client;
 *
 *             (void)arg;
 *             if (spate_socket_listen(&listener, "127.0.0.1:7000") != 0)
 *                     return;
 *             while (spate_socket_accept(listener, &client, 0) == 0)
 *                     spate_spawn(server, talk_to, client, 0);
 *             spate_socket_close(listener);
 *     }
 *
 * This is for the few that a handler connects to and for services of no great
 * size: each has a fiber. spate_listen_stream() is for many.
 *
 * A socket is for one handler or task at a time. It may be handed to another,
 * by spate_spawn() or through a channel, and is closed by whoever has it last.
 *
 * Errors, of all calls here that return some: what connect(2), accept(2),
 * recv(2) and send(2) say; -ETIMEDOUT: timeout_ms of this call (0: no limit)
 * or the deadline of the route; -ECANCELED: the client of the handler has
 * gone, or the server is stopped; -ENOMEM; -EPERM: not in a handler or task.
 */

#include <spate.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spate_socket;

/*
 * Connect to an address as of spate_listen(), but that it has to be one, or to
 * NAME:PORT. Also -EINVAL, -EHOSTUNREACH and -EAGAIN, as spate_fetch().
 * Context: handler.
 */
SPATE_API int spate_socket_connect(struct spate_socket **out,
    const char *address, uint32_t timeout_ms);

/*
 * Listen at an address as of spate_listen(), and wait for the next client. The
 * file of a Unix socket is not removed. Context: handler.
 */
SPATE_API int spate_socket_listen(
    struct spate_socket **out, const char *address);
SPATE_API int spate_socket_accept(struct spate_socket *listener,
    struct spate_socket **out, uint32_t timeout_ms);

/* The port that it has on this side, or 0. Context: handler. */
SPATE_API uint16_t spate_socket_port(const struct spate_socket *socket);

/*
 * Some bytes, at least one. Returns how many; 0: the peer has sent its last.
 * Context: handler.
 */
SPATE_API ssize_t spate_socket_read(struct spate_socket *socket, void *buf,
    size_t size, uint32_t timeout_ms);

/*
 * Write all of it; timeout_ms is for each time that the peer takes nothing.
 * After an error some of it may have been written. Context: handler.
 */
SPATE_API int spate_socket_write(struct spate_socket *socket,
    const void *data, size_t size, uint32_t timeout_ms);

/* Send no more; the peer reads an end. Context: handler. */
SPATE_API int spate_socket_end(struct spate_socket *socket);

/* NULL is fine. Context: handler. */
SPATE_API void spate_socket_close(struct spate_socket *socket);

#ifdef __cplusplus
}
#endif

#endif /* SPATE_SOCKET_H */
