/* SPDX-License-Identifier: BSD-2-Clause */

/* Typed values, and the three ways in which they fail. */

#include "framework/urlcode.h"
#include "tests/harness.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARSE(kind, text, out) sp_parse_##kind(text, strlen(text), out)
#define QUERY(kind, text, name, out)                                           \
	sp_query_##kind(text, strlen(text), name, out)

TEST(unsigned_numbers)
{
	static const char *const bad[] = { "", "-", "-1", "+1", " 1", "1 ",
		"0x1", "1e3", "1.0", "99999999999999999999x" };
	uint64_t value = 7;

	EXPECT_EQ(PARSE(u64, "0", &value), 0);
	EXPECT_EQ(value, 0);
	EXPECT_EQ(PARSE(u64, "00018446744073709551615", &value), 0);
	EXPECT(value == UINT64_MAX);
	value = 7;
	EXPECT_EQ(PARSE(u64, "18446744073709551616", &value), -ERANGE);
	EXPECT_EQ(PARSE(u64, "184467440737095516150", &value), -ERANGE);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(PARSE(u64, bad[i], &value), -EINVAL);
	EXPECT_EQ(value, 7);
}

TEST(signed_numbers)
{
	static const char *const bad[] = { "", "-", "--1", "+1", "1-", "-x" };
	int64_t value = 7;

	EXPECT_EQ(PARSE(i64, "-1", &value), 0);
	EXPECT_EQ(value, -1);
	EXPECT_EQ(PARSE(i64, "9223372036854775807", &value), 0);
	EXPECT(value == INT64_MAX);
	EXPECT_EQ(PARSE(i64, "-9223372036854775808", &value), 0);
	EXPECT(value == INT64_MIN);
	value = 7;
	EXPECT_EQ(PARSE(i64, "9223372036854775808", &value), -ERANGE);
	EXPECT_EQ(PARSE(i64, "-9223372036854775809", &value), -ERANGE);
	EXPECT_EQ(PARSE(i64, "-99999999999999999999", &value), -ERANGE);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(PARSE(i64, bad[i], &value), -EINVAL);
	EXPECT_EQ(value, 7);
}

TEST(floating_point_numbers)
{
	static const char *const good[] = { "0", "-0", "1", "-12.5", "0.1",
		"1e10", "1E+10", "2.5e-3", "1.7976931348623157e308",
		"2.2250738585072014e-308", "5e-324", "1e-400",
		"0.1000000000000000055511151231257827021181583404541015625" };
	static const char *const bad[] = { "", "-", ".", "1.", ".5", "+1", "01",
		"1e", "1e+", "1,5", "0x1p3", "inf", "nan", "-inf", "1 ", " 1",
		"1.5.2", "1e5e5", "1d5" };
	double value = 7;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		EXPECT_EQ(PARSE(double, good[i], &value), 0);
		EXPECT(value == strtod(good[i], NULL));
	}
	value = 7;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(PARSE(double, bad[i], &value), -EINVAL);
	EXPECT_EQ(PARSE(double, "1e309", &value), -ERANGE);
	EXPECT_EQ(PARSE(double, "-1e309", &value), -ERANGE);
	EXPECT(value == 7);
}

/* 63 bytes are a number, 64 are not. */
TEST(floating_point_numbers_have_a_longest)
{
	char text[65];
	double value = 7;

	memset(text, '1', sizeof(text));
	EXPECT_EQ(sp_parse_double(text, 63, &value), 0);
	EXPECT(value > 1e62);
	EXPECT_EQ(sp_parse_double(text, 64, &value), -EINVAL);
}

TEST(truth)
{
	static const char *const yes[] = { "1", "true", "on" };
	static const char *const no[] = { "0", "false", "off" };
	static const char *const bad[] = { "", "True", "2", "tru", "truee",
		"yes", "00" };
	bool value = false;

	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(PARSE(bool, yes[i], &value), 0);
		EXPECT(value);
		EXPECT_EQ(PARSE(bool, no[i], &value), 0);
		EXPECT(!value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(PARSE(bool, bad[i], &value), -EINVAL);
}

TEST(a_query_tells_missing_from_malformed_from_out_of_range)
{
	const char *text = "page=2&neg=%2D3&pi=3.25&on=true&q=a&e=&broken=%4"
			   "&big=99999999999999999999&bige=1e999";
	char longest[128] = "n=";
	uint64_t u = 7;
	int64_t i = 7;
	double d = 7;
	bool b = false;

	EXPECT_EQ(QUERY(u64, text, "page", &u), 0);
	EXPECT_EQ(u, 2);
	EXPECT_EQ(QUERY(i64, text, "neg", &i), 0);
	EXPECT_EQ(i, -3);
	EXPECT_EQ(QUERY(double, text, "pi", &d), 0);
	EXPECT(d == 3.25);
	EXPECT_EQ(QUERY(bool, text, "on", &b), 0);
	EXPECT(b);

	EXPECT_EQ(QUERY(u64, text, "none", &u), -ENOENT);
	EXPECT_EQ(QUERY(i64, text, "none", &i), -ENOENT);
	EXPECT_EQ(QUERY(double, text, "none", &d), -ENOENT);
	EXPECT_EQ(QUERY(bool, text, "none", &b), -ENOENT);
	EXPECT_EQ(QUERY(u64, text, "q", &u), -EINVAL);
	EXPECT_EQ(QUERY(i64, text, "e", &i), -EINVAL);
	EXPECT_EQ(QUERY(double, text, "broken", &d), -EINVAL);
	EXPECT_EQ(QUERY(bool, text, "page", &b), -EINVAL);
	EXPECT_EQ(QUERY(u64, text, "big", &u), -ERANGE);
	EXPECT_EQ(QUERY(i64, text, "big", &i), -ERANGE);
	EXPECT_EQ(QUERY(double, text, "bige", &d), -ERANGE);

	memset(longest + 2, '0', 65);
	EXPECT_EQ(QUERY(u64, longest, "n", &u), -EINVAL);
	EXPECT(u == 2 && i == -3 && d == 3.25 && b);
}
