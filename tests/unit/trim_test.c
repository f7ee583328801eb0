/* SPDX-License-Identifier: BSD-2-Clause */

/* Trimming: when a worker gives fibers and stacks back, and how many. */

#include "alloc/counter.h"
#include "shards/engine.h"
#include "shards/trim.h"
#include "tests/harness.h"

#define MANY 200
#define SECOND_TICKS 1000
#define STEP_TICKS 10
#define STEP_STACKS 64

static struct sp_engine engine = {
	.options = { .buffer_size = 4096, .max_fibers = 1000 },
};
static struct sp_shard shard = { .engine = &engine };
static struct sp_worker *worker;

static void
never(struct sp_worker *home)
{
	(void)home;
}

static void
add_spare(struct sp_fiber *fiber)
{
	fiber->link.next = worker->spares;
	worker->spares = &fiber->link;
	worker->spare_count++;
}

static struct sp_fiber *
take_spare(void)
{
	struct sp_fiber *fiber = sp_container_of(
	    worker->spares, struct sp_fiber, link);

	worker->spares = worker->spares->next;
	if (--worker->spare_count < worker->spare_least)
		worker->spare_least = worker->spare_count;
	return fiber;
}

/* A worker that has just had a burst of handlers that waited. */
static void
begin(void)
{
	worker = sp_worker_new(&shard, 0, SP_WORKER_PRIMARY);
	for (int i = 0; i < MANY; i++)
		add_spare(sp_fiber_new(worker, &worker->stacks, never));
}

static void
end(void)
{
	while (worker->spares != NULL)
		sp_fiber_free(take_spare(), &worker->stacks);
	sp_worker_free(worker);
}

static void
trim_after(sp_tick ticks)
{
	worker->now += ticks;
	sp_worker_trim(worker);
}

static uint64_t
trimmed(void)
{
	return sp_counter_get(&worker->stacks.trimmed);
}

TEST(what_was_needed_within_a_second_stays)
{
	begin();
	trim_after(1);
	EXPECT_EQ(worker->spare_count, MANY);
	for (int i = 0; i < 50; i++) {
		struct sp_fiber *needed[MANY];

		for (int j = 0; j < MANY - 10; j++)
			needed[j] = take_spare();
		for (int j = 0; j < MANY - 10; j++)
			add_spare(needed[j]);
		trim_after(SECOND_TICKS / 10);
	}
	/* Ten lay below all that happened, once. */
	EXPECT_EQ(worker->spare_count, MANY - 10);
	end();
}

TEST(what_was_not_needed_goes_back_in_steps)
{
	begin();
	trim_after(1);
	trim_after(SECOND_TICKS - 1);
	EXPECT_EQ(worker->spare_count, MANY);
	trim_after(2);
	EXPECT_EQ(worker->spare_count, SP_IDLE_STACKS);
	EXPECT_EQ(trimmed(), 0);
	trim_after(SECOND_TICKS + 1);
	EXPECT_EQ(trimmed(), STEP_STACKS);
	trim_after(STEP_TICKS - 1);
	EXPECT_EQ(trimmed(), STEP_STACKS);
	trim_after(2);
	EXPECT_EQ(trimmed(), 2 * STEP_STACKS);
	trim_after(STEP_TICKS + 1);
	EXPECT_EQ(trimmed(), MANY - 2 * SP_IDLE_STACKS);
	end();
}

TEST(who_has_nothing_to_give_back_sleeps_on)
{
	begin();
	EXPECT(sp_worker_next_trim(worker) >= 0);
	for (int i = 0; i < 8; i++)
		trim_after(SECOND_TICKS + 1);
	EXPECT_EQ(trimmed(), MANY - 2 * SP_IDLE_STACKS);
	EXPECT_EQ(sp_worker_next_trim(worker), -1);
	end();
}
