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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* SPATE_TESTS_FUZZ_FUZZ_H */
