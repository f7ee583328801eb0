/* SPDX-License-Identifier: BSD-2-Clause */

/* Conditions and ranges, from heads as they come. */

#include "framework/precondition.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

#define MODIFIED 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */

static const struct sp_validator there = {
	.etag = "\"abc\"", .modified = MODIFIED, .now = MODIFIED + 3600
};

static char buf[2048];
static struct sp_http_head head;

static void
parse(const char *method, const char *fields)
{
	const struct sp_http_limits limits = SP_HTTP_LIMITS_DEFAULT;
	int size = snprintf(buf, sizeof(buf),
	    "%s / HTTP/1.1\r\nHost: a\r\n%s\r\n", method, fields);

	EXPECT_EQ(
	    sp_http_head_parse(&head, buf, (size_t)size, &limits, NULL), size);
}

static int
condition(const char *method, const char *fields)
{
	parse(method, fields);
	return sp_precondition(&head, buf, &there);
}

TEST(if_none_match_compares_weakly)
{
	EXPECT_EQ(condition("GET", ""), 200);
	EXPECT_EQ(condition("GET", "If-None-Match: \"abc\"\r\n"), 304);
	EXPECT_EQ(condition("GET", "If-None-Match: W/\"abc\"\r\n"), 304);
	EXPECT_EQ(condition("HEAD", "If-None-Match: *\r\n"), 304);
	EXPECT_EQ(condition("GET", "If-None-Match: \"x,\", ,\"abc\"\r\n"), 304);
	EXPECT_EQ(condition("GET",
		      "If-None-Match: \"x\"\r\nIf-None-Match: \"abc\"\r\n"),
	    304);
	EXPECT_EQ(condition("GET", "If-None-Match: \"ab\"\r\n"), 200);
	EXPECT_EQ(condition("GET", "If-None-Match: abc\r\n"), 200);
	EXPECT_EQ(condition("GET", "If-None-Match: \"abc\r\n"), 200);
	EXPECT_EQ(condition("GET", "If-None-Match:\r\n"), 200);
	EXPECT_EQ(condition("PUT", "If-None-Match: \"abc\"\r\n"), 412);
}

TEST(if_match_compares_strongly)
{
	EXPECT_EQ(condition("PUT", "If-Match: \"abc\"\r\n"), 200);
	EXPECT_EQ(condition("PUT", "If-Match: *\r\n"), 200);
	EXPECT_EQ(condition("PUT", "If-Match: W/\"abc\"\r\n"), 412);
	EXPECT_EQ(condition("GET", "If-Match: \"x\"\r\n"), 412);
}

#define SAME "Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT\r\n"

TEST(dates_decide_where_there_is_no_tag)
{
	EXPECT_EQ(condition("GET", "If-Modified-Since: " SAME), 304);
	EXPECT_EQ(condition("GET", "If-Modified-Since: " BEFORE), 200);
	EXPECT_EQ(condition("POST", "If-Modified-Since: " SAME), 200);
	EXPECT_EQ(condition("GET", "If-Modified-Since: yesterday\r\n"), 200);
	EXPECT_EQ(condition("GET",
		      "If-None-Match: \"x\"\r\nIf-Modified-Since: " SAME),
	    200);
	EXPECT_EQ(condition("GET", "If-Unmodified-Since: " SAME), 200);
	EXPECT_EQ(condition("GET", "If-Unmodified-Since: " BEFORE), 412);
	EXPECT_EQ(condition("GET",
		      "If-Match: \"abc\"\r\nIf-Unmodified-Since: " BEFORE),
	    200);
}

static struct sp_range range;

static int
part(const char *fields, uint64_t size)
{
	parse("GET", fields);
	memset(&range, 0, sizeof(range));
	return sp_range(&head, buf, &there, size, &range);
}

static void
expect_part(const char *value, uint64_t size, uint64_t first, uint64_t length)
{
	char fields[256];

	snprintf(fields, sizeof(fields), "Range: %s\r\n", value);
	EXPECT_EQ(part(fields, size), 206);
	EXPECT_EQ(range.first, first);
	EXPECT_EQ(range.size, length);
}

TEST(a_range_is_cut_to_what_there_is)
{
	expect_part("bytes=0-0", 10, 0, 1);
	expect_part("bytes=2-5", 10, 2, 4);
	expect_part("bytes=2-", 10, 2, 8);
	expect_part("bytes=-3", 10, 7, 3);
	expect_part("bytes=-30", 10, 0, 10);
	expect_part("BYTES=9-100", 10, 9, 1);
	expect_part("bytes=1-99999999999999999999999", 10, 1, 9);
	expect_part("bytes=-99999999999999999999999", 10, 0, 10);
}

TEST(a_range_of_nothing_is_416)
{
	EXPECT_EQ(part("Range: bytes=10-\r\n", 10), 416);
	EXPECT_EQ(part("Range: bytes=10-12\r\n", 10), 416);
	EXPECT_EQ(part("Range: bytes=-0\r\n", 10), 416);
	EXPECT_EQ(part("Range: bytes=0-\r\n", 0), 416);
	EXPECT_EQ(part("Range: bytes=-5\r\n", 0), 416);
	EXPECT_EQ(part("Range: bytes=99999999999999999999999-\r\n", 10), 416);
}

TEST(what_is_no_single_range_is_ignored)
{
	static const char *const values[] = { "bytes=", "bytes=-", "bytes=a-b",
		"bytes=5-3", "bytes=1-2,4-5", "lines=1-2", "bytes", "bytes=1",
		"bytes=1-2x", "bytes=+1-2", "bytes=1--2", "" };
	char fields[128];

	EXPECT_EQ(part("", 10), 200);
	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(fields, sizeof(fields), "Range: %s\r\n", values[i]);
		EXPECT_EQ(part(fields, 10), 200);
	}
	EXPECT_EQ(part("Range: bytes=1-2\r\nRange: bytes=1-2\r\n", 10), 200);
	parse("HEAD", "Range: bytes=1-2\r\n");
	EXPECT_EQ(sp_range(&head, buf, &there, 10, &range), 200);
}

#define RANGE "Range: bytes=1-2\r\n"

TEST(if_range_wants_the_very_same)
{
	EXPECT_EQ(part(RANGE "If-Range: \"abc\"\r\n", 10), 206);
	EXPECT_EQ(part(RANGE "If-Range: W/\"abc\"\r\n", 10), 200);
	EXPECT_EQ(part(RANGE "If-Range: \"x\"\r\n", 10), 200);
	EXPECT_EQ(part(RANGE "If-Range: " SAME, 10), 206);
	EXPECT_EQ(part(RANGE "If-Range: " BEFORE, 10), 200);
	EXPECT_EQ(part(RANGE "If-Range: x\r\n", 10), 200);
	EXPECT_EQ(part(RANGE "If-Range:\r\n", 10), 200);
}
