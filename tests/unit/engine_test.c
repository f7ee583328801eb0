/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Engine: a whole server, from its listeners to its end, with an echo
 * service on it. Blocking clients are in the test's own thread.
 */

#include "shards/engine.h"

#include "alloc/check.h"
#include "tests/echo.h"
#include "tests/harness.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void
talk(const struct echo_server *server)
{
	static char message[100000];
	int fd = echo_connect(server);

	memset(message, 'x', sizeof(message));
	EXPECT(echo_once(fd, "hello", 5));
	EXPECT(echo_once(fd, message, sizeof(message)));
	EXPECT(echo_once(fd, "bye", 3));
	close(fd);
}

static void
talk_to(uint32_t shards, uint32_t workers, const struct sp_service *service)
{
	struct sp_engine_options options = echo_options(shards, workers);
	struct echo_server server;

	echo_start(&server, &options, service);
	for (int i = 0; i < 20; i++)
		talk(&server);
	echo_stop(&server);
}

TEST(a_task_echoes)
{
	talk_to(1, 1, &echo_task_service);
}

TEST(a_task_echoes_on_any_worker_of_any_shard)
{
	talk_to(3, 2, &echo_task_service);
}

TEST(a_fiber_echoes)
{
	talk_to(1, 1, &echo_fiber_service);
}

TEST(a_fiber_echoes_on_any_worker_of_any_shard)
{
	talk_to(3, 2, &echo_fiber_service);
}

TEST(unix_sockets_are_shared_by_the_shards)
{
	struct sp_engine_options options = echo_options(3, 1);
	struct echo_server server;

	echo_start_local(&server, &options, &echo_task_service);
	for (int i = 0; i < 20; i++)
		talk(&server);
	echo_stop(&server);
}

/* Data and the end of it in one event: both have to be seen. */
TEST(a_client_that_sends_and_shuts_down_gets_all_of_it_back)
{
	struct sp_engine_options options = echo_options(1, 1);
	struct echo_server server;
	char buffer[8];

	echo_start(&server, &options, &echo_task_service);
	for (int i = 0; i < 200; i++) {
		int fd = echo_connect(&server);

		EXPECT_EQ(send(fd, "last", 4, MSG_NOSIGNAL), 4);
		EXPECT_EQ(shutdown(fd, SHUT_WR), 0);
		EXPECT_EQ(recv(fd, buffer, sizeof(buffer), MSG_WAITALL), 4);
		EXPECT(memcmp(buffer, "last", 4) == 0);
		close(fd);
	}
	echo_stop(&server);
}

TEST(a_drain_closes_what_is_idle_and_refuses_the_rest)
{
	struct sp_engine_options options = echo_options(2, 2);
	struct echo_server server;
	int fd[8];

	echo_start(&server, &options, &echo_task_service);
	for (int i = 0; i < 8; i++) {
		fd[i] = echo_connect(&server);
		EXPECT(echo_once(fd[i], "hello", 5));
	}
	sp_engine_drain(server.engine);
	for (int i = 0; i < 8; i++) {
		EXPECT(echo_at_end(fd[i]));
		close(fd[i]);
	}
	sp_engine_stop(server.engine);
	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT_EQ(
	    connect(fd[0], (struct sockaddr *)&server.address, server.size),
	    -1);
	EXPECT_EQ(errno, ECONNREFUSED);
	close(fd[0]);
	echo_account(&server);
}

TEST(a_cancel_wakes_fibers_that_wait)
{
	struct sp_engine_options options = echo_options(2, 2);
	struct echo_server server;
	int fd[8];

	echo_start(&server, &options, &echo_fiber_service);
	for (int i = 0; i < 8; i++) {
		fd[i] = echo_connect(&server);
		EXPECT(echo_once(fd[i], "hello", 5));
	}
	sp_engine_drain(server.engine);
	sp_engine_drain(server.engine);
	EXPECT(echo_once(fd[0], "still here", 10));
	sp_engine_cancel(server.engine);
	sp_engine_cancel(server.engine);
	sp_engine_stop(server.engine);
	for (int i = 0; i < 8; i++) {
		EXPECT(echo_at_end(fd[i]));
		close(fd[i]);
	}
	echo_account(&server);
}

static void *
stop_engine(void *engine)
{
	sp_engine_stop(engine);
	return NULL;
}

TEST(a_stop_waits_for_clients_that_stay)
{
	struct sp_engine_options options = echo_options(2, 2);
	struct echo_server server;
	pthread_t stopper;
	int fd[8];

	echo_start(&server, &options, &echo_task_service);
	for (int i = 0; i < 8; i++) {
		fd[i] = echo_connect(&server);
		EXPECT(echo_once(fd[i], "hello", 5));
	}
	EXPECT_EQ(
	    pthread_create(&stopper, NULL, stop_engine, server.engine), 0);
	ECHO_UNTIL(sp_load(&server.engine->shards[1]->stopping, relaxed));
	for (int i = 0; i < 8; i++) {
		EXPECT(echo_once(fd[i], "still here", 10));
		close(fd[i]);
	}
	pthread_join(stopper, NULL);
	echo_account(&server);
}

TEST(a_fiber_waits_no_longer_than_its_deadline)
{
	struct sp_engine_options options = echo_options(2, 2);
	struct echo_server server;
	int fd[8];

	echo_deadline_ms = 20;
	echo_start(&server, &options, &echo_fiber_service);
	for (int i = 0; i < 8; i++) {
		fd[i] = echo_connect(&server);
		EXPECT(echo_once(fd[i], "hello", 5));
	}
	/* Nobody says anything more, and only deadlines close them. */
	for (int i = 0; i < 8; i++) {
		EXPECT(echo_at_end(fd[i]));
		close(fd[i]);
	}
	ECHO_UNTIL(sp_load(&server.engine->connections, relaxed) == 0);
	EXPECT_EQ(ECHO_SUM(server.engine, timeouts_idle), 8);
	echo_stop(&server);
	echo_deadline_ms = 0;
}

TEST(a_deadline_moved_nearer_does_not_wait_for_the_sweep)
{
	struct sp_engine_options options = echo_options(2, 1);
	struct echo_server server;
	struct sp_poll_desc *pd = NULL;
	struct sp_shard *shard;
	int fd;

	options.sweep_ms = 600000;
	echo_start(&server, &options, &echo_task_service);
	fd = echo_connect(&server);
	EXPECT(echo_once(fd, "hello", 5));
	sp_rcu_enter();
	for (uint32_t i = 0; pd == NULL && i < 2; i++)
		pd = sp_engine_find(
		    server.engine, sp_handle_make(1, i, 0), &shard);
	SP_CHECK(pd != NULL);
	sp_poll_set_deadline(
	    pd, SP_POLL_READ, sp_tick_deadline(sp_tick_of(sp_now_ns()), 10));
	EXPECT_EQ(sp_shard_rearm(shard, pd), 0);
	sp_rcu_exit();
	EXPECT(echo_at_end(fd));
	close(fd);
	echo_stop(&server);
}

TEST(a_client_that_never_says_anything_is_closed)
{
	struct sp_engine_options options = echo_options(2, 1);
	struct echo_server server;
	int fd[8];

	options.sweep_ms = 600000;
	echo_start(&server, &options, &echo_hurried_service);
	for (int i = 0; i < 8; i++)
		fd[i] = echo_connect(&server);
	for (int i = 0; i < 8; i++) {
		EXPECT(echo_at_end(fd[i]));
		close(fd[i]);
	}
	ECHO_UNTIL(sp_load(&server.engine->connections, relaxed) == 0);
	EXPECT_EQ(ECHO_SUM(server.engine, timeouts_idle), 8);
	echo_stop(&server);
}

TEST(engines_come_and_go_and_leave_nothing)
{
	struct sp_engine_options options = echo_options(2, 2);

	options.spares = 1;
	for (int i = 0; i < 100; i++) {
		struct echo_server server;

		echo_start(&server, &options,
		    i & 1 ? &echo_task_service : &echo_fiber_service);
		if (i % 3 != 0)
			talk(&server);
		echo_stop(&server);
		EXPECT(test_threads_ended());
	}
}

TEST(two_engines_live_side_by_side)
{
	struct sp_engine_options options = echo_options(2, 1);
	struct echo_server one, two;

	echo_start(&one, &options, &echo_task_service);
	echo_start(&two, &options, &echo_fiber_service);
	talk(&one);
	talk(&two);
	echo_stop(&one);
	talk(&two);
	echo_stop(&two);
}

TEST(an_engine_that_never_started_is_freed)
{
	struct sp_engine_options options = echo_options(2, 1);
	struct sockaddr_storage address = { .ss_family = AF_INET };
	struct sp_engine *engine;

	EXPECT_EQ(sp_engine_new(&engine, &options), 0);
	EXPECT_EQ(sp_engine_listen(engine, &address, sizeof(struct sockaddr_in),
		      16, &echo_task_service),
	    0);
	sp_engine_free(engine);
	sp_engine_free(NULL);
}

static SP_ATOMIC(int) beginnings, ends;

static int
begin_two(struct sp_worker *worker)
{
	EXPECT(worker == sp_worker_self());
	return sp_fetch_add(&beginnings, 1, relaxed) < 2 ? 0 : -EXFULL;
}

static void
count_end(struct sp_worker *worker)
{
	EXPECT(worker == sp_worker_self());
	sp_fetch_add(&ends, 1, relaxed);
}

TEST(a_worker_that_cannot_begin_fails_the_start)
{
	struct sp_engine_options options = echo_options(2, 2);
	struct sp_engine *engine;

	options.worker_begin = begin_two;
	options.worker_end = count_end;
	EXPECT_EQ(sp_engine_new(&engine, &options), 0);
	EXPECT_EQ(sp_engine_start(engine), -EXFULL);
	EXPECT(test_threads_ended());
	EXPECT_EQ(sp_load(&beginnings, relaxed), 3);
	EXPECT_EQ(sp_load(&ends, relaxed), 2);
	sp_engine_free(engine);
}

/* So many that each shard has some, wherever the kernel's hash puts them. */
static struct echo_server early;
static int early_client[16];

/* The first worker has time to serve; for what it should not. */
static int
begin_with_clients(struct sp_worker *worker)
{
	if (worker->shard->id == 0)
		return 0;
	for (int i = 0; i < 16; i++) {
		early_client[i] = echo_connect(&early);
		send(early_client[i], "x", 1, MSG_NOSIGNAL);
	}
	for (int i = 0; i < 1000; i++)
		sched_yield();
	return -EXFULL;
}

TEST(a_start_that_fails_has_let_in_nobody)
{
	struct sp_engine_options options = echo_options(2, 1);
	struct sockaddr_in *in = (struct sockaddr_in *)&early.address;

	options.worker_begin = begin_with_clients;
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	early.size = sizeof(*in);
	EXPECT_EQ(sp_engine_new(&early.engine, &options), 0);
	EXPECT_EQ(sp_engine_listen(early.engine, &early.address, early.size, 64,
		      &echo_task_service),
	    0);
	EXPECT_EQ(sp_engine_start(early.engine), -EXFULL);
	EXPECT_EQ(ECHO_SUM(early.engine, accepted), 0);
	EXPECT_EQ(ECHO_SUM(early.engine, handed_off), 0);
	sp_engine_free(early.engine);
	for (int i = 0; i < 16; i++) {
		EXPECT(echo_at_end(early_client[i]));
		close(early_client[i]);
	}
}

/* What is not in a shard's wheel does not move it, and ticks wrap. */
TEST(after_weeks_without_a_connection_no_timer_is_late)
{
	struct sp_engine_options options = echo_options(1, 1);
	struct sp_engine *engine;
	struct sp_shard *shard;
	struct sp_poll_desc *pd;
	sp_tick next;

	EXPECT_EQ(sp_engine_new(&engine, &options), 0);
	shard = engine->shards[0];
	shard->wheel.now -= (UINT32_C(1) << 31) + 1000;
	EXPECT(sp_shard_enter_outgoing(shard));
	EXPECT_EQ(
	    sp_shard_open_owned(shard, -1, &echo_task_service, 0, &pd), 0);
	EXPECT(sp_wheel_next(&shard->wheel, &next));
	EXPECT(sp_tick_after(next, shard->wheel.now));
	EXPECT(!sp_tick_after(next, pd->timer.when));
	sp_shard_close_outgoing(shard, pd);
	sp_engine_free(engine);
}

TEST(a_port_that_is_taken_is_an_error)
{
	struct sp_engine_options options = echo_options(2, 1);
	struct echo_server server;
	struct sp_engine *second;

	echo_start(&server, &options, &echo_task_service);
	EXPECT_EQ(sp_engine_new(&second, &options), 0);
	EXPECT_EQ(sp_engine_listen(second, &server.address, server.size, 16,
		      &echo_task_service),
	    -EADDRINUSE);
	sp_engine_free(second);
	echo_stop(&server);
}

TEST(options_that_make_no_sense_are_refused)
{
	const struct {
		size_t offset;
		uint32_t value;
	} bad[] = {
		{ offsetof(struct sp_engine_options, shards), 257 },
		{ offsetof(struct sp_engine_options, workers), 0 },
		{ offsetof(struct sp_engine_options, workers), 65 },
		{ offsetof(struct sp_engine_options, spares), 64 },
		{ offsetof(struct sp_engine_options, spares), UINT32_MAX },
		{ offsetof(struct sp_engine_options, max_connections), 0 },
		{ offsetof(struct sp_engine_options, sweep_ms), 0 },
		{ offsetof(struct sp_engine_options, max_fibers), 1 },
		{ offsetof(struct sp_engine_options, ring_size), 1 },
		{ offsetof(struct sp_engine_options, ring_size), 24 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sp_engine_options options = echo_options(1, 1);
		struct sp_engine *engine = NULL;

		*(uint32_t *)(void *)((char *)&options
				      + bad[i].offset) = bad[i].value;
		EXPECT_EQ(sp_engine_new(&engine, &options), -EINVAL);
		EXPECT(engine == NULL);
	}
}

TEST(a_handle_is_found_until_its_connection_is_closed)
{
	struct sp_engine_options options = echo_options(2, 1);
	struct echo_server server;
	struct sp_shard *shard;
	sp_handle handle = sp_handle_make(1, 0, 0);
	int fd;

	echo_start(&server, &options, &echo_task_service);
	fd = echo_connect(&server);
	EXPECT(echo_once(fd, "hello", 5));
	sp_rcu_enter();
	if (sp_engine_find(server.engine, handle, &shard) == NULL)
		handle = sp_handle_make(1, 1, 0);
	EXPECT(sp_engine_find(server.engine, handle, &shard) != NULL);
	EXPECT(shard == server.engine->shards[sp_handle_shard(handle)]);
	EXPECT(
	    sp_engine_find(server.engine, handle + (UINT64_C(1) << 32), &shard)
	    == NULL);
	EXPECT(sp_engine_find(server.engine, sp_handle_make(1, 2, 0), &shard)
	       == NULL);
	sp_rcu_exit();
	close(fd);
	ECHO_UNTIL(sp_load(&server.engine->connections, relaxed) == 0);
	sp_rcu_enter();
	EXPECT(sp_engine_find(server.engine, handle, &shard) == NULL);
	sp_rcu_exit();
	echo_stop(&server);
}

/* Everything up to n descriptors, for each n until it is enough. */
static int
make_with(int n)
{
	struct sp_engine_options options = echo_options(2, 1);
	struct sockaddr_storage address = { .ss_family = AF_INET };
	struct sp_engine *engine = NULL;
	int taken[64], count = 0, error;

	while (count < 64 && (taken[count] = dup(0)) >= 0)
		count++;
	for (int i = 0; i < n && count > 0; i++)
		close(taken[--count]);
	error = sp_engine_new(&engine, &options);
	if (error == 0)
		error = sp_engine_listen(engine, &address,
		    sizeof(struct sockaddr_in), 16, &echo_task_service);
	if (error == 0)
		error = sp_engine_start(engine);
	if (error == 0) {
		sp_engine_cancel(engine);
		sp_engine_stop(engine);
	}
	sp_engine_free(engine);
	while (count > 0)
		close(taken[--count]);
	return error;
}

TEST(an_engine_short_of_descriptors_leaves_nothing)
{
	struct rlimit before, low;
	int error = -EMFILE, n = 0;

	SP_CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	low = before;
	low.rlim_cur = 48;
	SP_CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
	for (; n < 32 && error != 0; n++) {
		error = make_with(n);
		EXPECT(error == 0 || error == -EMFILE);
	}
	SP_CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	EXPECT_EQ(error, 0);
	/* Two epoll instances, two eventfds, two listeners, the reserve. */
	EXPECT(n > 7);
}
