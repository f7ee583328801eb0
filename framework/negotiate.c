/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/negotiate.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { RANK_ANY = 1, RANK_RANGE, RANK_EXACT };

struct span {
	const char *at, *end;
};

static struct span
trim(struct span text)
{
	while (text.at < text.end && (*text.at == ' ' || *text.at == '\t'))
		text.at++;
	while (
	    text.end > text.at && (text.end[-1] == ' ' || text.end[-1] == '\t'))
		text.end--;
	return text;
}

/* The part of *rest before a separator that is not in quotes. */
static struct span
cut(struct span *rest, char separator)
{
	struct span part = { rest->at, rest->at };
	bool quoted = false;

	for (; part.end < rest->end; part.end++) {
		if (quoted && *part.end == '\\' && part.end + 1 < rest->end)
			part.end++;
		else if (*part.end == '"')
			quoted = !quoted;
		else if (*part.end == separator && !quoted)
			break;
	}
	rest->at = part.end < rest->end ? part.end + 1 : rest->end;
	return trim(part);
}

static bool
equals(struct span text, const char *word, size_t size)
{
	return (size_t)(text.end - text.at) == size
	       && strncasecmp(text.at, word, size) == 0;
}

/* 0, 1, or up to three digits behind the point; -1 for anything else. */
static int
weight(struct span text)
{
	int value, scale = 100;

	if (text.at == text.end || (*text.at != '0' && *text.at != '1'))
		return -1;
	value = (*text.at++ - '0') * SP_QUALITY_MAX;
	if (text.at == text.end)
		return value;
	if (*text.at++ != '.' || text.end - text.at > 3)
		return -1;
	for (; text.at < text.end; text.at++, scale /= 10) {
		if (*text.at < '0' || *text.at > '9')
			return -1;
		value += (*text.at - '0') * scale;
	}
	return value <= SP_QUALITY_MAX ? value : -1;
}

/*
 * What stands behind the name of an element: its weight, or -1 if it is
 * malformed or has other parameters.
 */
static int
parameters(struct span rest)
{
	int quality = SP_QUALITY_MAX;

	while (rest.at < rest.end) {
		struct span part = cut(&rest, ';');

		if (part.at == part.end)
			continue;
		if (part.end - part.at < 2 || (*part.at | 0x20) != 'q'
		    || part.at[1] != '=')
			return -1;
		part.at += 2;
		quality = weight(part);
		if (quality < 0)
			return -1;
	}
	return quality;
}

static unsigned
media_rank(struct span name, const char *type)
{
	size_t size = strlen(type);
	const char *slash = strchr(type, '/');
	size_t main_size = slash != NULL ? (size_t)(slash - type) + 1 : size;

	if (equals(name, type, size))
		return RANK_EXACT;
	if (equals(name, "*/*", 3))
		return RANK_ANY;
	if ((size_t)(name.end - name.at) == main_size + 1 && name.end[-1] == '*'
	    && strncasecmp(name.at, type, main_size) == 0)
		return RANK_RANGE;
	return 0;
}

static unsigned
coding_rank(struct span name, const char *coding)
{
	if (equals(name, coding, strlen(coding)))
		return RANK_EXACT;
	return equals(name, "*", 1) ? RANK_ANY : 0;
}

static void
look(const char *value, size_t size, const char *wanted,
    unsigned (*rank_of)(struct span, const char *), struct sp_quality *best)
{
	struct span rest = { value, value + size };

	while (rest.at < rest.end) {
		struct span element = cut(&rest, ',');
		struct span name = cut(&element, ';');
		unsigned rank = rank_of(name, wanted);
		int quality;

		if (rank <= best->rank)
			continue;
		quality = parameters(element);
		if (quality < 0)
			continue;
		best->rank = rank;
		best->quality = (unsigned)quality;
	}
}

void
sp_accept_media(
    const char *value, size_t size, const char *type, struct sp_quality *best)
{
	look(value, size, type, media_rank, best);
}

void
sp_accept_coding(
    const char *value, size_t size, const char *coding, struct sp_quality *best)
{
	look(value, size, coding, coding_rank, best);
}
