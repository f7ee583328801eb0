/* SPDX-License-Identifier: BSD-2-Clause */

/* RCU: sections of visiting threads, and retiring from where it is allowed. */

#include "alloc/cacheline.h"
#include "shards/atomics.h"
#include "shards/rcu.h"
#include "tests/harness.h"

#include <pthread.h>
#include <sched.h>
#include <stddef.h>

struct thing {
	struct sp_rcu_retired retired;
	struct thing *next; /* to retire from the callback */
	SP_ATOMIC(int) reclaimed;
};

static void
reclaim(struct sp_rcu_retired *retired)
{
	struct thing *thing = sp_container_of(retired, struct thing, retired);

	if (thing->next != NULL)
		sp_rcu_retire(&thing->next->retired, reclaim);
	sp_store(&thing->reclaimed, 1, release);
}

static void
wait_for(struct thing *thing)
{
	while (!sp_load(&thing->reclaimed, acquire))
		sched_yield();
}

TEST(a_callback_may_retire)
{
	static struct thing last, middle = { .next = &last };
	static struct thing first = { .next = &middle };
	struct sp_rcu_stats before, stats;

	sp_rcu_barrier();
	sp_rcu_stats_get(&before);
	EXPECT_EQ(before.pending, 0);
	sp_rcu_retire(&first.retired, reclaim);
	wait_for(&last);
	EXPECT(sp_load(&first.reclaimed, relaxed));
	EXPECT(sp_load(&middle.reclaimed, relaxed));
	sp_rcu_barrier();
	sp_rcu_stats_get(&stats);
	EXPECT_EQ(stats.pending, 0);
	EXPECT_EQ(stats.reclaimed, before.reclaimed + 3);
	EXPECT(stats.wait_ns > before.wait_ns);
}

struct reader {
	SP_ATOMIC(int) entered, leave;
};

static void *
read_for_long(void *arg)
{
	struct reader *reader = arg;
	static struct thing own;

	sp_rcu_enter();
	/* Neither a section inside it nor a retire ends the outer one. */
	sp_rcu_enter();
	sp_rcu_exit();
	sp_rcu_retire(&own.retired, reclaim);
	sp_store(&reader->entered, 1, release);
	while (!sp_load(&reader->leave, acquire))
		sched_yield();
	EXPECT(!sp_load(&own.reclaimed, acquire));
	sp_rcu_exit();
	wait_for(&own);
	return NULL;
}

TEST(a_section_lasts_until_its_own_end)
{
	static struct thing thing;
	struct reader reader = { 0, 0 };
	struct sp_rcu_stats stats;
	pthread_t thread;

	sp_rcu_barrier();
	EXPECT_EQ(pthread_create(&thread, NULL, read_for_long, &reader), 0);
	while (!sp_load(&reader.entered, acquire))
		sched_yield();
	sp_rcu_retire(&thing.retired, reclaim);

	/* Long enough for the helper to have run it, if it were free to. */
	for (int i = 0; i < 20000; i++)
		sched_yield();
	EXPECT(!sp_load(&thing.reclaimed, acquire));
	sp_rcu_stats_get(&stats);
	EXPECT_EQ(stats.pending, 2);
	sp_store(&reader.leave, 1, release);
	pthread_join(thread, NULL);
	wait_for(&thing);
	sp_rcu_barrier();
}

static void *
become_worker(void *arg)
{
	struct thing *thing = arg;

	sp_rcu_enter();
	sp_rcu_exit();
	sp_rcu_register();
	sp_rcu_retire(&thing->retired, reclaim);
	sp_rcu_quiescent();
	sp_rcu_offline();
	wait_for(thing);
	sp_rcu_online();
	sp_rcu_unregister();
	return NULL;
}

TEST(a_visitor_may_become_a_worker)
{
	static struct thing thing;
	pthread_t thread;

	EXPECT_EQ(pthread_create(&thread, NULL, become_worker, &thing), 0);
	pthread_join(thread, NULL);
	EXPECT(sp_load(&thing.reclaimed, relaxed));
}
