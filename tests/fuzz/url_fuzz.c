/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Any bytes as a percent-encoded text, a query, a Cookie field and a number.
 *
 * What is encoded decodes to itself and to nothing a URL may not have. Each
 * pair lies within the text, the first of a name is what is found by it, and
 * a buffer that is one byte short gets -ENOSPC and not the byte.
 */

#include "framework/urlcode.h"

#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of exactly this size, so that a byte beyond it is seen. */
static char *
room(size_t size)
{
	char *memory = malloc(size != 0 ? size : 1);

	FUZZ_CLAIM(memory != NULL);
	return memory;
}

static bool
within(const char *at, size_t n, const char *text, size_t size)
{
	return at >= text && n <= size && at <= text + size - n;
}

static void
encode_and_back(const char *text, size_t size, unsigned flags)
{
	char *out = room(3 * size), *back = room(size);
	ssize_t n = sp_url_encode(text, size, out, 3 * size, flags);

	FUZZ_CLAIM(n >= (ssize_t)size && (size_t)n <= 3 * size);
	for (ssize_t i = 0; i < n; i++) {
		char c = out[i];

		FUZZ_CLAIM((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
			   || (c >= 'a' && c <= 'z')
			   || strchr("%-._~/+", c) != NULL);
		FUZZ_CLAIM(c != '/' || (flags & SP_URL_SLASH));
		FUZZ_CLAIM(c != '+' || (flags & SP_URL_PLUS));
	}
	FUZZ_CLAIM(
	    sp_url_decode(out, (size_t)n, back, size, flags) == (ssize_t)size);
	FUZZ_CLAIM(memcmp(back, text, size) == 0);
	if (n > 0) {
		char *tight = room((size_t)n - 1);

		FUZZ_CLAIM(
		    sp_url_encode(text, size, tight, (size_t)n - 1, flags)
		    == -ENOSPC);
		free(tight);
	}
	free(back);
	free(out);
}

static void
decode(const char *text, size_t size, unsigned flags)
{
	char *out = room(size);
	ssize_t n = sp_url_decode(text, size, out, size, flags);

	FUZZ_CLAIM(n == -EINVAL || (n >= 0 && (size_t)n <= size));
	if (n > 0) {
		char *tight = room((size_t)n - 1);
		char *place = room(size);

		if (flags & SP_URL_NO_NUL)
			FUZZ_CLAIM(memchr(out, '\0', (size_t)n) == NULL);
		FUZZ_CLAIM(
		    sp_url_decode(text, size, tight, (size_t)n - 1, flags)
		    == -ENOSPC);
		memcpy(place, text, size);
		FUZZ_CLAIM(sp_url_decode(place, size, place, size, flags) == n);
		FUZZ_CLAIM(memcmp(place, out, (size_t)n) == 0);
		free(place);
		free(tight);
	}
	free(out);
}

/* The name as a string, decoded. => Returns false: it cannot be one. */
static bool
name_of(const struct sp_query_pair *pair, char *name)
{
	ssize_t n = sp_url_decode(pair->name, pair->name_size, name,
	    pair->name_size, SP_URL_PLUS | SP_URL_NO_NUL);

	if (n < 0)
		return false;
	name[n] = '\0';
	return true;
}

static void
query(const char *text, size_t size)
{
	char *first = room(size + 1);
	char *value = room(size), *found = room(size);
	struct sp_query_pair pair;
	struct sp_query walk;
	bool named = false;
	size_t used = 0;

	sp_query_init(&walk, text, size);
	while (sp_query_next(&walk, &pair)) {
		ssize_t want, n;

		FUZZ_CLAIM(within(pair.name, pair.name_size, text, size));
		if (pair.has_value)
			FUZZ_CLAIM(
			    within(pair.value, pair.value_size, text, size));
		FUZZ_CLAIM(memchr(pair.name, '&', pair.name_size) == NULL);
		FUZZ_CLAIM(memchr(pair.name, '=', pair.name_size) == NULL);
		used += pair.name_size + pair.value_size + pair.has_value;
		FUZZ_CLAIM(used <= size);
		if (named || !name_of(&pair, first))
			continue;
		named = true;
		want = sp_url_decode(pair.value, pair.value_size, value, size,
		    SP_URL_PLUS | SP_URL_NO_NUL);
		n = sp_query_get(text, size, first, found, size);
		FUZZ_CLAIM(n == want);
		FUZZ_CLAIM(n <= 0 || memcmp(found, value, (size_t)n) == 0);
	}
	FUZZ_CLAIM(!sp_query_next(&walk, &pair));
	free(found);
	free(value);
	free(first);
}

static void
cookies(const char *text, size_t size)
{
	struct sp_cookies walk;
	struct sp_cookie cookie;
	size_t turns = 0;
	int result;

	sp_cookies_init(&walk, text, size);
	while ((result = sp_cookies_next(&walk, &cookie)) != 0) {
		FUZZ_CLAIM(++turns <= size + 1);
		FUZZ_CLAIM(result == 1 || result == -EINVAL);
		if (result != 1)
			continue;
		FUZZ_CLAIM(cookie.name_size != 0);
		FUZZ_CLAIM(within(cookie.name, cookie.name_size, text, size));
		FUZZ_CLAIM(within(cookie.value, cookie.value_size, text, size));
		for (size_t i = 0; i < cookie.value_size; i++) {
			uint8_t c = (uint8_t)cookie.value[i];

			FUZZ_CLAIM(c > ' ' && c < 0x7f && c != ';' && c != '"'
				   && c != ',' && c != '\\');
		}
	}
}

/* What is read as a number is written as it, but for zeros in front. */
static void
number(const char *text, size_t size)
{
	char out[32];
	uint64_t u = 0;
	int64_t i = 0;
	double d = 0;
	bool b;

	if (sp_parse_u64(text, size, &u) == 0) {
		int n = snprintf(out, sizeof(out), "%" PRIu64, u);

		FUZZ_CLAIM((size_t)n <= size
			   && memcmp(text + size - n, out, (size_t)n) == 0);
	}
	if (sp_parse_i64(text, size, &i) == 0 && size < 19)
		FUZZ_CLAIM(sp_parse_double(text, size, &d) != 0
			   || (int64_t)d == i || size > 15);
	sp_parse_bool(text, size, &b);
	sp_query_u64(text, size, "a", &u);
	sp_query_double(text, size, "a", &d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	for (unsigned flags = 0; flags < 8; flags++) {
		encode_and_back(text, size, flags & ~(unsigned)SP_URL_NO_NUL);
		decode(text, size, flags);
	}
	query(text, size);
	cookies(text, size);
	number(text, size);
	return 0;
}
