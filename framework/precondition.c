/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/precondition.h"

#include "framework/http_date.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define UNIT "bytes="

/* ----------------------------------------------------------------- etags */

/*
 * The next element of a list of tags.
 *
 * => Returns false: the end, or what is no tag; what follows does not count.
 */
static bool
next_tag(const char **at, const char *end, bool *weak, const char **tag,
    size_t *size)
{
	const char *quote;

	while (*at < end && (**at == ',' || **at == ' ' || **at == '\t'))
		++*at;
	*weak = end - *at >= 2 && memcmp(*at, "W/", 2) == 0;
	if (*weak)
		*at += 2;
	if (*at == end || **at != '"')
		return false;
	quote = memchr(*at + 1, '"', (size_t)(end - *at - 1));
	if (quote == NULL)
		return false;
	*tag = *at;
	*size = (size_t)(quote + 1 - *at);
	*at = quote + 1;
	return true;
}

static bool
is_star(const char *value, size_t size)
{
	return size == 1 && *value == '*';
}

/* In any of the fields of this name. weak_too: W/"x" is as good as "x". */
static bool
tag_is_named(const struct sp_http_head *head, const char *base,
    const struct sp_http_field *field, const char *etag, bool weak_too)
{
	for (; field != NULL;
	     field = sp_http_head_find_next(head, base, field)) {
		const char *at = base + field->value, *tag;
		const char *end = at + field->value_size;
		size_t size;
		bool weak;

		if (is_star(at, field->value_size))
			return true;
		while (next_tag(&at, end, &weak, &tag, &size)) {
			if ((!weak || weak_too) && size == strlen(etag)
			    && memcmp(tag, etag, size) == 0)
				return true;
		}
	}
	return false;
}

/* ----------------------------------------------------------------- dates */

static bool
date_of(const char *base, const struct sp_http_field *field, int64_t now,
    int64_t *date)
{
	return field != NULL
	       && sp_http_date_parse(
		      base + field->value, field->value_size, now, date)
		      == 0;
}

static const struct sp_http_field *
find(const struct sp_http_head *head, const char *base, const char *name)
{
	return sp_http_head_find(head, base, name, strlen(name));
}

static bool
is_read(const struct sp_http_head *head)
{
	return head->method == SP_HTTP_GET || head->method == SP_HTTP_HEAD;
}

int
sp_precondition(const struct sp_http_head *head, const char *base,
    const struct sp_validator *there)
{
	const struct sp_http_field *match = find(head, base, "If-Match");
	const struct sp_http_field *none = find(head, base, "If-None-Match");
	int64_t date;

	if (match != NULL) {
		if (!tag_is_named(head, base, match, there->etag, false))
			return 412;
	} else if (date_of(base, find(head, base, "If-Unmodified-Since"),
		       there->now, &date)
		   && there->modified > date) {
		return 412;
	}
	if (none != NULL) {
		if (tag_is_named(head, base, none, there->etag, true))
			return is_read(head) ? 304 : 412;
	} else if (is_read(head)
		   && date_of(base, find(head, base, "If-Modified-Since"),
		       there->now, &date)
		   && there->modified <= date) {
		return 304;
	}
	return 200;
}

/* ---------------------------------------------------------------- ranges */

/* A tag, or the very date; and a date counts only if it is an old one. */
static bool
if_range_holds(const struct sp_http_head *head, const char *base,
    const struct sp_validator *there)
{
	const struct sp_http_field *field = find(head, base, "If-Range");
	const char *at;
	int64_t date;

	if (field == NULL)
		return true;
	at = base + field->value;
	if (field->value_size != 0 && (*at == '"' || *at == 'W'))
		return field->value_size == strlen(there->etag)
		       && memcmp(at, there->etag, field->value_size) == 0;
	return date_of(base, field, there->now, &date)
	       && date == there->modified && there->modified < there->now;
}

/* Digits; what is too large for the type is the largest that is not. */
static bool
number(const char **at, const char *end, uint64_t *value)
{
	const char *start = *at;

	*value = 0;
	for (; *at < end && **at >= '0' && **at <= '9'; ++*at) {
		if (__builtin_mul_overflow(*value, 10, value)
		    || __builtin_add_overflow(
			*value, (uint64_t)(**at - '0'), value)) {
			*value = UINT64_MAX;
			while (*at < end && **at >= '0' && **at <= '9')
				++*at;
			break;
		}
	}
	return *at != start;
}

/* first-last, first-, or -suffix; nothing before and nothing behind it. */
static int
one_range(
    const char *at, const char *end, uint64_t size, struct sp_range *range)
{
	uint64_t first, last;
	bool has_first = number(&at, end, &first);
	bool has_last;

	if (at == end || *at++ != '-')
		return 200;
	has_last = number(&at, end, &last);
	if (at != end || (!has_first && !has_last)
	    || (has_first && has_last && last < first))
		return 200;
	if (!has_first) {
		/* The last so many. */
		first = last < size ? size - last : 0;
		last = last == 0 ? 0 : UINT64_MAX;
		if (last == 0)
			return 416;
	} else if (!has_last) {
		last = UINT64_MAX;
	}
	if (first >= size)
		return 416;
	range->first = first;
	range->size = (last < size - 1 ? last : size - 1) - first + 1;
	return 206;
}

int
sp_range(const struct sp_http_head *head, const char *base,
    const struct sp_validator *there, uint64_t size, struct sp_range *range)
{
	const struct sp_http_field *field = find(head, base, "Range");
	const char *at, *end;

	if (field == NULL || head->method != SP_HTTP_GET
	    || sp_http_head_find_next(head, base, field) != NULL)
		return 200;
	at = base + field->value;
	end = at + field->value_size;
	if (field->value_size < sizeof(UNIT) - 1
	    || strncasecmp(at, UNIT, sizeof(UNIT) - 1) != 0
	    || !if_range_holds(head, base, there))
		return 200;
	at += sizeof(UNIT) - 1;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return one_range(at, end, size, range);
}
