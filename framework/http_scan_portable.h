/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_SCAN_PORTABLE_H
#define SPATE_FRAMEWORK_HTTP_SCAN_PORTABLE_H

/*
 * Scanning without vectors. Values, the longest runs, go by eight bytes:
 *
 *     (w - 0x20..) & ~w & 0x80..    a byte below 0x20
 *     (d - 0x01..) & ~d & 0x80..    0x7f, with d = w ^ 0x7f..
 *
 * A borrow can mark a byte wrongly, but only above one that is marked
 * rightly; so "none marked" is exact, and a byte loop finds the place.
 */

#include "framework/http_scan.h"

#define SCAN_TARGET
#define SCAN_INLINE static inline __attribute__((always_inline))

SCAN_INLINE const char *
scan_class(const char *p, const char *end, enum sp_http_class_bit class_bit)
{
	while (p < end && sp_http_is(*p, class_bit))
		p++;
	return p;
}

SCAN_INLINE const char *
scan_token(const char *p, const char *end)
{
	return scan_class(p, end, SP_HTTP_TOKEN);
}

SCAN_INLINE const char *
scan_target(const char *p, const char *end)
{
	return scan_class(p, end, SP_HTTP_TARGET);
}

SCAN_INLINE const char *
scan_value(const char *p, const char *end)
{
	const uint64_t ones = UINT64_MAX / 0xff, high = ones * 0x80;
	uint64_t word, is_del;

	while (end - p >= (ptrdiff_t)sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		is_del = word ^ ones * 0x7f;
		if (((word - ones * 0x20) & ~word & high)
		    | ((is_del - ones) & ~is_del & high)) {
			const char *stop = p;

			while (sp_http_is(*stop, SP_HTTP_VALUE)
			       && stop < p + sizeof(word))
				stop++;
			if (stop < p + sizeof(word))
				return stop;
		}
		p += sizeof(word);
	}
	return scan_class(p, end, SP_HTTP_VALUE);
}

#endif /* SPATE_FRAMEWORK_HTTP_SCAN_PORTABLE_H */
