/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_HTTP_CHECK_H
#define SPATE_TESTS_HTTP_CHECK_H

/*
 * Properties that hold for the head parser on every input, good or bad, for
 * unit tests and fuzzers alike:
 *
 *     all builds agree with the portable one
 *     what is in the padding makes no difference
 *     nothing behind the padding is read (AddressSanitizer sees to that)
 *     a part of the input gets the verdict of the whole, or none
 *     all offsets are within the head
 *     what earlier heads were like makes no difference
 */

#include "framework/http_head.h"
#include "framework/http_repeat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What to put into the padding: nothing, and what would go on well. */
static const char *const http_paddings[] = {
	"",
	"\r\n\r\n",
	": a\r\n\r\nb: c\r\n\r\nd: e\r\n\r\nf: g\r\n\r\nh: i\r\n\r\n",
	" HTTP/1.1\r\nHost: a\r\n\r\nHost: a\r\n\r\nHost: a\r\n\r\n",
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk",
};

#define HTTP_PADDINGS (sizeof(http_paddings) / sizeof(http_paddings[0]))

/* One more: the rest of the line, as if it were there, and then nonsense. */
#define HTTP_PADDING_REST HTTP_PADDINGS

/* A copy of a part of the input with padding and not a byte more. Owned. */
static inline char *
http_padded(const char *input, size_t size, size_t part, unsigned padding)
{
	char *buf = malloc(part + SP_HTTP_PADDING), *to;
	size_t rest = size - part;

	if (buf == NULL)
		abort();
	to = buf + part;
	memcpy(buf, input, part);
	if (padding % (HTTP_PADDINGS + 1) == HTTP_PADDING_REST) {
		memset(to, '\1', SP_HTTP_PADDING);
		if (rest > SP_HTTP_PADDING)
			rest = SP_HTTP_PADDING;
		memccpy(to, input + part, '\n', rest);
	} else {
		const char *text = http_paddings[padding % (HTTP_PADDINGS + 1)];

		memset(to, 0, SP_HTTP_PADDING);
		for (size_t i = 0; i < SP_HTTP_PADDING && text[i] != '\0'; i++)
			to[i] = text[i];
	}
	return buf;
}

static inline int
http_parse(enum sp_http_scan scan, struct sp_http_head *head, const char *input,
    size_t size, size_t part, unsigned padding,
    const struct sp_http_limits *limits)
{
	char *buf = http_padded(input, size, part, padding);
	int verdict;

	/* What the parser leaves alone has to be visible. */
	memset(head, 0xa5, sizeof(*head));
	head->error = NULL;
	verdict = sp_http_head_parse_by(scan, head, buf, part, limits, NULL);
	free(buf);
	return verdict;
}

/* The same, by somebody who has a memory. */
static inline int
http_parse_again(enum sp_http_scan scan, struct sp_http_head *head,
    const char *input, size_t size, const struct sp_http_limits *limits,
    struct sp_http_repeat *repeat)
{
	char *buf = http_padded(input, size, size, HTTP_PADDING_REST);
	int verdict;

	memset(head, 0xa5, sizeof(*head));
	head->error = NULL;
	verdict = sp_http_head_parse_by(scan, head, buf, size, limits, repeat);
	free(buf);
	return verdict;
}

static inline bool
http_span_within(uint16_t at, uint16_t span, size_t size)
{
	return (size_t)at + span <= size;
}

/* => Returns what is wrong with a head that the parser accepted, or NULL. */
static inline const char *
http_head_complaint(const struct sp_http_head *head, size_t size)
{
	if (head->size > size || head->size < 18)
		return "size";
	if (head->method >= SP_HTTP_METHODS || head->minor > 1)
		return "method or version";
	if (!http_span_within(head->target, head->target_size, head->size)
	    || !http_span_within(head->path, head->path_size, head->size)
	    || !http_span_within(head->query, head->query_size, head->size)
	    || !http_span_within(head->host, head->authority_size, head->size)
	    || head->host_size > head->authority_size || head->path_size == 0)
		return "an offset of the target or the host";
	if (head->nfields > SP_HTTP_FIELDS_MAX)
		return "number of fields";
	for (unsigned i = 0; i < head->nfields; i++) {
		const struct sp_http_field *field = &head->fields[i];

		if (field->name_size == 0
		    || !http_span_within(
			field->name, field->name_size, head->size)
		    || field->value < field->name + field->name_size + 1
		    || !http_span_within(
			field->value, field->value_size, head->size))
			return "an offset of a field";
	}
	return NULL;
}

static inline bool
http_same_head(const struct sp_http_head *a, const struct sp_http_head *b)
{
	/* Up to the error, whose wording may differ, then the fields. */
	return memcmp(a, b, offsetof(struct sp_http_head, error)) == 0
	       && memcmp(a->fields, b->fields,
		      a->nfields * sizeof(struct sp_http_field))
		      == 0;
}

/*
 * Reads the input with what the inputs before it have taught, and then once
 * more with what it has; and the same with more of a target.
 */
static inline const char *
http_repeat_disagreement(enum sp_http_scan scan, const char *input, size_t size,
    const struct sp_http_limits *limits)
{
	static const char more[] = "more";
	static struct sp_http_repeat repeats[SP_HTTP_SCANS];
	struct sp_http_repeat own = { .armed = false };
	struct sp_http_head first, head;
	const char *slash = memchr(input, '/', size);
	size_t before = slash != NULL ? (size_t)(slash + 1 - input) : 0;
	char *longer = malloc(size + sizeof(more));
	const char *complaint = NULL;

	if (longer == NULL)
		abort();
	memcpy(longer, input, before);
	memcpy(longer + before, more, sizeof(more) - 1);
	memcpy(
	    longer + before + sizeof(more) - 1, input + before, size - before);
	for (int i = 0; i < 4; i++) {
		const char *text = i == 2 ? longer : input;
		size_t text_size = size + (i == 2 ? sizeof(more) - 1 : 0);
		int verdict = http_parse(
		    scan, &first, text, text_size, text_size, 0, limits);

		if (http_parse_again(scan, &head, text, text_size, limits, &own)
			!= verdict
		    || (verdict > 0 && !http_same_head(&first, &head)))
			complaint = "a repetition is read differently";
		if (http_parse_again(
			scan, &head, text, text_size, limits, &repeats[scan])
			!= verdict
		    || (verdict > 0 && !http_same_head(&first, &head)))
			complaint = "what came before makes a difference";
	}
	free(longer);
	return complaint;
}

/*
 * Runs all builds on the whole input and on a first part of it.
 *
 * => Returns what did not hold, or NULL.
 */
static inline const char *
http_head_disagreement(const char *input, size_t size, size_t part,
    const struct sp_http_limits *limits)
{
	struct sp_http_head first, head;
	const char *complaint;
	int whole, of_part, verdict;

	of_part = http_parse(
	    SP_HTTP_SCAN_PORTABLE, &first, input, size, part, 0, limits);
	whole = http_parse(
	    SP_HTTP_SCAN_PORTABLE, &first, input, size, size, 0, limits);
	if (of_part != whole && of_part != 0)
		return "a part differs from the whole";
	if (whole > 0 && (of_part > 0) != (part >= (size_t)whole))
		return "complete too early, or too late";
	if (whole > 0) {
		complaint = http_head_complaint(&first, size);
		if (complaint != NULL)
			return complaint;
		if (whole != first.size)
			return "the verdict is not the size";
	} else if (whole < 0 && first.error == NULL) {
		return "refused without a reason";
	}
	for (enum sp_http_scan scan = 0; scan < SP_HTTP_SCANS; scan++) {
		if (!sp_http_scan_available(scan))
			continue;
		for (unsigned i = 0; i <= HTTP_PADDINGS; i++) {
			verdict = http_parse(
			    scan, &head, input, size, size, i, limits);
			if (verdict != whole)
				return "builds differ in the verdict";
			if (whole > 0 && !http_same_head(&first, &head))
				return "builds differ in the head";
			verdict = http_parse(
			    scan, &head, input, size, part, i, limits);
			if (verdict != of_part)
				return "builds differ in a part";
		}
		complaint = http_repeat_disagreement(scan, input, size, limits);
		if (complaint != NULL)
			return complaint;
	}
	return NULL;
}

#endif /* SPATE_TESTS_HTTP_CHECK_H */
