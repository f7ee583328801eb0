/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Descriptors of the program's own: spate/fd.h.
 *
 * Level-triggered registration would report a descriptor for as long as it
 * is ready, also while no handler waits for it, and its shard would poll in
 * circles. So the level is looked at when somebody waits: a one-shot that is
 * armed anew for each wait says at once what is ready already.
 */

#include "framework/server.h"
#include "shards/event.h"
#include "shards/outgoing.h"

#include <errno.h>
#include <fcntl.h>
#include <spate/fd.h>
#include <stdlib.h>
#include <unistd.h>

#define KNOWN (SPATE_FD_URGENT | SPATE_FD_LEVEL | SPATE_FD_ONESHOT)

struct spate_fd {
	struct sp_worker *worker;
	struct sp_fiber *fiber; /* of the handler that opened it */
	struct sp_poll_desc *pd;
	unsigned flags;
	uint32_t watch;
};

int
spate_fd_open(struct spate_fd **out, int fd, unsigned flags)
{
	struct sp_worker *worker = sp_worker_self();
	struct spate_fd *opened;
	int own, error;

	if (worker == NULL)
		return -EPERM;
	if ((flags & ~(unsigned)KNOWN) != 0
	    || (flags & SPATE_FD_LEVEL && flags & SPATE_FD_ONESHOT))
		return -EINVAL;
	opened = malloc(sizeof(*opened));
	if (opened == NULL)
		return -ENOMEM;
	/* A number of our own: the caller may close theirs at any time. */
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0) {
		error = -errno;
		free(opened);
		return error;
	}
	opened->worker = worker;
	opened->fiber = worker->current;
	opened->flags = flags;
	opened->watch = SP_WATCH_READ | SP_WATCH_WRITE;
	if (flags & SPATE_FD_URGENT)
		opened->watch |= SP_WATCH_URGENT;
	if (flags & (SPATE_FD_LEVEL | SPATE_FD_ONESHOT))
		opened->watch |= SP_WATCH_ONESHOT;
	error = sp_outgoing_register(worker, own, opened->watch, &opened->pd);
	if (error != 0) {
		close(own);
		free(opened);
		return error;
	}
	*out = opened;
	return 0;
}

/* There is one place in a slot: two that wait in it would end the program. */
static bool
is_ours(const struct spate_fd *fd)
{
	return fd->worker == sp_worker_self()
	       && fd->fiber == fd->worker->current;
}

static int
arm(struct spate_fd *fd, uint32_t watch)
{
	return sp_netpoll_modify(&fd->worker->shard->np, fd->pd->fd,
	    sp_poll_desc_handle(fd->pd), watch);
}

/* Ask for what is waited for alone: what else is ready would use it up. */
static int
look_at_level(struct spate_fd *fd, enum sp_poll_mode mode)
{
	uint32_t other = mode == SP_POLL_READ ? SP_WATCH_WRITE : SP_WATCH_READ;

	sp_slot_consume(&fd->pd->slot[mode]);
	return arm(fd, fd->watch & ~other);
}

/* Whether urgent data was reported since this was asked last. */
static bool
take_urgent(struct sp_poll_desc *pd)
{
	const uint32_t urgent = SP_POLL_URGENT;

	return (sp_poll_info(pd) & urgent) != 0
	    && (sp_fetch_and(&pd->info, ~urgent, seq_cst) & urgent) != 0;
}

int
spate_fd_wait(struct spate_fd *fd, unsigned what, uint32_t timeout_ms)
{
	enum sp_poll_mode mode
	    = what == SPATE_FD_WRITE ? SP_POLL_WRITE : SP_POLL_READ;
	sp_tick until = SP_DEADLINE_NONE;
	int error = 0;

	if (!is_ours(fd))
		return -EPERM;
	if (what != SPATE_FD_READ && what != SPATE_FD_WRITE)
		return -EINVAL;
	if (timeout_ms != 0)
		until = sp_tick_in(timeout_ms);
	if (fd->flags & SPATE_FD_LEVEL)
		error = look_at_level(fd, mode);
	if (error == 0)
		error = sp_edge_wait(fd->worker, fd->pd, mode, until);
	if (error != 0)
		return error;
	return (int)(what | (take_urgent(fd->pd) ? SPATE_FD_URGENT : 0));
}

int
spate_fd_rearm(struct spate_fd *fd)
{
	if (!is_ours(fd))
		return -EPERM;
	if (!(fd->flags & SPATE_FD_ONESHOT))
		return -EINVAL;
	return arm(fd, fd->watch);
}

void
spate_fd_close(struct spate_fd *fd)
{
	if (fd == NULL)
		return;
	/* The file stays open elsewhere, and so would its registration. */
	sp_netpoll_close(&fd->worker->shard->np, fd->pd->fd);
	sp_outgoing_close(fd->worker, fd->pd);
	free(fd);
}
