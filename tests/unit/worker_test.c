/* SPDX-License-Identifier: BSD-2-Clause */

/* What a worker takes for the time, when it is another who polls. */

#include "shards/worker.h"
#include "tests/echo.h"
#include "tests/harness.h"

#include <errno.h>
#include <unistd.h>

/* More than one list. */
#define CLIENTS 40

static SP_ATOMIC(sp_tick) sent_at; /* 0: nothing has been sent yet */
static SP_ATOMIC(uint32_t) runners; /* workers, as bits */
static SP_ATOMIC(uint32_t) held, all_sent;

/* The first waits for another worker, who has to take what it left. */
static void
check(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	sp_tick sent = sp_load(&sent_at, seq_cst);
	uint32_t mine = 1u << worker->number;

	EXPECT(!sp_tick_after(sent, worker->now));
	EXPECT(!sp_tick_after(pd->born, worker->now));
	if (sp_fetch_or(&runners, mine, seq_cst) == 0)
		ECHO_UNTIL(sp_load(&runners, seq_cst) != mine);
}

static void
run(struct sp_worker *worker, struct sp_task *task)
{
	struct sp_poll_desc *pd = echo_desc(task);
	char byte;

	do {
		if (recv(pd->fd, &byte, 1, 0) == 1) {
			check(worker, pd);
			send(pd->fd, &byte, 1, MSG_NOSIGNAL);
		} else if (errno != EAGAIN
			   || (sp_poll_info(pd) & SP_POLL_ATTENTION) != 0) {
			echo_close(worker, pd);
			return;
		}
		errno = 0;
	} while (!sp_poll_park(pd));
}

static const struct sp_service checking = { .run = run, .name = "checking" };

/* In the poller, who then finds all of them at once. */
static void
hold(struct sp_shard *shard, struct sp_worker *worker, struct sp_msg *msg)
{
	(void)shard;
	(void)worker;
	(void)msg;
	sp_store(&held, 1, seq_cst);
	ECHO_UNTIL(sp_load(&all_sent, seq_cst));
}

static sp_tick
next_tick(void)
{
	sp_tick now = sp_tick_of(sp_now_ns());

	ECHO_UNTIL(sp_tick_of(sp_now_ns()) != now);
	return sp_tick_of(sp_now_ns());
}

static void
until_both_sleep(struct sp_shard *shard)
{
	ECHO_UNTIL(sp_load(&shard->idle.set, seq_cst) != 0
		   && sp_load(&shard->wake.sig, seq_cst) == SP_WAKE_BLOCKED);
}

TEST(who_takes_what_another_has_polled_knows_the_time)
{
	struct sp_engine_options options = echo_options(1, 2);
	struct echo_server server;
	struct sp_msg message = { .fn = hold };
	struct sp_shard *shard;
	int client[CLIENTS];
	char byte = 'x';

	options.sweep_ms = 600000; /* or a timer would let them look */
	echo_start(&server, &options, &checking);
	shard = server.engine->shards[0];
	for (int i = 0; i < CLIENTS; i++)
		client[i] = echo_connect(&server);
	ECHO_UNTIL(ECHO_SUM(server.engine, accepted) == CLIENTS);
	until_both_sleep(shard);
	next_tick();
	sp_shard_post(shard, &message);
	ECHO_UNTIL(sp_load(&held, seq_cst));
	sp_store(&sent_at, next_tick(), seq_cst);
	for (int i = 0; i < CLIENTS; i++)
		EXPECT_EQ(send(client[i], &byte, 1, MSG_NOSIGNAL), 1);
	sp_store(&all_sent, 1, seq_cst);
	for (int i = 0; i < CLIENTS; i++)
		EXPECT_EQ(recv(client[i], &byte, 1, 0), 1);
	EXPECT_EQ(sp_load(&runners, seq_cst), 3);
	for (int i = 0; i < CLIENTS; i++)
		close(client[i]);
	echo_stop(&server);
}

/* And not when its shard has looked at the clock before it slept. */
TEST(a_connection_is_born_when_it_is_accepted)
{
	struct sp_engine_options options = echo_options(1, 1);
	struct echo_server server;
	struct sp_shard *shard;
	struct sp_poll_desc *pd;
	sp_tick before;
	int fd;

	echo_start(&server, &options, &checking);
	shard = server.engine->shards[0];
	ECHO_UNTIL(sp_load(&shard->wake.sig, seq_cst) == SP_WAKE_BLOCKED);
	before = next_tick();
	fd = echo_connect(&server);
	ECHO_UNTIL(ECHO_SUM(server.engine, accepted) == 1);
	ECHO_UNTIL(sp_load(&shard->wake.sig, seq_cst) == SP_WAKE_BLOCKED);
	pd = sp_slab_at(sp_slab_dir(&shard->cache.slab), 0);
	EXPECT(!sp_tick_after(before, pd->born));
	close(fd);
	echo_stop(&server);
}
