/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FD_H
#define SPATE_FD_H

/*
 * Descriptors of the program's own, for handlers to wait on: what a client
 * library gives out, a pipe, a timer.
 *
 *     struct spate_fd *fd;
 *     int error = spate_fd_open(&fd, library_fd(), SPATE_FD_LEVEL);
 *
 *     while (error == 0 && library_wants_more())
 *             error = spate_fd_wait(fd, SPATE_FD_READ, 1000);
 *     spate_fd_close(fd);
 *
 *     mode              a wait ends when the descriptor
 *     --------------    ---------------------------------------------------
 *     edge (0)          has become ready since the last wait; so do the I/O
 *                       until it says EAGAIN before waiting
 *     SPATE_FD_LEVEL    is ready
 *     SPATE_FD_ONESHOT  has become ready, once; then spate_fd_rearm()
 *
 * This is epoll(7), with the handler's fiber where the thread would be. It
 * is included by <spate.h>.
 */

#include <spate.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spate_fd;

enum {
	SPATE_FD_READ = 1 << 0,   /* readable, or the peer has sent its last */
	SPATE_FD_WRITE = 1 << 1,  /* writable */
	SPATE_FD_URGENT = 1 << 2, /* EPOLLPRI; counts as readable too */
	SPATE_FD_LEVEL = 1 << 3,
	SPATE_FD_ONESHOT = 1 << 4
};

/*
 * Watch a descriptor, in the mode of flags; SPATE_FD_URGENT among them to
 * be told of that as well. It stays the caller's, and may be closed before or
 * after this.
 *
 * Errors: -EPERM (a regular file, or not in a handler), -EINVAL (flags),
 * -EBADF, -EMFILE, -ENOMEM, -ECANCELED (the server stops). Context: handler.
 */
SPATE_API int spate_fd_open(struct spate_fd **out, int fd, unsigned flags);

/*
 * Wait for SPATE_FD_READ or SPATE_FD_WRITE, for at most timeout_ms; 0 is no
 * limit.
 *
 * Returns what was waited for, with SPATE_FD_URGENT if that was seen since
 * the last wait.
 *
 * Errors: -ETIMEDOUT, -ECANCELED (the client has gone, or the server stops),
 * -EIO (an error and nothing else was reported: ask the descriptor), -EPERM
 * (opened by another handler), -EINVAL, -ENOMEM. Context: the handler that
 * opened it.
 */
SPATE_API int spate_fd_wait(
    struct spate_fd *fd, unsigned what, uint32_t timeout_ms);

/*
 * Let a one-shot report once more; at once, if it is ready. Errors: -EPERM,
 * -EINVAL (another mode). Context: as spate_fd_wait().
 */
SPATE_API int spate_fd_rearm(struct spate_fd *fd);

/* Watch it no more. NULL is fine. Context: as spate_fd_wait(). */
SPATE_API void spate_fd_close(struct spate_fd *fd);

#ifdef __cplusplus
}
#endif

#endif /* SPATE_FD_H */
