/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_URLCODE_H
#define SPATE_FRAMEWORK_URLCODE_H

/*
 * Percent-encoding, and what is written in it: queries, forms and, close
 * by, cookies. Nothing allocates; texts have a size and need no NUL.
 *
 *     "q=a+b%26c&page=2&all"
 *
 *     sp_query_next()   {q, a+b%26c}   {page, 2}   {all, no value}
 *     sp_query_get()    q: "a b&c"
 *     sp_query_u64()    page: 2    q: -EINVAL    size: -ENOENT
 *
 * Typed values fail in three ways, which a handler answers differently:
 *
 *     -ENOENT   missing: no such name
 *     -EINVAL   malformed: also a broken escape, and an empty value
 *     -ERANGE   well formed, but the type cannot hold it
 *
 * If a name comes more than once, the first one counts.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	SP_URL_PLUS = 1u << 0,   /* "+" is a space, as in queries and forms */
	SP_URL_NO_NUL = 1u << 1, /* decode: refuse NUL, escaped or not */
	SP_URL_SLASH = 1u << 2,  /* encode: leave "/" as it is */
};

/*
 * sp_url_decode: undo every escape.
 *
 * => out may be the same as in. It gets no NUL at its end.
 * => Returns the size of the result; it never exceeds size.
 * => Returns -EINVAL (an escape that is none, or a NUL that was not wanted)
 *    or -ENOSPC: out holds nothing of use.
 */
ssize_t sp_url_decode(
    const char *in, size_t size, char *out, size_t capacity, unsigned flags);

/*
 * sp_url_encode: escape every byte but letters, digits and "-._~".
 *
 * => out is apart from in. It gets no NUL at its end.
 * => Returns the size of the result, at most three times size, or -ENOSPC.
 */
ssize_t sp_url_encode(
    const char *in, size_t size, char *out, size_t capacity, unsigned flags);

/* The value of a hexadecimal digit, or -1. */
int sp_hex_digit(char c);

struct sp_query {
	const char *at, *end;
};

/* Borrowed from the query, and still encoded. */
struct sp_query_pair {
	const char *name, *value;
	size_t name_size, value_size;
	bool has_value; /* there was a "=" */
};

/*
 * sp_query_next: the pairs of a query or a form, one after the other.
 *
 * => Returns false: there are no more. Empty pairs, "&&", are skipped.
 */
void sp_query_init(struct sp_query *query, const char *text, size_t size);
bool sp_query_next(struct sp_query *query, struct sp_query_pair *pair);

/*
 * sp_query_find: the first pair whose decoded name is this.
 * sp_query_value: its value, decoded; it is not longer then.
 */
bool sp_query_find(const char *text, size_t size, const char *name,
    struct sp_query_pair *pair);
ssize_t
sp_query_value(const struct sp_query_pair *pair, char *out, size_t capacity);

/*
 * sp_query_get: a value by the decoded name, decoded. Of both:
 *
 * => Returns its size. out gets no NUL at its end, and the value has none.
 * => Returns -ENOENT, -EINVAL or -ENOSPC: out holds nothing of use.
 */
ssize_t sp_query_get(const char *text, size_t size, const char *name, char *out,
    size_t capacity);

/*
 * Typed values. On failure *out is as it was.
 *
 *     u64, i64   decimal digits, for i64 after an optional "-"
 *     double     as a number in JSON, of up to 63 bytes: no infinity, no NaN,
 *                no hexadecimal; independent of the locale
 *     bool       1 true on, 0 false off
 *
 * From a query, a value of more than 63 bytes is malformed.
 */
int sp_parse_u64(const char *text, size_t size, uint64_t *out);
int sp_parse_i64(const char *text, size_t size, int64_t *out);
int sp_parse_double(const char *text, size_t size, double *out);
int sp_parse_bool(const char *text, size_t size, bool *out);

int
sp_query_u64(const char *text, size_t size, const char *name, uint64_t *out);
int sp_query_i64(const char *text, size_t size, const char *name, int64_t *out);
int
sp_query_double(const char *text, size_t size, const char *name, double *out);
int sp_query_bool(const char *text, size_t size, const char *name, bool *out);

struct sp_cookies {
	const char *at, *end;
	bool first;
};

/* Borrowed from the header. */
struct sp_cookie {
	const char *name, *value; /* value is without its quotes */
	size_t name_size, value_size;
	bool quoted;
};

/*
 * sp_cookies_next: the pairs of a Cookie field, by the grammar of RFC 6265,
 * 4.2.1, to the letter: "; " between them, a token, "=", cookie octets.
 *
 * => Returns 1: *cookie is set. Returns 0: there are no more.
 * => Returns -EINVAL: this pair is malformed. The next call goes on after
 *    its ";".
 */
void sp_cookies_init(struct sp_cookies *cookies, const char *text, size_t size);
int sp_cookies_next(struct sp_cookies *cookies, struct sp_cookie *cookie);

/*
 * sp_cookie_get: the first well-formed pair of this name. Case counts.
 *
 * => Returns 0 or -ENOENT.
 */
int sp_cookie_get(
    const char *text, size_t size, const char *name, struct sp_cookie *cookie);

#endif /* SPATE_FRAMEWORK_URLCODE_H */
