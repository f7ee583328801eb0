/* SPDX-License-Identifier: BSD-2-Clause */

/* Netpoll on epoll: modes, events, delays, breaks, and what it leaks. */

#include "shards/netpoll.h"

#include "alloc/check.h"
#include "shards/clock.h"
#include "tests/echo.h"
#include "tests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HANDLE sp_handle_make(1, 0, 5)

static struct sp_netpoll np;

static void
begin(void)
{
	memset(&np, 0, sizeof(np));
	SP_CHECK(sp_netpoll_init(&np) == 0);
}

/* The one event there is, or 0. */
static uint32_t
only_event(void)
{
	unsigned n = sp_netpoll_wait(&np, 0);
	struct sp_polled polled;

	EXPECT(n <= 1);
	if (n == 0)
		return 0;
	polled = sp_netpoll_event(&np, 0);
	EXPECT(polled.handle == HANDLE);
	return polled.bits;
}

static void
open_pair(int fd[2])
{
	SP_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
}

static void
close_pair(const int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

/* Connected over loopback, for what Unix sockets do not have. */
static void
open_tcp(int fd[2])
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SP_CHECK(bind(listener, (struct sockaddr *)&address, size) == 0);
	SP_CHECK(listen(listener, 1) == 0);
	SP_CHECK(
	    getsockname(listener, (struct sockaddr *)&address, &size) == 0);
	SP_CHECK(connect(fd[0], (struct sockaddr *)&address, size) == 0);
	fd[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	SP_CHECK(fd[1] >= 0);
	close(listener);
}

TEST(a_second_generic_init_does_nothing)
{
	int epfd, wake_fd;

	memset(&np, 0, sizeof(np));
	EXPECT(!sp_netpoll_inited(&np));
	EXPECT(!sp_netpoll_is_poll_descriptor(&np, 0));
	EXPECT_EQ(sp_netpoll_generic_init(&np), 0);
	EXPECT(sp_netpoll_inited(&np));
	epfd = np.epfd;
	wake_fd = np.wake_fd;
	EXPECT_EQ(sp_netpoll_generic_init(&np), 0);
	EXPECT_EQ(np.epfd, epfd);
	EXPECT_EQ(np.wake_fd, wake_fd);
	EXPECT(sp_netpoll_is_poll_descriptor(&np, epfd));
	EXPECT(sp_netpoll_is_poll_descriptor(&np, wake_fd));
	EXPECT(!sp_netpoll_is_poll_descriptor(&np, 0));
	EXPECT(!sp_netpoll_is_poll_descriptor(&np, -1));
	sp_netpoll_fini(&np);
	EXPECT(!sp_netpoll_inited(&np));
	sp_netpoll_fini(&np);
}

TEST(an_edge_is_reported_once)
{
	int fd[2];

	begin();
	open_pair(fd);
	EXPECT_EQ(sp_netpoll_open(&np, fd[0], HANDLE, SP_WATCH_READ), 0);
	EXPECT_EQ(only_event(), 0);
	EXPECT_EQ(write(fd[1], "x", 1), 1);
	EXPECT_EQ(only_event(), SP_POLLED_READ);
	EXPECT_EQ(only_event(), 0);
	EXPECT_EQ(write(fd[1], "x", 1), 1);
	EXPECT_EQ(only_event(), SP_POLLED_READ);
	EXPECT_EQ(only_event(), 0);
	close_pair(fd);
	sp_netpoll_fini(&np);
}

TEST(what_was_ready_before_is_reported)
{
	int fd[2];

	begin();
	open_pair(fd);
	EXPECT_EQ(write(fd[1], "x", 1), 1);
	EXPECT_EQ(
	    sp_netpoll_open(&np, fd[0], HANDLE, SP_WATCH_READ | SP_WATCH_WRITE),
	    0);
	EXPECT_EQ(only_event(), SP_POLLED_READ | SP_POLLED_WRITE);
	close_pair(fd);
	sp_netpoll_fini(&np);
}

TEST(a_level_is_reported_until_it_is_gone)
{
	int fd[2];
	char byte;

	begin();
	open_pair(fd);
	EXPECT_EQ(
	    sp_netpoll_open(&np, fd[0], HANDLE, SP_WATCH_READ | SP_WATCH_LEVEL),
	    0);
	EXPECT_EQ(write(fd[1], "x", 1), 1);
	EXPECT_EQ(only_event(), SP_POLLED_READ);
	EXPECT_EQ(only_event(), SP_POLLED_READ);
	EXPECT_EQ(read(fd[0], &byte, 1), 1);
	EXPECT_EQ(only_event(), 0);
	close_pair(fd);
	sp_netpoll_fini(&np);
}

TEST(a_one_shot_is_reported_once_until_it_is_armed)
{
	int fd[2];

	begin();
	open_pair(fd);
	EXPECT_EQ(sp_netpoll_open(
		      &np, fd[0], HANDLE, SP_WATCH_READ | SP_WATCH_ONESHOT),
	    0);
	EXPECT_EQ(write(fd[1], "x", 1), 1);
	EXPECT_EQ(only_event(), SP_POLLED_READ);
	EXPECT_EQ(write(fd[1], "x", 1), 1);
	EXPECT_EQ(only_event(), 0);
	EXPECT_EQ(sp_netpoll_modify(
		      &np, fd[0], HANDLE, SP_WATCH_READ | SP_WATCH_ONESHOT),
	    0);
	EXPECT_EQ(only_event(), SP_POLLED_READ);
	EXPECT_EQ(only_event(), 0);
	close_pair(fd);
	sp_netpoll_fini(&np);
}

TEST(what_is_closed_is_reported_no_more)
{
	int fd[2];

	begin();
	open_pair(fd);
	EXPECT_EQ(sp_netpoll_open(&np, fd[0], HANDLE, SP_WATCH_READ), 0);
	EXPECT_EQ(sp_netpoll_close(&np, fd[0]), 0);
	EXPECT_EQ(write(fd[1], "x", 1), 1);
	EXPECT_EQ(only_event(), 0);
	EXPECT_EQ(sp_netpoll_close(&np, fd[0]), -ENOENT);
	close_pair(fd);
	sp_netpoll_fini(&np);
}

TEST(a_file_cannot_be_watched)
{
	FILE *file = tmpfile();

	begin();
	EXPECT_EQ(
	    sp_netpoll_open(&np, fileno(file), HANDLE, SP_WATCH_READ), -EPERM);
	fclose(file);
	sp_netpoll_fini(&np);
}

TEST(urgent_data_is_its_own_event)
{
	int fd[2];

	begin();
	open_tcp(fd);
	EXPECT_EQ(sp_netpoll_open(
		      &np, fd[1], HANDLE, SP_WATCH_READ | SP_WATCH_URGENT),
	    0);
	EXPECT_EQ(send(fd[0], "!", 1, MSG_OOB), 1);
	EXPECT(only_event() & SP_POLLED_URGENT);
	close_pair(fd);
	sp_netpoll_fini(&np);
}

TEST(data_and_the_end_come_in_one_event)
{
	int fd[2];
	char buffer[8];

	begin();
	open_tcp(fd);
	EXPECT_EQ(sp_netpoll_open(&np, fd[1], HANDLE, SP_WATCH_READ), 0);
	EXPECT_EQ(send(fd[0], "last", 4, MSG_NOSIGNAL), 4);
	EXPECT_EQ(shutdown(fd[0], SHUT_WR), 0);
	EXPECT_EQ(only_event(), SP_POLLED_READ | SP_POLLED_HANGUP);
	EXPECT_EQ(recv(fd[1], buffer, sizeof(buffer), 0), 4);
	/* Nothing more is reported, though there is an end to be read. */
	EXPECT_EQ(only_event(), 0);
	EXPECT_EQ(recv(fd[1], buffer, sizeof(buffer), 0), 0);
	close_pair(fd);
	sp_netpoll_fini(&np);
}

TEST(an_error_alone_wakes_both_modes)
{
	int fd[2];

	begin();
	SP_CHECK(pipe2(fd, O_CLOEXEC) == 0);
	EXPECT_EQ(sp_netpoll_open(&np, fd[1], HANDLE, SP_WATCH_READ), 0);
	close(fd[0]);
	EXPECT_EQ(only_event(), SP_POLLED_READ | SP_POLLED_WRITE
				    | SP_POLLED_HANGUP | SP_POLLED_ERROR);
	close(fd[1]);
	sp_netpoll_fini(&np);
}

TEST(a_listener_may_be_exclusive)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	begin();
	EXPECT_EQ(sp_netpoll_open(&np, fd, HANDLE,
		      SP_WATCH_READ | SP_WATCH_LEVEL | SP_WATCH_EXCLUSIVE),
	    0);
	close(fd);
	sp_netpoll_fini(&np);
}

/* --------------------------------------------------------------- delays */

/* Never shorter: rounded down, a short wait would be a loop that polls. */
static void
wait_at_least(int64_t ns)
{
	uint64_t start = sp_now_ns();

	EXPECT_EQ(sp_netpoll_wait(&np, ns), 0);
	EXPECT((int64_t)(sp_now_ns() - start) >= ns);
}

TEST(a_wait_is_as_long_as_its_delay)
{
	begin();
	wait_at_least(0);
	wait_at_least(1);
	wait_at_least(100000);
	wait_at_least(1500000);
	sp_netpoll_fini(&np);
}

TEST(milliseconds_are_rounded_up)
{
	begin();
	np.coarse = true;
	wait_at_least(0);
	wait_at_least(1);
	wait_at_least(100000);
	wait_at_least(1500000);
	sp_netpoll_fini(&np);
}

static void *
break_it(void *unused)
{
	sp_netpoll_break(&np);
	return unused;
}

static void
expect_break(int64_t delay)
{
	EXPECT_EQ(sp_netpoll_wait(&np, delay), 1);
	EXPECT(sp_netpoll_event(&np, 0).handle == SP_HANDLE_WAKE);
	EXPECT_EQ(sp_netpoll_wait(&np, 0), 0);
}

TEST(a_break_ends_a_wait_of_any_length)
{
	const int64_t delays[] = { -1, INT64_MAX, 3600 * (int64_t)SP_NS_PER_S };

	begin();
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		for (int coarse = 0; coarse < 2; coarse++) {
			pthread_t thread;

			np.coarse = coarse != 0;
			EXPECT_EQ(
			    pthread_create(&thread, NULL, break_it, NULL), 0);
			expect_break(delays[i]);
			pthread_join(thread, NULL);
		}
	}
	sp_netpoll_fini(&np);
}

TEST(a_break_before_the_wait_is_not_lost)
{
	begin();
	sp_netpoll_break(&np);
	sp_netpoll_break(&np);
	expect_break(-1);
	sp_netpoll_fini(&np);
}

TEST(a_counter_that_is_full_still_breaks)
{
	const uint64_t full = UINT64_MAX - 1;

	begin();
	EXPECT_EQ(write(np.wake_fd, &full, sizeof(full)), sizeof(full));
	expect_break(-1);
	sp_netpoll_break(&np);
	expect_break(-1);
	sp_netpoll_fini(&np);
}

/* -------------------------------------------------------------- signals */

static SP_ATOMIC(int) signals;

static void
on_signal(int number)
{
	(void)number;
	sp_fetch_add(&signals, 1, relaxed);
	sp_netpoll_break(&np);
}

TEST(the_signal_mask_holds_during_the_wait_alone)
{
	struct sigaction action = { .sa_handler = on_signal }, old_action;
	sigset_t none, user, old_mask;

	begin();
	sigemptyset(&none);
	sigemptyset(&user);
	sigaddset(&user, SIGUSR1);
	sigaction(SIGUSR1, &action, &old_action);
	pthread_sigmask(SIG_BLOCK, &user, &old_mask);
	np.sigmask = &none;
	for (int coarse = 0; coarse < 2; coarse++) {
		np.coarse = coarse != 0;
		sp_store(&signals, 0, relaxed);
		raise(SIGUSR1);
		EXPECT_EQ(sp_load(&signals, relaxed), 0);
		/* A bounded wait ends; the caller works out what is left. */
		EXPECT_EQ(sp_netpoll_wait(&np, 3600 * (int64_t)SP_NS_PER_S), 0);
		EXPECT_EQ(sp_load(&signals, relaxed), 1);
		expect_break(-1);
		/* One that is not goes on, here until the handler's break. */
		raise(SIGUSR1);
		EXPECT_EQ(sp_load(&signals, relaxed), 1);
		expect_break(-1);
		EXPECT_EQ(sp_load(&signals, relaxed), 2);
	}
	np.sigmask = NULL;
	raise(SIGUSR1);
	wait_at_least(1000);
	EXPECT_EQ(sp_load(&signals, relaxed), 2);
	pthread_sigmask(SIG_SETMASK, &old_mask, NULL);
	sigaction(SIGUSR1, &old_action, NULL);
	sp_netpoll_fini(&np);
}

/* -------------------------------------------------------------- engine */

static int
count_inherited(void)
{
	FILE *ls = popen("ls /proc/self/fd | wc -l", "r");
	int count = -1;

	SP_CHECK(ls != NULL);
	EXPECT_EQ(fscanf(ls, "%d", &count), 1);
	pclose(ls);
	return count;
}

TEST(a_child_holds_none_of_our_descriptors)
{
	struct sp_engine_options options = echo_options(2, 1);
	struct echo_server server;
	int client[4], before = count_inherited();

	echo_start(&server, &options, &echo_task_service);
	for (int i = 0; i < 4; i++) {
		client[i] = echo_connect(&server);
		EXPECT(echo_once(client[i], "hello", 5));
	}
	EXPECT(before > 0);
	EXPECT_EQ(count_inherited(), before);
	for (int i = 0; i < 4; i++)
		close(client[i]);
	echo_stop(&server);
}

TEST(a_sleeping_shard_is_written_to_once)
{
	struct sp_engine_options options = echo_options(1, 1);
	struct sp_engine *engine;
	struct sp_shard *shard;
	uint64_t writes;

	SP_CHECK(sp_engine_new(&engine, &options) == 0);
	shard = engine->shards[0];
	sp_shard_break(shard);
	EXPECT_EQ(sp_load(&shard->breaks_sent, relaxed), 0);
	EXPECT_EQ(sp_load(&shard->breaks_coalesced, relaxed), 1);
	for (int sleep = 1; sleep <= 3; sleep++) {
		sp_wake_blocked(&shard->wake);
		for (int i = 0; i < 5; i++)
			sp_shard_break(shard);
		sp_wake_running(&shard->wake);
		sp_shard_break(shard);
		EXPECT_EQ(sp_load(&shard->breaks_sent, relaxed), sleep);
	}
	EXPECT_EQ(
	    read(shard->np.wake_fd, &writes, sizeof(writes)), sizeof(writes));
	EXPECT_EQ(writes, 3);
	sp_engine_free(engine);
}

static void *
break_often(void *arg)
{
	for (int i = 0; i < 5000; i++) {
		sp_shard_break(arg);
		if (i % 16 == 0)
			sched_yield();
	}
	return NULL;
}

TEST(no_more_writes_than_sleeps)
{
	struct sp_engine_options options = echo_options(1, 1);
	struct echo_server server;
	struct sp_shard *shard;
	pthread_t threads[3];
	uint64_t writes;

	options.sweep_ms = 60000;
	echo_start(&server, &options, &echo_task_service);
	shard = server.engine->shards[0];
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(
		    pthread_create(&threads[i], NULL, break_often, shard), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	/* At least one of them has to meet it asleep. */
	while (sp_load(&shard->breaks_sent, relaxed) == 0) {
		sp_shard_break(shard);
		sched_yield();
	}
	sp_engine_cancel(server.engine);
	sp_engine_stop(server.engine);
	EXPECT_EQ(
	    read(shard->np.wake_fd, &writes, sizeof(writes)), sizeof(writes));
	EXPECT_EQ(writes, sp_load(&shard->breaks_sent, relaxed));
	EXPECT(writes <= ECHO_SUM(server.engine, polls));
	EXPECT(sp_load(&shard->breaks_coalesced, relaxed) > 0);
	EXPECT(ECHO_SUM(server.engine, wakeups) <= writes);
	echo_account(&server);
}
