/* SPDX-License-Identifier: BSD-2-Clause */

/* Idle set: exactly one thread gets to wake a parked worker. */

#include "shards/idle.h"
#include "tests/harness.h"

#include <pthread.h>
#include <sched.h>

TEST(a_claim_is_the_right_to_wake)
{
	struct sp_idle idle = { 0 };

	EXPECT(!sp_idle_claim(&idle, 3));
	sp_idle_announce(&idle, 3);
	EXPECT(!sp_idle_claim(&idle, 2));
	EXPECT(sp_idle_claim(&idle, 3));
	EXPECT(!sp_idle_claim(&idle, 3));
	EXPECT(!sp_idle_retract(&idle, 3));
}

TEST(a_retract_that_comes_first_leaves_nothing_to_claim)
{
	struct sp_idle idle = { 0 };

	sp_idle_announce(&idle, SP_IDLE_MAX - 1);
	EXPECT(sp_idle_retract(&idle, SP_IDLE_MAX - 1));
	EXPECT(!sp_idle_claim(&idle, SP_IDLE_MAX - 1));
	EXPECT_EQ(sp_idle_claim_any(&idle, UINT64_MAX), -1);
}

TEST(claim_any_keeps_to_its_mask)
{
	struct sp_idle idle = { 0 };

	sp_idle_announce(&idle, 0);
	sp_idle_announce(&idle, 5);
	sp_idle_announce(&idle, 63);
	EXPECT_EQ(sp_idle_claim_any(&idle, 0), -1);
	EXPECT_EQ(sp_idle_claim_any(&idle, UINT64_C(1) << 4), -1);
	EXPECT_EQ(sp_idle_claim_any(&idle, UINT64_C(1) << 63), 63);
	EXPECT_EQ(sp_idle_claim_any(&idle, ~UINT64_C(1)), 5);
	EXPECT_EQ(sp_idle_claim_any(&idle, UINT64_MAX), 0);
	EXPECT_EQ(sp_idle_claim_any(&idle, UINT64_MAX), -1);
}

#define ROUNDS 20000

struct contest {
	struct sp_idle idle;
	SP_ATOMIC(unsigned) woken, done;
};

static void *
claim_all(void *arg)
{
	struct contest *contest = arg;

	while (!sp_load(&contest->done, relaxed)) {
		if (sp_idle_claim_any(&contest->idle, UINT64_MAX) >= 0)
			sp_fetch_add(&contest->woken, 1, seq_cst);
		else
			sched_yield();
	}
	return NULL;
}

TEST(a_worker_is_woken_once_for_each_park)
{
	struct contest contest = { .woken = 0 };
	pthread_t threads[2];
	unsigned parked = 0;

	for (int i = 0; i < 2; i++)
		EXPECT_EQ(
		    pthread_create(&threads[i], NULL, claim_all, &contest), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		sp_idle_announce(&contest.idle, 7);
		if (i % 3 != 0 && sp_idle_retract(&contest.idle, 7))
			continue;
		/* Now somebody will wake us, and has or has not yet. */
		parked++;
		while (sp_load(&contest.woken, seq_cst) != parked)
			sched_yield();
	}
	sp_store(&contest.done, 1, relaxed);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(sp_load(&contest.woken, relaxed), parked);
	EXPECT(parked >= ROUNDS / 3);
}
