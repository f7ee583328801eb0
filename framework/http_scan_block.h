/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_SCAN_BLOCK_H
#define SPATE_FRAMEWORK_HTTP_SCAN_BLOCK_H

/*
 * The scans by blocks of a vector, the same for every instruction set. The
 * header that includes this one defines, for the SCAN_BLOCK bytes at p:
 *
 *     scan_mask                the type of a set of bytes of a block
 *     scan_first(mask)         the index of the first in it; it is not empty
 *     scan_first_or_all(mask)  the same, or SCAN_BLOCK if it is empty
 *     block_controls(p)        those below 0x20, HTAB too, and 0x7f
 *     block_no_text(p)         those not in 0x20 to 0x7e
 *     block_not_in(p, row)     those that are not in a class
 *
 *     block                    the bytes themselves
 *     block_load(p), block_xor(a, b), block_or(a, b), block_is_zero(a)
 *     block_move(to, from, by) fields, with the offsets in them moved
 *
 * A scan starts blocks at p < end alone, hence reads less than SCAN_BLOCK
 * bytes behind end. What it finds there is at or behind end, which is how
 * the caller knows that it is nothing.
 */

SCAN_INLINE SCAN_TARGET const char *
scan_class(const char *p, const char *end, enum sp_http_row row)
{
	for (; p < end; p += SCAN_BLOCK) {
		scan_mask stops = block_not_in(p, row);

		if (stops != 0)
			return p + scan_first(stops);
	}
	return p;
}

SCAN_INLINE SCAN_TARGET const char *
scan_token(const char *p, const char *end)
{
	return scan_class(p, end, SP_HTTP_ROW_TOKEN);
}

SCAN_INLINE SCAN_TARGET const char *
scan_target(const char *p, const char *end)
{
	return scan_class(p, end, SP_HTTP_ROW_TARGET);
}

/*
 * The bytes at p that are of a registered name, but '%', or SCAN_BLOCK if
 * there are more. Reads SCAN_BLOCK bytes.
 */
SCAN_INLINE SCAN_TARGET size_t
scan_host_name(const char *p)
{
	return scan_first_or_all(block_not_in(p, SP_HTTP_ROW_REG_NAME));
}

SCAN_INLINE SCAN_TARGET const char *
scan_no_control(const char *p, const char *end)
{
	for (; p < end; p += SCAN_BLOCK) {
		scan_mask stops = block_controls(p);

		if (stops != 0)
			return p + scan_first(stops);
	}
	return p;
}

SCAN_INLINE SCAN_TARGET const char *
scan_value(const char *p, const char *end)
{
	p = scan_no_control(p, end);
	while (__builtin_expect(p < end && *p == '\t', 0))
		p = scan_no_control(p + 1, end);
	return p;
}

/*
 * The line of a field at buf + at, in one go: its first block tells about
 * the name and, if the line is short, about the value too.
 *
 * => *name_size is the run of a token, but never more than a block.
 * => Returns where the run of blanks and visible ASCII stops, or anything
 *    >= end. Positions are offsets from buf.
 * => at <= end. Reads at most SCAN_BLOCK bytes behind end.
 */
SCAN_INLINE SCAN_TARGET size_t
scan_line(const char *buf, size_t at, size_t end, size_t *name_size)
{
	scan_mask stops = block_no_text(buf + at);

	*name_size = scan_first_or_all(
	    block_not_in(buf + at, SP_HTTP_ROW_TOKEN));
	while (stops == 0) {
		at += SCAN_BLOCK;
		if (__builtin_expect(at >= end, 0))
			return end;
		stops = block_no_text(buf + at);
	}
	return at + scan_first(stops);
}

#endif /* SPATE_FRAMEWORK_HTTP_SCAN_BLOCK_H */
