/* SPDX-License-Identifier: BSD-2-Clause */

/* Poll descriptor, one thread: errors, parking, deadlines, kicks, closing. */

#include "shards/poll_desc.h"
#include "tests/harness.h"

#include <errno.h>

static const struct sp_service service = { .name = "none" };
static char fiber[16];
#define FIBER ((uintptr_t)fiber)

static struct sp_poll_desc
new_desc(void)
{
	struct sp_poll_desc pd = { .index = 7 };

	sp_poll_desc_reset(&pd, 3, &service);
	return pd;
}

static void
wait_in(struct sp_poll_desc *pd, enum sp_poll_mode mode)
{
	EXPECT(sp_slot_announce(&pd->slot[mode]));
	EXPECT(sp_slot_commit(&pd->slot[mode], FIBER));
}

TEST(a_fresh_descriptor_has_no_past)
{
	struct sp_poll_desc pd = new_desc();
	uintptr_t woken[SP_POLL_MODES];

	sp_poll_unblock(&pd, woken);
	sp_poll_set_deadline(&pd, SP_POLL_WRITE, SP_DEADLINE_EXPIRED);
	sp_slot_ready(&pd.slot[SP_POLL_WRITE]);
	sp_store(&pd.gen, 5, relaxed);
	pd.proto = &pd;
	sp_poll_desc_reset(&pd, 4, &service);
	EXPECT_EQ(sp_netpoll_check_err(&pd, SP_POLL_READ), 0);
	EXPECT_EQ(sp_netpoll_check_err(&pd, SP_POLL_WRITE), 0);
	EXPECT(!sp_slot_consume(&pd.slot[SP_POLL_WRITE]));
	EXPECT(pd.proto == NULL);
	EXPECT_EQ(pd.fd, 4);
	EXPECT(sp_poll_desc_handle(&pd) == sp_handle_make(5, 0, 7));
}

TEST(a_close_outranks_a_deadline_and_a_deadline_a_fault)
{
	struct sp_poll_desc pd = new_desc();
	uintptr_t woken[SP_POLL_MODES];

	sp_poll_kick(&pd, SP_POLL_EVENT_ERR, woken);
	EXPECT_EQ(sp_netpoll_check_err(&pd, SP_POLL_READ), -EIO);
	EXPECT_EQ(sp_netpoll_check_err(&pd, SP_POLL_WRITE), 0);

	sp_poll_set_deadline(&pd, SP_POLL_READ, 10);
	EXPECT_EQ(sp_poll_expire(&pd, SP_POLL_READ, 10), SP_SLOT_NIL);
	EXPECT_EQ(sp_netpoll_check_err(&pd, SP_POLL_READ), -ETIMEDOUT);
	EXPECT_EQ(sp_netpoll_check_err(&pd, SP_POLL_WRITE), 0);

	EXPECT(sp_poll_unblock(&pd, woken));
	EXPECT_EQ(sp_netpoll_check_err(&pd, SP_POLL_READ), -ECANCELED);
	EXPECT_EQ(sp_netpoll_check_err(&pd, SP_POLL_WRITE), -ECANCELED);
}

TEST(parking_gives_the_descriptor_away)
{
	struct sp_poll_desc pd = new_desc();

	EXPECT(sp_poll_park(&pd));
	EXPECT_EQ(sp_slot_ready(&pd.slot[SP_POLL_READ]), SP_SLOT_TASK);
	sp_slot_ready(&pd.slot[SP_POLL_READ]);
	EXPECT(!sp_poll_park(&pd));
	EXPECT(sp_poll_park(&pd));
}

/* Whatever came before the park: the owner runs again. */
TEST(nobody_parks_on_news)
{
	struct sp_link link;
	uintptr_t woken[SP_POLL_MODES];

	for (int news = 0; news < 4; news++) {
		struct sp_poll_desc pd = new_desc();

		if (news == 0)
			sp_poll_unblock(&pd, woken);
		if (news == 1)
			sp_poll_kick(&pd, SP_POLL_DRAIN, woken);
		if (news == 2)
			sp_stack_push(&pd.outq, &link);
		if (news == 3)
			sp_poll_set_deadline(
			    &pd, SP_POLL_READ, SP_DEADLINE_EXPIRED);
		EXPECT(!sp_poll_park(&pd));
		EXPECT(!sp_slot_consume(&pd.slot[SP_POLL_READ]));
	}
}

TEST(a_hang_up_or_a_write_deadline_is_no_reason_not_to_park)
{
	struct sp_poll_desc pd = new_desc();
	uintptr_t woken[SP_POLL_MODES];

	sp_poll_kick(&pd, SP_POLL_HANGUP | SP_POLL_URGENT, woken);
	sp_poll_set_deadline(&pd, SP_POLL_WRITE, SP_DEADLINE_EXPIRED);
	EXPECT(sp_poll_park(&pd));
}

TEST(a_deadline_wakes_its_own_mode)
{
	struct sp_poll_desc pd = new_desc();

	EXPECT(sp_poll_park(&pd));
	wait_in(&pd, SP_POLL_WRITE);
	sp_poll_set_deadline(&pd, SP_POLL_READ, 10);
	sp_poll_set_deadline(&pd, SP_POLL_WRITE, 10);
	EXPECT_EQ(
	    (intmax_t)sp_poll_expire(&pd, SP_POLL_WRITE, 10), (intmax_t)FIBER);
	EXPECT_EQ(sp_poll_expire(&pd, SP_POLL_READ, 10), SP_SLOT_TASK);
	EXPECT_EQ(sp_poll_expire(&pd, SP_POLL_READ, 10), SP_SLOT_NIL);
}

TEST(a_deadline_that_was_moved_has_not_passed)
{
	struct sp_poll_desc pd = new_desc();

	EXPECT(sp_poll_park(&pd));
	sp_poll_set_deadline(&pd, SP_POLL_READ, 10);
	sp_poll_set_deadline(&pd, SP_POLL_READ, 20);
	EXPECT_EQ(sp_poll_expire(&pd, SP_POLL_READ, 10), SP_SLOT_NIL);
	EXPECT_EQ(sp_netpoll_check_err(&pd, SP_POLL_READ), 0);
	EXPECT_EQ(sp_poll_expire(&pd, SP_POLL_READ, 20), SP_SLOT_TASK);
	sp_poll_set_deadline(&pd, SP_POLL_READ, 30);
	EXPECT_EQ(sp_netpoll_check_err(&pd, SP_POLL_READ), 0);
}

TEST(unblock_wakes_both_modes_and_once)
{
	struct sp_poll_desc pd = new_desc();
	uintptr_t woken[SP_POLL_MODES];

	EXPECT(sp_poll_park(&pd));
	wait_in(&pd, SP_POLL_WRITE);
	EXPECT(sp_poll_unblock(&pd, woken));
	EXPECT_EQ(woken[SP_POLL_READ], SP_SLOT_TASK);
	EXPECT_EQ((intmax_t)woken[SP_POLL_WRITE], (intmax_t)FIBER);
	EXPECT(!sp_poll_unblock(&pd, woken));
	EXPECT(!sp_poll_park(&pd));
}

TEST(a_kick_wakes_without_an_edge)
{
	struct sp_poll_desc pd = new_desc();
	uintptr_t woken[SP_POLL_MODES];

	wait_in(&pd, SP_POLL_READ);
	sp_poll_kick(&pd, 0, woken);
	EXPECT_EQ((intmax_t)woken[SP_POLL_READ], (intmax_t)FIBER);
	EXPECT_EQ(woken[SP_POLL_WRITE], SP_SLOT_NIL);
	EXPECT(!sp_slot_consume(&pd.slot[SP_POLL_READ]));
	EXPECT_EQ(sp_netpoll_check_err(&pd, SP_POLL_READ), 0);
}
