/* SPDX-License-Identifier: BSD-2-Clause */

/* Clocks: the wrap of ticks, and the two values that are never a time. */

#include "shards/clock.h"
#include "tests/harness.h"

TEST(ticks_compare_across_the_wrap)
{
	EXPECT(sp_tick_after(5, 3));
	EXPECT(!sp_tick_after(3, 5));
	EXPECT(!sp_tick_after(3, 3));
	EXPECT(sp_tick_after(3, UINT32_MAX - 3));
	EXPECT(!sp_tick_after(UINT32_MAX - 3, 3));
}

TEST(a_deadline_is_never_one_of_the_reserved_ticks)
{
	EXPECT_EQ(sp_tick_deadline(UINT32_MAX - 9, 10), 2);
	EXPECT_EQ(sp_tick_deadline(UINT32_MAX - 9, 11), 2);
	EXPECT_EQ(sp_tick_deadline(UINT32_MAX - 9, 12), 2);
	EXPECT_EQ(sp_tick_deadline(100, 10), 110);
}

TEST(a_deadline_that_is_very_far_away_has_not_passed)
{
	sp_tick now = sp_tick_of(sp_now_ns());

	EXPECT(sp_tick_after(sp_tick_in(1000), now));
	EXPECT(sp_tick_after(sp_tick_in(UINT32_MAX), now));
	EXPECT(sp_tick_after(sp_tick_in(UINT32_MAX / 2 + 1), now));
}

TEST(the_clocks_go_forward)
{
	sp_tick tick;
	uint64_t cycles;

	sp_clock_init();
	tick = sp_tick_of(sp_now_ns());
	cycles = sp_cycles();
	EXPECT(tick > 1);
	EXPECT(!sp_tick_after(tick, sp_tick_of(sp_now_ns())));
	EXPECT(sp_cycles() > cycles);
	EXPECT(sp_cycles_per_us() > 0);
}
