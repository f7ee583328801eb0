/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_SCAN_SSE42_H
#define SPATE_FRAMEWORK_HTTP_SCAN_SSE42_H

/* Scanning by 16 bytes. Of SSE4.2 this needs SSSE3 and SSE4.1. */

#include "framework/http_scan.h"

#include <immintrin.h>

#define SCAN_TARGET __attribute__((target("sse4.2")))
#define SCAN_INLINE static inline __attribute__((always_inline))
#define SCAN_BLOCK 16

typedef uint32_t scan_mask;
typedef __m128i block;

SCAN_INLINE SCAN_TARGET unsigned
scan_first(scan_mask mask)
{
	return (unsigned)__builtin_ctz(mask);
}

SCAN_INLINE SCAN_TARGET unsigned
scan_first_or_all(scan_mask mask)
{
	return scan_first(mask | 1u << SCAN_BLOCK);
}

SCAN_INLINE SCAN_TARGET __m128i
block_load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

SCAN_INLINE SCAN_TARGET __m128i
block_xor(__m128i a, __m128i b)
{
	return _mm_xor_si128(a, b);
}

SCAN_INLINE SCAN_TARGET __m128i
block_or(__m128i a, __m128i b)
{
	return _mm_or_si128(a, b);
}

SCAN_INLINE SCAN_TARGET bool
block_is_zero(__m128i a)
{
	return _mm_testz_si128(a, a) != 0;
}

SCAN_INLINE SCAN_TARGET void
block_move(void *to, const void *from, uint16_t by)
{
	_mm_storeu_si128(
	    to, _mm_add_epi16(_mm_loadu_si128(from), _mm_set1_epi32(by)));
}

SCAN_INLINE SCAN_TARGET __m128i
block_row(enum sp_http_row row)
{
	return _mm_load_si128((const __m128i *)(const void *)sp_http_rows[row]);
}

SCAN_INLINE SCAN_TARGET scan_mask
block_not_in(const char *p, enum sp_http_row row)
{
	__m128i bytes = block_load(p);
	__m128i high = _mm_and_si128(
	    _mm_srli_epi16(bytes, 4), block_row(SP_HTTP_ROW_0F));
	__m128i in = _mm_and_si128(_mm_shuffle_epi8(block_row(row), bytes),
	    _mm_shuffle_epi8(block_row(SP_HTTP_ROW_HIGH), high));

	return (scan_mask)_mm_movemask_epi8(
	    _mm_cmpeq_epi8(in, _mm_setzero_si128()));
}

SCAN_INLINE SCAN_TARGET scan_mask
block_controls(const char *p)
{
	__m128i bytes = block_load(p);
	__m128i low = _mm_cmpeq_epi8(
	    _mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
	__m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));

	return (scan_mask)_mm_movemask_epi8(_mm_or_si128(low, del));
}

/*
 * One more than the byte, as a signed number, is from 0x21 to 0x7f for text.
 * A difference that saturates then has the right sign.
 */
SCAN_INLINE SCAN_TARGET scan_mask
block_no_text(const char *p)
{
	__m128i next = _mm_add_epi8(block_load(p), block_row(SP_HTTP_ROW_01));

	return (scan_mask)_mm_movemask_epi8(
	    _mm_subs_epi8(next, block_row(SP_HTTP_ROW_21)));
}

#include "framework/http_scan_block.h"

#endif /* SPATE_FRAMEWORK_HTTP_SCAN_SSE42_H */
