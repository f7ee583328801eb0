/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Netpoll on epoll(7): the one file that names it.
 */

#include "shards/netpoll.h"

#include "alloc/cacheline.h"
#include "alloc/check.h"
#include "shards/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* Longest wait that is asked for in one call; the caller comes back. */
#define WAIT_MAX_NS (INT64_C(1000000) * SP_NS_PER_S)

static uint32_t
events_of(uint32_t watch)
{
	uint32_t events = 0;

	if (watch & SP_WATCH_READ)
		events |= EPOLLIN;
	/* The kernel refuses the two together; a listener has no peer. */
	if ((watch & SP_WATCH_READ) && !(watch & SP_WATCH_EXCLUSIVE))
		events |= EPOLLRDHUP;
	if (watch & SP_WATCH_WRITE)
		events |= EPOLLOUT;
	if (watch & SP_WATCH_URGENT)
		events |= EPOLLPRI;
	if (watch & SP_WATCH_EXCLUSIVE)
		events |= EPOLLEXCLUSIVE;
	if (watch & SP_WATCH_ONESHOT)
		return events | EPOLLONESHOT;
	return watch & SP_WATCH_LEVEL ? events : events | EPOLLET;
}

static int
control(struct sp_netpoll *np, int op, int fd, sp_handle handle, uint32_t watch)
{
	struct epoll_event event = { .events = events_of(watch) };

	event.data.u64 = handle;
	return epoll_ctl(np->epfd, op, fd, &event) == 0 ? 0 : -errno;
}

/* Without one, waits have limits. */
static void
open_alarm(struct sp_netpoll *np)
{
	np->alarm_fd = timerfd_create(
	    CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (np->alarm_fd >= 0
	    && control(np, EPOLL_CTL_ADD, np->alarm_fd, SP_HANDLE_ALARM,
		   SP_WATCH_READ)
		   != 0) {
		close(np->alarm_fd);
		np->alarm_fd = -1;
	}
}

int
sp_netpoll_init(struct sp_netpoll *np)
{
	int error;

	np->epfd = np->wake_fd = np->alarm_fd = -1;
	np->coarse = false;
	np->inited = true;
	np->events = calloc(SP_NETPOLL_EVENTS, sizeof(struct epoll_event));
	if (np->events == NULL) {
		error = -ENOMEM;
		goto fail;
	}
	np->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (np->epfd < 0) {
		error = -errno;
		goto fail;
	}
	np->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (np->wake_fd < 0) {
		error = -errno;
		goto fail;
	}

	/*
	 * Edge-triggered, so that a write is reported once and needs no
	 * read: the counter only ever goes up.
	 */
	error = control(
	    np, EPOLL_CTL_ADD, np->wake_fd, SP_HANDLE_WAKE, SP_WATCH_READ);
	if (error != 0)
		goto fail;
	open_alarm(np);
	return 0;
fail:
	sp_netpoll_fini(np);
	return error;
}

int
sp_netpoll_generic_init(struct sp_netpoll *np)
{
	return np->inited ? 0 : sp_netpoll_init(np);
}

void
sp_netpoll_fini(struct sp_netpoll *np)
{
	if (!np->inited)
		return;
	if (np->alarm_fd >= 0)
		close(np->alarm_fd);
	if (np->wake_fd >= 0)
		close(np->wake_fd);
	if (np->epfd >= 0)
		close(np->epfd);
	free(np->events);
	np->events = NULL;
	np->epfd = np->wake_fd = np->alarm_fd = -1;
	np->inited = false;
}

int
sp_netpoll_open(struct sp_netpoll *np, int fd, sp_handle handle, uint32_t watch)
{
	return control(np, EPOLL_CTL_ADD, fd, handle, watch);
}

int
sp_netpoll_modify(
    struct sp_netpoll *np, int fd, sp_handle handle, uint32_t watch)
{
	return control(np, EPOLL_CTL_MOD, fd, handle, watch);
}

int
sp_netpoll_close(struct sp_netpoll *np, int fd)
{
	return control(np, EPOLL_CTL_DEL, fd, 0, 0);
}

void
sp_netpoll_break(struct sp_netpoll *np)
{
	const uint64_t one = 1;
	uint64_t count;
	ssize_t n;

	for (;;) {
		n = write(np->wake_fd, &one, sizeof(one));
		if (n == (ssize_t)sizeof(one))
			return;
		if (errno == EINTR)
			continue;

		/*
		 * The counter is full after 2^64 - 2 writes. Emptying it
		 * makes room for an edge.
		 */
		SP_CHECK(errno == EAGAIN);
		n = read(np->wake_fd, &count, sizeof(count));
	}
}

int
sp_netpoll_alarm(struct sp_netpoll *np, uint64_t at_ns)
{
	struct itimerspec time = { 0 };

	/* A time of zero would disarm it. */
	time.it_value.tv_sec = (time_t)(at_ns / SP_NS_PER_S);
	time.it_value.tv_nsec = (long)(at_ns % SP_NS_PER_S) | 1;
	if (np->alarm_fd < 0)
		return -ENOSYS;
	return timerfd_settime(np->alarm_fd, TFD_TIMER_ABSTIME, &time, NULL)
		       == 0
		   ? 0
		   : -errno;
}

/* With a fallback for kernels before 5.11 and filters that refuse it. */
static int
wait_events(struct sp_netpoll *np, int max, int64_t delay)
{
	struct timespec timeout = {
		.tv_sec = delay / SP_NS_PER_S,
		.tv_nsec = delay % SP_NS_PER_S,
	};
	int ms = -1, n;

	if (delay > 0 && !np->coarse) {
		n = epoll_pwait2(
		    np->epfd, np->events, max, &timeout, np->sigmask);
		if (n >= 0 || (errno != ENOSYS && errno != EPERM))
			return n;
		np->coarse = true;
	}

	/*
	 * Rounded up: rounded down, a wait of less than a millisecond would
	 * become a loop that polls until the time is there.
	 */
	if (delay >= 0)
		ms = (int)((delay + SP_NS_PER_MS - 1) / SP_NS_PER_MS);
	return epoll_pwait(np->epfd, np->events, max, ms, np->sigmask);
}

unsigned
sp_netpoll_wait(struct sp_netpoll *np, int64_t delay)
{
	int max = delay == 0 ? SP_NETPOLL_BUSY : SP_NETPOLL_EVENTS;
	int n;

	if (delay > WAIT_MAX_NS)
		delay = WAIT_MAX_NS;
	for (;;) {
		n = wait_events(np, max, delay);
		if (n >= 0)
			return (unsigned)n;
		SP_CHECK(errno == EINTR);
		if (delay > 0)
			return 0; /* the caller works out what is left */
	}
}

static uint32_t
polled_bits(uint32_t events)
{
	uint32_t polled = 0;

	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		polled |= SP_POLLED_READ;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		polled |= SP_POLLED_WRITE;
	if (events & EPOLLPRI)
		polled |= SP_POLLED_URGENT | SP_POLLED_READ;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		polled |= SP_POLLED_HANGUP;
	if (events == EPOLLERR)
		polled |= SP_POLLED_ERROR;
	return polled;
}

struct sp_polled
sp_netpoll_event(const struct sp_netpoll *np, unsigned i)
{
	const struct epoll_event *event = (const struct epoll_event *)np->events
					  + i;

	return (struct sp_polled){ event->data.u64,
		sp_likely(event->events == EPOLLIN)
		    ? (uint32_t)SP_POLLED_READ
		    : polled_bits(event->events) };
}
