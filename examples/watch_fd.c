/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Waiting for a descriptor of the program's own, as a client library would
 * give out; here it is a timer of the kernel's. The handler waits, and its
 * worker does other things meanwhile.
 *
 *     watch_fd
 *     curl -N 'http://127.0.0.1:8080/?ms=500&n=3'     three lines, in 1.5 s
 */

#include <errno.h>
#include <inttypes.h>
#include <spate.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MS_MAX 60000

/* Each expiry is a number of them to be read. */
static int
send_ticks(struct spate_req *req, struct spate_fd *fd, int timer, uint64_t n)
{
	int error = spate_begin(req, 200, "text/plain", -1);
	uint64_t ticks = 0, more;
	char line[40];

	while (error == 0 && ticks < n) {
		int ready = spate_fd_wait(fd, SPATE_FD_READ, 0);

		if (ready < 0)
			return ready;
		if (read(timer, &more, sizeof(more)) != sizeof(more))
			continue; /* it was not for us */
		ticks += more;
		error = spate_write(req, line,
		    (size_t)snprintf(
			line, sizeof(line), "tick %" PRIu64 "\n", ticks));
		if (error == 0)
			error = spate_flush(req);
	}
	return error;
}

static int
ticks(struct spate_req *req, void *arg)
{
	struct itimerspec each = { { 0, 0 }, { 0, 0 } };
	struct spate_fd *fd = NULL;
	uint64_t ms = 1000, n = 3;
	int timer, error = spate_query_u64(req, "ms", &ms);

	(void)arg;
	if (error == 0 || error == -ENOENT)
		error = spate_query_u64(req, "n", &n);
	if (error != 0 && error != -ENOENT)
		return error;
	if (ms == 0 || ms > MS_MAX)
		return spate_bad_value(req, "query parameter", "ms", -ERANGE);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (timer < 0)
		return -errno;
	each.it_value.tv_sec = each.it_interval.tv_sec = (time_t)(ms / 1000);
	each.it_value.tv_nsec = each.it_interval.tv_nsec = (long)(ms % 1000)
							   * 1000000;
	timerfd_settime(timer, 0, &each, NULL);
	error = spate_fd_open(&fd, timer, 0);
	if (error == 0)
		error = send_ticks(req, fd, timer, n);
	spate_fd_close(fd);
	close(timer);
	return error;
}

int
main(int argc, char **argv)
{
	struct spate_server *server = spate_server_new(NULL);

	spate_route(server, "GET", "/", ticks, NULL);
	return spate_main(server, argc, argv);
}
