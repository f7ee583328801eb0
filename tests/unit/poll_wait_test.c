/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Waiting in a fiber, as far as one thread can see it: whoever has a reason
 * not to wait is not suspended. There is no loop here to suspend to, so a
 * suspend would crash. tests/unit/engine_test.c has fibers that do wait.
 */

#include "shards/worker.h"

#include "alloc/check.h"
#include "tests/harness.h"

#include <errno.h>
#include <stdlib.h>

static const struct sp_service service = { .name = "none" };
static struct sp_worker *worker;
static struct sp_fiber fiber;

static struct sp_poll_desc
begin(void)
{
	struct sp_poll_desc pd = { .index = 7 };

	worker = calloc(1, sizeof(*worker));
	SP_CHECK(worker != NULL);
	worker->current = &fiber;
	worker->spares = &fiber.link; /* enough for a reserve */
	sp_poll_desc_reset(&pd, 3, &service);
	return pd;
}

static void
end(struct sp_poll_desc *pd)
{
	for (int mode = 0; mode < SP_POLL_MODES; mode++)
		EXPECT_EQ(sp_load(&pd->slot[mode], relaxed), SP_SLOT_NIL);
	EXPECT_EQ(worker->waiting, 0);
	free(worker);
}

TEST(an_edge_is_not_waited_for)
{
	struct sp_poll_desc pd = begin();

	sp_slot_ready(&pd.slot[SP_POLL_READ]);
	EXPECT(sp_netpoll_block(worker, &pd, SP_POLL_READ));
	sp_slot_ready(&pd.slot[SP_POLL_WRITE]);
	EXPECT_EQ(sp_poll_wait(worker, &pd, SP_POLL_WRITE), 0);
	end(&pd);
}

/* What comes after the check and before the announcement. */
TEST(news_is_not_slept_on)
{
	struct sp_link link;
	uintptr_t woken[SP_POLL_MODES];

	for (int news = 0; news < 4; news++) {
		struct sp_poll_desc pd = begin();

		if (news == 0)
			sp_poll_unblock(&pd, woken);
		if (news == 1)
			sp_poll_set_deadline(
			    &pd, SP_POLL_READ, SP_DEADLINE_EXPIRED);
		if (news == 2)
			sp_stack_push(&pd.outq, &link);
		if (news == 3)
			sp_poll_kick(&pd, SP_POLL_EVENT_ERR, woken);
		EXPECT(!sp_netpoll_block(worker, &pd, SP_POLL_READ));
		end(&pd);
	}
}

TEST(a_wait_says_why_it_did_not)
{
	struct sp_poll_desc pd = begin();
	uintptr_t woken[SP_POLL_MODES];

	sp_poll_set_deadline(&pd, SP_POLL_WRITE, SP_DEADLINE_EXPIRED);
	EXPECT_EQ(sp_poll_wait(worker, &pd, SP_POLL_WRITE), -ETIMEDOUT);
	EXPECT_EQ(sp_poll_reset(&pd, SP_POLL_WRITE), -ETIMEDOUT);
	EXPECT_EQ(sp_poll_reset(&pd, SP_POLL_READ), 0);
	sp_poll_unblock(&pd, woken);
	EXPECT_EQ(sp_poll_wait(worker, &pd, SP_POLL_READ), -ECANCELED);
	EXPECT_EQ(sp_poll_reset(&pd, SP_POLL_READ), -ECANCELED);
	end(&pd);
}

TEST(a_reset_forgets_the_edge)
{
	struct sp_poll_desc pd = begin();

	sp_slot_ready(&pd.slot[SP_POLL_READ]);
	EXPECT_EQ(sp_poll_reset(&pd, SP_POLL_READ), 0);
	EXPECT(sp_slot_announce(&pd.slot[SP_POLL_READ]));
	EXPECT(!sp_slot_consume(&pd.slot[SP_POLL_READ]));
	end(&pd);
}

static unsigned flushed;

static void
flush(void *arg)
{
	EXPECT(arg == &flushed);
	flushed++;
}

TEST(what_was_put_off_is_done_before_a_wait)
{
	struct sp_poll_desc pd = begin();

	fiber.before_wait = flush;
	fiber.before_wait_arg = &flushed;
	sp_slot_ready(&pd.slot[SP_POLL_READ]);
	EXPECT_EQ(sp_poll_wait(worker, &pd, SP_POLL_READ), 0);
	EXPECT_EQ(flushed, 1);
	fiber.before_wait = NULL;
	end(&pd);
}

/* No fiber to go on with: the wait is refused before it is announced. */
TEST(without_a_stack_nobody_waits)
{
	struct sp_poll_desc pd = begin();

	worker->spares = NULL;
	sp_stack_pool_init(&worker->stacks, 0, 0, 0);
	EXPECT_EQ(sp_poll_wait(worker, &pd, SP_POLL_READ), -ENOMEM);
	EXPECT_EQ(sp_load(&worker->counters.fibers_refused, relaxed), 1);
	sp_stack_pool_fini(&worker->stacks);
	end(&pd);
}
