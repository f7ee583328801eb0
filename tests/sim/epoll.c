/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * epoll(7), as fs/eventpoll.c has it: what is told to a file goes to its
 * items, those that it concerns become ready, and a wait asks each of them
 * what there is at that moment. Edge-triggered ones are then ready no more.
 */

#include "tests/sim/kernel.h"
#include "tests/sim/wrap.h"

#include <errno.h>
#include <sys/epoll.h>

#define FLAGS (EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE)
#define ALWAYS (EPOLLERR | EPOLLHUP)

struct sim_item sim_items[SIM_ITEMS];

static uint64_t order;

static void
make_ready(struct sim_item *item)
{
	if (item->ready)
		return;
	item->ready = true;
	item->since = ++order;
}

void
sim_epoll_tell(struct sim_file *file, uint32_t events)
{
	uint32_t start = sim_below(SIM_ITEMS);

	for (uint32_t i = 0; i < SIM_ITEMS; i++) {
		struct sim_item *item = &sim_items[(start + i) % SIM_ITEMS];

		if (item->file != file || !(item->events & ~FLAGS)
		    || !((item->events | ALWAYS) & events))
			continue;
		make_ready(item);
		/* Of several epoll instances, the first that has somebody. */
		if (sim_wake(item->epoll, 1) != 0
		    && (item->events & EPOLLEXCLUSIVE))
			return;
	}
}

void
sim_epoll_repeat(struct sim_file *file)
{
	sim_epoll_tell(file, sim_file_events(file));
}

void
sim_epoll_forget(struct sim_file *file)
{
	for (int i = 0; i < SIM_ITEMS; i++)
		if (sim_items[i].file == file || sim_items[i].epoll == file)
			sim_items[i].file = NULL;
}

struct sim_item *
sim_epoll_item(const struct sim_file *file, int fd)
{
	for (int i = 0; i < SIM_ITEMS; i++)
		if (sim_items[i].file == file && sim_items[i].fd == fd)
			return &sim_items[i];
	return NULL;
}

static uint32_t
news_of(const struct sim_item *item)
{
	if (item->file == NULL || !item->ready || !(item->events & ~FLAGS))
		return 0;
	return sim_file_events(item->file) & (item->events | ALWAYS);
}

bool
sim_epoll_has_news(const struct sim_file *epoll)
{
	for (int i = 0; i < SIM_ITEMS; i++)
		if (sim_items[i].epoll == epoll && news_of(&sim_items[i]))
			return true;
	return false;
}

/* ------------------------------------------------------------ system calls */

static int
fail(int error)
{
	errno = error;
	return -1;
}

int
__wrap_epoll_create1(int flags)
{
	(void)flags;
	return sim_fd_new(sim_file_new(SIM_EPOLL), false);
}

static struct sim_item *
find(const struct sim_file *epoll, const struct sim_file *file, int fd)
{
	for (int i = 0; i < SIM_ITEMS; i++) {
		struct sim_item *item = &sim_items[i];

		if (item->file == file && item->epoll == epoll
		    && item->fd == fd)
			return item;
	}
	return NULL;
}

static struct sim_item *
add(struct sim_file *epoll, struct sim_file *file, int fd)
{
	struct sim_item *item;

	for (item = sim_items; item->file != NULL; item++)
		if (item == &sim_items[SIM_ITEMS - 1])
			sim_fail("the simulation has too many items");
	*item = (struct sim_item){ .epoll = epoll, .file = file, .fd = fd };
	return item;
}

int
__wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	struct sim_file *epoll, *file;
	struct sim_item *item;

	sim_call();
	epoll = sim_fd_file(epfd, SIM_EPOLL);
	file = sim_fd_file(fd, SIM_NONE);
	if (epoll == NULL || file == NULL)
		return -1;
	if (file->kind == SIM_NULL_DEVICE)
		return fail(EPERM);
	sim_event("epoll_ctl", (uint64_t)op, (uint64_t)fd);
	item = find(epoll, file, fd);
	if (op == EPOLL_CTL_DEL) {
		if (item == NULL)
			return fail(ENOENT);
		item->file = NULL;
		return 0;
	}
	if ((op == EPOLL_CTL_ADD) != (item == NULL))
		return fail(item == NULL ? ENOENT : EEXIST);
	if ((event->events & EPOLLEXCLUSIVE)
	    && (op != EPOLL_CTL_ADD
		|| (event->events & (EPOLLRDHUP | EPOLLONESHOT))))
		return fail(EINVAL);
	if (item == NULL && sim_chance(sim_kernel.fail_control))
		return fail(sim_chance(2) ? ENOMEM : ENOSPC);
	if (item == NULL)
		item = add(epoll, file, fd);
	item->events = event->events;
	item->data = event->data.u64;
	if (sim_file_events(file) & (item->events | ALWAYS)) {
		make_ready(item);
		sim_wake(epoll, 1);
	}
	return 0;
}

static struct sim_item *
first_ready(const struct sim_file *epoll, uint64_t after, uint64_t last)
{
	struct sim_item *first = NULL;

	for (int i = 0; i < SIM_ITEMS; i++) {
		struct sim_item *item = &sim_items[i];

		if (item->file != NULL && item->epoll == epoll && item->ready
		    && item->since > after && item->since <= last
		    && (first == NULL || item->since < first->since))
			first = item;
	}
	return first;
}

static int
collect(const struct sim_file *epoll, struct epoll_event *events, int most)
{
	uint64_t after = 0, last = order;
	struct sim_item *item;
	int n = 0;

	while (n < most && (item = first_ready(epoll, after, last)) != NULL) {
		uint32_t news = news_of(item);

		after = item->since;
		item->ready = false;
		if (news == 0)
			continue;
		events[n].events = news;
		events[n++].data.u64 = item->data;
		sim_event("reports", (uint64_t)item->fd, news);
		if (item->events & EPOLLONESHOT)
			item->events &= FLAGS;
		else if (!(item->events & EPOLLET))
			make_ready(item); /* behind the others */
	}
	return n;
}

/* Such as when the last byte of a segment comes after the first was read. */
static void
add_edges(const struct sim_file *epoll)
{
	for (int i = 0; i < SIM_ITEMS && sim_kernel.edges != 0; i++) {
		struct sim_item *item = &sim_items[i];

		if (item->file != NULL && item->epoll == epoll
		    && (item->events & ~FLAGS)
		    && sim_file_events(item->file) & (item->events | ALWAYS)
		    && sim_chance(sim_kernel.spurious)) {
			sim_kernel.edges--;
			make_ready(item);
		}
	}
}

static int
wait_until(int epfd, struct epoll_event *events, int most, uint64_t until)
{
	struct sim_file *epoll;
	int n;

	sim_call();
	for (;;) {
		enum sim_woken woken;

		epoll = sim_fd_file(epfd, SIM_EPOLL);
		if (epoll == NULL)
			return -1;
		add_edges(epoll);
		n = collect(epoll, events, most);
		if (n != 0 || until <= sim_now)
			break;
		sim_sleeps();
		woken = sim_wait(epoll, until, true);
		if (woken == SIM_INTERRUPTED)
			return fail(EINTR);
		if (woken == SIM_TIMED_OUT)
			until = 0;
	}
	sim_event("epoll_wait", (uint64_t)epfd, (uint64_t)n);
	return n;
}

int
__wrap_epoll_pwait(int epfd, struct epoll_event *events, int most, int ms,
    const sigset_t *mask)
{
	(void)mask;
	return wait_until(epfd, events, most,
	    ms < 0    ? SIM_NEVER
	    : ms == 0 ? 0
		      : sim_now + (uint64_t)ms * SIM_NS_PER_MS);
}

int
__wrap_epoll_pwait2(int epfd, struct epoll_event *events, int most,
    const struct timespec *timeout, const sigset_t *mask)
{
	(void)mask;
	if (sim_kernel.coarse)
		return fail(ENOSYS);
	return wait_until(epfd, events, most,
	    timeout == NULL ? SIM_NEVER : sim_now + sim_ns(timeout));
}
