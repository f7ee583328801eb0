/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Any bytes as the head of an answer: a part gets the verdict of the whole
 * or none, what is taken lies within what was given, and nothing is read
 * behind it. Where the part ends follows from the bytes, so that an input is
 * all there is to repeat a failure.
 */

#include "alloc/check.h"
#include "framework/http_answer.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* In memory of its own size, so that a read behind it is caught. */
static int
parse(struct sp_http_answer *answer, const uint8_t *data, size_t size,
    const struct sp_http_limits *limits)
{
	char *copy = malloc(size != 0 ? size : 1);
	int result;

	SP_CHECK(copy != NULL);
	if (size != 0)
		memcpy(copy, data, size);
	result = sp_http_answer_parse(answer, copy, size, limits);
	free(copy);
	return result;
}

static void
check(const uint8_t *data, size_t size, size_t part,
    const struct sp_http_limits *limits)
{
	static struct sp_http_answer answer;
	int first = parse(&answer, data, part, limits);
	int all = parse(&answer, data, size, limits);

	SP_CHECK(first == 0 || first == all);
	if (all <= 0) {
		SP_CHECK(all == 0 || answer.head.error != NULL);
		return;
	}
	SP_CHECK((size_t)all <= size && all == answer.head.size);
	SP_CHECK((size_t)all <= limits->head_bytes);
	SP_CHECK(answer.status >= 100 && answer.status <= 599);
	SP_CHECK(answer.reason + answer.reason_size <= all);
	SP_CHECK(answer.head.nfields <= limits->fields);
	for (unsigned i = 0; i < answer.head.nfields; i++) {
		const struct sp_http_field *field = &answer.head.fields[i];

		SP_CHECK(field->name_size != 0);
		SP_CHECK(field->name + field->name_size < field->value);
		SP_CHECK(field->value + field->value_size + 2 <= all);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sp_http_limits usual = SP_HTTP_LIMITS_DEFAULT;
	const struct sp_http_limits tight = { 80, 3, 10 };
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * 16777619u;
	check(data, size, hash % (size + 1), &usual);
	check(data, size, hash % (size + 1), &tight);
	return 0;
}
