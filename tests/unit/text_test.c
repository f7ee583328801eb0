/* SPDX-License-Identifier: BSD-2-Clause */

/* Text: the bound, the numbers, and what may stand in a header. */

#include "framework/text.h"

#include "tests/harness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
text_is(const struct sp_text *text, const char *want)
{
	return text->size == strlen(want)
	       && memcmp(text->data, want, text->size) == 0;
}

TEST(an_append_that_does_not_fit_writes_nothing)
{
	char *data = malloc(5);
	struct sp_text text;

	sp_text_init(&text, data, 5);
	sp_text_string(&text, "abc");
	EXPECT(text_is(&text, "abc") && !text.overflow);
	sp_text_string(&text, "def");
	EXPECT(text_is(&text, "abc") && text.overflow);
	sp_text_char(&text, 'd');
	EXPECT(text_is(&text, "abc") && text.overflow);
	EXPECT(sp_text_room(&text, 0) == NULL);

	sp_text_init(&text, data, 5);
	sp_text_bytes(&text, "abcde", 5);
	EXPECT(text_is(&text, "abcde") && !text.overflow);
	sp_text_bytes(&text, NULL, 0);
	EXPECT(!text.overflow);
	sp_text_bytes(&text, "f", SIZE_MAX);
	EXPECT(text_is(&text, "abcde") && text.overflow);
	free(data);
}

static void
check_number(uint64_t value)
{
	char out[64], want[64];
	struct sp_text text;

	sp_text_init(&text, out, sizeof(out));
	sp_text_u64(&text, value);
	sp_text_char(&text, ' ');
	sp_text_i64(&text, (int64_t)value);
	sp_text_char(&text, ' ');
	sp_text_hex(&text, value);
	snprintf(want, sizeof(want), "%" PRIu64 " %" PRId64 " %" PRIx64, value,
	    (int64_t)value, value);
	EXPECT(text_is(&text, want));
}

TEST(numbers_are_written_as_printf_does)
{
	uint64_t state = test_seed(), power = 1;

	for (int digits = 0; digits < 20; digits++, power *= 10) {
		check_number(power - 1);
		check_number(power);
		check_number(power + 1);
	}
	for (int bit = 0; bit < 64; bit++) {
		check_number((UINT64_C(1) << bit) - 1);
		check_number(UINT64_C(1) << bit);
		check_number(0 - (UINT64_C(1) << bit));
	}
	check_number(UINT64_MAX);
	for (unsigned i = test_rounds(10000); i-- > 0;)
		check_number(test_random(&state) >> test_random(&state) % 64);
}

TEST(no_control_but_the_tab_in_a_field)
{
	for (int c = 0; c < 256; c++) {
		char value[3] = { 'a', (char)c, 'b' };
		bool control = (c < 32 && c != '\t') || c == 127;

		EXPECT_EQ(sp_field_value_ok(value, 3), !control);
	}
	EXPECT(sp_field_value_ok("", 0));
	EXPECT(!sp_field_value_ok("a\r\nSet-Cookie: x=1", 18));
	EXPECT(sp_field_value_ok("a\r", 1));
}

TEST(tokens_are_those_of_the_rfc)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (int c = 0; c < 256; c++) {
		char token[2] = { 'a', (char)c };
		bool want = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
			    || (c >= 'a' && c <= 'z')
			    || (c != 0 && strchr(others, c) != NULL);

		EXPECT_EQ(sp_token_ok(token, 2), want);
		EXPECT_EQ(sp_token_ok(token + 1, 1), want);
	}
	EXPECT(!sp_token_ok("", 0));
}

static bool
escapes(const char *in, size_t size, const char *want)
{
	char out[64], *copy = malloc(size + (size == 0));
	struct sp_text text;

	memcpy(copy, in, size);
	sp_text_init(&text, out, sizeof(out));
	sp_text_json(&text, copy, size);
	free(copy);
	return text_is(&text, want) && !text.overflow;
}

#define ESCAPES(in, want) EXPECT(escapes(in, sizeof(in) - 1, want))
#define NO "\xef\xbf\xbd"

TEST(what_json_escapes)
{
	ESCAPES("", "");
	ESCAPES("plain /text'", "plain /text'");
	ESCAPES("\"\\", "\\\"\\\\");
	ESCAPES("\b\f\n\r\t", "\\b\\f\\n\\r\\t");
	ESCAPES("a\0b\x01\x1f\x7f", "a\\u0000b\\u0001\\u001f\x7f");
	ESCAPES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
	    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST(what_is_not_utf8_is_replaced)
{
	ESCAPES("a\x80z", "a" NO "z");
	ESCAPES("\xff\xfe", NO NO);
	ESCAPES("\xc3", NO);
	ESCAPES("\xc3z", NO "z");
	ESCAPES("\xc0\xaf", NO NO);               /* overlong */
	ESCAPES("\xe0\x9f\xbf", NO NO NO);        /* likewise */
	ESCAPES("\xed\xa0\x80", NO NO NO);        /* a surrogate */
	ESCAPES("\xf4\x90\x80\x80", NO NO NO NO); /* above U+10FFFF */
	ESCAPES("\xe2\x82z", NO "z");             /* two of three */
	ESCAPES("\xf0\x9f\x98", NO);              /* three of four */
	ESCAPES("\xf0\x9f\xf0\x9f\x98\x80", NO "\xf0\x9f\x98\x80");
}

/* Every scalar value is itself, and each sequence cut short is replaced. */
TEST(every_character_is_kept)
{
	for (uint32_t c = 0x80; c < 0x110000; c++) {
		char in[5] = "";
		size_t size;

		if (c >= 0xd800 && c < 0xe000)
			continue;
		if (c < 0x800) {
			size = 2;
			in[0] = (char)(0xc0 | c >> 6);
		} else if (c < 0x10000) {
			size = 3;
			in[0] = (char)(0xe0 | c >> 12);
		} else {
			size = 4;
			in[0] = (char)(0xf0 | c >> 18);
		}
		for (size_t i = 1; i < size; i++)
			in[i] = (char)(0x80 | (c >> 6 * (size - 1 - i) & 0x3f));
		EXPECT(escapes(in, size, in));
		if (c % 61 == 0)
			EXPECT(escapes(in, size - 1, NO));
	}
}

TEST(escaping_stays_inside)
{
	const char *in = "a\"\x01\xff\xc3\xa9 and so on";
	char want[64];
	struct sp_text text;

	sp_text_init(&text, want, sizeof(want));
	sp_text_json(&text, in, strlen(in));
	for (size_t capacity = 0; capacity < text.size; capacity++) {
		char *data = malloc(capacity + (capacity == 0));
		struct sp_text cut;

		sp_text_init(&cut, data, capacity);
		sp_text_json(&cut, in, strlen(in));
		EXPECT(cut.overflow);
		EXPECT(cut.size <= capacity);
		EXPECT(memcmp(data, want, cut.size) == 0);
		free(data);
	}
}
