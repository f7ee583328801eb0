/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/slice.h"

#include "tests/harness.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct asked {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static struct asked
read_back(void)
{
	struct asked asked = { .size = sizeof(asked) };

	EXPECT_EQ(syscall(SYS_sched_getattr, 0, &asked, sizeof(asked), 0), 0);
	return asked;
}

TEST(a_slice_changes_neither_policy_nor_niceness)
{
	struct asked before, after;

	setpriority(PRIO_PROCESS, 0, 3);
	before = read_back();
	sp_slice_ask(200);
	after = read_back();
	EXPECT_EQ(after.policy, SCHED_OTHER);
	EXPECT_EQ(after.nice, before.nice);
	/* What the kernel made of it; older ones do not say. */
	EXPECT(after.runtime == 200000 || after.runtime == before.runtime);
}

TEST(who_is_run_by_another_policy_stays_so)
{
	const struct sched_param none = { 0 };

	EXPECT_EQ(sched_setscheduler(0, SCHED_BATCH, &none), 0);
	sp_slice_ask(200);
	EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
	EXPECT_EQ(sched_setscheduler(0, SCHED_OTHER, &none), 0);
}

TEST(asking_for_nothing_changes_nothing)
{
	struct asked before, after;

	sp_slice_ask(300);
	before = read_back();
	sp_slice_ask(0);
	after = read_back();
	EXPECT_EQ(after.runtime, before.runtime);
	EXPECT_EQ(after.nice, before.nice);
}
