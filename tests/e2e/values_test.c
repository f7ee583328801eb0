/* SPDX-License-Identifier: BSD-2-Clause */

/* Queries, forms and cookies, and what a client hears that sent a bad one. */

#include "tests/e2e/ask.h"
#include "tests/harness.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int
typed_query(struct spate_req *req, void *arg)
{
	uint64_t u = 7;
	int64_t i = -7;
	double d = 0.5;
	bool b = true;
	int error;

	(void)arg;
	error = spate_query_u64(req, "u", &u);
	if (error == 0 || error == -ENOENT)
		error = spate_query_i64(req, "i", &i);
	if (error == 0 || error == -ENOENT)
		error = spate_query_double(req, "d", &d);
	if (error == 0 || error == -ENOENT)
		error = spate_query_bool(req, "b", &b);
	if (error != 0 && error != -ENOENT)
		return error;
	return spate_text(
	    req, 200, "%" PRIu64 " %" PRId64 " %g %d\n", u, i, d, b);
}

TEST(query_values_have_types_and_defaults)
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "GET", "/", typed_query, NULL);
	ask_start(server);
	ask(server, ASK("GET", "/?u=1&i=-2&d=2.5e3&b=off"));
	EXPECT(ask_says("\r\n\r\n1 -2 2500 0\n"));
	ask(server, ASK("GET", "/"));
	EXPECT(ask_says("\r\n\r\n7 -7 0.5 1\n"));
	ask(server, ASK("GET", "/?u=%31"));
	EXPECT(ask_says("\r\n\r\n1 -7 0.5 1\n"));
	ask_stop(server);
}

TEST(a_bad_value_is_named)
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "GET", "/", typed_query, NULL);
	ask_start(server);
	ask(server, ASK("GET", "/?u=x"));
	EXPECT_EQ(ask_status(), 400);
	EXPECT(ask_says("query parameter 'u' is malformed\n"));
	ask(server, ASK("GET", "/?i=9223372036854775808"));
	EXPECT_EQ(ask_status(), 400);
	EXPECT(ask_says("query parameter 'i' is out of range\n"));
	ask(server, ASK("GET", "/?b=maybe"));
	EXPECT(ask_says("query parameter 'b' is malformed\n"));
	ask(server, ASK_WITH("GET", "/?d=nan", "Accept: application/json\r\n"));
	EXPECT(ask_says("\"reason\":\"query parameter 'd' is malformed\""));
	ask_stop(server);
}

static int
needs_page(struct spate_req *req, void *arg)
{
	uint64_t page;
	int64_t offset;
	char name[] = "page"; /* need not outlive the handler */
	int error = spate_query_u64(req, name, &page);

	(void)arg;
	memset(name, 'x', sizeof(name) - 1);
	if (error != 0)
		return error;
	error = spate_param_i64(req, "offset", &offset);
	if (error != 0)
		return error;
	if (page > 10)
		return spate_bad_value(req, "query parameter", "page", -ERANGE);
	return spate_text(req, 200, "page %" PRIu64 "\n", page);
}

TEST(a_missing_value_is_named_too)
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "GET", "/:offset", needs_page, NULL);
	ask_start(server);
	ask(server, ASK("GET", "/1"));
	EXPECT_EQ(ask_status(), 400);
	EXPECT(ask_says("query parameter 'page' is missing\n"));
	ask(server, ASK("GET", "/one?page=1"));
	EXPECT(ask_says("path parameter 'offset' is malformed\n"));
	ask(server, ASK("GET", "/1?page=11"));
	EXPECT(ask_says("query parameter 'page' is out of range\n"));
	ask(server, ASK("GET", "/-1?page=10"));
	EXPECT(ask_says("page 10\n"));
	ask_stop(server);
}

/* ----------------------------------------------------------------- forms */

static int
form(struct spate_req *req, void *arg)
{
	struct spate_str name = { NULL, 0 };
	uint64_t age = 0;
	int64_t balance = 0;
	double rate = 0;
	bool news = false;
	int error = spate_form_str(req, "name", &name);

	(void)arg;
	if (error == 0)
		error = spate_form_u64(req, "age", &age);
	if (error == 0)
		error = spate_form_i64(req, "balance", &balance);
	if (error == 0)
		error = spate_form_double(req, "rate", &rate);
	if (error == 0)
		error = spate_form_bool(req, "news", &news);
	if (error != 0)
		return error;
	return spate_text(req, 200, "[%.*s] %" PRIu64 " %" PRId64 " %g %d\n",
	    (int)name.size, name.data, age, balance, rate, news);
}

static void
post(struct spate_server *server, const char *type, const char *body)
{
	char request[4096];

	snprintf(request, sizeof(request),
	    "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s%s%s"
	    "Content-Length: %zu\r\n\r\n%s",
	    type != NULL ? "Content-Type: " : "", type != NULL ? type : "",
	    type != NULL ? "\r\n" : "", strlen(body), body);
	ask(server, request);
}

#define FORM "application/x-www-form-urlencoded"

TEST(form_values_have_types)
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "POST", "/", form, NULL);
	ask_start(server);
	post(server, FORM,
	    "name=J%c3%a4n+%26&age=30&balance=-5&rate=0.25&news=on");
	EXPECT(ask_says("[J\xc3\xa4n &] 30 -5 0.25 1\n"));
	post(server, "APPLICATION/x-www-form-urlencoded; charset=utf-8",
	    "name=&age=1&balance=1&rate=1&news=0");
	EXPECT(ask_says("[] 1 1 1 0\n"));
	ask(server,
	    "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
	    "Content-Type: " FORM "\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "10\r\nname=a&age=1&bal\r\n19\r\nance=1&rate=1.5&news=true\r\n"
	    "0\r\n\r\n");
	EXPECT(ask_says("[a] 1 1 1.5 1\n"));
	ask_stop(server);
}

TEST(a_form_that_is_none_gets_415_and_a_bad_field_400)
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "POST", "/", form, NULL);
	ask_start(server);
	post(server, "application/json", "{}");
	EXPECT_EQ(ask_status(), 415);
	post(server, NULL, "name=a");
	EXPECT_EQ(ask_status(), 415);
	post(server, FORM "x", "name=a");
	EXPECT_EQ(ask_status(), 415);
	post(server, FORM, "name=a&age=-1");
	EXPECT_EQ(ask_status(), 400);
	EXPECT(ask_says("form field 'age' is malformed\n"));
	post(server, FORM, "");
	EXPECT_EQ(ask_status(), 400);
	EXPECT(ask_says("form field 'name' is missing\n"));
	post(server, FORM, "name=%zz");
	EXPECT(ask_says("form field 'name' is malformed\n"));
	ask_stop(server);
}

static int
form_again_and_again(struct spate_req *req, void *arg)
{
	struct spate_str name = { NULL, 0 };
	int error = 0;

	(void)arg;
	for (int i = 0; i < 20 && error == 0; i++)
		error = spate_form_str(req, "name", &name);
	if (error != 0)
		return error;
	return spate_text(req, 200, "%.*s\n", (int)name.size, name.data);
}

TEST(a_value_of_a_form_takes_its_own_memory_and_not_the_forms)
{
	struct spate_options options = spate_options_default();
	struct spate_server *server;
	char body[3000];

	options.max_memory = 32 * 1024;
	server = ask_new(&options);
	spate_route(server, "POST", "/", form_again_and_again, NULL);
	ask_start(server);
	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	memcpy(body, "name=J%c3%a4n&rest=", 19);
	post(server, FORM, body);
	EXPECT(ask_says("J\xc3\xa4n\n"));
	ask_stop(server);
}

TEST(a_form_over_the_limit_gets_413)
{
	struct spate_options options = spate_options_default();
	struct spate_server *server;

	options.max_body = 16;
	server = ask_new(&options);
	spate_route(server, "POST", "/", form, NULL);
	ask_start(server);
	post(server, FORM, "name=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	EXPECT_EQ(ask_status(), 413);
	ask_stop(server);
}

/* --------------------------------------------------------------- cookies */

static int
cookies(struct spate_req *req, void *arg)
{
	struct spate_str a = spate_cookie(req, "a"), b = spate_cookie(req, "b");

	(void)arg;
	return spate_text(req, 200, "a=%.*s b=%.*s\n", (int)a.size,
	    a.data ? a.data : "", b.data ? (int)b.size : 4,
	    b.data ? b.data : "none");
}

TEST(cookies_are_found_by_name)
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "GET", "/", cookies, NULL);
	ask_start(server);
	ask(server, ASK_WITH("GET", "/", "Cookie: aa=0; a=\"1\"; b=2\r\n"));
	EXPECT(ask_says("a=1 b=2\n"));
	ask(server, ASK_WITH("GET", "/", "Cookie: a=\r\n"));
	EXPECT(ask_says("a= b=none\n"));
	ask(server,
	    ASK_WITH("GET", "/", "Cookie: x=y\r\nCookie: bad bad; b=3\r\n"));
	EXPECT(ask_says("a= b=3\n"));
	ask_stop(server);
}

static int
set_cookies(struct spate_req *req, void *arg)
{
	struct spate_cookie_options full = spate_cookie_options_default();

	(void)arg;
	full.path = "/shop";
	full.domain = "example.com";
	full.max_age = 3600;
	full.secure = true;
	full.for_scripts = true;
	full.same_site = SPATE_SAME_SITE_NONE;
	EXPECT_EQ(spate_set_cookie(req, "plain", "v1", NULL), 0);
	EXPECT_EQ(spate_set_cookie(req, "full", "v2", &full), 0);
	full = spate_cookie_options_default();
	full.max_age = 0;
	EXPECT_EQ(spate_set_cookie(req, "gone", "", &full), 0);
	return spate_text(req, 200, "ok\n");
}

TEST(cookies_are_set_with_their_attributes)
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "GET", "/", set_cookies, NULL);
	ask_start(server);
	ask(server, ASK("GET", "/"));
	EXPECT(ask_says(
	    "Set-Cookie: plain=v1; Path=/; HttpOnly; SameSite=Lax\r\n"));
	EXPECT(ask_says("Set-Cookie: full=v2; Path=/shop; Domain=example.com; "
			"Max-Age=3600; Secure; SameSite=None\r\n"));
	EXPECT(ask_says("Set-Cookie: gone=; Path=/; Max-Age=0; HttpOnly; "
			"SameSite=Lax\r\n"));
	ask_stop(server);
}

static int
bad_cookies(struct spate_req *req, void *arg)
{
	static const char *const values[] = { "a b", "a;b", "a,b", "a\"",
		"a\\b", "a\r\nX: y", "\x7f", "\xc3\xa4", "\t" };
	struct spate_cookie_options options = spate_cookie_options_default();

	(void)arg;
	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		EXPECT_EQ(spate_set_cookie(req, "n", values[i], NULL), -EINVAL);
	EXPECT_EQ(spate_set_cookie(req, "", "v", NULL), -EINVAL);
	EXPECT_EQ(spate_set_cookie(req, "a=b", "v", NULL), -EINVAL);
	options.path = "/a;b";
	EXPECT_EQ(spate_set_cookie(req, "n", "v", &options), -EINVAL);
	options.path = "a";
	EXPECT_EQ(spate_set_cookie(req, "n", "v", &options), -EINVAL);
	options.path = "/\n";
	EXPECT_EQ(spate_set_cookie(req, "n", "v", &options), -EINVAL);
	options.path = NULL;
	options.domain = "a;b";
	EXPECT_EQ(spate_set_cookie(req, "n", "v", &options), -EINVAL);
	options.domain = NULL;
	options.same_site = SPATE_SAME_SITE_NONE;
	EXPECT_EQ(spate_set_cookie(req, "n", "v", &options), -EINVAL);
	options = spate_cookie_options_default();
	EXPECT_EQ(spate_set_cookie(req, "__Host-n", "v", &options), -EINVAL);
	EXPECT_EQ(spate_set_cookie(req, "__secure-n", "v", &options), -EINVAL);
	options.secure = true;
	options.path = "/x";
	EXPECT_EQ(spate_set_cookie(req, "__Host-n", "v", &options), -EINVAL);
	return spate_text(req, 200, "ok\n");
}

TEST(a_cookie_that_would_say_more_than_meant_is_refused)
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "GET", "/", bad_cookies, NULL);
	ask_start(server);
	ask(server, ASK("GET", "/"));
	EXPECT_EQ(ask_status(), 200);
	EXPECT(strstr(ask_text(), "Set-Cookie") == NULL);
	ask_stop(server);
}

/* ---------------------------------------------------------------- memory */

static int
memory(struct spate_req *req, void *arg)
{
	char *text = spate_printf(req, "%s-%d", "a", 5);
	char *copy = text != NULL ? spate_strdup(req, text) : NULL;

	(void)arg;
	if (copy == NULL)
		return -ENOMEM;
	EXPECT(copy != text);
	EXPECT(spate_printf(req, "%*s", 64 * 1024 * 1024, "") == NULL);
	return spate_text(
	    req, 200, "%s %s\n", copy, spate_strndup(req, "abcdef", 3));
}

TEST(texts_live_in_the_requests_memory)
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "GET", "/", memory, NULL);
	ask_start(server);
	ask(server, ASK("GET", "/"));
	EXPECT(ask_says("a-5 abc\n"));
	ask_stop(server);
}
