/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * From a file to a connection, without a copy in between.
 *
 * sendfile(2) cannot be told MSG_NOSIGNAL. On a connection that the peer has
 * reset it raises SIGPIPE in the calling thread, and workers have every
 * signal blocked (sp_worker_start), so it stays pending and kills nobody.
 */

#include "shards/conn_io.h"

#include <errno.h>
#include <sys/sendfile.h>

/* Reading a file can take long, and whoever reads on may take it all. */
#define SLICE (256 * 1024)

/* Let other fibers of this worker go first. */
static void
let_others_run(struct sp_worker *worker)
{
	if (sp_fiber_reserve(worker) != 0)
		return;
	sp_fiber_ready(worker->current);
	sp_fiber_suspend(worker);
}

int
sp_conn_sendfile(struct sp_worker *worker, struct sp_poll_desc *pd, int file,
    off_t *offset, uint64_t size, uint32_t timeout_ms, struct sp_stall *stall)
{
	uint64_t slice = 0;
	bool took = false;

	while (size != 0) {
		size_t most = size < SLICE ? (size_t)size : SLICE;
		ssize_t n = sendfile(pd->fd, file, offset, most);
		int error;

		if (n > 0) {
			sp_count(&worker->counters.bytes_out, (uint64_t)n);
			size -= (uint64_t)n;
			slice += (uint64_t)n;
			took = true;
			if (slice < SLICE || size == 0)
				continue;
			slice = 0;
			let_others_run(worker);
			error = sp_netpoll_check_err(pd, SP_POLL_WRITE);
			if (error == -ECANCELED)
				return error;
			continue;
		}
		if (n == 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		error = sp_conn_wait_for_room(
		    worker, pd, timeout_ms, stall, took);
		if (error != 0)
			return error;
		took = false;
	}
	return 0;
}
