/* SPDX-License-Identifier: BSD-2-Clause */

/* Weights of media types and codings. */

#include "framework/negotiate.h"
#include "tests/harness.h"

#include <string.h>

static unsigned
media(const char *value, const char *type)
{
	struct sp_quality best = { 0, 0 };

	sp_accept_media(value, strlen(value), type, &best);
	return best.quality;
}

static unsigned
coding(const char *value, const char *name)
{
	struct sp_quality best = { 0, 0 };

	sp_accept_coding(value, strlen(value), name, &best);
	return best.quality;
}

TEST(the_most_specific_element_counts)
{
	const char *value = "text/*;q=0.3, text/html;q=0.7, */*;q=0.5";

	EXPECT_EQ(media(value, "text/html"), 700);
	EXPECT_EQ(media(value, "text/plain"), 300);
	EXPECT_EQ(media(value, "image/jpeg"), 500);
}

TEST(what_is_not_named_is_not_wanted)
{
	EXPECT_EQ(media("text/html", "text/plain"), 0);
	EXPECT_EQ(media("", "text/plain"), 0);
	EXPECT_EQ(media("text/html;q=0", "text/html"), 0);
	EXPECT_EQ(media("text/plainer", "text/plain"), 0);
	EXPECT_EQ(media("texts/*", "text/plain"), 0);
}

TEST(case_and_blanks_do_not_count)
{
	EXPECT_EQ(media(" TEXT/Plain \t; Q=0.25 ,x/y", "text/plain"), 250);
	EXPECT_EQ(media(",, ,text/plain", "text/plain"), 1000);
}

TEST(weights_have_three_digits)
{
	EXPECT_EQ(media("a/b;q=1", "a/b"), 1000);
	EXPECT_EQ(media("a/b;q=1.000", "a/b"), 1000);
	EXPECT_EQ(media("a/b;q=0.", "a/b"), 0);
	EXPECT_EQ(media("a/b;q=0.001", "a/b"), 1);
	EXPECT_EQ(media("a/b;q=0.0001", "a/b"), 0);
	EXPECT_EQ(media("a/b;q=1.001", "a/b"), 0);
	EXPECT_EQ(media("a/b;q=2", "a/b"), 0);
	EXPECT_EQ(media("a/b;q=", "a/b"), 0);
	EXPECT_EQ(media("a/b;q=x", "a/b"), 0);
	EXPECT_EQ(media("a/b;q=2, */*;q=0.1", "a/b"), 100);
	EXPECT_EQ(media("a/b;q=0:5", "a/b"), 0);
	EXPECT_EQ(media("a/b;q=0./", "a/b"), 0);
	EXPECT_EQ(media("a/b;q=0.:", "a/b"), 0);
	EXPECT_EQ(media("a/b;q=0.5;q=0.7", "a/b"), 700);
	EXPECT_EQ(media("a/b;q", "a/b"), 0);
	EXPECT_EQ(media("a/b;x=1", "a/b"), 0);
	EXPECT_EQ(media("a/b;q-1", "a/b"), 0);
	EXPECT_EQ(media("a/b;;q=0.5", "a/b"), 500);
	EXPECT_EQ(media("a/b;q=0.5 \t", "a/b"), 500);
}

TEST(quotes_hide_what_would_end_an_element)
{
	EXPECT_EQ(media("c/d;x=\"\\\",a/b\", a/b;q=0.2", "a/b"), 200);
	EXPECT_EQ(media("c/d;x=\"\\", "c/d"), 0);
	EXPECT_EQ(media("c/d;x=\",a/b", "a/b"), 0);
	EXPECT_EQ(media("c/d;x=\\,a/b", "a/b"), 1000);
}

TEST(an_element_with_parameters_is_something_narrower)
{
	EXPECT_EQ(media("text/plain;format=flowed", "text/plain"), 0);
	EXPECT_EQ(media("text/plain;format=\",a/b\", a/b;q=0.1", "a/b"), 100);
}

TEST(codings_have_one_name_or_a_star)
{
	EXPECT_EQ(coding("gzip, br;q=0.9", "br"), 900);
	EXPECT_EQ(coding("gzip, br;q=0.9", "gzip"), 1000);
	EXPECT_EQ(coding("*;q=0.1, gzip;q=0", "gzip"), 0);
	EXPECT_EQ(coding("*;q=0.1, gzip;q=0", "br"), 100);
	EXPECT_EQ(coding("gzipped", "gzip"), 0);
}
