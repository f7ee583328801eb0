/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Any bytes as a chunked body: pieces make no difference, spans are within
 * what was used, and nothing is read behind a piece. How it is cut follows
 * from the bytes.
 */

#include "tests/fuzz/fuzz.h"
#include "tests/http_chunked_check.h"

#include <stdint.h>
#include <stdio.h>

#define LIMIT 65536

static void
check(const struct chunked_result *result, bool holds)
{
	if (holds && result->complaint == NULL)
		return;
	fprintf(stderr, "%s\n",
	    result->complaint != NULL ? result->complaint
				      : "pieces make a difference");
	abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *input = (const char *)data;
	struct chunked_result whole = chunked_decode(
	    input, size, size, 1, LIMIT);
	struct chunked_result parts;
	uint32_t hash = 2166136261u;

	check(&whole, true);
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * 16777619u;
	for (size_t other = 1; other <= size; other *= 3) {
		parts = chunked_decode(
		    input, size, hash % (size + 1), other, LIMIT);
		check(&parts, chunked_same(&whole, &parts));
		chunked_result_free(&parts);
	}
	chunked_result_free(&whole);
	return 0;
}
