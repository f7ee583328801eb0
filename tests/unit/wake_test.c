/* SPDX-License-Identifier: BSD-2-Clause */

/* netpollWakeSig, one thread: the table in shards/wake.h. */

#include "shards/wake.h"
#include "tests/harness.h"

TEST(a_poller_that_is_awake_needs_no_write)
{
	struct sp_wake wake = { SP_WAKE_RUNNING };

	EXPECT(!sp_wake_notify(&wake));
	EXPECT_EQ(sp_load(&wake.sig, relaxed), SP_WAKE_RUNNING);
}

TEST(one_sleep_costs_one_write)
{
	struct sp_wake wake = { SP_WAKE_RUNNING };

	for (int sleep = 0; sleep < 3; sleep++) {
		sp_wake_blocked(&wake);
		EXPECT_EQ(sp_load(&wake.sig, relaxed), SP_WAKE_BLOCKED);
		EXPECT(sp_wake_notify(&wake));
		EXPECT_EQ(sp_load(&wake.sig, relaxed), SP_WAKE_NOTIFIED);
		EXPECT(!sp_wake_notify(&wake));
		sp_wake_running(&wake);
		EXPECT(!sp_wake_notify(&wake));
	}
}

TEST(a_sleep_that_was_not_begun_leaves_nothing)
{
	struct sp_wake wake = { SP_WAKE_RUNNING };

	sp_wake_blocked(&wake);
	sp_wake_running(&wake);
	EXPECT_EQ(sp_load(&wake.sig, relaxed), SP_WAKE_RUNNING);
	EXPECT(!sp_wake_notify(&wake));
}
