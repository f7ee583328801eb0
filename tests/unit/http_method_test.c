/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/http_method.h"

#include "tests/harness.h"

#include <errno.h>
#include <string.h>

TEST(every_method_has_a_name_that_is_read_back)
{
	for (int m = 0; m < SP_HTTP_METHODS; m++) {
		const char *name = sp_http_method_name((enum sp_http_method)m);

		EXPECT(name != NULL);
		if (name == NULL)
			continue;
		EXPECT_EQ(sp_http_method_parse(name, strlen(name)), m);
		EXPECT_EQ(
		    sp_http_method_parse(name, strlen(name) - 1), -EINVAL);
		EXPECT_EQ(
		    sp_http_method_parse(name, strlen(name) + 1), -EINVAL);
	}
	EXPECT(sp_http_method_name(SP_HTTP_METHODS) == NULL);
	EXPECT(sp_http_method_name((enum sp_http_method) - 1) == NULL);
	EXPECT(strcmp(sp_http_method_name(SP_HTTP_CONNECT), "CONNECT") == 0);
}

TEST(what_is_no_method_is_refused)
{
	static const char *const bad[] = { "", "get", "Get", "GETS", "BREW",
		"PROPFIND", "GE\0" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(
		    sp_http_method_parse(bad[i], strlen(bad[i])), -EINVAL);
}

TEST(the_bits_are_apart)
{
	uint32_t all = 0;

	for (int m = 0; m < SP_HTTP_METHODS; m++) {
		EXPECT_EQ(all & SP_HTTP_BIT(m), 0);
		all |= SP_HTTP_BIT(m);
	}
	EXPECT_EQ(all, SP_HTTP_ALL);
}
