/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Offload: what fibers of a real worker get from a pool of their own.
 */

#include "shards/offload.h"

#include "alloc/check.h"
#include "tests/scenario.h"

#include <errno.h>
#include <unistd.h>

#define MANY 200

static struct sp_offload pool;
static SP_ATOMIC(uint32_t) gate, entered, runs, dropped;

static void
count(void *arg)
{
	SP_ATOMIC(uint32_t) *counter = arg;

	EXPECT(sp_worker_self() == NULL);
	sp_fetch_add(counter, 1, relaxed);
}

static void
stand_at_the_gate(void *arg)
{
	(void)arg;
	sp_fetch_add(&entered, 1, release);
	ECHO_UNTIL(sp_load(&gate, acquire) != 0);
	sp_fetch_add(&runs, 1, release);
}

static void
take_a_while(void *arg)
{
	unsigned *result = arg;

	usleep(500);
	*result += 7;
}

static void
drop(void *arg)
{
	EXPECT(arg == &runs);
	sp_fetch_add(&dropped, 1, release);
}

/* Whether fn ran is what the call has said. */
static int
race(struct sp_worker *worker)
{
	unsigned rounds = test_rounds(100);

	for (unsigned i = 0; i < rounds; i++) {
		unsigned result = 0;
		int error = sp_offload_run(
		    worker, &pool, take_a_while, &result, NULL, NULL, 1);

		if (error != 0 && error != -ETIMEDOUT && error != -EAGAIN)
			return error;
		if (result != (error == 0 ? 7 : 0))
			return -EIO;
		if (error == -EAGAIN)
			sp_sleep(worker, 1);
	}
	return 0;
}

static int
play(struct sp_worker *worker, char name)
{
	bool let_go;
	int error;

	switch (name) {
	case 'o':
		return sp_offload_run(
		    worker, &pool, count, &runs, NULL, NULL, 0);
	case 'g':
		return sp_offload_run(
		    worker, &pool, stand_at_the_gate, NULL, NULL, NULL, 0);
	case 'l':
		error = sp_offload_run(
		    worker, &pool, stand_at_the_gate, &runs, drop, &let_go, 0);
		return let_go ? -EINPROGRESS : error;
	case 'q':
		error = sp_offload_run(
		    worker, &pool, count, &runs, drop, &let_go, 5);
		return let_go ? -EINPROGRESS : error;
	case 't':
		return sp_offload_run(
		    worker, &pool, count, &runs, NULL, NULL, 5);
	default:
		return race(worker);
	}
}

static void
start(struct echo_server *server, uint32_t threads, uint32_t queue)
{
	struct sp_engine_options options = echo_options(1, 1);

	sp_store(&gate, 0, relaxed);
	sp_store(&entered, 0, relaxed);
	sp_store(&runs, 0, relaxed);
	sp_store(&dropped, 0, relaxed);
	SP_CHECK(sp_offload_start(&pool, threads, queue) == 0);
	scenario_start(server, &options, play);
}

static void
stop(struct echo_server *server)
{
	sp_engine_cancel(server->engine);
	sp_engine_stop(server->engine);
	/* A thread may still be on its way out of a post to a worker. */
	sp_offload_stop(&pool);
	echo_account(server);
	EXPECT_EQ(sp_load(&pool.threads, relaxed), 0);
}

/* Until the call has begun. */
static int
ask_at_the_gate(const struct echo_server *server, char name)
{
	int fd = scenario_ask(server, name);

	ECHO_UNTIL(sp_load(&entered, acquire) == 1);
	return fd;
}

TEST(a_call_runs_in_another_thread)
{
	struct echo_server server;

	start(&server, 4, 16);
	scenario_expect(scenario_ask(&server, 'o'), 0);
	EXPECT_EQ(sp_load(&runs, relaxed), 1);
	EXPECT_EQ(sp_load(&pool.jobs, relaxed), 1);
	stop(&server);
}

TEST(without_threads_calls_are_refused)
{
	struct echo_server server;

	start(&server, 0, 16);
	scenario_expect(scenario_ask(&server, 'o'), -EAGAIN);
	EXPECT_EQ(sp_load(&pool.refused, relaxed), 1);
	stop(&server);
}

TEST(a_full_queue_refuses)
{
	struct echo_server server;
	int fd[3];

	start(&server, 1, 2);
	fd[0] = scenario_ask(&server, 'g');
	ECHO_UNTIL(sp_load(&entered, acquire) == 1);
	fd[1] = scenario_ask(&server, 'g');
	fd[2] = scenario_ask(&server, 'g');
	ECHO_UNTIL(sp_offload_depth(&pool) == 2);
	scenario_expect(scenario_ask(&server, 'o'), -EAGAIN);
	EXPECT_EQ(sp_load(&pool.refused, relaxed), 1);
	sp_store(&gate, 1, release);
	for (int i = 0; i < 3; i++)
		scenario_expect(fd[i], 0);
	EXPECT_EQ(sp_load(&runs, relaxed), 3);
	stop(&server);
}

TEST(what_has_not_begun_in_time_never_does)
{
	struct echo_server server;
	int fd;

	start(&server, 1, 4);
	fd = scenario_ask(&server, 'g');
	ECHO_UNTIL(sp_load(&entered, acquire) == 1);
	scenario_expect(scenario_ask(&server, 't'), -ETIMEDOUT);
	EXPECT_EQ(sp_load(&pool.cancelled, relaxed), 1);
	sp_store(&gate, 1, release);
	scenario_expect(fd, 0);
	scenario_expect(scenario_ask(&server, 'o'), 0);
	EXPECT_EQ(sp_load(&runs, relaxed), 2);
	stop(&server);
}

TEST(what_has_begun_is_waited_for)
{
	struct echo_server server;

	start(&server, 1, 4);
	close(ask_at_the_gate(&server, 'g'));
	/* Its fiber has been told, but does not go on. */
	usleep(10000);
	EXPECT_EQ(sp_load(&scenario_ended, acquire), 0);
	sp_store(&gate, 1, release);
	ECHO_UNTIL(sp_load(&scenario_ended, acquire) == 1);
	EXPECT_EQ(sp_load(&runs, acquire), 1);
	stop(&server);
}

TEST(what_has_begun_can_be_let_go)
{
	struct echo_server server;

	start(&server, 1, 4);
	close(ask_at_the_gate(&server, 'l'));
	ECHO_UNTIL(sp_load(&scenario_ended, acquire) == 1);
	/* This one does not begin, so it is not let go either. */
	scenario_expect(scenario_ask(&server, 'q'), -ETIMEDOUT);
	EXPECT_EQ(sp_load(&dropped, acquire), 0);
	sp_store(&gate, 1, release);
	ECHO_UNTIL(sp_load(&dropped, acquire) == 1);
	EXPECT_EQ(sp_load(&runs, acquire), 1);
	scenario_expect(scenario_ask(&server, 'o'), 0);
	stop(&server);
	EXPECT_EQ(sp_load(&pool.let_go, relaxed), 1);
	EXPECT_EQ(sp_load(&pool.cancelled, relaxed), 1);
}

TEST(clients_leave_calls_that_wait_and_calls_that_run)
{
	struct echo_server server;
	int fd;

	start(&server, 1, 256);
	fd = scenario_ask(&server, 'g');
	ECHO_UNTIL(sp_load(&entered, acquire) == 1);
	close(fd);
	for (int i = 0; i < MANY; i++)
		close(scenario_ask(&server, 'o'));
	ECHO_UNTIL(sp_load(&scenario_ended, acquire) == MANY);
	sp_store(&gate, 1, release);
	ECHO_UNTIL(sp_load(&scenario_ended, acquire) == MANY + 1);
	stop(&server);
	EXPECT_EQ(sp_load(&runs, relaxed), 1);
	EXPECT_EQ(sp_load(&pool.cancelled, relaxed), MANY);
}

TEST(threads_are_made_as_calls_come_and_no_more)
{
	struct echo_server server;
	int fd[8];

	start(&server, 4, 16);
	EXPECT_EQ(sp_load(&pool.threads, relaxed), 1);
	for (int i = 0; i < 8; i++)
		fd[i] = scenario_ask(&server, 'g');
	ECHO_UNTIL(sp_load(&entered, acquire) == 4);
	EXPECT_EQ(sp_load(&pool.threads, relaxed), 4);
	sp_store(&gate, 1, release);
	for (int i = 0; i < 8; i++)
		scenario_expect(fd[i], 0);
	EXPECT_EQ(sp_load(&runs, relaxed), 8);
	stop(&server);
}

/*
 * Goal. A call that runs although it was given up, that is given up although
 * it ran, or that nobody runs; memory that is freed twice or not at all.
 *
 * Method. Half-millisecond calls by three threads for twenty fibers, with a
 * queue of eight and a time-out of a millisecond.
 */
TEST(time_outs_race_the_threads)
{
	struct echo_server server;
	int fd[20];

	start(&server, 3, 8);
	for (int i = 0; i < 20; i++)
		fd[i] = scenario_ask(&server, 'r');
	for (int i = 0; i < 20; i++)
		scenario_expect(fd[i], 0);
	stop(&server);
}
