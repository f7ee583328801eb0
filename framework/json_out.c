/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/json_out.h"

#include "alloc/check.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
sp_json_init(struct sp_json *json, struct sp_text *text)
{
	*json = (struct sp_json){ .text = text };
}

static bool
in_object(const struct sp_json *json)
{
	return json->depth != 0 && (json->objects >> (json->depth - 1) & 1);
}

static void
comma(struct sp_json *json)
{
	uint32_t bit = UINT32_C(1) << (json->depth - 1);

	if ((json->filled & bit) != 0)
		sp_text_char(json->text, ',');
	json->filled |= bit;
}

/* A value follows: is this a place for one, and does it take a comma? */
static void
before_value(struct sp_json *json)
{
	SP_CHECK(json->depth != 0 || !json->done);
	SP_CHECK(json->keyed == in_object(json));
	if (json->depth == 0)
		json->done = true;
	else if (!json->keyed)
		comma(json);
	json->keyed = false;
}

static void
open_level(struct sp_json *json, char bracket, bool object)
{
	uint32_t bit;

	SP_CHECK(json->depth < SP_JSON_DEPTH);
	before_value(json);
	bit = UINT32_C(1) << json->depth++;
	json->objects = object ? json->objects | bit : json->objects & ~bit;
	json->filled &= ~bit;
	sp_text_char(json->text, bracket);
}

void
sp_json_object(struct sp_json *json)
{
	open_level(json, '{', true);
}

void
sp_json_array(struct sp_json *json)
{
	open_level(json, '[', false);
}

void
sp_json_end(struct sp_json *json)
{
	SP_CHECK(json->depth != 0 && !json->keyed);
	sp_text_char(json->text, in_object(json) ? '}' : ']');
	json->depth--;
}

static void
quoted(struct sp_json *json, const char *bytes, size_t size)
{
	sp_text_char(json->text, '"');
	sp_text_json(json->text, bytes, size);
	sp_text_char(json->text, '"');
}

void
sp_json_key(struct sp_json *json, const char *key)
{
	size_t size = strlen(key);
	char *at;

	SP_CHECK(in_object(json) && !json->keyed);
	comma(json);
	at = sp_text_room(json->text, size + 3);
	if (at != NULL) {
		*at++ = '"';
		memcpy(at, key, size);
		memcpy(at + size, "\":", 2);
	}
	json->keyed = true;
}

void
sp_json_string(struct sp_json *json, const char *bytes, size_t size)
{
	before_value(json);
	quoted(json, bytes, size);
}

void
sp_json_u64(struct sp_json *json, uint64_t value)
{
	before_value(json);
	sp_text_u64(json->text, value);
}

void
sp_json_micros(struct sp_json *json, uint64_t ns)
{
	char digits[] = { '.', (char)('0' + ns / 100 % 10),
		(char)('0' + ns / 10 % 10), (char)('0' + ns % 10) };

	before_value(json);
	sp_text_u64(json->text, ns / 1000);
	sp_text_bytes(json->text, digits, sizeof(digits));
}

void
sp_json_i64(struct sp_json *json, int64_t value)
{
	before_value(json);
	sp_text_i64(json->text, value);
}

void
sp_json_bool(struct sp_json *json, bool value)
{
	before_value(json);
	sp_text_string(json->text, value ? "true" : "false");
}

void
sp_json_null(struct sp_json *json)
{
	before_value(json);
	sp_text_string(json->text, "null");
}

/* The program's own locale may write a comma for the point. */
void
sp_json_double(struct sp_json *json, double value)
{
	locale_t locale, before;
	char digits[32] = "null";

	before_value(json);
	locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (isfinite(value) && locale != (locale_t)0) {
		before = uselocale(locale);
		for (int precision = 15; precision <= 17; precision++) {
			snprintf(
			    digits, sizeof(digits), "%.*g", precision, value);
			if (strtod(digits, NULL) == value)
				break;
		}
		uselocale(before);
		freelocale(locale);
	}
	sp_text_string(json->text, digits);
}

void
sp_json_put(struct sp_json *json, const char *key, uint64_t value)
{
	sp_json_key(json, key);
	sp_json_u64(json, value);
}

void
sp_json_put_bool(struct sp_json *json, const char *key, bool value)
{
	sp_json_key(json, key);
	sp_json_bool(json, value);
}

void
sp_json_put_string(struct sp_json *json, const char *key, const char *value)
{
	sp_json_key(json, key);
	sp_json_string(json, value, strlen(value));
}
