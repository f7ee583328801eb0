/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What is kept of heads for those that repeat them: what is, what must not
 * be, and when it is given up. That it makes no difference to any verdict is
 * tests/http_check.h's, for every vector and every input of the fuzzers.
 */

#include "framework/http_repeat.h"

#include "tests/harness.h"
#include "tests/http_check.h"

#define PLAIN "Host: example.com:80\r\nAccept: text/html\r\n\r\n"
#define OTHER "Host: example.com:81\r\nAccept: text/html\r\n\r\n"

static const struct sp_http_limits limits = SP_HTTP_LIMITS_DEFAULT;
static struct sp_http_repeat repeat;
static struct sp_http_head head;

#define EACH_SCAN_WITH_BLOCKS(scan)                                            \
	for (enum sp_http_scan scan = SP_HTTP_SCAN_PORTABLE + 1;               \
	     scan < SP_HTTP_SCANS; scan++)                                     \
		if (sp_http_scan_available(scan))

static int
parse(enum sp_http_scan scan, const char *target, const char *rest)
{
	char text[2048];
	int size = snprintf(
	    text, sizeof(text), "GET %s HTTP/1.1\r\n%s", target, rest);

	return http_parse_again(
	    scan, &head, text, (size_t)size, &limits, &repeat);
}

static void
forget(void)
{
	memset(&repeat, 0, sizeof(repeat));
}

/* Whether the next head with those fields is read by comparing them. */
static bool
is_known(enum sp_http_scan scan, const char *rest)
{
	const uint16_t mark = 7;
	uint16_t size = repeat.fields[0].value_size;
	bool known;

	repeat.fields[0].value_size = mark;
	known = parse(scan, "/", rest) > 0 && head.fields[0].value_size == mark;
	repeat.fields[0].value_size = size;
	return known;
}

TEST(fields_that_repeat_are_compared_whatever_the_target)
{
	EACH_SCAN_WITH_BLOCKS(scan)
	{
		forget();
		EXPECT(!is_known(scan, PLAIN));
		EXPECT(is_known(scan, PLAIN));
		EXPECT(parse(scan, "/a/longer/one?than=before", PLAIN) > 0);
		EXPECT(head.flags & SP_HTTP_HAS_QUERY);
		EXPECT_EQ(head.query_size, 11);
		EXPECT_EQ(head.nfields, 2);
		EXPECT_EQ(head.host_size, 11);
		EXPECT_EQ(head.authority_size, 14);
		EXPECT_EQ(head.host, head.fields[0].value);
		EXPECT(is_known(scan, PLAIN));
	}
}

TEST(a_byte_that_differs_is_seen)
{
	char text[] = PLAIN;

	EACH_SCAN_WITH_BLOCKS(scan)
	{
		for (size_t i = 0; i < sizeof(PLAIN) - 1; i++) {
			forget();
			parse(scan, "/", PLAIN);
			text[i] ^= 1;
			EXPECT(!is_known(scan, text));
			text[i] ^= 1;
			EXPECT(is_known(scan, PLAIN));
		}
	}
}

TEST(a_head_that_is_cut_short_is_not_one_that_repeats)
{
	const char text[] = "GET / HTTP/1.1\r\n" PLAIN;

	EACH_SCAN_WITH_BLOCKS(scan)
	{
		forget();
		parse(scan, "/", PLAIN);
		for (size_t size = 0; size < sizeof(text) - 1; size++)
			EXPECT_EQ(http_parse_again(scan, &head, text, size,
				      &limits, &repeat),
			    0);
	}
}

/* Neither in the text nor by any trace of it. */
static void
expect_not_kept(const char *rest, const char *secret)
{
	EACH_SCAN_WITH_BLOCKS(scan)
	{
		forget();
		EXPECT(parse(scan, "/", rest) > 0);
		EXPECT(!repeat.armed);
		EXPECT(memmem(&repeat, sizeof(repeat), secret, strlen(secret))
		       == NULL);
		EXPECT(!is_known(scan, rest));
	}
}

TEST(secrets_are_not_kept)
{
	expect_not_kept(
	    "Host: example.com:80\r\nCOOKIE: sid=1234\r\n\r\n", "sid=1234");
	expect_not_kept(
	    "Host: example.com:80\r\nauthorization: Basic abcd\r\n\r\n",
	    "abcd");
	expect_not_kept(
	    "Host: example.com:80\r\nProxy-Authorization: a bcd\r\n\r\n",
	    "a bcd");
}

TEST(what_decides_about_the_body_or_the_connection_is_not_kept)
{
	expect_not_kept(
	    "Host: example.com:80\r\nContent-Length: 0\r\n\r\n", "-Length");
	expect_not_kept(
	    "Host: example.com:80\r\nConnection: close\r\n\r\n", "close");
	expect_not_kept(
	    "Host: example.com:80\r\nTransfer-Encoding: chunked\r\n\r\n",
	    "chunked");
	expect_not_kept(
	    "Host: example.com:80\r\nExpect: 100-continue\r\n\r\n", "100");
}

TEST(what_is_too_long_is_not_kept)
{
	char rest[SP_HTTP_REPEAT_MAX + 64] = "Host: example.com:80\r\nX: ";
	size_t at = strlen(rest);

	memset(rest + at, 'x', SP_HTTP_REPEAT_MAX);
	memcpy(rest + at + SP_HTTP_REPEAT_MAX, "\r\n\r\n", 5);
	expect_not_kept(rest, "xx");
}

TEST(a_smaller_limit_of_fields_holds_for_what_was_kept)
{
	const struct sp_http_limits one = { 16384, 1, 8192 };
	const char text[] = "GET / HTTP/1.1\r\n" PLAIN;

	EACH_SCAN_WITH_BLOCKS(scan)
	{
		forget();
		parse(scan, "/", PLAIN);
		EXPECT_EQ(http_parse_again(scan, &head, text, sizeof(text) - 1,
			      &one, &repeat),
		    -431);
	}
}

TEST(one_stranger_does_not_undo_what_was_learnt)
{
	EACH_SCAN_WITH_BLOCKS(scan)
	{
		forget();
		parse(scan, "/", PLAIN);
		for (int i = 0; i < 100; i++) {
			EXPECT(is_known(scan, PLAIN));
			EXPECT(!is_known(scan, OTHER));
		}
	}
}

/* Learning costs more than it saves where nobody repeats anything. */
TEST(clients_that_repeat_nothing_are_learnt_from_seldom)
{
	EACH_SCAN_WITH_BLOCKS(scan)
	{
		unsigned learnt = 0;

		forget();
		for (int i = 0; i < 1000; i++) {
			char rest[128];
			bool before = repeat.armed;

			snprintf(rest, sizeof(rest),
			    "Host: example.com\r\nX-Number: %d\r\n\r\n", i);
			EXPECT(parse(scan, "/", rest) > 0);
			learnt += !before && repeat.armed;
		}
		EXPECT(learnt > 4);
		EXPECT(learnt < 32);
		/* And what repeats from then on is learnt in the end. */
		for (int i = 0; i < 100; i++)
			parse(scan, "/", PLAIN);
		EXPECT(is_known(scan, PLAIN));
	}
}
