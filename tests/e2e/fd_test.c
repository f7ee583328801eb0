/* SPDX-License-Identifier: BSD-2-Clause */

/* Descriptors of the program's own, which a handler waits for. */

#include "tests/e2e/ask.h"
#include "tests/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static int pair[2];

/* Ask for "/" of a server whose one handler this is. */
static void
run_handler(spate_handler_fn *handler)
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "GET", "/", handler, NULL);
	ask_start(server);
	ask(server, ASK("GET", "/"));
	EXPECT_EQ(ask_status(), 200);
	ask_stop(server);
}

static void
say(const char *text, size_t size)
{
	EXPECT_EQ(write(pair[1], text, size), (intmax_t)size);
}

static int
edges(struct spate_req *req, void *arg)
{
	struct spate_fd *fd = NULL;
	char byte;

	(void)arg;
	EXPECT_EQ(spate_fd_open(&fd, pair[0], 0), 0);
	EXPECT_EQ(spate_fd_wait(fd, SPATE_FD_READ, 20), -ETIMEDOUT);
	say("ab", 2);
	EXPECT_EQ(spate_fd_wait(fd, SPATE_FD_READ, 0), SPATE_FD_READ);
	EXPECT_EQ(read(pair[0], &byte, 1), 1);
	/* There is more, but that is no news. */
	EXPECT_EQ(spate_fd_wait(fd, SPATE_FD_READ, 20), -ETIMEDOUT);
	EXPECT_EQ(spate_fd_rearm(fd), -EINVAL);
	EXPECT_EQ(spate_fd_wait(fd, SPATE_FD_READ | SPATE_FD_WRITE, 1),
	    -EINVAL);
	spate_fd_close(fd);
	return spate_text(req, 200, "ok");
}

static int
levels(struct spate_req *req, void *arg)
{
	struct spate_fd *fd = NULL;
	char byte;

	(void)arg;
	EXPECT_EQ(spate_fd_open(&fd, pair[0], SPATE_FD_LEVEL), 0);
	EXPECT_EQ(spate_fd_wait(fd, SPATE_FD_READ, 20), -ETIMEDOUT);
	say("ab", 2);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(spate_fd_wait(fd, SPATE_FD_READ, 0), SPATE_FD_READ);
		EXPECT_EQ(spate_fd_wait(fd, SPATE_FD_READ, 0), SPATE_FD_READ);
		EXPECT_EQ(read(pair[0], &byte, 1), 1);
	}
	EXPECT_EQ(spate_fd_wait(fd, SPATE_FD_READ, 20), -ETIMEDOUT);
	EXPECT_EQ(spate_fd_wait(fd, SPATE_FD_WRITE, 0), SPATE_FD_WRITE);
	spate_fd_close(fd);
	return spate_text(req, 200, "ok");
}

static int
one_shots(struct spate_req *req, void *arg)
{
	struct spate_fd *fd = NULL;

	(void)arg;
	/* It is writable at once, and that is the one report. */
	EXPECT_EQ(spate_fd_open(&fd, pair[0], SPATE_FD_ONESHOT), 0);
	EXPECT_EQ(spate_fd_wait(fd, SPATE_FD_WRITE, 0), SPATE_FD_WRITE);
	say("a", 1);
	EXPECT_EQ(spate_fd_wait(fd, SPATE_FD_READ, 20), -ETIMEDOUT);
	EXPECT_EQ(spate_fd_rearm(fd), 0);
	EXPECT_EQ(spate_fd_wait(fd, SPATE_FD_READ, 0), SPATE_FD_READ);
	EXPECT_EQ(spate_fd_wait(fd, SPATE_FD_READ, 20), -ETIMEDOUT);
	spate_fd_close(fd);
	return spate_text(req, 200, "ok");
}

static void
with_pair(spate_handler_fn *handler)
{
	EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	run_handler(handler);
	close(pair[0]);
	close(pair[1]);
}

TEST(an_edge_is_told_once)
{
	with_pair(edges);
}

TEST(a_level_is_told_for_as_long_as_it_holds)
{
	with_pair(levels);
}

TEST(a_one_shot_tells_once_until_it_is_armed_again)
{
	with_pair(one_shots);
}

/* Two ends of a TCP connection, for urgent data. */
static void
connect_pair(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	EXPECT_EQ(bind(listener, (struct sockaddr *)&address, size), 0);
	EXPECT_EQ(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&address, &size);
	pair[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT_EQ(connect(pair[1], (struct sockaddr *)&address, size), 0);
	pair[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
}

static int
urgent(struct spate_req *req, void *arg)
{
	struct spate_fd *fd = NULL;

	(void)arg;
	EXPECT_EQ(spate_fd_open(&fd, pair[0], SPATE_FD_URGENT), 0);
	EXPECT_EQ(send(pair[1], "!", 1, MSG_OOB), 1);
	EXPECT_EQ(spate_fd_wait(fd, SPATE_FD_READ, 0),
	    SPATE_FD_READ | SPATE_FD_URGENT);
	say("a", 1);
	EXPECT(spate_fd_wait(fd, SPATE_FD_READ, 0) > 0);
	spate_fd_close(fd);
	return spate_text(req, 200, "ok");
}

TEST(urgent_data_is_told_apart)
{
	connect_pair();
	run_handler(urgent);
	close(pair[0]);
	close(pair[1]);
}

static int
refusals(struct spate_req *req, void *arg)
{
	struct spate_fd *fd = NULL;
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)arg;
	EXPECT_EQ(spate_fd_open(&fd, file, 0), -EPERM);
	EXPECT_EQ(spate_fd_open(&fd, -1, 0), -EBADF);
	EXPECT_EQ(spate_fd_open(&fd, file, 1u << 20), -EINVAL);
	EXPECT_EQ(
	    spate_fd_open(&fd, file, SPATE_FD_LEVEL | SPATE_FD_ONESHOT),
	    -EINVAL);
	close(file);
	spate_fd_close(NULL);
	return spate_text(req, 200, "ok");
}

TEST(what_cannot_be_watched_is_refused)
{
	struct spate_fd *fd;

	run_handler(refusals);
	EXPECT_EQ(spate_fd_open(&fd, 0, 0), -EPERM);
}

static atomic_int ended;

static int
wait_for_ever(struct spate_req *req, void *arg)
{
	struct spate_fd *fd = NULL;
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), error;

	(void)arg;
	(void)req;
	EXPECT_EQ(spate_fd_open(&fd, event, 0), 0);
	close(event); /* ours is another number */
	atomic_store(&ended, 1);
	error = spate_fd_wait(fd, SPATE_FD_READ, 0);
	spate_fd_close(fd);
	atomic_store(&ended, error);
	return error;
}

TEST(a_client_that_leaves_ends_the_wait)
{
	struct spate_server *server = ask_new(NULL);
	const char *request = ASK("GET", "/");
	int client;

	atomic_store(&ended, 0);
	spate_route(server, "GET", "/", wait_for_ever, NULL);
	ask_start(server);
	client = ask_connect(server);
	ask_send(client, request, strlen(request));
	while (atomic_load(&ended) == 0)
		sched_yield();
	close(client);
	ask_stop(server);
	EXPECT_EQ(atomic_load(&ended), -ECANCELED);
}

static struct spate_fd *_Atomic shared;

static int
wait_and_share(struct spate_req *req, void *arg)
{
	struct spate_fd *fd = NULL;

	(void)arg;
	EXPECT_EQ(spate_fd_open(&fd, pair[0], 0), 0);
	atomic_store(&shared, fd);
	EXPECT_EQ(spate_fd_wait(fd, SPATE_FD_READ, 0), SPATE_FD_READ);
	spate_fd_close(fd);
	return spate_text(req, 200, "waited\n");
}

static int
use_anothers(struct spate_req *req, void *arg)
{
	struct spate_fd *fd = atomic_load(&shared);

	(void)arg;
	EXPECT_EQ(spate_fd_wait(fd, SPATE_FD_READ, 10), -EPERM);
	EXPECT_EQ(spate_fd_rearm(fd), -EPERM);
	return spate_text(req, 200, "refused\n");
}

TEST(a_handler_is_refused_what_another_one_waits_for)
{
	struct spate_options options = spate_options_default();
	const char *request = ASK("GET", "/wait");
	struct spate_server *server;
	int client;

	options.spares = 0; /* both are the one worker's */
	server = ask_new(&options);
	EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	spate_route(server, "GET", "/wait", wait_and_share, NULL);
	spate_route(server, "GET", "/other", use_anothers, NULL);
	ask_start(server);
	client = ask_connect(server);
	ask_send(client, request, strlen(request));
	while (atomic_load(&shared) == NULL)
		sched_yield();
	ask(server, ASK("GET", "/other"));
	EXPECT(ask_says("refused\n"));
	say("a", 1);
	ask_read(client, NULL);
	EXPECT(ask_says("waited\n"));
	close(client);
	ask_stop(server);
	close(pair[0]);
	close(pair[1]);
}
