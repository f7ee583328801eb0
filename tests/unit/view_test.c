/* SPDX-License-Identifier: BSD-2-Clause */

/* What is told of a shard: sums over its workers, and whether it lives. */

#include "framework/view.h"

#include "tests/echo.h"
#include "tests/harness.h"

#include <stddef.h>
#include <string.h>

static struct sp_engine *engine;
static struct sp_shard *shard;

/* A shard with two workers that have no thread. */
static void
begin(void)
{
	struct sp_engine_options options = echo_options(1, 2);

	SP_CHECK(sp_engine_new(&engine, &options) == 0);
	shard = engine->shards[0];
	for (uint32_t i = 0; i < 2; i++)
		sp_store(&shard->workers[i], sp_worker_new(shard, i, false),
		    relaxed);
	sp_store(&shard->worker_count, 2, relaxed);
}

static struct sp_worker *
worker(uint32_t i)
{
	return sp_load(&shard->workers[i], relaxed);
}

static void
end(void)
{
	sp_store(&shard->worker_count, 0, relaxed);
	for (uint32_t i = 0; i < 2; i++) {
		sp_worker_free(worker(i));
		sp_store(&shard->workers[i], NULL, relaxed);
	}
	sp_engine_free(engine);
}

TEST(counters_are_those_of_all_workers)
{
	static struct sp_shard_view view;

	begin();
	sp_count(&worker(0)->counters.requests, 3);
	sp_count(&worker(1)->counters.requests, 4);
	sp_count(&worker(1)->counters.upstream_errors, 1);
	sp_view_shard(&view, shard);
	EXPECT_EQ(view.counters.requests, 7);
	EXPECT_EQ(view.counters.upstream_errors, 1);
	EXPECT_EQ(view.counters.accepted, 0);
	EXPECT_EQ(
	    sp_view_counter(shard, offsetof(struct sp_counters, requests)), 7);
	end();
}

TEST(who_sleeps_is_not_busy)
{
	uint64_t ago = sp_ns_to_cycles(SP_NS_PER_S), busy;

	begin();
	EXPECT_EQ(sp_view_busy(shard), 0);
	sp_store(&worker(0)->started, sp_cycles() - 4 * ago, relaxed);
	EXPECT(sp_view_busy(shard) >= 4 * ago);
	sp_store(&worker(0)->asleep, 3 * ago, relaxed);
	busy = sp_view_busy(shard);
	EXPECT(busy >= ago && busy < 4 * ago);
	/* A sleep that goes on since nearly all that is left. */
	sp_store(&worker(0)->asleep_since, sp_cycles() - ago, relaxed);
	EXPECT(sp_view_busy(shard) < ago);
	end();
}

TEST(a_shard_that_nobody_polls_is_not_alive)
{
	uint64_t long_ago = sp_now_ns() - 60 * (uint64_t)SP_NS_PER_S;

	begin();
	EXPECT(sp_view_alive(shard)); /* it has just begun */
	engine->started_ns = long_ago;
	sp_store(&shard->last_poll, long_ago, relaxed);
	EXPECT(!sp_view_alive(shard));
	sp_wake_blocked(&shard->wake);
	EXPECT(sp_view_alive(shard));
	sp_wake_running(&shard->wake);
	EXPECT(!sp_view_alive(shard));
	sp_store(&shard->last_poll, sp_now_ns(), relaxed);
	EXPECT(sp_view_alive(shard));
	/* It was polled while somebody was about to look. */
	sp_store(&shard->last_poll, sp_now_ns() + SP_NS_PER_S, relaxed);
	EXPECT(sp_view_alive(shard));
	end();
}
