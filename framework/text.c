/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/text.h"

static const char hex_digits[] = "0123456789abcdef";

const char sp_two_digits[201] =
    "00010203040506070809101112131415161718192021222324252627282930313233"
    "34353637383940414243444546474849505152535455565758596061626364656667"
    "6869707172737475767778798081828384858687888990919293949596979899";

size_t
sp_format_u64_long(char out[SP_U64_DIGITS], uint64_t value)
{
	char digits[SP_U64_DIGITS];
	size_t at = SP_U64_DIGITS;

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	memcpy(out, digits + at, SP_U64_DIGITS - at);
	return SP_U64_DIGITS - at;
}

size_t
sp_format_hex(char out[SP_HEX_DIGITS], uint64_t value)
{
	size_t size = 1;

	while (size < SP_HEX_DIGITS && value >> (4 * size) != 0)
		size++;
	for (size_t i = size; i-- > 0; value >>= 4)
		out[i] = hex_digits[value & 15];
	return size;
}

void
sp_text_u64(struct sp_text *text, uint64_t value)
{
	char digits[SP_U64_DIGITS];

	sp_text_bytes(text, digits, sp_format_u64(digits, value));
}

void
sp_text_i64(struct sp_text *text, int64_t value)
{
	char digits[1 + SP_U64_DIGITS] = "-";
	size_t minus = value < 0;
	uint64_t size = minus ? 0 - (uint64_t)value : (uint64_t)value;

	sp_text_bytes(
	    text, digits, minus + sp_format_u64(digits + minus, size));
}

void
sp_text_hex(struct sp_text *text, uint64_t value)
{
	char digits[SP_HEX_DIGITS];

	sp_text_bytes(text, digits, sp_format_hex(digits, value));
}

/*
 * The well-formed sequences, Unicode 15, table 3-7: by the first byte, how
 * many follow, and what the first of those may be. The others are 80..BF.
 */
static const struct {
	uint8_t last, follow, low, high;
} utf8_first[] = {
	{ 0xc1, 0, 0x00, 0x00 }, /* 80..C1: never first */
	{ 0xdf, 1, 0x80, 0xbf },
	{ 0xe0, 2, 0xa0, 0xbf }, /* no overlong forms */
	{ 0xec, 2, 0x80, 0xbf },
	{ 0xed, 2, 0x80, 0x9f }, /* no surrogates */
	{ 0xef, 2, 0x80, 0xbf },
	{ 0xf0, 3, 0x90, 0xbf },
	{ 0xf3, 3, 0x80, 0xbf },
	{ 0xf4, 3, 0x80, 0x8f }, /* up to U+10FFFF */
	{ 0xff, 0, 0x00, 0x00 },
};

/*
 * How many bytes, at least one, are a character, *valid, or as much of one
 * as there is.
 */
static size_t
utf8_size(const uint8_t *at, size_t size, bool *valid)
{
	size_t row = 0, n = 1;

	while (at[0] > utf8_first[row].last)
		row++;
	for (; n <= utf8_first[row].follow && n < size; n++) {
		uint8_t low = n == 1 ? utf8_first[row].low : 0x80;
		uint8_t high = n == 1 ? utf8_first[row].high : 0xbf;

		if (at[n] < low || at[n] > high)
			break;
	}
	*valid = utf8_first[row].follow != 0 && n > utf8_first[row].follow;
	return n;
}

static void
json_escape(struct sp_text *text, uint8_t c)
{
	static const char letters[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	char escape[] = "\\u0000";

	for (size_t i = 0; i < sizeof(letters) - 1; i += 2) {
		if (letters[i] == (char)c) {
			escape[1] = letters[i + 1];
			sp_text_bytes(text, escape, 2);
			return;
		}
	}
	escape[4] = hex_digits[c >> 4];
	escape[5] = hex_digits[c & 15];
	sp_text_bytes(text, escape, 6);
}

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

/*
 * Does any of eight bytes ask for a look? A difference below 0 borrows, so
 * that one behind may be called so that is not; never the other way round.
 */
static bool
any_special(const uint8_t *at)
{
	uint64_t word, quote, backslash;

	memcpy(&word, at, sizeof(word));
	quote = word ^ EACH_BYTE('"');
	backslash = word ^ EACH_BYTE('\\');
	return ((word | (word - EACH_BYTE(' ')) | (quote - EACH_BYTE(1))
		    | (backslash - EACH_BYTE(1)))
		   & EACH_BYTE(0x80))
	       != 0;
}

/* How many bytes, from the first, are in JSON what they are. */
static size_t
plain_size(const uint8_t *at, size_t size)
{
	size_t n = 0;

	while (n + sizeof(uint64_t) <= size && !any_special(at + n))
		n += sizeof(uint64_t);
	while (n < size && at[n] >= ' ' && at[n] < 0x80 && at[n] != '"'
	       && at[n] != '\\')
		n++;
	return n;
}

void
sp_text_json(struct sp_text *text, const char *bytes, size_t size)
{
	const uint8_t *at = (const uint8_t *)bytes;
	size_t n;

	for (; size != 0; at += n, size -= n) {
		bool valid;

		n = plain_size(at, size);
		if (n != 0) {
			sp_text_bytes(text, (const char *)at, n);
		} else if (at[0] < 0x80) {
			json_escape(text, at[0]);
			n = 1;
		} else {
			n = utf8_size(at, size, &valid);
			if (valid)
				sp_text_bytes(text, (const char *)at, n);
			else
				sp_text_bytes(text, "\xef\xbf\xbd", 3);
		}
	}
}

static bool
is_field_byte(uint8_t c)
{
	return (c >= ' ' && c != 0x7f) || c == '\t';
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Whether none of eight bytes is a control, the tab included. */
static bool
eight_are_plain(const char *at)
{
	uint64_t x, del;

	memcpy(&x, at, sizeof(x));
	del = x ^ EACH(0x7f);
	/* The borrow of (x - n) shows in the high bit of bytes below n. */
	return (((x - EACH(' ')) & ~x) & EACH(0x80)) == 0
	       && (((del - EACH(1)) & ~del) & EACH(0x80)) == 0;
}

bool
sp_field_value_ok(const char *value, size_t size)
{
	size_t i = 0;

	if (size >= 8) {
		/* All but the last eight, and those; the two may overlap. */
		while (i + 8 < size && eight_are_plain(value + i))
			i += 8;
		if (i + 8 >= size && eight_are_plain(value + size - 8))
			return true;
	}
	for (; i < size; i++) {
		if (!is_field_byte((uint8_t)value[i]))
			return false;
	}
	return true;
}

/* A bit for each byte below 128: letters, digits and "!#$%&'*+-.^_`|~". */
static const uint32_t token_bits[4] = {
	0x00000000,
	0x03ff6cfa,
	0xc7fffffe,
	0x57ffffff,
};

bool
sp_token_ok(const char *token, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t c = (uint8_t)token[i];

		if (c >= 128 || (token_bits[c / 32] >> c % 32 & 1) == 0)
			return false;
	}
	return size != 0;
}
