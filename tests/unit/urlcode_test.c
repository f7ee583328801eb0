/* SPDX-License-Identifier: BSD-2-Clause */

/* Escapes, queries and cookies. */

#include "framework/urlcode.h"

#include "tests/harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool
decodes(const char *in, unsigned flags, const char *want)
{
	char out[64];
	ssize_t n = sp_url_decode(in, strlen(in), out, sizeof(out), flags);

	return n == (ssize_t)strlen(want) && memcmp(out, want, (size_t)n) == 0;
}

static ssize_t
decode_error(const char *in, unsigned flags)
{
	char out[64];

	return sp_url_decode(in, strlen(in), out, sizeof(out), flags);
}

TEST(decoding_undoes_every_escape)
{
	EXPECT(decodes("", 0, ""));
	EXPECT(decodes("a%20b", 0, "a b"));
	EXPECT(decodes("%2f%2F%c3%A9", 0, "//\xc3\xa9"));
	EXPECT(decodes("a+b", 0, "a+b"));
	EXPECT(decodes("a+b%2b", SP_URL_PLUS, "a b+"));
	EXPECT(decodes("%2541", 0, "%41"));
}

TEST(broken_escapes_are_refused)
{
	static const char *const bad[] = { "%", "%4", "a%", "%g0", "%0g",
		"%%41", "%-1", "% 1", "%+1", "%4%31", "%u0041" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(decode_error(bad[i], SP_URL_PLUS), -EINVAL);
}

TEST(nul_is_refused_on_request)
{
	char out[4];

	EXPECT_EQ(sp_url_decode("a%00", 4, out, 4, 0), 2);
	EXPECT_EQ(out[1], 0);
	EXPECT_EQ(sp_url_decode("a%00", 4, out, 4, SP_URL_NO_NUL), -EINVAL);
	EXPECT_EQ(sp_url_decode("a\0", 2, out, 4, 0), 2);
	EXPECT_EQ(sp_url_decode("a\0", 2, out, 4, SP_URL_NO_NUL), -EINVAL);
}

TEST(decoding_stays_in_its_buffer)
{
	char text[] = "%41%42c", out[2] = "";

	EXPECT_EQ(sp_url_decode("%41%42", 6, out, 2, 0), 2);
	EXPECT_EQ(sp_url_decode("%41%42%43", 9, out, 2, 0), -ENOSPC);
	EXPECT_EQ(sp_url_decode("a", 1, out, 0, 0), -ENOSPC);
	EXPECT_EQ(sp_url_decode(text, 7, text, 7, 0), 3);
	EXPECT(memcmp(text, "ABc", 3) == 0);
}

TEST(what_is_encoded_decodes_to_itself)
{
	static const unsigned ways[] = { 0, SP_URL_PLUS, SP_URL_SLASH };
	char all[256], coded[768], back[256];

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	for (size_t way = 0; way < 3; way++) {
		ssize_t n = sp_url_encode(
		    all, 256, coded, sizeof(coded), ways[way]);

		EXPECT(n > 0);
		for (ssize_t i = 0; i < n; i++)
			EXPECT(coded[i] > ' ' && coded[i] < 0x7f
			       && strchr("&=?#;\"<>", coded[i]) == NULL);
		EXPECT_EQ(
		    sp_url_decode(coded, (size_t)n, back, 256, ways[way]), 256);
		EXPECT(memcmp(all, back, 256) == 0);
		EXPECT_EQ(
		    sp_url_encode(all, 256, coded, (size_t)n - 1, ways[way]),
		    -ENOSPC);
	}
	EXPECT_EQ(sp_url_encode("a /~", 4, coded, 8, 0), 8);
	EXPECT(memcmp(coded, "a%20%2F~", 8) == 0);
	EXPECT_EQ(
	    sp_url_encode("a /~", 4, coded, 4, SP_URL_PLUS | SP_URL_SLASH), 4);
	EXPECT(memcmp(coded, "a+/~", 4) == 0);
}

static bool
is(const char *text, size_t size, const char *want)
{
	return size == strlen(want) && memcmp(text, want, size) == 0;
}

TEST(pairs_of_a_query)
{
	static const struct {
		const char *name, *value;
		bool has_value;
	} want[] = {
		{ "q", "a+b%26c", true },
		{ "page", "2", true },
		{ "all", "", false },
		{ "", "x", true },
		{ "e", "", true },
		{ "f", "g=h", true },
	};
	const char *text = "q=a+b%26c&page=2&all&&=x&e=&f=g=h&";
	struct sp_query_pair pair;
	struct sp_query query;

	sp_query_init(&query, text, strlen(text));
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		EXPECT(sp_query_next(&query, &pair));
		EXPECT(is(pair.name, pair.name_size, want[i].name));
		EXPECT(is(pair.value, pair.value_size, want[i].value));
		EXPECT_EQ(pair.has_value, want[i].has_value);
	}
	EXPECT(!sp_query_next(&query, &pair));
	EXPECT(!sp_query_next(&query, &pair));
	sp_query_init(&query, NULL, 0);
	EXPECT(!sp_query_next(&query, &pair));
}

static ssize_t
get(const char *text, const char *name, char out[16])
{
	return sp_query_get(text, strlen(text), name, out, 16);
}

TEST(values_come_by_their_decoded_name)
{
	const char *text = "a%20b=1&x=first&x=second&c+d=2&%zz=3&e=%zz&f=%00&g";
	char out[16];

	EXPECT_EQ(get(text, "a b", out), 1);
	EXPECT_EQ(out[0], '1');
	EXPECT_EQ(get(text, "x", out), 5);
	EXPECT(memcmp(out, "first", 5) == 0);
	EXPECT_EQ(get(text, "c d", out), 1);
	EXPECT_EQ(get(text, "g", out), 0);
	EXPECT_EQ(get(text, "a", out), -ENOENT);
	EXPECT_EQ(get(text, "a b c", out), -ENOENT);
	EXPECT_EQ(get(text, "%zz", out), -ENOENT);
	EXPECT_EQ(get(text, "", out), -ENOENT);
	EXPECT_EQ(get(text, "e", out), -EINVAL);
	EXPECT_EQ(get(text, "f", out), -EINVAL);
	EXPECT_EQ(sp_query_get(text, strlen(text), "x", out, 4), -ENOSPC);
}

/* A line is a call of sp_cookies_next(). */
TEST(cookies_are_read_to_the_letter)
{
	static const struct {
		int result;
		const char *name, *value;
		bool quoted;
	} want[] = {
		{ 1, "SID", "31d4d96e407aad42", false },
		{ 1, "lang", "en-US", true },
		{ 1, "empty", "", false },
		{ 1, "b64", "YQ==", false },
		{ -EINVAL, NULL, NULL, false }, /* no space before it */
		{ -EINVAL, NULL, NULL, false }, /* two spaces */
		{ -EINVAL, NULL, NULL, false }, /* no "=" */
		{ -EINVAL, NULL, NULL, false }, /* no name */
		{ -EINVAL, NULL, NULL, false }, /* a space in the value */
		{ -EINVAL, NULL, NULL, false }, /* one quote */
		{ -EINVAL, NULL, NULL, false }, /* a quote inside */
		{ -EINVAL, NULL, NULL, false }, /* a name that is no token */
		{ -EINVAL, NULL, NULL, false }, /* a byte above 0x7f */
		{ 1, "last", "1", false },
		{ -EINVAL, NULL, NULL, false }, /* the space behind the ";" */
		{ 0, NULL, NULL, false },
		{ 0, NULL, NULL, false },
	};
	const char *text = "SID=31d4d96e407aad42; lang=\"en-US\"; empty=; "
			   "b64=YQ==;tight=1;  two=1; none; =x; s=a b; q=\"; "
			   "i=a\"b; n@me=1; h=\xc3\xa9; last=1; ";
	struct sp_cookies cookies;
	struct sp_cookie cookie;

	sp_cookies_init(&cookies, text, strlen(text));
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		EXPECT_EQ(sp_cookies_next(&cookies, &cookie), want[i].result);
		if (want[i].result != 1)
			continue;
		EXPECT(is(cookie.name, cookie.name_size, want[i].name));
		EXPECT(is(cookie.value, cookie.value_size, want[i].value));
		EXPECT_EQ(cookie.quoted, want[i].quoted);
	}
}

TEST(a_cookie_by_its_name)
{
	const char *text = "a=1; bad value; b=2; b=3; A=4";
	struct sp_cookie cookie;

	EXPECT_EQ(sp_cookie_get(text, strlen(text), "b", &cookie), 0);
	EXPECT(is(cookie.value, cookie.value_size, "2"));
	EXPECT_EQ(sp_cookie_get(text, strlen(text), "A", &cookie), 0);
	EXPECT(is(cookie.value, cookie.value_size, "4"));
	EXPECT_EQ(sp_cookie_get(text, strlen(text), "c", &cookie), -ENOENT);
	EXPECT_EQ(sp_cookie_get(text, strlen(text), "bad", &cookie), -ENOENT);
	EXPECT_EQ(sp_cookie_get("", 0, "a", &cookie), -ENOENT);
}

/*
 * Goal: nothing reads or writes outside, whatever the bytes are.
 * Method: random bytes, mostly those that mean something, in blocks of the
 * exact size, under the address sanitizer.
 */
TEST(random_bytes_stay_inside)
{
	static const char some[] = "%+&=; \"ab4\0\xff";
	uint64_t state = test_seed();
	unsigned rounds = test_rounds(20000);

	for (unsigned i = 0; i < rounds; i++) {
		size_t size = 1 + test_random(&state) % 24;
		char *text = malloc(size), *out = malloc(size);
		struct sp_cookies cookies;
		struct sp_cookie cookie;
		ssize_t n;
		int calls = 0;

		for (size_t at = 0; at < size; at++)
			text[at] = some[(test_random(&state) >> 16)
					% (sizeof(some) - 1)];
		n = sp_url_decode(text, size, out, size, 0);
		EXPECT(n == -EINVAL || (n >= 0 && (size_t)n <= size));
		n = sp_query_get(text, size, "a", out, size);
		EXPECT(n < (ssize_t)size);
		sp_cookies_init(&cookies, text, size);
		while (sp_cookies_next(&cookies, &cookie) != 0)
			calls++;
		EXPECT(calls <= (int)size);
		free(text);
		free(out);
	}
}
