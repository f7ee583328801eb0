/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_SCAN_H
#define SPATE_FRAMEWORK_HTTP_SCAN_H

/*
 * What the parser asks of the CPU: where does a run of bytes of one class
 * end? One header for each instruction set answers, with the functions
 *
 *     scan_token(p, end)     a method or the name of a field
 *     scan_target(p, end)    visible ASCII but '#', '%' and '?'
 *     scan_value(p, end)     all but controls; HTAB is no control here
 *
 * => Returns the first byte at or behind p that is not of the class, or
 *    anything >= end if there is none in front of end.
 * => p <= end. Reads at most SP_HTTP_PADDING bytes behind end.
 *
 * All are static and inlined: framework/http_head_walk.h is compiled once
 * for each, by framework/http_head_*.c. The classes below are the truth;
 * the vector tables are the same sets by nibbles, and a test compares them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum sp_http_class_bit {
	SP_HTTP_TOKEN = 1 << 0,
	SP_HTTP_TARGET = 1 << 1,
	SP_HTTP_REG_NAME = 1 << 2,
	SP_HTTP_HEX = 1 << 3,
	SP_HTTP_VALUE = 1 << 4,
};

extern const uint8_t sp_http_class[256];

static inline bool
sp_http_is(char c, enum sp_http_class_bit class_bit)
{
	return (sp_http_class[(uint8_t)c] & class_bit) != 0;
}

static inline bool
sp_http_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool
sp_http_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ASCII alone, whatever the locale says. */
static inline char
sp_http_fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/*
 * Compare a few bytes with a constant by words. The folding ones expect
 * constants of small letters, "-", ":" and blanks, and text of blanks and
 * visible ASCII: there nothing but the two cases of a letter is the same
 * under | 0x20.
 */
static inline bool
sp_http_same2(const char *p, const char *constant)
{
	uint16_t a, b;

	memcpy(&a, p, sizeof(a));
	memcpy(&b, constant, sizeof(b));
	return a == b;
}

static inline bool
sp_http_same4(const char *p, const char *constant)
{
	uint32_t a, b;

	memcpy(&a, p, sizeof(a));
	memcpy(&b, constant, sizeof(b));
	return a == b;
}

static inline bool
sp_http_same8(const char *p, const char *constant)
{
	uint64_t a, b;

	memcpy(&a, p, sizeof(a));
	memcpy(&b, constant, sizeof(b));
	return a == b;
}

static inline bool
sp_http_fold4(const char *p, const char *constant)
{
	uint32_t a, b;

	memcpy(&a, p, sizeof(a));
	memcpy(&b, constant, sizeof(b));
	return (a | 0x20202020u) == b;
}

static inline bool
sp_http_fold8(const char *p, const char *constant)
{
	uint64_t a, b;

	memcpy(&a, p, sizeof(a));
	memcpy(&b, constant, sizeof(b));
	return (a | 0x2020202020202020u) == b;
}

/*
 * Constants of vectors. In memory and not in the code, because a compiler
 * that sees their contents prefers to make them anew for every field.
 *
 * A class is a set of nibbles: bit h of entry l says that 0xhl is in it. The
 * row HIGH turns the high nibble h into bit h. A byte above 0x7f is in no
 * class: for it the shuffles yield 0.
 */
enum sp_http_row {
	SP_HTTP_ROW_TOKEN,
	SP_HTTP_ROW_TARGET,
	SP_HTTP_ROW_REG_NAME,
	SP_HTTP_ROW_HIGH,
	SP_HTTP_ROW_0F,
	SP_HTTP_ROW_01,
	SP_HTTP_ROW_21,
	SP_HTTP_ROWS
};

#define SP_HTTP_ROW_BYTES 32 /* the halves are equal */

extern const uint8_t sp_http_rows[SP_HTTP_ROWS][SP_HTTP_ROW_BYTES]
    __attribute__((visibility("hidden"), aligned(SP_HTTP_ROW_BYTES)));

#endif /* SPATE_FRAMEWORK_HTTP_SCAN_H */
