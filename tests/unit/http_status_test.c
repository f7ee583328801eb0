/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/http_status.h"

#include "framework/text.h"
#include "tests/harness.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

TEST(the_line_is_made_of_the_status_and_its_reason)
{
	int registered = 0;

	for (int status = -1; status < 1000; status++) {
		const char *reason = sp_http_reason(status);
		size_t size = 99;
		const char *line = sp_http_status_line(status, &size);
		char want[64];

		if (reason[0] == '\0') {
			EXPECT(line == NULL);
			EXPECT_EQ(size, 0);
			continue;
		}
		registered++;
		snprintf(
		    want, sizeof(want), "HTTP/1.1 %d %s\r\n", status, reason);
		EXPECT_EQ(size, strlen(want));
		EXPECT(line != NULL && memcmp(line, want, size) == 0);
		EXPECT(sp_field_value_ok(reason, strlen(reason)));
	}
	EXPECT_EQ(registered, 61);
}

TEST(reasons_are_those_of_the_registry)
{
	EXPECT(strcmp(sp_http_reason(100), "Continue") == 0);
	EXPECT(strcmp(sp_http_reason(200), "OK") == 0);
	EXPECT(strcmp(sp_http_reason(304), "Not Modified") == 0);
	EXPECT(strcmp(sp_http_reason(413), "Content Too Large") == 0);
	EXPECT(strcmp(sp_http_reason(431), "Request Header Fields Too Large")
	       == 0);
	EXPECT(strcmp(sp_http_reason(511), "Network Authentication Required")
	       == 0);
	EXPECT(strcmp(sp_http_reason(299), "") == 0);
	EXPECT(strcmp(sp_http_reason(418), "") == 0);
	EXPECT(strcmp(sp_http_reason(512), "") == 0);
	EXPECT(strcmp(sp_http_reason(INT_MIN), "") == 0);
	EXPECT(strcmp(sp_http_reason(INT_MAX), "") == 0);
}
