/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Netpoll above epoll: from events to tasks. One thread holds the poll token
 * of a shard that has not been started, and does by hand what workers do.
 */

#include "alloc/check.h"
#include "tests/echo.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <unistd.h>

static struct sp_engine *engine;
static struct sp_shard *shard;
static struct sp_worker *worker;

static void
begin(void)
{
	struct sp_engine_options options = echo_options(1, 1);

	SP_CHECK(sp_engine_new(&engine, &options) == 0);
	shard = engine->shards[0];
	worker = sp_worker_new(shard, 0, SP_WORKER_PRIMARY);
	SP_CHECK(sp_token_try(&shard->token, 0));
}

static void
end(void)
{
	sp_worker_free(worker);
	sp_engine_free(engine);
}

static struct sp_poll_desc *
open_desc(int fd)
{
	struct sp_poll_desc *pd = NULL;

	SP_CHECK(sp_shard_enter(shard));
	SP_CHECK(
	    sp_shard_open(shard, fd, &echo_task_service, SP_WATCH_READ, &pd)
	    == 0);
	return pd;
}

/* Become the owner of one that is parked. */
static void
take(struct sp_poll_desc *pd)
{
	SP_CHECK(sp_slot_unpark(&pd->slot[SP_POLL_READ]));
}

static unsigned
poll_now(struct sp_task_list *ready)
{
	sp_task_list_init(ready);
	return sp_netpoll(shard, worker, 0, ready);
}

static void
open_pair(int fd[2])
{
	SP_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
}

TEST(an_event_hands_out_a_parked_task)
{
	struct sp_task_list ready;
	struct sp_poll_desc *pd;
	int fd[2];

	begin();
	open_pair(fd);
	pd = open_desc(fd[0]);
	EXPECT_EQ(poll_now(&ready), 0);
	EXPECT_EQ(write(fd[1], "x", 1), 1);
	EXPECT_EQ(poll_now(&ready), 1);
	EXPECT(ready.head == &pd->task);
	EXPECT_EQ(ready.count, 1);

	/* While it runs an edge is kept for it. */
	EXPECT_EQ(write(fd[1], "x", 1), 1);
	EXPECT_EQ(poll_now(&ready), 1);
	EXPECT_EQ(ready.count, 0);
	EXPECT(!sp_poll_park(pd));
	EXPECT(sp_poll_park(pd));
	take(pd);
	sp_shard_close(shard, pd);
	close(fd[1]);
	end();
}

TEST(the_bits_of_an_event_come_before_its_task)
{
	struct sp_task_list ready;
	struct sp_poll_desc *pd;
	int fd[2];

	begin();
	open_pair(fd);
	pd = open_desc(fd[0]);
	close(fd[1]);
	EXPECT_EQ(poll_now(&ready), 1);
	EXPECT_EQ(ready.count, 1);
	EXPECT(sp_load(&pd->info, relaxed) & SP_POLL_HANGUP);
	/* The write mode has its edge, should somebody wait there. */
	EXPECT(sp_slot_consume(&pd->slot[SP_POLL_WRITE]));
	sp_shard_close(shard, pd);
	end();
}

/*
 * Two descriptors in one batch. What is done for the first closes the
 * second, and a new connection gets its number.
 */
TEST(fd_reuse_within_one_batch_harms_nobody)
{
	struct sp_poll_desc *pd[2], *fresh, *found;
	struct sp_task_list ready;
	int first[2], second[2], third[2], number;
	sp_handle handle[2];
	unsigned other;

	begin();
	open_pair(first);
	open_pair(second);
	open_pair(third);
	pd[0] = open_desc(first[0]);
	pd[1] = open_desc(second[0]);
	EXPECT_EQ(write(first[1], "x", 1), 1);
	EXPECT_EQ(write(second[1], "x", 1), 1);

	EXPECT_EQ(sp_netpoll_wait(&shard->np, 0), 2);
	for (unsigned i = 0; i < 2; i++) {
		struct sp_polled polled = sp_netpoll_event(&shard->np, i);

		EXPECT_EQ(polled.bits, SP_POLLED_READ);
		handle[i] = polled.handle;
	}
	found = sp_poll_cache_find(&shard->cache, handle[0]);
	EXPECT(found == pd[0] || found == pd[1]);
	other = found == pd[0];
	sp_task_list_init(&ready);
	sp_netpoll_ready(shard, found, SP_POLLED_READ, &ready);
	EXPECT(ready.head == &found->task);

	number = pd[other]->fd;
	take(pd[other]);
	sp_shard_close(shard, pd[other]);
	EXPECT_EQ(dup3(third[0], number, O_CLOEXEC), number);
	close(third[0]);
	fresh = open_desc(number);

	/* The event of the second finds nothing, though its number lives. */
	EXPECT(sp_poll_cache_find(&shard->cache, handle[1]) == NULL);
	EXPECT_EQ(poll_now(&ready), 0);
	EXPECT(fresh != pd[other]);
	EXPECT_EQ(write(third[1], "x", 1), 1);
	EXPECT_EQ(poll_now(&ready), 1);
	EXPECT(ready.head == &fresh->task);
	EXPECT_EQ(ready.count, 1);

	sp_shard_close(shard, fresh);
	sp_shard_close(shard, found);
	close(first[1]);
	close(second[1]);
	close(third[1]);
	end();
}

/* A duplicate keeps the file open, so epoll goes on with the old handle. */
TEST(a_stale_event_is_counted_and_harms_nobody)
{
	struct sp_poll_desc *pd, *fresh;
	struct sp_task_list ready;
	int old[2], fd[2], number, duplicate;

	begin();
	open_pair(old);
	pd = open_desc(old[0]);
	number = old[0];
	duplicate = fcntl(old[0], F_DUPFD_CLOEXEC, 0);
	take(pd);
	sp_shard_close(shard, pd);

	open_pair(fd);
	EXPECT_EQ(fd[0], number);
	fresh = open_desc(fd[0]);
	EXPECT_EQ(write(old[1], "x", 1), 1);
	EXPECT_EQ(poll_now(&ready), 1);
	EXPECT_EQ(ready.count, 0);
	EXPECT_EQ(sp_load(&worker->counters.stale_events, relaxed), 1);
	EXPECT_EQ(sp_load(&fresh->slot[SP_POLL_READ], relaxed), SP_SLOT_TASK);

	EXPECT_EQ(write(fd[1], "x", 1), 1);
	EXPECT_EQ(poll_now(&ready), 1);
	EXPECT(ready.head == &fresh->task);
	EXPECT_EQ(sp_load(&worker->counters.stale_events, relaxed), 1);

	sp_shard_close(shard, fresh);
	close(duplicate);
	close(old[1]);
	close(fd[1]);
	end();
}

TEST(there_is_no_poll_work_in_a_shard_at_rest)
{
	struct sp_task_list ready;
	struct sp_poll_desc *pd;
	int fd[2];

	begin();
	open_pair(fd);
	pd = open_desc(fd[0]);
	EXPECT(!sp_poll_work(shard, worker));

	/* A bounded wait that finds nothing to do, and then one that does. */
	EXPECT_EQ(sp_netpoll_wait(&shard->np, 1000), 0);
	take(pd);
	sp_shard_run(shard, pd);
	EXPECT(sp_poll_work(shard, worker));
	sp_task_list_init(&ready);
	EXPECT_EQ(sp_netpoll(shard, worker, -1, &ready), 0);
	EXPECT_EQ(sp_load(&worker->counters.polls_blocked, relaxed), 0);
	EXPECT(sp_stack_pop_all(&shard->runq) == &pd->link);
	EXPECT(!sp_poll_work(shard, worker));
	sp_shard_close(shard, pd);
	close(fd[1]);
	end();
}

TEST(a_descriptor_that_epoll_refuses_leaves_nothing)
{
	struct sp_poll_desc *pd = NULL;
	struct sp_slab_stats stats;

	begin();
	SP_CHECK(sp_shard_enter(shard));
	EXPECT_EQ(sp_shard_open(shard, shard->np.epfd, &echo_task_service,
		      SP_WATCH_READ, &pd),
	    -22);
	EXPECT(pd == NULL);
	sp_shard_leave(shard);
	sp_slab_stats_get(&shard->cache.slab, &stats);
	EXPECT_EQ(stats.in_use, 0);
	EXPECT_EQ(sp_load(&engine->connections, relaxed), 0);
	end();
}

static uint64_t
count_of(SP_ATOMIC(uint64_t) * counter)
{
	return sp_load(counter, relaxed);
}

TEST(a_sleep_is_counted_by_what_has_ended_it)
{
	struct sp_counters *counters;
	struct sp_task_list ready;
	struct sp_poll_desc *pd;
	int fd[2];

	begin();
	sp_rcu_register();
	counters = &worker->counters;
	sp_task_list_init(&ready);
	open_pair(fd);
	pd = open_desc(fd[0]);
	EXPECT_EQ(sp_netpoll(shard, worker, SP_NS_PER_MS, &ready), 0);
	EXPECT_EQ(count_of(&counters->wakes_timer), 1);
	EXPECT(count_of(&worker->asleep) >= sp_ns_to_cycles(SP_NS_PER_MS));
	EXPECT_EQ(count_of(&worker->asleep_since), 0);

	sp_netpoll_break(&shard->np);
	EXPECT_EQ(sp_netpoll(shard, worker, -1, &ready), 1);
	EXPECT_EQ(count_of(&counters->wakes_break), 1);

	EXPECT_EQ(write(fd[1], "x", 1), 1);
	EXPECT_EQ(sp_netpoll(shard, worker, -1, &ready), 1);
	EXPECT_EQ(count_of(&counters->wakes_io), 1);

	/* Who came for both came for the work. */
	EXPECT_EQ(write(fd[1], "x", 1), 1);
	sp_netpoll_break(&shard->np);
	EXPECT_EQ(sp_netpoll(shard, worker, -1, &ready), 2);
	EXPECT_EQ(count_of(&counters->wakes_io), 2);

	EXPECT_EQ(sp_netpoll(shard, worker, 0, &ready), 0);
	EXPECT_EQ(count_of(&counters->polls_blocked), 4);
	EXPECT_EQ(count_of(&counters->wakes_timer)
		      + count_of(&counters->wakes_spurious),
	    1);
	sp_shard_close(shard, pd);
	close(fd[1]);
	sp_rcu_unregister();
	end();
}

TEST(a_task_knows_since_when_it_is_ready)
{
	struct sp_task_list ready;
	struct sp_poll_desc *pd;
	uint64_t before;
	int fd[2];

	begin();
	open_pair(fd);
	pd = open_desc(fd[0]);
	EXPECT_EQ(write(fd[1], "x", 1), 1);
	before = sp_cycles();
	EXPECT_EQ(poll_now(&ready), 1);
	EXPECT(pd->ready >= before && pd->ready <= sp_cycles());
	sp_shard_close(shard, pd);
	close(fd[1]);
	end();
}
