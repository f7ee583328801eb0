/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_DATE_H
#define SPATE_FRAMEWORK_HTTP_DATE_H

/*
 * Dates of HTTP, RFC 9110, 5.6.7: one form is written, three are read.
 *
 *     Sun, 06 Nov 1994 08:49:37 GMT     IMF-fixdate, read and written
 *     Sunday, 06-Nov-94 08:49:37 GMT    RFC 850, read
 *     Sun Nov  6 08:49:37 1994          asctime(), read
 *
 * Times are seconds since 1970 without leap seconds, as time(2) has them,
 * for the years 1 to 9999.
 */

#include <stddef.h>
#include <stdint.h>

#define SP_HTTP_DATE 29 /* bytes of an IMF-fixdate */
#define SP_HTTP_DATE_MIN (-INT64_C(62135596800))
#define SP_HTTP_DATE_MAX INT64_C(253402300799)

/*
 * sp_http_date_format: write an IMF-fixdate, with no NUL at its end.
 *
 * => A time outside the years 1 to 9999 is written as the nearest inside.
 */
void sp_http_date_format(char out[SP_HTTP_DATE], int64_t time);

/*
 * sp_http_date_parse: read any of the three.
 *
 * => now decides the century of RFC 850: a year that would be more than 50
 *    years ahead is in the past.
 * => A leap second is read as the second after it.
 * => Returns 0, or -EINVAL: not one of the forms, or no such day, or not
 *    that day of the week. *out is as it was.
 */
int
sp_http_date_parse(const char *text, size_t size, int64_t now, int64_t *out);

#endif /* SPATE_FRAMEWORK_HTTP_DATE_H */
