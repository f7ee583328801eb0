/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_NETPOLL_H
#define SPATE_SHARDS_NETPOLL_H

/*
 * Netpoll: one epoll instance and one eventfd for each shard. This is the
 * one place that names epoll; the rest of the engine speaks of SP_POLLED_*.
 *
 * What epoll carries for us is a handle (handle.h). Handles of generation 0
 * are the shard's own: its eventfd, its alarm, and its listeners by number.
 *
 *     registered as    flags                     reported
 *     -------------    -----------------------   -------------------------
 *     connection       SP_POLL_EDGE, reading;    once for each edge
 *                      writing is added by one
 *                      modify, at the first
 *                      send that falls short
 *     listener         level-triggered           as long as clients wait
 *     eventfd          edge-triggered, and       once for each write
 *                      never read
 *     alarm, a         the same                  once for each time that it
 *     timerfd                                    was set
 *     user's fd        any of the modes          as asked
 *
 * Level-triggered and one-shot modes are for descriptors that users
 * register: the first reports again until the condition is gone, the second
 * once until the next sp_netpoll_modify().
 */

#include "shards/handle.h"
#include "shards/task.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* What to watch for. */
enum {
	SP_WATCH_READ = 1u << 0, /* and the peer's end of sending */
	SP_WATCH_WRITE = 1u << 1,
	SP_WATCH_URGENT = 1u << 2, /* EPOLLPRI */
	SP_WATCH_LEVEL = 1u << 3,
	SP_WATCH_ONESHOT = 1u << 4,
	SP_WATCH_EXCLUSIVE = 1u << 5, /* one listener in several shards */
};

/* What was reported. */
enum {
	SP_POLLED_READ = 1u << 0,
	SP_POLLED_WRITE = 1u << 1,
	SP_POLLED_URGENT = 1u << 2,
	SP_POLLED_HANGUP = 1u << 3, /* the peer is done, or the fd failed */
	SP_POLLED_ERROR = 1u << 4,  /* nothing but an error */
};

#define SP_NETPOLL_EVENTS 256 /* at most, of a poll that may block */
#define SP_NETPOLL_BUSY 64    /* of one that may not */

struct sp_netpoll {
	int epfd;
	int wake_fd;
	int alarm_fd; /* -1: none is to be had */
	bool inited;
	bool coarse; /* no epoll_pwait2(): time-outs in milliseconds */
	const sigset_t *sigmask; /* for the time of a wait; NULL: unchanged */
	void *events;            /* the poll token's holder's */
};

/*
 * sp_netpoll_init: Go's netpollinit. One epoll instance and one eventfd,
 * both closed on exec.
 *
 * => Returns 0 or -errno, and then nothing is open.
 */
int sp_netpoll_init(struct sp_netpoll *np);
void sp_netpoll_fini(struct sp_netpoll *np);

/*
 * sp_netpoll_generic_init: Go's netpollGenericInit. As sp_netpoll_init(),
 * but a second call does nothing.
 */
int sp_netpoll_generic_init(struct sp_netpoll *np);

/* sp_netpoll_inited: Go's netpollinited. */
static inline bool
sp_netpoll_inited(const struct sp_netpoll *np)
{
	return np->inited;
}

/*
 * sp_netpoll_is_poll_descriptor: Go's netpollIsPollDescriptor. Whether fd is
 * this shard's own, and so nobody's to register or close.
 */
static inline bool
sp_netpoll_is_poll_descriptor(const struct sp_netpoll *np, int fd)
{
	return np->inited && fd >= 0
	       && (fd == np->epfd || fd == np->wake_fd || fd == np->alarm_fd);
}

/*
 * sp_netpoll_open: Go's netpollopen. Report fd by this handle from now on;
 * also what it is already ready for.
 *
 * => Returns 0 or -errno: -EPERM for what epoll cannot watch, such as a
 *    regular file; -ENOSPC, -ENOMEM. On failure the fd is as it was.
 */
int sp_netpoll_open(
    struct sp_netpoll *np, int fd, sp_handle handle, uint32_t watch);

/*
 * sp_netpoll_modify: watch for something else. Also re-arms a one-shot, and
 * reports what the fd is ready for at this moment.
 */
int sp_netpoll_modify(
    struct sp_netpoll *np, int fd, sp_handle handle, uint32_t watch);

/*
 * sp_netpoll_close: Go's netpollclose. Report fd no more. Closing the last
 * descriptor of a file does so too; this is for one that may have been
 * duplicated or inherited, whose events would go on.
 */
int sp_netpoll_close(struct sp_netpoll *np, int fd);

/*
 * sp_netpoll_break: the system call of Go's netpollBreak. Only for whom
 * sp_wake_notify() told to.
 */
void sp_netpoll_break(struct sp_netpoll *np);

/*
 * sp_netpoll_alarm: end waits at a time of CLOCK_MONOTONIC, in place of the
 * time set before. A wait with a limit of its own reads the clock twice and
 * arms a timer of the kernel's each time; this does so once.
 *
 * => Returns 0 or -errno: give the waits a limit instead.
 * => Context: the holder of the poll token.
 */
int sp_netpoll_alarm(struct sp_netpoll *np, uint64_t at_ns);

/*
 * sp_netpoll_wait: the system call of Go's netpoll.
 *
 *     delay < 0    wait for as long as it takes
 *     delay == 0   do not wait
 *     delay > 0    wait for that many nanoseconds at most, rounded up where
 *                  the kernel only knows milliseconds
 *
 * => Returns how many events there are for sp_netpoll_event(); 0 when the
 *    time is up, or when a signal ended a bounded wait.
 * => Context: the holder of the poll token.
 */
unsigned sp_netpoll_wait(struct sp_netpoll *np, int64_t delay);

/* sp_netpoll_event: the i-th event. */
struct sp_polled {
	sp_handle handle;
	uint32_t bits; /* SP_POLLED_* */
};

struct sp_polled sp_netpoll_event(const struct sp_netpoll *np, unsigned i);

#endif /* SPATE_SHARDS_NETPOLL_H */
