/* SPDX-License-Identifier: BSD-2-Clause */

/* Channels, between fibers of real workers. */

#include "shards/channel.h"

#include "alloc/check.h"
#include "tests/scenario.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#define MANY 200

static struct sp_channel *channel;
static SP_ATOMIC(uint32_t) dropped;
static SP_ATOMIC(uint64_t) sent, received;
static int things[16];

static void
drop(void *item)
{
	(void)item;
	sp_fetch_add(&dropped, 1, relaxed);
}

static int
run_many(struct sp_worker *worker, bool sends)
{
	unsigned rounds = test_rounds(2000);
	int error = 0;

	for (unsigned i = 1; i <= rounds && error == 0; i++) {
		void *item = (void *)(uintptr_t)i;

		error = sends ? sp_channel_send(worker, channel, item, 0)
			      : sp_channel_receive(worker, channel, &item, 0);
		if (error == 0)
			sp_fetch_add(sends ? &sent : &received, (uintptr_t)item,
			    relaxed);
	}
	return error;
}

/* Waits of a millisecond, over and over. */
static int
receive_in_a_hurry(struct sp_worker *worker)
{
	int error = -ETIMEDOUT;

	while (error == 0 || error == -ETIMEDOUT) {
		void *item;

		error = sp_channel_receive(
		    worker, channel, &item, sp_tick_in(1));
		if (error == 0)
			sp_fetch_add(&received, (uintptr_t)item, relaxed);
	}
	return error;
}

static int
play(struct sp_worker *worker, char name)
{
	void *item = things;

	switch (name) {
	case 's':
		return sp_channel_send(worker, channel, item, 0);
	case 'r':
		return sp_channel_receive(worker, channel, &item, 0);
	case 't':
		return sp_channel_receive(
		    worker, channel, &item, sp_tick_in(5));
	case 'S':
		return run_many(worker, true);
	case 'R':
		return run_many(worker, false);
	default:
		return receive_in_a_hurry(worker);
	}
}

static void
start(struct echo_server *server, uint32_t shards, uint32_t workers)
{
	struct sp_engine_options options = echo_options(shards, workers);

	sp_store(&dropped, 0, relaxed);
	sp_store(&sent, 0, relaxed);
	sp_store(&received, 0, relaxed);
	SP_CHECK(sp_channel_new(&channel, 4, 64, drop) == 0);
	scenario_start(server, &options, play);
}

static void
stop(struct echo_server *server)
{
	echo_stop(server);
	sp_channel_put(channel);
}

TEST(without_fibers_it_is_a_queue)
{
	void *item;

	sp_store(&dropped, 0, relaxed);
	EXPECT_EQ(sp_channel_new(&channel, 3, 1, drop), 0);
	EXPECT_EQ(sp_channel_try_receive(channel, &item), -EAGAIN);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(sp_channel_try_send(channel, &things[i]), 0);
	EXPECT_EQ(sp_channel_try_send(channel, &things[4]), -EAGAIN);
	EXPECT_EQ(sp_channel_try_receive(channel, &item), 0);
	EXPECT(item == &things[0]);
	sp_channel_close(channel);
	EXPECT_EQ(sp_channel_try_send(channel, &things[5]), -EPIPE);
	EXPECT_EQ(sp_channel_try_receive(channel, &item), 0);
	EXPECT(item == &things[1]);
	sp_channel_get(channel);
	sp_channel_put(channel);
	EXPECT_EQ(sp_load(&dropped, relaxed), 0);
	sp_channel_put(channel);
	EXPECT_EQ(sp_load(&dropped, relaxed), 2);
}

TEST(a_closed_and_empty_one_says_so)
{
	void *item;

	EXPECT_EQ(sp_channel_new(&channel, 1, 0, NULL), 0);
	EXPECT_EQ(sp_channel_try_send(channel, NULL), 0);
	sp_channel_close(channel);
	sp_channel_close(channel);
	EXPECT_EQ(sp_channel_try_receive(channel, &item), 0);
	EXPECT(item == NULL);
	EXPECT_EQ(sp_channel_try_receive(channel, &item), -EPIPE);
	sp_channel_put(channel);
}

TEST(who_waits_gets_what_comes)
{
	struct echo_server server;
	int fd;

	start(&server, 1, 1);
	fd = scenario_ask(&server, 'r');
	ECHO_UNTIL(sp_load(&scenario_begun, acquire) == 1);
	EXPECT_EQ(sp_channel_try_send(channel, things), 0);
	scenario_expect(fd, 0);
	stop(&server);
	EXPECT_EQ(sp_load(&dropped, relaxed), 0);
}

TEST(who_waits_for_room_gets_it)
{
	struct echo_server server;
	void *item;
	int fd;

	start(&server, 1, 1);
	for (int i = 0; i < 4; i++)
		scenario_expect(scenario_ask(&server, 's'), 0);
	fd = scenario_ask(&server, 's');
	ECHO_UNTIL(sp_load(&scenario_begun, acquire) == 5);
	EXPECT_EQ(sp_load(&scenario_ended, acquire), 4);
	EXPECT_EQ(sp_channel_try_receive(channel, &item), 0);
	scenario_expect(fd, 0);
	stop(&server);
	EXPECT_EQ(sp_load(&dropped, relaxed), 4);
}

TEST(time_and_a_close_end_waits)
{
	struct echo_server server;
	int fd[8];

	start(&server, 2, 1);
	scenario_expect(scenario_ask(&server, 't'), -ETIMEDOUT);
	for (int i = 0; i < 8; i++)
		fd[i] = scenario_ask(&server, 'r');
	ECHO_UNTIL(sp_load(&scenario_begun, acquire) == 9);
	sp_channel_close(channel);
	for (int i = 0; i < 8; i++)
		scenario_expect(fd[i], -EPIPE);
	scenario_expect(scenario_ask(&server, 's'), -EPIPE);
	scenario_expect(scenario_ask(&server, 'r'), -EPIPE);
	stop(&server);
}

TEST(more_waiters_than_places_are_refused)
{
	struct echo_server server;
	int fd[64];

	start(&server, 1, 1);
	for (int i = 0; i < 64; i++)
		fd[i] = scenario_ask(&server, 'r');
	ECHO_UNTIL(sp_load(&channel->receivers.count, acquire) == 64);
	scenario_expect(scenario_ask(&server, 'r'), -EAGAIN);
	sp_channel_close(channel);
	for (int i = 0; i < 64; i++)
		scenario_expect(fd[i], -EPIPE);
	stop(&server);
}

/* No fiber to go on with: nothing is announced, and nobody waits. */
TEST(without_a_stack_nobody_waits)
{
	static struct sp_worker worker;
	void *item;

	sp_stack_pool_init(&worker.stacks, 0, 0, 0);
	EXPECT_EQ(sp_channel_new(&channel, 1, 1, NULL), 0);
	EXPECT_EQ(sp_channel_receive(&worker, channel, &item, 0), -ENOMEM);
	while (sp_channel_try_send(channel, things) == 0)
		;
	EXPECT_EQ(sp_channel_send(&worker, channel, things, 0), -ENOMEM);
	EXPECT_EQ(sp_load(&worker.counters.fibers_refused, relaxed), 2);
	EXPECT_EQ(sp_load(&channel->receivers.count, relaxed), 0);
	EXPECT_EQ(sp_load(&channel->senders.count, relaxed), 0);
	sp_stack_pool_fini(&worker.stacks);
	sp_channel_put(channel);
}

TEST(clients_leave_while_their_fibers_wait)
{
	struct echo_server server;

	start(&server, 2, 1);
	for (int i = 0; i < MANY; i++) {
		close(scenario_ask(&server, 'r'));
		ECHO_UNTIL(
		    sp_load(&scenario_ended, acquire) == (uint32_t)i + 1);
	}
	EXPECT_EQ(sp_load(&channel->receivers.count, relaxed), 0);
	stop(&server);
}

/*
 * Goal. An item that is lost or comes twice; a fiber that nobody wakes.
 *
 * Method. Six fibers on workers of two shards send numbers through four
 * slots to six that receive; all come to an end only if nobody is forgotten.
 */
TEST(stress_all_numbers_arrive)
{
	struct echo_server server;
	int fd[12];

	start(&server, 2, 2);
	for (int i = 0; i < 12; i++)
		fd[i] = scenario_ask(&server, i % 2 ? 'S' : 'R');
	for (int i = 0; i < 12; i++)
		scenario_expect(fd[i], 0);
	EXPECT_EQ(sp_load(&sent, relaxed), sp_load(&received, relaxed));
	stop(&server);
	EXPECT_EQ(sp_load(&dropped, relaxed), 0);
}

/*
 * The same with receivers that give up all the time: what they were woken
 * for has to go to somebody else.
 */
TEST(stress_who_gives_up_takes_nothing_along)
{
	struct echo_server server;
	int fd[8];

	start(&server, 2, 2);
	for (int i = 0; i < 8; i++)
		fd[i] = scenario_ask(&server, i < 4 ? 'S' : 'h');
	for (int i = 0; i < 4; i++)
		scenario_expect(fd[i], 0);
	sp_channel_close(channel);
	for (int i = 4; i < 8; i++)
		scenario_expect(fd[i], -EPIPE);
	EXPECT_EQ(sp_load(&sent, relaxed), sp_load(&received, relaxed));
	stop(&server);
	EXPECT_EQ(sp_load(&dropped, relaxed), 0);
}
