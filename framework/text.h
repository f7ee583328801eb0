/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_TEXT_H
#define SPATE_FRAMEWORK_TEXT_H

/*
 * Text: a buffer of the caller's that is appended to, and the numbers and
 * checks that composing a response takes.
 *
 *     +---------------------+-----------------+
 *     | what was appended   | room            |
 *     +---------------------+-----------------+
 *     data                  size              capacity
 *
 * An append that does not fit writes nothing, sets overflow, and so do all
 * after it: what is there is a prefix of what was meant, and overflow says
 * that it is one. No NUL is added.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sp_text {
	char *data; /* lent by the caller */
	size_t size, capacity;
	bool overflow; /* never cleared */
};

static inline void
sp_text_init(struct sp_text *text, char *data, size_t capacity)
{
	*text = (struct sp_text){ .data = data, .capacity = capacity };
}

/*
 * sp_text_room: room for this many bytes, to be filled by the caller.
 *
 * => Returns NULL: overflow.
 */
static inline char *
sp_text_room(struct sp_text *text, size_t size)
{
	char *at;

	if (size > text->capacity - text->size || text->overflow) {
		text->overflow = true;
		return NULL;
	}
	at = text->data + text->size;
	text->size += size;
	return at;
}

static inline void
sp_text_bytes(struct sp_text *text, const char *bytes, size_t size)
{
	char *at = sp_text_room(text, size);

	if (at != NULL && size != 0)
		memcpy(at, bytes, size);
}

static inline void
sp_text_string(struct sp_text *text, const char *string)
{
	sp_text_bytes(text, string, strlen(string));
}

static inline void
sp_text_char(struct sp_text *text, char c)
{
	sp_text_bytes(text, &c, 1);
}

void sp_text_u64(struct sp_text *text, uint64_t value);
void sp_text_i64(struct sp_text *text, int64_t value);
void sp_text_hex(struct sp_text *text, uint64_t value);

/*
 * sp_text_json: the inside of a JSON string, without the quotes around it.
 *
 * Quotes, backslashes and controls are escaped. Bytes that are not UTF-8
 * become U+FFFD, one for each part that cannot be the start of a character,
 * so that the result is UTF-8 whatever came in.
 */
void sp_text_json(struct sp_text *text, const char *bytes, size_t size);

/*
 * Numbers into a buffer: decimal, and hexadecimal in lower case without
 * leading zeros or "0x".
 *
 * => Returns the size. No NUL is added.
 */
#define SP_U64_DIGITS 20
#define SP_HEX_DIGITS 16
extern const char sp_two_digits[201] __attribute__((visibility("hidden")));
size_t sp_format_u64_long(char out[SP_U64_DIGITS], uint64_t value);
static inline size_t
sp_format_u64(char out[SP_U64_DIGITS], uint64_t value)
{
	/* The sizes of small answers, without a loop and a copy. */
	if (value < 10) {
		out[0] = (char)('0' + value);
		return 1;
	}
	if (value < 100) {
		memcpy(out, sp_two_digits + 2 * value, 2);
		return 2;
	}
	return sp_format_u64_long(out, value);
}
size_t sp_format_hex(char out[SP_HEX_DIGITS], uint64_t value);

/*
 * sp_field_value_ok: may this be the value of a header field?
 *
 * => No control but the tab: no CR, LF or NUL, which end a field early for
 *    someone on the way. May be empty.
 */
bool sp_field_value_ok(const char *value, size_t size);

/*
 * sp_token_ok: is this a token of RFC 9110, 5.6.2, such as a field name?
 *
 * => Not if it is empty.
 */
bool sp_token_ok(const char *token, size_t size);

#endif /* SPATE_FRAMEWORK_TEXT_H */
