/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_SCAN_AVX2_H
#define SPATE_FRAMEWORK_HTTP_SCAN_AVX2_H

/* Scanning by 32 bytes. */

#include "framework/http_scan.h"

#include <immintrin.h>

#define SCAN_TARGET __attribute__((target("avx2,bmi")))
#define SCAN_INLINE static inline __attribute__((always_inline))
#define SCAN_BLOCK 32

typedef uint32_t scan_mask;
typedef __m256i block;

SCAN_INLINE SCAN_TARGET unsigned
scan_first(scan_mask mask)
{
	return (unsigned)__builtin_ctz(mask);
}

SCAN_INLINE SCAN_TARGET unsigned
scan_first_or_all(scan_mask mask)
{
	return _tzcnt_u32(mask);
}

SCAN_INLINE SCAN_TARGET __m256i
block_load(const char *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

SCAN_INLINE SCAN_TARGET __m256i
block_xor(__m256i a, __m256i b)
{
	return _mm256_xor_si256(a, b);
}

SCAN_INLINE SCAN_TARGET __m256i
block_or(__m256i a, __m256i b)
{
	return _mm256_or_si256(a, b);
}

SCAN_INLINE SCAN_TARGET bool
block_is_zero(__m256i a)
{
	return _mm256_testz_si256(a, a) != 0;
}

SCAN_INLINE SCAN_TARGET void
block_move(void *to, const void *from, uint16_t by)
{
	_mm256_storeu_si256(to,
	    _mm256_add_epi16(_mm256_loadu_si256(from), _mm256_set1_epi32(by)));
}

SCAN_INLINE SCAN_TARGET __m256i
block_row(enum sp_http_row row)
{
	return _mm256_load_si256(
	    (const __m256i *)(const void *)sp_http_rows[row]);
}

SCAN_INLINE SCAN_TARGET scan_mask
block_not_in(const char *p, enum sp_http_row row)
{
	__m256i bytes = block_load(p);
	__m256i high = _mm256_and_si256(
	    _mm256_srli_epi16(bytes, 4), block_row(SP_HTTP_ROW_0F));
	__m256i in = _mm256_and_si256(
	    _mm256_shuffle_epi8(block_row(row), bytes),
	    _mm256_shuffle_epi8(block_row(SP_HTTP_ROW_HIGH), high));

	return (scan_mask)_mm256_movemask_epi8(
	    _mm256_cmpeq_epi8(in, _mm256_setzero_si256()));
}

SCAN_INLINE SCAN_TARGET scan_mask
block_controls(const char *p)
{
	__m256i bytes = block_load(p);
	__m256i low = _mm256_cmpeq_epi8(
	    _mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes);
	__m256i del = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7f));

	return (scan_mask)_mm256_movemask_epi8(_mm256_or_si256(low, del));
}

/*
 * One more than the byte, as a signed number, is from 0x21 to 0x7f for text.
 * A difference that saturates then has the right sign.
 */
SCAN_INLINE SCAN_TARGET scan_mask
block_no_text(const char *p)
{
	__m256i next = _mm256_add_epi8(
	    block_load(p), block_row(SP_HTTP_ROW_01));

	return (scan_mask)_mm256_movemask_epi8(
	    _mm256_subs_epi8(next, block_row(SP_HTTP_ROW_21)));
}

#include "framework/http_scan_block.h"

#endif /* SPATE_FRAMEWORK_HTTP_SCAN_AVX2_H */
