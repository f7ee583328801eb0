/* SPDX-License-Identifier: BSD-2-Clause */

/* Middleware, groups, and the pages of errors. */

#include "tests/e2e/ask.h"
#include "tests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What happened during one request, a letter for each call. */
struct trace {
	char text[64];
	int status;
	size_t size;
};

static struct trace trace;

static void
note(char letter)
{
	if (trace.size < sizeof(trace.text) - 1)
		trace.text[trace.size++] = letter;
	trace.text[trace.size] = '\0';
}

/* What the middleware of one name is given. */
static void *
letter(char name)
{
	static char names[] = "abcdefghijklmnopqrstuvwxyz";

	return &names[name - 'a'];
}

static int
before(struct spate_req *req, void *arg)
{
	(void)req;
	note(*(const char *)arg);
	return 0;
}

static void
after(struct spate_req *req, int status, void *arg)
{
	(void)req;
	note((char)(*(const char *)arg - 'a' + 'A'));
	trace.status = status;
}

static int
handler(struct spate_req *req, void *arg)
{
	(void)arg;
	note('.');
	return spate_text(req, 200, "handled\n");
}

static int
refuse(struct spate_req *req, void *arg)
{
	(void)arg;
	note('!');
	return spate_error(req, 403, "not you");
}

static int
fail(struct spate_req *req, void *arg)
{
	(void)req;
	note('?');
	return *(const int *)arg;
}

/* A request, and which calls it should have made. */
static void
expect_trace(struct spate_server *server, const char *request, const char *want)
{
	memset(&trace, 0, sizeof(trace));
	ask(server, request);
	if (strcmp(trace.text, want) != 0)
		fprintf(stderr, "trace %s, expected %s\n", trace.text, want);
	EXPECT(strcmp(trace.text, want) == 0);
}

TEST(layers_run_from_the_outside_in_and_back)
{
	struct spate_server *server = ask_new(NULL);
	struct spate_group *api = spate_group(server, NULL, "/api");
	struct spate_group *admin = spate_group(server, api, "/admin");

	spate_group_route(admin, "GET", "/x", handler, NULL);
	spate_group_route(api, "GET", "/x", handler, NULL);
	spate_route(server, "GET", "/x", handler, NULL);
	spate_group_use(admin, before, after, letter('d'));
	spate_group_use(api, before, NULL, letter('b'));
	spate_group_use(api, NULL, after, letter('c'));
	spate_use(server, before, after, letter('a'));
	ask_start(server);
	expect_trace(server, ASK("GET", "/x"), "a.A");
	expect_trace(server, ASK("GET", "/api/x"), "ab.CA");
	expect_trace(server, ASK("GET", "/api/admin/x"), "abd.DCA");
	EXPECT_EQ(ask_status(), 200);
	EXPECT_EQ(trace.status, 200);
	expect_trace(server, ASK("GET", "/none"), "aA");
	EXPECT_EQ(trace.status, 404);
	expect_trace(server, ASK("POST", "/x"), "aA");
	EXPECT_EQ(trace.status, 405);
	EXPECT(ask_says("Allow: GET, HEAD, OPTIONS\r\n"));
	ask_stop(server);
}

TEST(before_may_answer_and_then_nobody_else_does)
{
	struct spate_server *server = ask_new(NULL);
	struct spate_group *group = spate_group(server, NULL, "/g");

	spate_group_use(group, before, after, letter('a'));
	spate_group_use(group, refuse, after, letter('b'));
	spate_group_use(group, before, after, letter('c'));
	spate_group_route(group, "GET", "", handler, NULL);
	ask_start(server);
	expect_trace(server, ASK("GET", "/g"), "a!A");
	EXPECT_EQ(ask_status(), 403);
	EXPECT_EQ(trace.status, 403);
	EXPECT(ask_says("403 Forbidden: not you\n"));
	ask_stop(server);
}

TEST(an_error_of_before_is_answered_like_a_handlers)
{
	static int failing = -EINVAL, unknown = -EIO;
	struct spate_server *server = ask_new(NULL);
	struct spate_group *one = spate_group(server, NULL, "/one");
	struct spate_group *two = spate_group(server, NULL, "/two");

	spate_use(server, before, after, letter('a'));
	spate_group_use(one, fail, NULL, &failing);
	spate_group_route(one, "GET", "/x", handler, NULL);
	spate_group_use(two, fail, NULL, &unknown);
	spate_group_route(two, "GET", "/x", handler, NULL);
	ask_start(server);
	expect_trace(server, ASK("GET", "/one/x"), "a?A");
	EXPECT_EQ(trace.status, 400);
	expect_trace(server, ASK("GET", "/two/x"), "a?A");
	EXPECT_EQ(trace.status, 500);
	ask_stop(server);
}

static int
silent(struct spate_req *req, void *arg)
{
	(void)req, (void)arg;
	return 0;
}

TEST(after_sees_the_500_of_a_handler_that_was_silent)
{
	struct spate_server *server = ask_new(NULL);

	spate_use(server, NULL, after, letter('a'));
	spate_route(server, "GET", "/", silent, NULL);
	ask_start(server);
	expect_trace(server, ASK("GET", "/"), "A");
	EXPECT_EQ(trace.status, 500);
	EXPECT_EQ(ask_status(), 500);
	ask_stop(server);
}

/* ------------------------------------------------------ shared pointer */

static int
set_user(struct spate_req *req, void *arg)
{
	void **data = spate_req_data(req);
	struct spate_str name = spate_header(req, "X-User");

	(void)arg;
	if (data == NULL || *data != NULL)
		return -ENOMEM;
	if (name.data != NULL)
		*data = spate_strndup(req, name.data, name.size);
	return 0;
}

static int
say_user(struct spate_req *req, void *arg)
{
	const char *user = *spate_req_data(req);

	(void)arg;
	return spate_text(req, 200, "user %s\n", user ? user : "nobody");
}

TEST(the_data_of_one_request_is_not_the_next_ones)
{
	struct spate_server *server = ask_new(NULL);

	spate_use(server, set_user, NULL, NULL);
	spate_route(server, "GET", "/", say_user, NULL);
	ask_start(server);
	ask(server, "GET / HTTP/1.1\r\nHost: a\r\nX-User: ann\r\n\r\n"
		    "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
		    "GET / HTTP/1.1\r\nHost: a\r\nX-User: eve\r\n"
		    "Connection: close\r\n\r\n");
	EXPECT(ask_says("user ann\n"));
	EXPECT(ask_says("user nobody\n"));
	EXPECT(ask_says("user eve\n"));
	ask_stop(server);
}

TEST(a_prefix_may_have_names)
{
	struct spate_server *server = ask_new(NULL);
	struct spate_group *group = spate_group(server, NULL, "/t/:tenant");

	spate_group_route(group, "GET", "/:n", handler, NULL);
	spate_group_use(group, before, NULL, letter('t'));
	ask_start(server);
	expect_trace(server, ASK("GET", "/t/acme/1"), "t.");
	ask_stop(server);
}

TEST(a_prefix_that_is_none_fails_the_start)
{
	static const char *const bad[] = { "", "/", "api", "/api/", "/*x" };

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct spate_server *server = ask_new(NULL);

		EXPECT(spate_group(server, NULL, bad[i]) == NULL);
		EXPECT_EQ(spate_group_route(NULL, "GET", "/", handler, NULL),
		    -EINVAL);
		EXPECT_EQ(spate_server_start(server), -EINVAL);
		spate_server_free(server);
	}
}

/* ---------------------------------------------------------------- pages */

TEST(errors_are_text_or_json_as_the_client_likes)
{
	struct spate_server *server = ask_new(NULL);

	ask_start(server);
	ask(server, ASK("GET", "/"));
	EXPECT(ask_says("Content-Type: text/plain; charset=utf-8\r\n"));
	EXPECT(ask_says("\r\n\r\n404 Not Found\n"));
	ask(server, ASK_WITH("GET", "/",
			"Accept: text/plain;q=0.5, application/json\r\n"));
	EXPECT(ask_says("Content-Type: application/json\r\n"));
	EXPECT(ask_says("\r\n\r\n{\"status\":404,\"error\":\"Not Found\"}\n"));
	ask(server, ASK_WITH("GET", "/", "Accept: text/html, */*;q=0.8\r\n"));
	EXPECT(ask_says("\r\n\r\n404 Not Found\n"));
	ask(server, ASK_WITH("GET", "/",
			"Accept: application/json\r\nAccept: text/plain\r\n"));
	EXPECT(ask_says("\r\n\r\n404 Not Found\n"));
	ask(server, ASK_WITH("HEAD", "/", "Accept: application/json\r\n"));
	EXPECT_EQ(ask_status(), 404);
	EXPECT(ask_body()[0] == '\0');
	ask_stop(server);
}

static int
quote(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_error(req, 422, "the name \"\x01\\\" is taken");
}

TEST(reasons_are_escaped_in_json)
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "GET", "/", quote, NULL);
	ask_start(server);
	ask(server, ASK_WITH("GET", "/", "Accept: application/json\r\n"));
	EXPECT_EQ(ask_status(), 422);
	EXPECT(
	    ask_says("\"reason\":\"the name \\\"\\u0001\\\\\\\" is taken\""));
	ask_stop(server);
}

static int
long_reason(struct spate_req *req, void *arg)
{
	char reason[2000];

	(void)arg;
	memset(reason, 1, sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	return spate_error(req, 400, reason);
}

TEST(a_reason_that_does_not_fit_is_left_out)
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "GET", "/", long_reason, NULL);
	ask_start(server);
	ask(server, ASK_WITH("GET", "/", "Accept: application/json\r\n"));
	EXPECT(ask_says("{\"status\":400,\"error\":\"Bad Request\"}\n"));
	ask_stop(server);
}

static void
page(struct spate_req *req, int status, const char *reason, void *arg)
{
	atomic_int *pages = arg;

	atomic_fetch_add(pages, 1);
	if (status != 405)
		spate_text(req, status, "page %d %s %zu\n", status,
		    reason != NULL ? reason : "-", spate_path(req).size);
}

TEST(a_page_of_the_programs_own_is_asked_for_every_error)
{
	struct spate_server *server = ask_new(NULL);
	atomic_int pages = 0;

	spate_error_page(server, page, &pages);
	spate_route(server, "GET", "/silent", silent, NULL);
	spate_route(server, "GET", "/refuse", refuse, NULL);
	ask_start(server);
	ask(server, ASK("GET", "/none"));
	EXPECT(ask_says("page 404 - 5\n"));
	ask(server, ASK("GET", "/silent"));
	EXPECT_EQ(ask_status(), 500);
	EXPECT(ask_says("page 500 - 7\n"));
	ask(server, ASK("GET", "/refuse"));
	EXPECT(ask_says("page 403 not you 7\n"));
	ask(server, ASK("POST", "/refuse"));
	EXPECT(ask_says("Allow: GET, HEAD, OPTIONS\r\n"));
	EXPECT(ask_says("405 Method Not Allowed\n"));
	ask(server, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
	EXPECT_EQ(ask_status(), 400);
	EXPECT(ask_says("page 400 "));
	EXPECT(ask_says(" 0\n"));
	EXPECT_EQ(atomic_load(&pages), 5);
	ask_stop(server);
}

TEST(a_404_keeps_the_connection)
{
	struct spate_server *server = ask_new(NULL);

	spate_route(server, "GET", "/", handler, NULL);
	ask_start(server);
	ask(server, "GET /no HTTP/1.1\r\nHost: a\r\n\r\n"
		    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	EXPECT_EQ(ask_status(), 404);
	EXPECT(ask_says("handled\n"));
	ask_stop(server);
}

/* Says what there is to say of any request, with all that it may call. */
static void
curious_page(struct spate_req *req, int status, const char *reason, void *arg)
{
	char long_value[700];

	(void)reason;
	(void)arg;
	memset(long_value, 'v', sizeof(long_value) - 1);
	long_value[sizeof(long_value) - 1] = '\0';
	EXPECT(spate_param(req, "id").data == NULL);
	EXPECT_EQ(spate_add_header(req, "X-Page", "mine"), 0);
	EXPECT_EQ(spate_add_header(req, "X-Long", long_value), 0);
	spate_text(req, status, "page %d\n", status);
}

TEST(a_page_for_what_has_no_route_has_no_parameters_and_its_own_fields)
{
	struct spate_server *server = ask_new(NULL);

	spate_error_page(server, curious_page, NULL);
	spate_route(server, "GET", "/users/:id", handler, NULL);
	ask_start(server);
	ask(server, ASK("GET", "/none"));
	EXPECT(ask_says("page 404\n"));
	ask(server, ASK("POST", "/users/7"));
	EXPECT(ask_says("page 405\n"));
	ask(server, "GET / HTTP/1.1\r\n\r\n");
	EXPECT(ask_says("X-Page: mine\r\n"));
	EXPECT(ask_says("page 400\n"));
	/* After one that had a route, on the same connection. */
	ask(server, "GET /users/7 HTTP/1.1\r\nHost: a\r\n\r\n"
		    "GET / HTTP/1.1\r\n\r\n");
	EXPECT(ask_says("handled\n"));
	EXPECT(ask_says("page 400\n"));
	ask_stop(server);
}

static int
looks_at_parameter(struct spate_req *req, void *arg)
{
	uint64_t id = 0;

	*(int *)arg = spate_param_u64(req, "id", &id);
	return 0;
}

TEST(middleware_of_what_has_no_route_finds_no_parameter)
{
	struct spate_server *server = ask_new(NULL);
	int error = 0;

	spate_use(server, looks_at_parameter, NULL, &error);
	spate_route(server, "GET", "/users/:id", handler, NULL);
	ask_start(server);
	ask(server, ASK("GET", "/none"));
	EXPECT_EQ(ask_status(), 404);
	EXPECT_EQ(error, -ENOENT);
	ask(server, ASK("GET", "/users/7"));
	EXPECT_EQ(ask_status(), 200);
	EXPECT_EQ(error, 0);
	ask_stop(server);
}

/* A page that is a file may be missing, and leaves the others to others. */
static void
page_of_a_file(struct spate_req *req, int status, const char *reason, void *arg)
{
	const int *folder = arg;

	if (status == 404)
		spate_send_file(req, *folder, "no such page.html", NULL);
	else
		spate_error(req, status, reason);
}

TEST(an_error_of_a_page_is_answered_by_the_ordinary_one)
{
	struct spate_server *server = ask_new(NULL);
	int folder = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	spate_error_page(server, page_of_a_file, &folder);
	spate_route(server, "GET", "/refuse", refuse, NULL);
	ask_start(server);
	ask(server, ASK("GET", "/none"));
	EXPECT_EQ(ask_status(), 404);
	EXPECT(ask_says("404 Not Found\n"));
	ask(server, ASK("GET", "/refuse"));
	EXPECT_EQ(ask_status(), 403);
	EXPECT(ask_says("403 Forbidden: not you\n"));
	ask_stop(server);
	close(folder);
}
