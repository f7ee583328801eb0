/* SPDX-License-Identifier: BSD-2-Clause */

/* Escapes, queries and cookies. Typed values are in urlvalue.c. */

#include "framework/urlcode.h"

#include "framework/text.h"

#include <errno.h>
#include <string.h>

int
sp_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * One character at in[*at], decoded. *at moves behind it.
 *
 * => Returns the byte, or -EINVAL.
 */
static int
decode_one(const char *in, size_t size, size_t *at, unsigned flags)
{
	int c = (unsigned char)in[*at];

	if (c == '%') {
		int high = -1, low = -1;

		if (size - *at >= 3) {
			high = sp_hex_digit(in[*at + 1]);
			low = sp_hex_digit(in[*at + 2]);
		}
		if (high < 0 || low < 0)
			return -EINVAL;
		c = high << 4 | low;
		*at += 2;
	} else if (c == '+' && (flags & SP_URL_PLUS) != 0) {
		c = ' ';
	}
	*at += 1;
	return c == 0 && (flags & SP_URL_NO_NUL) != 0 ? -EINVAL : c;
}

ssize_t
sp_url_decode(
    const char *in, size_t size, char *out, size_t capacity, unsigned flags)
{
	size_t n = 0;

	for (size_t at = 0; at < size;) {
		int c = decode_one(in, size, &at, flags);

		if (c < 0)
			return c;
		if (n == capacity)
			return -ENOSPC;
		out[n++] = (char)c;
	}
	return (ssize_t)n;
}

static bool
is_plain(unsigned char c, unsigned flags)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
	       || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'
	       || c == '~' || (c == '/' && (flags & SP_URL_SLASH) != 0);
}

ssize_t
sp_url_encode(
    const char *in, size_t size, char *out, size_t capacity, unsigned flags)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = 0;

	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)in[i];
		bool space = c == ' ' && (flags & SP_URL_PLUS) != 0;
		size_t need = space || is_plain(c, flags) ? 1 : 3;

		if (capacity - n < need)
			return -ENOSPC;
		if (need == 1) {
			out[n++] = space ? '+' : (char)c;
			continue;
		}
		out[n++] = '%';
		out[n++] = digits[c >> 4];
		out[n++] = digits[c & 15];
	}
	return (ssize_t)n;
}

static const char *
find_or_end(const char *at, const char *end, char c)
{
	const char *found = at == end ? NULL
				      : memchr(at, c, (size_t)(end - at));

	return found != NULL ? found : end;
}

void
sp_query_init(struct sp_query *query, const char *text, size_t size)
{
	query->at = text;
	query->end = size == 0 ? text : text + size;
}

bool
sp_query_next(struct sp_query *query, struct sp_query_pair *pair)
{
	const char *end, *equals;

	while (query->at != query->end && *query->at == '&')
		query->at++;
	if (query->at == query->end)
		return false;
	end = find_or_end(query->at, query->end, '&');
	equals = find_or_end(query->at, end, '=');
	pair->name = query->at;
	pair->name_size = (size_t)(equals - query->at);
	pair->has_value = equals != end;
	pair->value = pair->has_value ? equals + 1 : end;
	pair->value_size = (size_t)(end - pair->value);
	query->at = end;
	return true;
}

/* Names are compared as they come, so that no buffer limits them. */
static bool
name_is(const struct sp_query_pair *pair, const char *name)
{
	for (size_t at = 0; at < pair->name_size; name++) {
		int c = decode_one(
		    pair->name, pair->name_size, &at, SP_URL_PLUS);

		if (*name == '\0' || c != (unsigned char)*name)
			return false;
	}
	return *name == '\0';
}

bool
sp_query_find(
    const char *text, size_t size, const char *name, struct sp_query_pair *pair)
{
	struct sp_query query;

	sp_query_init(&query, text, size);
	while (sp_query_next(&query, pair)) {
		if (name_is(pair, name))
			return true;
	}
	return false;
}

ssize_t
sp_query_value(const struct sp_query_pair *pair, char *out, size_t capacity)
{
	return sp_url_decode(pair->value, pair->value_size, out, capacity,
	    SP_URL_PLUS | SP_URL_NO_NUL);
}

ssize_t
sp_query_get(
    const char *text, size_t size, const char *name, char *out, size_t capacity)
{
	struct sp_query_pair pair;

	if (!sp_query_find(text, size, name, &pair))
		return -ENOENT;
	return sp_query_value(&pair, out, capacity);
}

void
sp_cookies_init(struct sp_cookies *cookies, const char *text, size_t size)
{
	cookies->at = text;
	cookies->end = size == 0 ? text : text + size;
	cookies->first = true;
}

/* cookie-octet: US-ASCII without controls, space, and four that delimit. */
static bool
is_cookie_octet(char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != ',' && c != ';'
	       && c != '\\';
}

static int
cookie_parse(struct sp_cookie *cookie, const char *at, const char *end)
{
	const char *equals = find_or_end(at, end, '=');

	if (equals == end || !sp_token_ok(at, (size_t)(equals - at)))
		return -EINVAL;
	cookie->name = at;
	cookie->name_size = (size_t)(equals - at);
	cookie->value = equals + 1;
	cookie->value_size = (size_t)(end - cookie->value);
	cookie->quoted = cookie->value_size >= 2 && cookie->value[0] == '"'
			 && end[-1] == '"';
	if (cookie->quoted) {
		cookie->value++;
		cookie->value_size -= 2;
	}
	for (size_t i = 0; i < cookie->value_size; i++) {
		if (!is_cookie_octet(cookie->value[i]))
			return -EINVAL;
	}
	return 1;
}

int
sp_cookies_next(struct sp_cookies *cookies, struct sp_cookie *cookie)
{
	const char *at = cookies->at, *end;
	int result;

	if (at == cookies->end)
		return 0;
	end = find_or_end(at, cookies->end, ';');
	if (cookies->first)
		result = cookie_parse(cookie, at, end);
	else if (at != end && *at == ' ')
		result = cookie_parse(cookie, at + 1, end);
	else
		result = -EINVAL;
	cookies->first = false;
	cookies->at = end == cookies->end ? end : end + 1;
	return result;
}

int
sp_cookie_get(
    const char *text, size_t size, const char *name, struct sp_cookie *cookie)
{
	size_t name_size = strlen(name);
	struct sp_cookies cookies;
	struct sp_cookie next;
	int result;

	sp_cookies_init(&cookies, text, size);
	while ((result = sp_cookies_next(&cookies, &next)) != 0) {
		if (result < 0 || next.name_size != name_size
		    || memcmp(next.name, name, name_size) != 0)
			continue;
		*cookie = next;
		return 0;
	}
	return -ENOENT;
}
