/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/fuzz/http_diff_text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Regular expressions take a second for each 8 KiB. */
#define TEXT_MAX 2048

bool
diff_is_like(const char *at, size_t size, const char *pattern)
{
	char text[TEXT_MAX];
	regex_t regex;
	bool found;

	if (size >= sizeof(text)
	    || (size != 0 && memchr(at, '\0', size) != NULL))
		return false;
	if (size != 0)
		memcpy(text, at, size);
	text[size] = '\0';
	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		abort();
	found = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

bool
diff_is_text(struct view_text text, const char *word)
{
	return text.size == strlen(word)
	       && strncasecmp(text.at, word, text.size) == 0;
}

const struct view_text *
diff_find(const struct diff *diff, const char *name, unsigned n)
{
	const struct llhttp_view *view = &diff->view;
	unsigned count = view->head_done ? view->nheads : view->nfields;

	/* llhttp ends a value with the first byte of the next line. */
	if (!view->head_done && count < LLHTTP_VIEW_FIELDS)
		count++;

	for (unsigned i = 0; i < count; i++)
		if (view->names[i].at != NULL
		    && diff_is_text(view->names[i], name) && n-- == 0)
			return &view->values[i];
	return NULL;
}

size_t
diff_head_size(const struct diff *diff)
{
	size_t at = 0;

	while (at < diff->size
	       && (diff->input[at] == '\r' || diff->input[at] == '\n'))
		at++;
	for (; at + 2 < diff->size; at++)
		if (diff->input[at] == '\n'
		    && (diff->input[at + 1] == '\n'
			|| (diff->input[at + 1] == '\r'
			    && diff->input[at + 2] == '\n')))
			return at + 3;
	return diff->size;
}

bool
diff_is_authority(const char *at, size_t size)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	const char *end;

	if (diff_is_like(at, size, "^\\[[0-9A-Fa-f:.]+\\](:[0-9]*)?$")) {
		end = memchr(at, ']', size);
		if ((size_t)(end - at) > sizeof(text))
			return false;
		memcpy(text, at + 1, (size_t)(end - at) - 1);
		text[end - at - 1] = '\0';
		return inet_pton(AF_INET6, text, &address) == 1;
	}
	return diff_is_like(at, size,
	    "^(\\[[vV][0-9A-Fa-f]+\\.[A-Za-z0-9._~!$&'()*+,;=:-]+\\]"
	    "|([A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(:[0-9]*)?$");
}

struct view_text
diff_trailer(const struct diff *diff)
{
	const char *p = diff->input + diff->head.size;
	const char *end = diff->input + diff->size, *lf;
	unsigned long long size;

	while (p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		size = strtoull(p, NULL, 16);
		if (size == 0)
			return (
			    struct view_text){ lf + 1, (size_t)(end - lf - 1) };
		if (size > (size_t)(end - lf - 1))
			break;
		p = lf + 1 + size;
		while (p < end && (*p == '\r' || *p == '\n'))
			p++;
	}
	return (struct view_text){ end, 0 };
}

bool
diff_any_size_line(const struct diff *diff,
    bool (*what)(struct view_text digits, struct view_text rest))
{
	const char *p = diff->input + diff->head.size;
	const char *end = diff->input + diff->size, *lf;
	struct view_text digits, rest;
	uint64_t size;

	while (p < end) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (lf == NULL)
			lf = end;
		digits = (struct view_text){ p, 0 };
		for (size = 0; p < lf && isxdigit((unsigned char)*p); p++) {
			size = size << 4
			       | (uint64_t)strtoul((char[]){ *p, 0 }, NULL, 16);
			digits.size++;
		}
		rest = (struct view_text){ p, (size_t)(lf - p) };
		if (rest.size != 0 && p[rest.size - 1] == '\r')
			rest.size--;
		if (what(digits, rest))
			return true;
		if (lf == end || size == 0
		    || size + 2 > (uint64_t)(end - lf - 1))
			return false;
		p = lf + 1 + size + 2;
	}
	return false;
}
