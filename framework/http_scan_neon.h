/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_SCAN_NEON_H
#define SPATE_FRAMEWORK_HTTP_SCAN_NEON_H

/*
 * Scanning by 16 bytes. There is no instruction for a mask with a bit per
 * byte, so a mask has four: each pair of bytes is narrowed to the nibbles
 * that the two have in the middle.
 */

#include "framework/http_scan.h"

#include <arm_neon.h>

#define SCAN_TARGET
#define SCAN_INLINE static inline __attribute__((always_inline))
#define SCAN_BLOCK 16

typedef uint64_t scan_mask;
typedef uint8x16_t block;

SCAN_INLINE SCAN_TARGET unsigned
scan_first(scan_mask mask)
{
	return (unsigned)__builtin_ctzll(mask) >> 2;
}

SCAN_INLINE SCAN_TARGET unsigned
scan_first_or_all(scan_mask mask)
{
	return mask != 0 ? scan_first(mask) : SCAN_BLOCK;
}

SCAN_INLINE SCAN_TARGET uint8x16_t
block_load(const char *p)
{
	return vld1q_u8((const uint8_t *)p);
}

SCAN_INLINE SCAN_TARGET uint8x16_t
block_xor(uint8x16_t a, uint8x16_t b)
{
	return veorq_u8(a, b);
}

SCAN_INLINE SCAN_TARGET uint8x16_t
block_or(uint8x16_t a, uint8x16_t b)
{
	return vorrq_u8(a, b);
}

SCAN_INLINE SCAN_TARGET bool
block_is_zero(uint8x16_t a)
{
	return vmaxvq_u8(a) == 0;
}

SCAN_INLINE SCAN_TARGET void
block_move(void *to, const void *from, uint16_t by)
{
	uint16x8_t offsets = vreinterpretq_u16_u8(vld1q_u8(from));
	uint16x8_t moved = vaddq_u16(
	    offsets, vreinterpretq_u16_u32(vdupq_n_u32(by)));

	vst1q_u8(to, vreinterpretq_u8_u16(moved));
}

SCAN_INLINE SCAN_TARGET scan_mask
block_mask(uint8x16_t marked)
{
	return vget_lane_u64(
	    vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(marked), 4)),
	    0);
}

SCAN_INLINE SCAN_TARGET scan_mask
block_not_in(const char *p, enum sp_http_row row)
{
	uint8x16_t bytes = block_load(p);
	uint8x16_t low = vqtbl1q_u8(
	    vld1q_u8(sp_http_rows[row]), vandq_u8(bytes, vdupq_n_u8(0x0f)));
	uint8x16_t high = vqtbl1q_u8(
	    vld1q_u8(sp_http_rows[SP_HTTP_ROW_HIGH]), vshrq_n_u8(bytes, 4));

	return block_mask(vceqzq_u8(vandq_u8(low, high)));
}

SCAN_INLINE SCAN_TARGET scan_mask
block_controls(const char *p)
{
	uint8x16_t bytes = block_load(p);

	return block_mask(vorrq_u8(vcltq_u8(bytes, vdupq_n_u8(0x20)),
	    vceqq_u8(bytes, vdupq_n_u8(0x7f))));
}

SCAN_INLINE SCAN_TARGET scan_mask
block_no_text(const char *p)
{
	return block_mask(vcgtq_u8(
	    vsubq_u8(block_load(p), vdupq_n_u8(0x20)), vdupq_n_u8(0x5e)));
}

#include "framework/http_scan_block.h"

#endif /* SPATE_FRAMEWORK_HTTP_SCAN_NEON_H */
