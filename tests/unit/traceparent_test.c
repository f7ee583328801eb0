/* SPDX-License-Identifier: BSD-2-Clause */

/* A traceparent by each rule of W3C Trace Context. */

#include "framework/traceparent.h"
#include "tests/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"
#define GOOD "00-" ID "-" PARENT "-01"

static struct spate_trace trace;

static int
parse(const char *text)
{
	return sp_traceparent_parse(&trace, text, strlen(text));
}

static void
expect_bad(const char *text)
{
	if (parse(text) != -EINVAL)
		fprintf(stderr, "%s\n", text);
	EXPECT_EQ(parse(text), -EINVAL);
}

TEST(it_is_taken_apart)
{
	EXPECT_EQ(parse(GOOD), 0);
	EXPECT(strcmp(trace.trace_id, ID) == 0);
	EXPECT(strcmp(trace.parent_id, PARENT) == 0);
	EXPECT(trace.sampled);
	/* Ids with a single digit that is not 0 are ids. */
	EXPECT_EQ(
	    parse("00-00000000000000000000000000000001-1000000000000000-00"),
	    0);
	EXPECT(strcmp(trace.trace_id, "00000000000000000000000000000001") == 0);
	EXPECT(strcmp(trace.parent_id, "1000000000000000") == 0);
	EXPECT(!trace.sampled);
}

TEST(one_flag_is_known)
{
	EXPECT_EQ(parse("00-" ID "-" PARENT "-fe"), 0);
	EXPECT(!trace.sampled);
	EXPECT_EQ(parse("00-" ID "-" PARENT "-10"), 0);
	EXPECT(!trace.sampled);
	EXPECT_EQ(parse("00-" ID "-" PARENT "-0b"), 0);
	EXPECT(trace.sampled);
	EXPECT_EQ(parse("00-" ID "-" PARENT "-09"), 0);
	EXPECT(trace.sampled);
}

TEST(in_a_later_version_more_may_follow)
{
	EXPECT_EQ(parse("01-" ID "-" PARENT "-01"), 0);
	EXPECT_EQ(parse("cc-" ID "-" PARENT "-01-what-the-future-says"), 0);
	EXPECT(strcmp(trace.trace_id, ID) == 0);
	EXPECT(trace.sampled);
	EXPECT_EQ(parse("fe-" ID "-" PARENT "-00-"), 0);
	EXPECT(!trace.sampled);
	expect_bad("cc-" ID "-" PARENT "-01.what-the-future-says");
	expect_bad("cc-" ID "-" PARENT "-011");
	expect_bad("cc-" ID "-" PARENT "-0-");
	expect_bad("cc-00000000000000000000000000000000-" PARENT "-01");
	expect_bad("ff-" ID "-" PARENT "-01");
	expect_bad("ff-" ID "-" PARENT "-01-x");
}

TEST(what_is_malformed_is_none)
{
	static const char *const bad[] = { GOOD "-", GOOD "-00", GOOD "0",
		GOOD " ", " " GOOD, GOOD "," GOOD, "0-" ID "-" PARENT "-01",
		"00-" ID "-" PARENT "-1", "00-" ID "-" PARENT "-0",
		"00-" ID "-" PARENT "-0g", "00-" ID "-" PARENT "-0A",
		"0x-" ID "-" PARENT "-01", "CC-" ID "-" PARENT "-01",
		"00_" ID "-" PARENT "-01", "00-" ID "_" PARENT "-01",
		"00-" ID "-" PARENT "_01", "00-" ID "-B7AD6B7169203331-01",
		"00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01",
		"00-0af7651916cd43dd8448eb211c8031 c-" PARENT "-01",
		"00-" ID "-b7ad6b716920333:-01",
		"00-" ID "-b7ad6b716920333/-01",
		"00-" ID "-b7ad6b716920333`-01",
		"00-00000000000000000000000000000000-" PARENT "-01",
		"00-" ID "-0000000000000000-01",
		"00-0af7651916cd43dd8448eb211c80319-0" PARENT "-01" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_bad(bad[i]);
}

/* The rest may be there, and not belong to it; or not, which a checker sees. */
TEST(a_part_of_it_is_none)
{
	for (size_t size = 0; size < sizeof(GOOD) - 1; size++) {
		char *part = malloc(size + (size == 0));

		memcpy(part, GOOD, size);
		EXPECT_EQ(sp_traceparent_parse(&trace, part, size), -EINVAL);
		EXPECT_EQ(sp_traceparent_parse(&trace, GOOD, size), -EINVAL);
		free(part);
	}
}

static void
put(char text[64], uint64_t span)
{
	struct sp_text value;

	sp_text_init(&value, text, 63);
	sp_traceparent_put(&value, &trace, span);
	text[value.size] = '\0';
}

TEST(what_goes_on_is_of_the_same_trace_with_another_parent)
{
	char text[64];

	EXPECT_EQ(parse("cc-" ID "-" PARENT "-ff-more"), 0);
	put(text, 0x7b);
	EXPECT(strcmp(text, "00-" ID "-000000000000007b-01") == 0);
	EXPECT_EQ(parse(text), 0);
	put(text, UINT64_MAX);
	EXPECT(strcmp(text, "00-" ID "-ffffffffffffffff-01") == 0);
	EXPECT_EQ(parse("00-" ID "-" PARENT "-02"), 0);
	put(text, 1);
	EXPECT(strcmp(text + 52, "-00") == 0);
	EXPECT_EQ(parse(text), 0);
}
