/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Any bytes as a text that /stats and /metrics have to show, such as the name
 * of a route. Whatever they are, what comes out is UTF-8, ends where it is
 * meant to, and reads as the same text if that was UTF-8 itself. A buffer
 * that is too small has a part of it and says so. And as a field's value.
 */

#include "framework/metrics_out.h"
#include "framework/text.h"

#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* => Returns the size of the character, or 0: it is none. */
static size_t
utf8(const uint8_t *at, size_t size)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = at[0] < 0x80       ? 1
		   : at[0] >> 5 == 6  ? 2
		   : at[0] >> 4 == 14 ? 3
		   : at[0] >> 3 == 30 ? 4
				      : 0;
	uint32_t code = n == 1 ? at[0] : at[0] & (0x7fu >> n);

	if (n == 0 || n > size)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (at[i] >> 6 != 2)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	return code < least[n] || code > 0x10ffff
		       || (code >= 0xd800 && code < 0xe000)
		   ? 0
		   : n;
}

static bool
is_utf8(const char *text, size_t size)
{
	for (size_t i = 0, n; i < size; i += n) {
		n = utf8((const uint8_t *)text + i, size - i);
		if (n == 0)
			return false;
	}
	return true;
}

/* Undoes the escapes of a JSON string. => Returns the size. */
static size_t
read_json(const char *text, size_t size, char *out)
{
	static const char short_ones[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	size_t n = 0;

	for (size_t i = 0; i < size; i++) {
		const char *known;
		char hex[5] = "";

		FUZZ_CLAIM((uint8_t)text[i] >= ' ' && text[i] != '"');
		if (text[i] != '\\') {
			out[n++] = text[i];
			continue;
		}
		FUZZ_CLAIM(++i < size);
		if (text[i] == 'u') {
			FUZZ_CLAIM(size - i > 4);
			memcpy(hex, text + i + 1, 4);
			FUZZ_CLAIM(strspn(hex, "0123456789abcdefABCDEF") == 4);
			FUZZ_CLAIM(strtoul(hex, NULL, 16) < 0x80);
			out[n++] = (char)strtoul(hex, NULL, 16);
			i += 4;
			continue;
		}
		known = strchr(short_ones, text[i]);
		FUZZ_CLAIM(known != NULL && (known - short_ones) % 2 == 0);
		out[n++] = known[1];
	}
	return n;
}

static void
json(const char *bytes, size_t size)
{
	size_t capacity = 6 * size + 16;
	char *out = malloc(capacity), *back = malloc(capacity);
	struct sp_text text, less;
	char *tight;

	FUZZ_CLAIM(out != NULL && back != NULL);
	sp_text_init(&text, out, capacity);
	sp_text_json(&text, bytes, size);
	FUZZ_CLAIM(!text.overflow && is_utf8(out, text.size));
	if (is_utf8(bytes, size)) {
		FUZZ_CLAIM(read_json(out, text.size, back) == size);
		FUZZ_CLAIM(memcmp(back, bytes, size) == 0);
	} else {
		read_json(out, text.size, back);
	}
	if (text.size != 0) {
		tight = malloc(text.size - (text.size != 1));
		FUZZ_CLAIM(tight != NULL);
		sp_text_init(&less, tight, text.size - 1);
		sp_text_json(&less, bytes, size);
		FUZZ_CLAIM(less.overflow && less.size < text.size);
		FUZZ_CLAIM(memcmp(tight, out, less.size) == 0);
		free(tight);
	}
	free(back);
	free(out);
}

/* One row, whatever the label: nothing in it ends the value or the line. */
static void
label(const char *bytes, size_t size)
{
	static const char head[] = "m{l=\"", tail[] = "\"} 7\n";
	size_t capacity = 8 * size + 256, from, at;
	char *out = malloc(capacity), *value = malloc(size + 1);
	struct sp_label labels[SP_METRIC_LABELS] = { { "l", value } };
	struct sp_metrics metrics;
	struct sp_text text;

	FUZZ_CLAIM(out != NULL && value != NULL);
	memcpy(value, bytes, size);
	value[size] = '\0';
	sp_text_init(&text, out, capacity);
	metrics.text = &text;
	sp_metrics_family(&metrics, "m", "gauge", "h");
	from = text.size;
	sp_metrics_u64(&metrics, labels, 7);
	FUZZ_CLAIM(!text.overflow);
	FUZZ_CLAIM(memcmp(out + from, head, sizeof(head) - 1) == 0);
	for (at = from + sizeof(head) - 1; out[at] != '"'; at++) {
		FUZZ_CLAIM(at < text.size && out[at] != '\n');
		if (out[at] == '\\') {
			at++;
			FUZZ_CLAIM(out[at] == '\\' || out[at] == '"'
				   || out[at] == 'n');
		}
	}
	FUZZ_CLAIM(text.size - at == sizeof(tail) - 1);
	FUZZ_CLAIM(memcmp(out + at, tail, sizeof(tail) - 1) == 0);
	free(value);
	free(out);
}

/* Eight bytes at a time, and one. */
static void
field_value(const char *bytes, size_t size)
{
	bool right = true;

	for (size_t i = 0; i < size; i++) {
		uint8_t c = (uint8_t)bytes[i];

		right = right && (c == '\t' || (c >= ' ' && c != 0x7f));
	}
	FUZZ_CLAIM(sp_field_value_ok(bytes, size) == right);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	field_value((const char *)data, size);
	json((const char *)data, size);
	label((const char *)data, size);
	return 0;
}
