/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_PUT_H
#define SPATE_FRAMEWORK_PUT_H

/*
 * Short texts into a buffer, without a call and without a loop over bytes.
 * Each returns where the next one goes.
 */

#include "framework/text.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* At most SP_PUT_SHORT bytes: two moves that may overlap. */
#define SP_PUT_SHORT 32
static inline char *
sp_put_short(char *at, const char *data, size_t size)
{
	if (size >= 16) {
		memcpy(at, data, 16);
		memcpy(at + size - 16, data + size - 16, 16);
	} else if (size >= 8) {
		memcpy(at, data, 8);
		memcpy(at + size - 8, data + size - 8, 8);
	} else {
		for (size_t i = 0; i < size; i++)
			at[i] = data[i];
	}
	return at + size;
}

/*
 * sp_put_value: a string as the value of a field, if it may be one.
 *
 * => Needs SP_VALUE_ROOM bytes of room, whatever the size of the string.
 * => Returns NULL: it may not, or is longer, or somebody else must look at
 *    it (a tab, bytes above 0x7f). What is at at is then anything.
 */
#define SP_VALUE_ROOM 32

#if defined(__SSE2__) && defined(SPATE_JEMALLOC)

/*
 * Sixteen bytes are read at once, where that does not cross into a page that
 * may not be there; sanitizers and valgrind, whose builds are those without
 * jemalloc, would object.
 *
 * One more than a byte, as a signed number, is from 0x21 to 0x7f for text: a
 * difference that saturates then has the right sign.
 */
static inline unsigned
sp_put_block(char *at, const char *value)
{
	const __m128i text = _mm_loadu_si128(
	    (const __m128i *)(const void *)value);
	const __m128i next = _mm_add_epi8(text, _mm_set1_epi8(1));

	_mm_storeu_si128((__m128i *)(void *)at, text);
	return (unsigned)_mm_movemask_epi8(
	    _mm_subs_epi8(next, _mm_set1_epi8(0x21)));
}

static inline char *
sp_put_value(char *at, const char *value)
{
	const uintptr_t page = 4096;
	unsigned stops;

	if (__builtin_expect(
		((uintptr_t)value & (page - 1)) > page - SP_VALUE_ROOM, 0))
		return NULL;
	stops = sp_put_block(at, value);
	if (stops == 0) {
		at += 16;
		value += 16;
		stops = sp_put_block(at, value);
		if (stops == 0)
			return NULL;
	}
	stops = (unsigned)__builtin_ctz(stops);
	return value[stops] == '\0' ? at + stops : NULL;
}

#else

static inline char *
sp_put_value(char *at, const char *value)
{
	size_t size = strnlen(value, SP_VALUE_ROOM);

	if (size == SP_VALUE_ROOM || !sp_field_value_ok(value, size))
		return NULL;
	return sp_put_short(at, value, size);
}

#endif

#endif /* SPATE_FRAMEWORK_PUT_H */
