/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * One byte at a time through the framing, and whole spans through the data.
 *
 *     SIZE -> SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE
 *      | ^                                              |
 *      v |                                              |
 *     EXT states            size 0: TRAILER states -> DONE
 *
 * A state is what the next byte has to be. Names of trailer fields may come
 * in pieces too, so they are compared with all the forbidden ones at once:
 * one bit for each that still agrees (struct sp_http_chunked, candidates).
 */

#include "framework/http_chunked.h"

#include "alloc/check.h"
#include "framework/http_scan.h"

#include <stdbool.h>

#define SIZE_DIGITS 16

enum state {
	SIZE, /* a digit, or what may follow a digit */
	EXT_NAME_FIRST,
	EXT_NAME,
	EXT_VALUE_FIRST,
	EXT_VALUE,
	EXT_QUOTED,
	EXT_ESCAPED,
	EXT_QUOTED_END,
	EXT_NAME_GAP, /* blanks behind a name */
	EXT_GAP,      /* blanks that another extension has to follow */
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_FIRST, /* the first byte of a line */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	END_LF,
	DONE,
	FAILED_400,
	FAILED_413,
	FAILED_431,
};

/* What a recipient may act upon only if it stood in the head. */
static const char *const forbidden[] = {
	"age",
	"authorization",
	"cache-control",
	"connection",
	"content-encoding",
	"content-length",
	"content-range",
	"content-type",
	"cookie",
	"date",
	"expect",
	"expires",
	"forwarded",
	"host",
	"if-match",
	"if-modified-since",
	"if-none-match",
	"if-range",
	"if-unmodified-since",
	"keep-alive",
	"max-forwards",
	"pragma",
	"proxy-authorization",
	"proxy-connection",
	"range",
	"set-cookie",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
	"vary",
	"www-authenticate",
};

#define FORBIDDEN (sizeof(forbidden) / sizeof(forbidden[0]))

_Static_assert(FORBIDDEN == 32, "one bit each in candidates");
_Static_assert(sizeof(struct sp_http_chunked) <= 32, "it is part of others");

void
sp_http_chunked_init(struct sp_http_chunked *chunked, uint64_t limit)
{
	*chunked = (struct sp_http_chunked){ .room = limit, .state = SIZE };
}

int
sp_http_chunked_limit(struct sp_http_chunked *chunked, uint64_t limit)
{
	/* In SIZE not all digits have been seen: then it is judged later. */
	if (chunked->state != SIZE && chunked->left > limit)
		return -413;
	chunked->room = limit;
	return 0;
}

static int
fail(struct sp_http_chunked *chunked, enum state state)
{
	chunked->state = (uint8_t)state;
	return state == FAILED_413 ? -413 : state == FAILED_431 ? -431 : -400;
}

static int
hex_value(char c)
{
	if (!sp_http_is(c, SP_HTTP_HEX))
		return -1;
	return sp_http_is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/*
 * The steps take one byte each.
 *
 * => Return 0 and set chunked->state, or -status.
 */

/* What may stand behind a size or an extension. */
static int
step_ext_end(struct sp_http_chunked *chunked, char c, enum state gap)
{
	if (sp_http_is_blank(c))
		chunked->state = (uint8_t)gap;
	else if (c == ';')
		chunked->state = EXT_NAME_FIRST;
	else if (c == '\r')
		chunked->state = SIZE_LF;
	else
		return fail(chunked, FAILED_400);
	return 0;
}

static int
step_size(struct sp_http_chunked *chunked, char c)
{
	int digit = hex_value(c);

	if (digit >= 0) {
		if (chunked->digits == SIZE_DIGITS
		    || chunked->left > (uint64_t)INT64_MAX >> 4)
			return fail(chunked, FAILED_400);
		chunked->digits++;
		chunked->left = chunked->left << 4 | (unsigned)digit;
		return 0;
	}
	if (chunked->digits == 0)
		return fail(chunked, FAILED_400);
	if (chunked->left > chunked->room)
		return fail(chunked, FAILED_413);
	return step_ext_end(chunked, c, EXT_GAP);
}

/* Blanks around ';' and '=' mean nothing, by RFC 9110, 5.6.3. */
static int
step_ext_gap(struct sp_http_chunked *chunked, char c)
{
	if (sp_http_is_blank(c))
		return 0;
	if (c == '=' && chunked->state == EXT_NAME_GAP)
		chunked->state = EXT_VALUE_FIRST;
	else if (c == ';')
		chunked->state = EXT_NAME_FIRST;
	else
		return fail(chunked, FAILED_400);
	return 0;
}

static int
step_ext_first(struct sp_http_chunked *chunked, char c)
{
	if (sp_http_is_blank(c))
		return 0;
	if (sp_http_is(c, SP_HTTP_TOKEN))
		chunked->state++;
	else if (c == '"' && chunked->state == EXT_VALUE_FIRST)
		chunked->state = EXT_QUOTED;
	else
		return fail(chunked, FAILED_400);
	return 0;
}

static int
step_ext(struct sp_http_chunked *chunked, char c)
{
	const bool token = sp_http_is(c, SP_HTTP_TOKEN);

	if (c != '\r' && ++chunked->ext_bytes > SP_HTTP_CHUNKED_EXT)
		return fail(chunked, FAILED_400);
	switch (chunked->state) {
	case EXT_NAME_FIRST:
	case EXT_VALUE_FIRST:
		return step_ext_first(chunked, c);
	case EXT_NAME_GAP:
	case EXT_GAP:
		return step_ext_gap(chunked, c);
	case EXT_NAME:
		if (c == '=') {
			chunked->state = EXT_VALUE_FIRST;
			return 0;
		}
		return token ? 0 : step_ext_end(chunked, c, EXT_NAME_GAP);
	case EXT_VALUE:
		return token ? 0 : step_ext_end(chunked, c, EXT_GAP);
	case EXT_QUOTED_END:
		return step_ext_end(chunked, c, EXT_GAP);
	case EXT_ESCAPED:
		chunked->state = EXT_QUOTED;
		break;
	default: /* EXT_QUOTED */
		if (c == '"')
			chunked->state = EXT_QUOTED_END;
		else if (c == '\\')
			chunked->state = EXT_ESCAPED;
	}
	return sp_http_is(c, SP_HTTP_VALUE) ? 0 : fail(chunked, FAILED_400);
}

static int
step_literal(
    struct sp_http_chunked *chunked, char c, char want, enum state next)
{
	if (c != want)
		return fail(chunked, FAILED_400);
	chunked->state = (uint8_t)next;
	return 0;
}

static int
step_framing(struct sp_http_chunked *chunked, char c)
{
	switch (chunked->state) {
	case SIZE:
		return step_size(chunked, c);
	case SIZE_LF:
		return step_literal(chunked, c, '\n',
		    chunked->left != 0 ? DATA : TRAILER_FIRST);
	case DATA_CR:
		return step_literal(chunked, c, '\r', DATA_LF);
	case DATA_LF:
		chunked->digits = 0;
		return step_literal(chunked, c, '\n', SIZE);
	case END_LF:
		return step_literal(chunked, c, '\n', DONE);
	default:
		return step_ext(chunked, c);
	}
}

/*
 * A byte of the name. Strikes out the forbidden names that it contradicts;
 * at the colon, one that is left and is at its end is the name.
 */
static int
step_name(struct sp_http_chunked *chunked, char c)
{
	const char want = c == ':' ? '\0' : sp_http_fold(c);
	uint32_t left = chunked->candidates;

	for (uint32_t rest = left; rest != 0; rest &= rest - 1) {
		int i = __builtin_ctz(rest);

		if (forbidden[i][chunked->digits] != want)
			left &= ~(1u << i);
	}
	chunked->candidates = left;
	if (c == ':') {
		chunked->state = TRAILER_VALUE;
		return left == 0 ? 0 : fail(chunked, FAILED_400);
	}
	if (!sp_http_is(c, SP_HTTP_TOKEN))
		return fail(chunked, FAILED_400);
	chunked->digits++; /* wraps only when no candidate is left */
	chunked->state = TRAILER_NAME;
	return 0;
}

static int
step_trailer(struct sp_http_chunked *chunked, char c)
{
	if (++chunked->trailer_bytes > SP_HTTP_TRAILER_BYTES)
		return fail(chunked, FAILED_431);
	switch (chunked->state) {
	case TRAILER_FIRST:
		if (c == ':')
			return fail(chunked, FAILED_400);
		if (++chunked->trailer_fields > SP_HTTP_TRAILER_FIELDS)
			return fail(chunked, FAILED_431);
		chunked->digits = 0;
		chunked->candidates = UINT32_MAX;
		return step_name(chunked, c);
	case TRAILER_NAME:
		return step_name(chunked, c);
	case TRAILER_LF:
		return step_literal(chunked, c, '\n', TRAILER_FIRST);
	default: /* TRAILER_VALUE */
		if (c == '\r')
			chunked->state = TRAILER_LF;
		else if (!sp_http_is(c, SP_HTTP_VALUE))
			return fail(chunked, FAILED_400);
		return 0;
	}
}

static bool
in_trailer(const struct sp_http_chunked *chunked)
{
	return chunked->state >= TRAILER_FIRST && chunked->state <= TRAILER_LF;
}

/*
 * As much of the trailer as there is in the piece, up to the last line.
 *
 * => Returns 0 or -status.
 */
static int
feed_trailer(
    struct sp_http_chunked *chunked, const char *in, size_t size, size_t *used)
{
	int error;

	while (*used < size && in_trailer(chunked)) {
		if (chunked->state == TRAILER_FIRST && in[*used] == '\r') {
			chunked->state = END_LF;
			break;
		}
		error = step_trailer(chunked, in[*used]);
		if (error != 0)
			return error;
		++*used;
	}
	return 0;
}

static size_t
take_data(struct sp_http_chunked *chunked, size_t size)
{
	if (size > chunked->left)
		size = (size_t)chunked->left;
	chunked->left -= size;
	chunked->room -= size;
	if (chunked->left == 0)
		chunked->state = DATA_CR;
	return size;
}

int
sp_http_chunked_feed(struct sp_http_chunked *chunked, const char *in,
    size_t size, size_t *used, const char **data, size_t *data_size)
{
	size_t at = 0;
	int error = 0;

	*used = 0;
	if (chunked->state >= FAILED_400)
		return fail(chunked, chunked->state);
	while (at < size && chunked->state != DONE && error == 0) {
		if (chunked->state == DATA) {
			*data = in + at;
			*data_size = take_data(chunked, size - at);
			*used = at + *data_size;
			return SP_HTTP_CHUNKED_DATA;
		}
		if (in_trailer(chunked)) {
			*data = in + at;
			error = feed_trailer(chunked, in, size, &at);
			*data_size = (size_t)(in + at - *data);
			*used = at;
			if (error == 0 && chunked->state == END_LF)
				*used = ++at;
			if (error == 0 && *data_size != 0)
				return SP_HTTP_CHUNKED_TRAILER;
			continue;
		}
		error = step_framing(chunked, in[at]);
		if (error == 0)
			at++;
	}
	*used = at;
	if (error != 0)
		return error;
	return chunked->state == DONE ? SP_HTTP_CHUNKED_DONE
				      : SP_HTTP_CHUNKED_MORE;
}

/* Makes what is between two positions, without blanks around it, a value. */
static void
trim(struct sp_http_field *field, const char *buf, const char *p,
    const char *end)
{
	while (p < end && sp_http_is_blank(*p))
		p++;
	while (p < end && sp_http_is_blank(end[-1]))
		end--;
	field->value = (uint16_t)(p - buf);
	field->value_size = (uint16_t)(end - p);
}

unsigned
sp_http_trailer_split(const char *buf, size_t size,
    struct sp_http_field fields[SP_HTTP_TRAILER_FIELDS])
{
	const char *p = buf, *colon, *line_end;
	unsigned count = 0;
	size_t left;

	SP_CHECK(size <= SP_HTTP_TRAILER_BYTES);
	while (count < SP_HTTP_TRAILER_FIELDS) {
		left = size - (size_t)(p - buf);
		colon = memchr(p, ':', left);
		line_end = memchr(p, '\r', left);
		if (colon == NULL || line_end == NULL || colon > line_end
		    || (size_t)(line_end - p) + 2 > left)
			break;
		fields[count].name = (uint16_t)(p - buf);
		fields[count].name_size = (uint16_t)(colon - p);
		trim(&fields[count++], buf, colon + 1, line_end);
		p = line_end + 2;
	}
	return count;
}
