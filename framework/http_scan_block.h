/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_SCAN_BLOCK_H
#define SPATE_FRAMEWORK_HTTP_SCAN_BLOCK_H

/*
 * The scans by blocks of a vector, the same for every instruction set. The
 * header that includes this one defines, for the SCAN_BLOCK bytes at p:
 *
 *     scan_mask                the type of a set of bytes of a block
 *     scan_first(mask)         the index of the first in it; it is not empty
 *     block_controls(p)        those below 0x20, HTAB too, and 0x7f
 *     block_not_in(p, row)     those that are not in a class
 *
 * A scan starts blocks at p < end alone, hence reads less than SCAN_BLOCK
 * bytes behind end. What it finds there is at or behind end, which is how
 * the caller knows that it is nothing.
 */

SCAN_INLINE SCAN_TARGET const char *
scan_class(const char *p, const char *end, enum sp_http_nibbles row)
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
	return scan_class(p, end, SP_HTTP_NIBBLES_TOKEN);
}

SCAN_INLINE SCAN_TARGET const char *
scan_target(const char *p, const char *end)
{
	return scan_class(p, end, SP_HTTP_NIBBLES_TARGET);
}

SCAN_INLINE SCAN_TARGET const char *
scan_host(const char *p, const char *end)
{
	return scan_class(p, end, SP_HTTP_NIBBLES_REG_NAME);
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

#endif /* SPATE_FRAMEWORK_HTTP_SCAN_BLOCK_H */
