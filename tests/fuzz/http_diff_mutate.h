/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_FUZZ_HTTP_DIFF_MUTATE_H
#define SPATE_TESTS_FUZZ_HTTP_DIFF_MUTATE_H

/*
 * Mutations that know what a request is made of: they put in, take out,
 * double, move and exchange whole lines and words, so that most of what comes
 * out is still nearly a request. Every third time libFuzzer mutates bytes.
 */

#include <stddef.h>
#include <stdint.h>

size_t LLVMFuzzerCustomMutator(
    uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* libFuzzer's own; not there when a corpus is only replayed. */
__attribute__((weak)) size_t
LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#endif /* SPATE_TESTS_FUZZ_HTTP_DIFF_MUTATE_H */
