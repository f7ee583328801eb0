/* SPDX-License-Identifier: BSD-2-Clause */

/* Dates, with the C library as the oracle. */

#include "framework/http_date.h"

#include "tests/harness.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW INT64_C(1700000000) /* November 2023 */

static int
parse(const char *text, int64_t *out)
{
	/* Of the exact size, for what reads behind it. */
	size_t size = strlen(text);
	char *copy = malloc(size + (size == 0));
	int error;

	memcpy(copy, text, size);
	error = sp_http_date_parse(copy, size, NOW, out);
	free(copy);
	return error;
}

static bool
formats_as(int64_t time, const char *text)
{
	char out[SP_HTTP_DATE + 1] = "";

	sp_http_date_format(out, time);
	return strcmp(out, text) == 0;
}

TEST(dates_are_those_of_the_c_library)
{
	uint64_t state = test_seed();
	unsigned rounds = test_rounds(20000);

	for (unsigned i = 0; i < rounds; i++) {
		uint64_t range = SP_HTTP_DATE_MAX - SP_HTTP_DATE_MIN + 1;
		int64_t time = (int64_t)(test_random(&state) % range)
			       + SP_HTTP_DATE_MIN;
		time_t copy = time;
		char want[64];
		int64_t back = 0;
		struct tm tm;

		gmtime_r(&copy, &tm);
		strftime(want, sizeof(want), "%a, %d %b ", &tm);
		snprintf(
		    want + 12, sizeof(want) - 12, "%04d", tm.tm_year + 1900);
		strftime(want + 16, sizeof(want) - 16, " %H:%M:%S GMT", &tm);
		EXPECT(formats_as(time, want));
		EXPECT_EQ(parse(want, &back), 0);
		EXPECT_EQ(back, time);

		strftime(want, sizeof(want), "%a %b %e %H:%M:%S ", &tm);
		snprintf(
		    want + 20, sizeof(want) - 20, "%04d", tm.tm_year + 1900);
		EXPECT_EQ(parse(want, &back), 0);
		EXPECT_EQ(back, time);
	}
}

/* Every day of 800 years, so every kind of leap year, at both its ends. */
TEST(every_day_follows_the_one_before)
{
	char before[SP_HTTP_DATE], text[SP_HTTP_DATE];
	int64_t back;

	for (int64_t day = -146097; day < 146097; day++) {
		int64_t last = day * 86400 + 86399;

		sp_http_date_format(before, last);
		sp_http_date_format(text, last + 1);
		EXPECT(memcmp(before + 16, " 23:59:59 GMT", 13) == 0);
		EXPECT(memcmp(text + 16, " 00:00:00 GMT", 13) == 0);
		EXPECT(memcmp(before, text, 7) != 0);
		EXPECT_EQ(
		    sp_http_date_parse(text, SP_HTTP_DATE, NOW, &back), 0);
		EXPECT_EQ(back, last + 1);
	}
}

TEST(the_three_forms)
{
	int64_t time = 0;

	EXPECT(formats_as(784111777, "Sun, 06 Nov 1994 08:49:37 GMT"));
	EXPECT_EQ(parse("Sun, 06 Nov 1994 08:49:37 GMT", &time), 0);
	EXPECT_EQ(time, 784111777);
	EXPECT_EQ(parse("Sunday, 06-Nov-94 08:49:37 GMT", &time), 0);
	EXPECT_EQ(time, 784111777);
	EXPECT_EQ(parse("Sun Nov  6 08:49:37 1994", &time), 0);
	EXPECT_EQ(time, 784111777);
	EXPECT_EQ(parse("Sun Nov 06 08:49:37 1994", &time), 0);
	EXPECT_EQ(time, 784111777);
}

TEST(the_range_and_the_leap_years)
{
	int64_t time = 0;

	EXPECT(formats_as(0, "Thu, 01 Jan 1970 00:00:00 GMT"));
	EXPECT(formats_as(-1, "Wed, 31 Dec 1969 23:59:59 GMT"));
	EXPECT(formats_as(INT32_MAX, "Tue, 19 Jan 2038 03:14:07 GMT"));
	EXPECT(formats_as(951782400, "Tue, 29 Feb 2000 00:00:00 GMT"));
	EXPECT(formats_as(4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"));
	EXPECT(formats_as(SP_HTTP_DATE_MIN, "Mon, 01 Jan 0001 00:00:00 GMT"));
	EXPECT(formats_as(SP_HTTP_DATE_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"));
	EXPECT(formats_as(INT64_MIN, "Mon, 01 Jan 0001 00:00:00 GMT"));
	EXPECT(formats_as(INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"));

	EXPECT_EQ(parse("Thu, 29 Feb 2024 12:00:00 GMT", &time), 0);
	EXPECT_EQ(parse("Wed, 29 Feb 2023 12:00:00 GMT", &time), -EINVAL);
	EXPECT_EQ(parse("Mon, 29 Feb 1900 12:00:00 GMT", &time), -EINVAL);
	EXPECT_EQ(parse("Thu, 01 Mar 1900 12:00:00 GMT", &time), 0);
	EXPECT_EQ(parse("Sat, 31 Dec 2016 23:59:60 GMT", &time), 0);
	EXPECT(formats_as(time, "Sun, 01 Jan 2017 00:00:00 GMT"));
}

/* now is 2023: 73 is 2073, and 74 is 1974. */
TEST(two_digits_are_at_most_fifty_years_ahead)
{
	int64_t time = 0;

	EXPECT_EQ(parse("Sunday, 01-Jan-73 00:00:00 GMT", &time), 0);
	EXPECT(formats_as(time, "Sun, 01 Jan 2073 00:00:00 GMT"));
	EXPECT_EQ(parse("Tuesday, 01-Jan-74 00:00:00 GMT", &time), 0);
	EXPECT(formats_as(time, "Tue, 01 Jan 1974 00:00:00 GMT"));
	EXPECT_EQ(parse("Saturday, 01-Jan-00 00:00:00 GMT", &time), 0);
	EXPECT(formats_as(time, "Sat, 01 Jan 2000 00:00:00 GMT"));
	EXPECT_EQ(parse("Friday, 01-Jan-99 00:00:00 GMT", &time), 0);
	EXPECT(formats_as(time, "Fri, 01 Jan 1999 00:00:00 GMT"));
}

/* A colon is above the digits, '!' below; neither is in a name. */
TEST(each_byte_of_a_date_counts)
{
	static const char *const dates[] = {
		"Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994",
		"Wed Nov 16 08:49:37 1994",
	};

	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++)
		for (size_t at = 0; dates[i][at] != '\0'; at++) {
			char text[SP_HTTP_DATE + 8];
			int64_t time;

			strcpy(text, dates[i]);
			EXPECT_EQ(parse(text, &time), 0);
			text[at] = '!';
			EXPECT_EQ(parse(text, &time), -EINVAL);
			text[at] = dates[i][at] == ':' ? ';' : ':';
			EXPECT_EQ(parse(text, &time), -EINVAL);
		}
}

TEST(what_is_no_date_is_refused)
{
	static const char *const bad[] = {
		"",
		"0",
		"Sun",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 gmt",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		" Sun, 06 Nov 1994 08:49:37 GMT",
		"sun, 06 Nov 1994 08:49:37 GMT",
		"Mon, 06 Nov 1994 08:49:37 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 32 Nov 1994 08:49:37 GMT",
		"Thu, 31 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1994 08:49:61 GMT",
		"Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov +994 08:49:37 GMT",
		"Sat, 01 Jan 0000 00:00:00 GMT",
		"Monday, 06-Nov-94 08:49:37 GMT",
		"Sun, 06-Nov-94 08:49:37 GMT",
		"Sunday, 06 Nov 94 08:49:37 GMT",
		"Sunday, 06-Nov-1994 08:49:37 GMT",
		"Sun Nov 6 08:49:37 1994",
		"Sun Nov  0 08:49:37 1994",
		"Mon Nov  6 08:49:37 1994",
		"Sun Nov  6 08:49:37 94  ",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t time = 12345;

		EXPECT_EQ(parse(bad[i], &time), -EINVAL);
		EXPECT_EQ(time, 12345);
	}
}
