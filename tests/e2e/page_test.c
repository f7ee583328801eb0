/* SPDX-License-Identifier: BSD-2-Clause */

/* The live page: what is sent, as what, and where it is. */

#include "tests/e2e/ask.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

static bool
is_page(void)
{
	const char *text = ask_text();

	return ask_status() == 200
	       && ask_says("Content-Type: text/html; charset=utf-8\r\n")
	       && ask_size() > 50000
	       && memcmp(text + ask_size() - 8, "</html>\n", 8) == 0;
}

/* One script and one style, and what a browser may do but for those. */
static void
expect_policy(void)
{
	EXPECT(ask_says("\r\nContent-Security-Policy: default-src 'none'; "
			"style-src 'sha256-"));
	EXPECT(ask_says("script-src 'sha256-"));
	EXPECT(ask_says("frame-ancestors 'none'\r\n"));
	EXPECT(ask_says("\r\nX-Content-Type-Options: nosniff\r\n"));
	EXPECT(ask_says("\r\nReferrer-Policy: no-referrer\r\n"));
	EXPECT(ask_says("\r\nCache-Control: no-store\r\n"));
	EXPECT(ask_says("\r\nVary: Accept-Encoding\r\n"));
	EXPECT(strstr(ask_text(), "unsafe") == NULL);
}

static void
expect_status(struct spate_server *server, const char *request, int status)
{
	ask(server, request);
	EXPECT_EQ(ask_status(), status);
}

static void
expect_page(struct spate_server *server, const char *request)
{
	ask(server, request);
	EXPECT(is_page());
}

TEST(it_is_plain_or_gzip_as_the_client_takes_it)
{
	static const char *const plain[] = {
		ASK("GET", "/"),
		ASK_WITH("GET", "/", "Accept-Encoding: br, gzip;q=0\r\n"),
		ASK_WITH("GET", "/", "Accept-Encoding: identity\r\n"),
	};
	struct spate_server *server = ask_new(NULL);

	spate_route_dashboard(server, "/");
	ask_start(server);
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
		expect_page(server, plain[i]);
		EXPECT(strstr(ask_text(), "Content-Encoding") == NULL);
		expect_policy();
	}
	expect_status(
	    server, ASK_WITH("GET", "/", "Accept-Encoding: br, gzip\r\n"), 200);
	EXPECT(ask_says("\r\nContent-Encoding: gzip\r\n"));
	EXPECT(memcmp(ask_body(), "\x1f\x8b\x08", 3) == 0);
	EXPECT(ask_size() < 50000);
	expect_policy();
	expect_status(server, ASK("HEAD", "/"), 200);
	EXPECT(ask_body()[0] == '\0');
	expect_status(server, ASK("POST", "/"), 405);
	ask_stop(server);
}

TEST(below_a_prefix_it_is_with_the_pages_that_it_asks_for)
{
	struct spate_server *server = ask_new(NULL);

	spate_route_admin(server, "/inside");
	ask_start(server);
	expect_page(server, ASK("GET", "/inside/"));
	expect_status(server, ASK("GET", "/inside/stats"), 200);
	expect_status(server, ASK("GET", "/"), 404);
	ask_stop(server);
}

TEST(without_a_prefix_the_root_is_the_programs)
{
	struct spate_server *server = ask_new(NULL);

	spate_route_admin(server, "");
	spate_route_dashboard(server, "/dashboard");
	ask_start(server);
	expect_status(server, ASK("GET", "/"), 404);
	expect_page(server, ASK("GET", "/dashboard"));
	ask_stop(server);
}
