/* SPDX-License-Identifier: BSD-2-Clause */

/* Who may read at the admin listener: by the Host field. */

#include "framework/admin.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static bool
is_local(const char *host)
{
	return sp_host_is_local(host, strlen(host));
}

TEST(numbers_and_localhost_are_local)
{
	static const char *const hosts[] = { "", "localhost", "LocalHost:1",
		"127.0.0.1", "127.0.0.1:8080", "10.1.2.3:80", "[::1]",
		"[::1]:8080", "[fe80::1]" };

	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		if (!is_local(hosts[i]))
			test_fail(__FILE__, __LINE__, hosts[i]);
	}
	EXPECT(sp_host_is_local(NULL, 0));
}

TEST(names_are_not)
{
	static const char *const hosts[] = { "example.org", "localhost.a",
		"alocalhost", "127.0.0.1.example.org", "127.0.0.1a:1",
		"a:127.0.0.1", "[::1", "[a]", "[]", ":80", "1.2.3", "::1",
		"255.255.255.255.255.255.255.255.255.255.255.255.255.255" };

	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		if (is_local(hosts[i]))
			test_fail(__FILE__, __LINE__, hosts[i]);
	}
}
