/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_FUZZ_HTTP_DIFF_TEXT_H
#define SPATE_TESTS_FUZZ_HTTP_DIFF_TEXT_H

/*
 * Looks at a message once more, without either parser: by regular expressions
 * and byte by byte, with no thought of time. For the predicates of
 * http_diff_classes.c.
 */

#include "tests/fuzz/http_diff_classes.h"

/* => Whether an extended regular expression matches; no text with NUL in it,
 *    or of 2 KiB, does. */
bool diff_is_like(const char *at, size_t size, const char *pattern);

/* => Whether it is that word, in any case. */
bool diff_is_text(struct view_text text, const char *word);

/* => The n-th field of that name that stands in the head, or NULL. */
const struct view_text *
diff_find(const struct diff *diff, const char *name, unsigned n);

/* => The head with its blank line, or all; blank lines in front are in it. */
size_t diff_head_size(const struct diff *diff);

/* => Whether it is host[:port] by RFC 3986. */
bool diff_is_authority(const char *at, size_t size);

/* => What stands behind the line of the last chunk, if it was reached. */
struct view_text diff_trailer(const struct diff *diff);

/*
 * Calls what for each line of a size, as far as chunks go by: its digits and
 * the rest in front of the line's end.
 *
 * => Returns whether one call did.
 */
bool diff_any_size_line(const struct diff *diff,
    bool (*what)(struct view_text digits, struct view_text rest));

#endif /* SPATE_TESTS_FUZZ_HTTP_DIFF_TEXT_H */
