/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/json_out.h"

#include "tests/harness.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char data[1024];
static struct sp_text text;
static struct sp_json json;

static void
begin(size_t capacity)
{
	sp_text_init(&text, data, capacity);
	sp_json_init(&json, &text);
}

static bool
is(const char *want)
{
	return text.size == strlen(want) && memcmp(data, want, text.size) == 0;
}

static void
write_all_kinds(void)
{
	sp_json_object(&json);
	sp_json_key(&json, "ab");
	sp_json_string(&json, "x\ny", 3);
	sp_json_key(&json, "list");
	sp_json_array(&json);
	sp_json_u64(&json, UINT64_MAX);
	sp_json_i64(&json, INT64_MIN);
	sp_json_double(&json, 0.5);
	sp_json_bool(&json, true);
	sp_json_bool(&json, false);
	sp_json_null(&json);
	sp_json_array(&json);
	sp_json_end(&json);
	sp_json_object(&json);
	sp_json_end(&json);
	sp_json_end(&json);
	sp_json_key(&json, "last");
	sp_json_object(&json);
	sp_json_key(&json, "n");
	sp_json_u64(&json, 0);
	sp_json_end(&json);
	sp_json_end(&json);
}

static const char all_kinds[] =
    "{\"ab\":\"x\\ny\",\"list\":[18446744073709551615,"
    "-9223372036854775808,0.5,true,false,null,[],{}],\"last\":{\"n\":0}}";

TEST(commas_and_colons_come_by_themselves)
{
	begin(sizeof(data));
	write_all_kinds();
	EXPECT(is(all_kinds) && !text.overflow);
}

TEST(a_value_alone_is_a_document)
{
	begin(sizeof(data));
	sp_json_string(&json, "\xff", 1);
	EXPECT(is("\"\xef\xbf\xbd\""));
}

TEST(an_overflow_cuts_it_off)
{
	for (size_t capacity = 0; capacity < sizeof(all_kinds) - 1;
	     capacity++) {
		memset(data, '?', sizeof(data));
		begin(capacity);
		write_all_kinds();
		EXPECT(text.overflow);
		EXPECT(text.size <= capacity);
		EXPECT(memcmp(data, all_kinds, text.size) == 0);
		EXPECT_EQ(data[capacity], '?');
	}
	begin(sizeof(all_kinds) - 1);
	write_all_kinds();
	EXPECT(is(all_kinds) && !text.overflow);
}

TEST(doubles_read_back_as_they_were)
{
	static const double some[] = { 0.0, 1.0, -1.5, 0.1, 1e21, 1e-7, DBL_MAX,
		DBL_MIN, 5e-324, 1.0 / 3, 123456789.125 };
	uint64_t state = test_seed();

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		begin(sizeof(data));
		sp_json_double(&json, some[i]);
		data[text.size] = '\0';
		EXPECT(strtod(data, NULL) == some[i]);
	}
	for (unsigned i = test_rounds(5000); i-- > 0;) {
		uint64_t bits = test_random(&state);
		double value;

		memcpy(&value, &bits, sizeof(value));
		begin(sizeof(data));
		sp_json_double(&json, value);
		data[text.size] = '\0';
		EXPECT(
		    isfinite(value) ? strtod(data, NULL) == value : is("null"));
	}
	begin(sizeof(data));
	sp_json_double(&json, 0.1);
	EXPECT(is("0.1"));
	begin(sizeof(data));
	sp_json_double(&json, -HUGE_VAL);
	EXPECT(is("null"));
}

/* As deep as it goes, objects and arrays in turn. */
TEST(the_depth_has_a_limit)
{
	begin(sizeof(data));
	for (int i = 0; i < SP_JSON_DEPTH; i++) {
		if (i % 2 == 0) {
			sp_json_array(&json);
		} else {
			sp_json_object(&json);
			sp_json_key(&json, "k");
		}
	}
	sp_json_null(&json);
	EXPECT_ABORT(sp_json_array(&json));
	for (int i = 0; i < SP_JSON_DEPTH; i++)
		sp_json_end(&json);
	EXPECT(!text.overflow);
	EXPECT(memcmp(data, "[{\"k\":[{\"k\":[", 13) == 0);
	EXPECT(memcmp(data + text.size - 4, "}]}]", 4) == 0);
}

TEST(an_order_that_is_no_json_aborts)
{
	begin(sizeof(data));
	EXPECT_ABORT(sp_json_end(&json));
	EXPECT_ABORT(sp_json_key(&json, "k"));
	sp_json_object(&json);
	EXPECT_ABORT(sp_json_u64(&json, 1));
	EXPECT_ABORT(sp_json_array(&json));
	sp_json_key(&json, "k");
	EXPECT_ABORT(sp_json_key(&json, "l"));
	EXPECT_ABORT(sp_json_end(&json));
	sp_json_null(&json);
	sp_json_end(&json);
	EXPECT_ABORT(sp_json_null(&json));
	EXPECT_ABORT(sp_json_end(&json));
}
