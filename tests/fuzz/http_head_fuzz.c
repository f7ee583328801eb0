/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Any bytes as a request head: the builds of the parser agree, a part gets
 * the verdict of the whole or none, and nothing is read behind the padding.
 * Where the part ends follows from the bytes, so that an input is all there
 * is to repeat a failure.
 */

#include "tests/fuzz/fuzz.h"
#include "tests/http_check.h"

#include <stdint.h>

static void
check(const char *input, size_t size, size_t part,
    const struct sp_http_limits *limits)
{
	const char *complaint = http_head_disagreement(
	    input, size, part, limits);

	if (complaint == NULL)
		return;
	fprintf(stderr, "%s; the part is of %zu bytes\n", complaint, part);
	abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sp_http_limits usual = SP_HTTP_LIMITS_DEFAULT;
	const struct sp_http_limits tight = { 80, 3, 10 };
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * 16777619u;
	check((const char *)data, size, hash % (size + 1), &usual);
	check((const char *)data, size, hash % (size + 1), &tight);
	return 0;
}
