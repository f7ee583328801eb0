/* SPDX-License-Identifier: BSD-2-Clause */

/* Typed values: of texts, and of the parameters of a query. */

#include "framework/urlcode.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_SIZE 64 /* no number that is read here takes more */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int
sp_parse_u64(const char *text, size_t size, uint64_t *out)
{
	uint64_t value = 0;
	bool over = false;

	if (size == 0)
		return -EINVAL;
	for (size_t i = 0; i < size; i++) {
		if (!is_digit(text[i]))
			return -EINVAL;
		over |= __builtin_mul_overflow(value, 10, &value);
		over |= __builtin_add_overflow(
		    value, (uint64_t)(text[i] - '0'), &value);
	}
	if (over)
		return -ERANGE;
	*out = value;
	return 0;
}

int
sp_parse_i64(const char *text, size_t size, int64_t *out)
{
	bool minus = size != 0 && text[0] == '-';
	uint64_t value, limit = (uint64_t)INT64_MAX + minus;
	int error = sp_parse_u64(text + minus, size - minus, &value);

	if (error != 0)
		return error;
	if (value > limit)
		return -ERANGE;
	*out = (int64_t)(minus ? 0 - value : value);
	return 0;
}

static size_t
skip_digits(const char *text, size_t size, size_t at)
{
	while (at < size && is_digit(text[at]))
		at++;
	return at;
}

/* -? ( 0 | [1-9] digits* ) ( . digits+ )? ( [eE] [+-]? digits+ )? */
static bool
is_number(const char *text, size_t size)
{
	size_t at = size != 0 && text[0] == '-', start = at;

	at = skip_digits(text, size, at);
	if (at == start || (text[start] == '0' && at - start > 1))
		return false;
	if (at < size && text[at] == '.') {
		start = ++at;
		at = skip_digits(text, size, at);
		if (at == start)
			return false;
	}
	if (at < size && (text[at] == 'e' || text[at] == 'E')) {
		at++;
		if (at < size && (text[at] == '+' || text[at] == '-'))
			at++;
		start = at;
		at = skip_digits(text, size, at);
		if (at == start)
			return false;
	}
	return at == size;
}

int
sp_parse_double(const char *text, size_t size, double *out)
{
	char copy[VALUE_SIZE];
	locale_t locale;
	double value;

	if (size >= sizeof(copy) || !is_number(text, size))
		return -EINVAL;
	memcpy(copy, text, size);
	copy[size] = '\0';

	/* The program's own locale may want a comma for the point. */
	locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (locale == (locale_t)0)
		return -ENOMEM;
	value = strtod_l(copy, NULL, locale);
	freelocale(locale);
	if (isinf(value))
		return -ERANGE;
	*out = value;
	return 0;
}

int
sp_parse_bool(const char *text, size_t size, bool *out)
{
	static const struct {
		const char *text;
		bool value;
	} words[] = {
		{ "1", true },
		{ "true", true },
		{ "on", true },
		{ "0", false },
		{ "false", false },
		{ "off", false },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].text) == size
		    && memcmp(words[i].text, text, size) == 0) {
			*out = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

/* What does not fit has more digits than any number that we could hold. */
static ssize_t
query_value(
    const char *text, size_t size, const char *name, char value[VALUE_SIZE])
{
	ssize_t n = sp_query_get(text, size, name, value, VALUE_SIZE);

	return n == -ENOSPC ? -EINVAL : n;
}

#define QUERY_VALUE(kind, type)                                                \
	int sp_query_##kind(                                                   \
	    const char *text, size_t size, const char *name, type *out)        \
	{                                                                      \
		char value[VALUE_SIZE];                                        \
		ssize_t n = query_value(text, size, name, value);              \
                                                                               \
		return n < 0 ? (int)n                                          \
			     : sp_parse_##kind(value, (size_t)n, out);         \
	}

QUERY_VALUE(u64, uint64_t)
QUERY_VALUE(i64, int64_t)
QUERY_VALUE(double, double)
QUERY_VALUE(bool, bool)
