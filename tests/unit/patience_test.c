/* SPDX-License-Identifier: BSD-2-Clause */

/* How long a body may take. */

#include "framework/patience.h"
#include "tests/harness.h"

#define MS UINT64_C(1000000)

static uint32_t
left(uint64_t bytes, uint64_t waited_ms, uint32_t most_ms)
{
	const struct sp_patience patience = { bytes, waited_ms * MS };

	return sp_patience_left(&patience, 5000, 240, most_ms);
}

TEST(grace_first_and_then_by_the_byte)
{
	EXPECT_EQ(left(0, 0, 0), 5000);
	EXPECT_EQ(left(0, 4999, 0), 1);
	EXPECT_EQ(left(0, 5000, 0), 0);
	EXPECT_EQ(left(240, 5000, 0), 1000);
	EXPECT_EQ(left(12, 5000, 0), 50);
	EXPECT_EQ(left(240, 6000, 0), 0);
	EXPECT_EQ(left(240, UINT32_MAX, 0), 0);
}

TEST(no_wait_is_longer_than_the_limit)
{
	EXPECT_EQ(left(240000, 0, 30000), 30000);
	EXPECT_EQ(left(0, 0, 30000), 5000);
	EXPECT(left(UINT64_MAX / 1000, 0, 0) > 0);
}
