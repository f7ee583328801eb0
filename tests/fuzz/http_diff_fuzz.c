/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The same bytes to Spate's parser and to llhttp: a head and its body, and
 * then the next request, as long as both go on at the same place. Where they
 * disagree, one of http_diff_classes.h has to explain it.
 *
 *     Spate     llhttp    fine if
 *     -------   -------   -----------------------------------------------
 *     done      done      the same end, method, target, fields and body,
 *                         or a class explains why the ends differ
 *     more      more      always: either may look further than the other
 *     refused   refused   always
 *     refused   other     a class explains why we are stricter
 *     other     refused   a class explains why llhttp is
 *     more      refused   or both refuse, or a class explains it, when the
 *                         line has its end
 *     refused   more      the same
 *     done      more      a class explains it; the other way round too
 */

#include "framework/http_repeat.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/http_diff_classes.h"
#include "tests/fuzz/http_diff_mutate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 16
#define INPUT_MAX 65536

static void
feed_body(struct diff *diff)
{
	struct sp_http_chunked chunked;
	size_t at = diff->head.size, used, size;
	const char *data;
	int event;

	sp_http_chunked_init(&chunked, UINT64_MAX);
	do {
		data = NULL;
		size = 0;
		event = sp_http_chunked_feed(&chunked, diff->input + at,
		    diff->size - at, &used, &data, &size);
		at += used;
		if (event == SP_HTTP_CHUNKED_DATA) {
			diff->body_size += size;
			diff->body_hash = view_hash(
			    diff->body_hash, data, size);
		}
	} while (
	    event == SP_HTTP_CHUNKED_DATA || event == SP_HTTP_CHUNKED_TRAILER);
	diff->end = at;
	diff->error = "chunk";
	diff->verdict = event < 0                       ? VIEW_REFUSED
			: event == SP_HTTP_CHUNKED_DONE ? VIEW_DONE
							: VIEW_MORE;
}

/* => diff->input has SP_HTTP_PADDING bytes behind it. */
static void
parse(struct diff *diff)
{
	const struct sp_http_limits limits = SP_HTTP_LIMITS_DEFAULT;
	static struct sp_http_repeat repeat; /* of the inputs so far */
	int n = sp_http_head_parse(
	    &diff->head, diff->input, diff->size, &limits, &repeat);
	size_t left;

	diff->in_body = n > 0;
	diff->body_size = 0;
	diff->body_hash = VIEW_HASH;
	diff->error = n < 0 ? diff->head.error : NULL;
	diff->verdict = n < 0 ? VIEW_REFUSED : VIEW_MORE;
	if (n <= 0)
		return;
	if (diff->head.flags & SP_HTTP_CHUNKED) {
		feed_body(diff);
		return;
	}
	left = diff->size - (size_t)n;
	diff->body_size = left < diff->head.content_length
			      ? left
			      : (size_t)diff->head.content_length;
	diff->body_hash = view_hash(
	    diff->body_hash, diff->input + n, diff->body_size);
	diff->end = (size_t)n + diff->body_size;
	if (diff->body_size == diff->head.content_length)
		diff->verdict = VIEW_DONE;
}

static void
quit(const struct diff *diff, const char *what)
{
	static const char *const names[] = { "more", "done", "refused" };

	fprintf(stderr,
	    "%s\n  Spate: %s, end %zu, %s\n  llhttp: %s, end %zu, %s\n", what,
	    names[diff->verdict], diff->end,
	    diff->error != NULL ? diff->error : "-", names[diff->view.verdict],
	    diff->view.end,
	    diff->view.reason != NULL ? diff->view.reason : "-");
	fprintf(stderr, "%.*s\n", (int)diff->size, diff->input);
	abort();
}

static bool
same_text(const struct diff *diff, uint16_t at, uint16_t size,
    const struct view_text *text)
{
	/* llhttp takes blanks behind a value for a part of it. */
	size_t their_size = text->size;

	while (their_size > size
	       && (text->at[their_size - 1] == ' '
		   || text->at[their_size - 1] == '\t'))
		their_size--;
	return their_size == size
	       && (size == 0 || text->at == diff->input + at
		   || memcmp(text->at, diff->input + at, size) == 0);
}

/* Both have accepted it: then it is the same message. */
static void
compare(const struct diff *diff)
{
	const struct sp_http_head *head = &diff->head;
	const struct llhttp_view *view = &diff->view;

	if (diff->end != view->end) {
		if (diff_explain(diff) != NULL)
			return;
		quit(diff, "the message ends elsewhere");
	}
	if (diff->body_size != view->body_size
	    || diff->body_hash != view->body_hash)
		quit(diff, "the body differs");
	if (head->minor != view->minor || view->major != 1
	    || !same_text(diff, head->target, head->target_size, &view->url))
		quit(diff, "the request line differs");
	if (head->nfields != view->nheads)
		quit(diff, "the number of fields differs");
	for (unsigned i = 0; i < head->nfields; i++) {
		const struct sp_http_field *field = &head->fields[i];

		if (!same_text(
			diff, field->name, field->name_size, &view->names[i])
		    || !same_text(diff, field->value, field->value_size,
			&view->values[i]))
			quit(diff, "a field differs");
	}
}

/* What one has yet to see the end of, it may judge at its end. */
static bool
explained_at_the_end(const struct diff *diff)
{
	struct diff *longer = malloc(sizeof(*longer));
	char *copy = calloc(1, diff->size + 4 + SP_HTTP_PADDING);
	bool fine;

	if (longer == NULL || copy == NULL)
		abort();
	memcpy(copy, diff->input, diff->size);
	memcpy(copy + diff->size, "\r\n\r\n", 4);
	longer->input = copy;
	longer->size = diff->size + 4;
	parse(longer);
	llhttp_view_parse(&longer->view, copy, longer->size);
	fine = longer->verdict == VIEW_REFUSED
	       && longer->view.verdict == VIEW_REFUSED;
	fine |= longer->verdict != longer->view.verdict
		&& diff_explain(longer) != NULL;
	free(copy);
	free(longer);
	return fine;
}

static void
judge(const struct diff *diff)
{
	enum view_verdict ours = diff->verdict, theirs = diff->view.verdict;

	if (ours == theirs) {
		if (ours == VIEW_DONE)
			compare(diff);
		return;
	}
	if (diff_explain(diff) != NULL)
		return;
	if (ours != VIEW_REFUSED && theirs != VIEW_REFUSED)
		quit(diff, "one is done and the other is not");
	if ((ours == VIEW_MORE || theirs == VIEW_MORE)
	    && explained_at_the_end(diff))
		return;
	quit(diff, "no class explains it");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct diff diff;
	char *copy;
	size_t at = 0;

	if (size > INPUT_MAX)
		return 0;
	copy = calloc(1, size + SP_HTTP_PADDING);
	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	for (int i = 0; i < MESSAGES && at < size; i++) {
		diff.input = copy + at;
		diff.size = size - at;
		diff.end = 0;
		parse(&diff);
		llhttp_view_parse(&diff.view, diff.input, diff.size);
		judge(&diff);
		if (diff.verdict != VIEW_DONE || diff.view.verdict != VIEW_DONE
		    || diff.end != diff.view.end)
			break;
		at += diff.end;
	}
	free(copy);
	return 0;
}
