/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_LLHTTP_VIEW_H
#define SPATE_TESTS_LLHTTP_VIEW_H

/*
 * A request as llhttp sees it: its verdict, where the message ends, and all
 * that it told by callbacks. The file beside it is the one that names llhttp.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LLHTTP_VIEW_FIELDS 512

enum view_verdict {
	VIEW_MORE, /* nothing wrong so far */
	VIEW_DONE,
	VIEW_REFUSED,
};

struct view_text {
	const char *at; /* in the input */
	size_t size;
};

struct llhttp_view {
	enum view_verdict verdict;
	bool head_done;
	bool complete_url; /* the target's end was seen */
	bool version_done;
	size_t end;         /* of the message; where it stopped, if refused */
	const char *reason; /* if refused */
	int major, minor;
	struct view_text method, url;
	unsigned nfields; /* whose values are complete, trailers too */
	unsigned nheads;  /* of those, before the body */
	size_t body_size;
	uint32_t body_hash;
	struct view_text names[LLHTTP_VIEW_FIELDS];
	struct view_text values[LLHTTP_VIEW_FIELDS];
};

/* => One FNV-1a step for each byte; start with VIEW_HASH. */
#define VIEW_HASH 2166136261u
static inline uint32_t
view_hash(uint32_t hash, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (uint8_t)data[i]) * 16777619u;
	return hash;
}

/* llhttp_view_parse: the first message of the input, which view points to. */
void
llhttp_view_parse(struct llhttp_view *view, const char *input, size_t size);

#endif /* SPATE_TESTS_LLHTTP_VIEW_H */
