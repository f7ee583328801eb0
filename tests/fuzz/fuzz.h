/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_FUZZ_FUZZ_H
#define SPATE_TESTS_FUZZ_FUZZ_H

/*
 * What a fuzzer's file defines, and libFuzzer or replay.c calls for each
 * input. It aborts when a claim about the input fails, and returns 0.
 *
 * => data is on loan until it returns; not one byte beyond size is there.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What has to hold for every input. */
#define FUZZ_CLAIM(holds)                                                      \
	do {                                                                   \
		if (!(holds))                                                  \
			fuzz_fail(__FILE__, __LINE__, #holds);                 \
	} while (0)

static inline __attribute__((noreturn)) void
fuzz_fail(const char *file, int line, const char *claim)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, claim);
	abort();
}

#endif /* SPATE_TESTS_FUZZ_FUZZ_H */
