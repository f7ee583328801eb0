/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Router: what is found and in which order, the answers without a route, and
 * the bound on what a path can cost. router_random_test.c compares it with a
 * list.
 */

#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* router.c gets its memory from here, up to a point. */
static unsigned allocations_left = UINT32_MAX;

static void *
test_malloc(size_t size)
{
	return allocations_left-- == 0 ? NULL : malloc(size);
}

static void *
test_calloc(size_t count, size_t size)
{
	return allocations_left-- == 0 ? NULL : calloc(count, size);
}

static void *
test_realloc(void *old, size_t size)
{
	return allocations_left-- == 0 ? NULL : realloc(old, size);
}

#define malloc(size) test_malloc(size)
#define calloc(count, size) test_calloc(count, size)
#define realloc(old, size) test_realloc(old, size)
#include "framework/router.c"
#undef malloc
#undef calloc
#undef realloc

#define GET SP_HTTP_BIT(SP_HTTP_GET)
#define HEAD SP_HTTP_BIT(SP_HTTP_HEAD)
#define POST SP_HTTP_BIT(SP_HTTP_POST)
#define OPTIONS SP_HTTP_BIT(SP_HTTP_OPTIONS)

static struct sp_router *
new_router(void)
{
	struct sp_router *router = NULL;

	EXPECT_EQ(sp_router_new(&router, 42), 0);
	return router;
}

static int
add(struct sp_router *router, uint32_t methods, const char *pattern)
{
	return sp_router_add(
	    router, methods, pattern, (void *)(uintptr_t)pattern);
}

static char scratch[SP_ROUTER_PATH];
static struct sp_route_match match;

static enum sp_route_result
find(const struct sp_router *router, enum sp_http_method method,
    const char *path)
{
	/* A copy of just the right size, so that no byte behind it is read. */
	size_t size = strlen(path);
	static char *copy;
	enum sp_route_result result;

	free(copy);
	copy = malloc(size + (size == 0));
	memcpy(copy, path, size);
	result = sp_router_find(
	    router, method, copy, size, scratch, sizeof(scratch), &match);
	if (result != SP_ROUTE_FOUND) {
		free(copy);
		copy = NULL;
	}
	return result;
}

/* The pattern that serves it, or "". */
static const char *
pattern_of(const struct sp_router *router, enum sp_http_method method,
    const char *path)
{
	return find(router, method, path) == SP_ROUTE_FOUND
		   ? match.route->pattern
		   : "";
}

static bool
serves(const struct sp_router *router, const char *path, const char *pattern)
{
	const char *got = pattern_of(router, SP_HTTP_GET, path);

	if (strcmp(got, pattern) == 0)
		return true;
	printf("%s: \"%s\", not \"%s\"\n", path, got, pattern);
	return false;
}

static bool
param_is(const char *name, const char *value)
{
	int i = sp_route_param(match.route, name);

	return i >= 0 && match.param[i].size == strlen(value)
	       && memcmp(
		      match.path + match.param[i].offset, value, strlen(value))
		      == 0;
}

TEST(bytes_go_before_names_and_names_before_the_rest)
{
	struct sp_router *router = new_router();

	EXPECT_EQ(add(router, GET, "/*all"), 0);
	EXPECT_EQ(add(router, GET, "/users/:id"), 0);
	EXPECT_EQ(add(router, GET, "/users/me"), 0);
	EXPECT_EQ(add(router, GET, "/users/:id/posts"), 0);
	EXPECT_EQ(add(router, GET, "/users/*path"), 0);
	EXPECT_EQ(add(router, GET, "/:what/me/posts"), 0);

	EXPECT(serves(router, "/users/me", "/users/me"));
	EXPECT(serves(router, "/users/you", "/users/:id"));
	EXPECT(serves(router, "/users/me/posts", "/users/:id/posts"));
	EXPECT(serves(router, "/others/me/posts", "/:what/me/posts"));
	EXPECT(serves(router, "/users/me/likes", "/users/*path"));
	EXPECT(serves(router, "/users", "/users/*path"));
	EXPECT(serves(router, "/user", "/*all"));
	EXPECT(serves(router, "/", "/*all"));
	sp_router_free(router);
}

TEST(parameters_are_where_they_stand_in_the_path)
{
	struct sp_router *router = new_router();

	EXPECT_EQ(add(router, GET, "/a/:first/b/:second"), 0);
	EXPECT_EQ(add(router, POST, "/a/:one/b/:two"), 0);
	EXPECT_EQ(add(router, GET, "/files/:volume/*path"), 0);

	EXPECT(serves(router, "/a/x/b/yz", "/a/:first/b/:second"));
	EXPECT(param_is("first", "x") && param_is("second", "yz"));
	EXPECT_EQ(sp_route_param(match.route, "one"), -ENOENT);
	EXPECT_EQ(find(router, SP_HTTP_POST, "/a/x/b/yz"), SP_ROUTE_FOUND);
	EXPECT(param_is("one", "x") && param_is("two", "yz"));

	EXPECT(serves(router, "/files/c/d//e/", "/files/:volume/*path"));
	EXPECT(param_is("volume", "c") && param_is("path", "d//e/"));
	EXPECT(serves(router, "/files/c/", "/files/:volume/*path"));
	EXPECT(param_is("path", ""));
	EXPECT(serves(router, "/files/c", "/files/:volume/*path"));
	EXPECT(param_is("volume", "c") && param_is("path", ""));
	EXPECT_EQ(match.param[1].offset, strlen("/files/c"));
	EXPECT(serves(router, "/files/", ""));
	sp_router_free(router);
}

TEST(escapes_of_plain_characters_are_those_characters)
{
	struct sp_router *router = new_router();

	EXPECT_EQ(add(router, GET, "/plain"), 0);
	EXPECT_EQ(add(router, GET, "/caf\xc3\xa9"), 0);
	EXPECT_EQ(add(router, GET, "/a%2fb"), 0);
	EXPECT_EQ(add(router, GET, "/of/:id"), 0);
	EXPECT_EQ(add(router, POST, "/%70lain"), 0);
	EXPECT_EQ(add(router, GET, "/%70lain"), -EEXIST);

	EXPECT(serves(router, "/%70l%61in", "/plain"));
	EXPECT(serves(router, "/caf%c3%a9", "/caf\xc3\xa9"));
	EXPECT(serves(router, "/caf%C3%A9", "/caf\xc3\xa9"));
	EXPECT(serves(router, "/a%2Fb", "/a%2fb"));
	EXPECT(serves(router, "/a%2fb", "/a%2fb"));
	EXPECT(serves(router, "/a/b", ""));
	EXPECT(serves(router, "/of/%41%2f%20", "/of/:id"));
	EXPECT(param_is("id", "A%2F%20"));

	/* Undone once: what comes out is not an escape again. */
	EXPECT(serves(router, "/of/%2541", "/of/:id"));
	EXPECT(param_is("id", "%2541"));
	EXPECT(serves(router, "/of/%%3441", ""));
	EXPECT(serves(router, "/of/%4", ""));
	EXPECT(serves(router, "/of/%", ""));
	EXPECT(serves(router, "/of/%zz", ""));

	EXPECT_EQ(sp_router_find(
		      router, SP_HTTP_GET, "/%70lain", 8, scratch, 7, &match),
	    SP_ROUTE_NOT_FOUND);
	EXPECT_EQ(
	    sp_router_find(router, SP_HTTP_GET, "/%70lain", 8, NULL, 0, &match),
	    SP_ROUTE_NOT_FOUND);
	sp_router_free(router);
}

TEST(dots_and_empty_segments_are_not_tidied_up)
{
	static const char *const none[] = { "", "*", "a", "a/b", "/a/", "//a",
		"/a//b", "/a/./b", "/a/../b", "/.", "/..", "/a/.", "/a/..",
		"/a/%2e", "/a/.%2E", "/a/%2e./b", "/f/../../etc/passwd",
		"/f/%2e%2e/x", "/n/", "/n//" };
	struct sp_router *router = new_router();

	EXPECT_EQ(add(router, GET, "/a"), 0);
	EXPECT_EQ(add(router, GET, "/a/b"), 0);
	EXPECT_EQ(add(router, GET, "/n/:id"), 0);
	EXPECT_EQ(add(router, GET, "/f/*path"), 0);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		EXPECT(serves(router, none[i], ""));
	EXPECT(serves(router, "/n/...", "/n/:id"));
	EXPECT(serves(router, "/n/.a", "/n/:id"));
	EXPECT(serves(router, "/n/%2e%2e%2f", "/n/:id"));
	EXPECT(param_is("id", "..%2F"));
	EXPECT(serves(router, "/f//", "/f/*path"));
	sp_router_free(router);
}

TEST(a_slash_at_the_end_is_another_path)
{
	struct sp_router *router = new_router();

	EXPECT_EQ(add(router, GET, "/"), 0);
	EXPECT_EQ(add(router, GET, "/a/"), 0);
	EXPECT_EQ(add(router, GET, "/a/:x/"), 0);
	EXPECT(serves(router, "/", "/"));
	EXPECT(serves(router, "/a", ""));
	EXPECT(serves(router, "/a/", "/a/"));
	EXPECT(serves(router, "/a/b", ""));
	EXPECT(serves(router, "/a/b/", "/a/:x/"));
	EXPECT(param_is("x", "b"));
	sp_router_free(router);
}

/* The two tables in the header. */
TEST(methods_follow_the_table_in_the_header)
{
	struct sp_router *router = new_router();

	EXPECT_EQ(add(router, GET, "/get"), 0);
	EXPECT_EQ(add(router, SP_HTTP_ANY, "/any"), 0);
	EXPECT_EQ(add(router, SP_HTTP_ANY, "/both/:any"), 0);
	EXPECT_EQ(add(router, GET, "/both/:get"), 0);
	EXPECT_EQ(add(router, HEAD, "/three"), 0);
	EXPECT_EQ(add(router, GET, "/three"), 0);
	EXPECT_EQ(add(router, OPTIONS, "/options"), 0);
	EXPECT_EQ(add(router, POST | SP_HTTP_BIT(SP_HTTP_TRACE), "/:post"), 0);

	EXPECT_EQ(find(router, SP_HTTP_HEAD, "/get"), SP_ROUTE_FOUND);
	EXPECT_EQ(find(router, SP_HTTP_POST, "/get"), SP_ROUTE_FOUND);
	EXPECT(strcmp(match.route->pattern, "/:post") == 0);
	EXPECT_EQ(
	    find(router, SP_HTTP_PUT, "/get"), SP_ROUTE_METHOD_NOT_ALLOWED);
	EXPECT_EQ(match.allow,
	    GET | HEAD | POST | OPTIONS | SP_HTTP_BIT(SP_HTTP_TRACE));
	EXPECT_EQ(find(router, SP_HTTP_OPTIONS, "/get"), SP_ROUTE_OPTIONS_AUTO);
	EXPECT_EQ(match.allow,
	    GET | HEAD | POST | OPTIONS | SP_HTTP_BIT(SP_HTTP_TRACE));
	EXPECT_EQ(
	    find(router, SP_HTTP_OPTIONS, "/g%65t"), SP_ROUTE_OPTIONS_AUTO);
	EXPECT_EQ(match.allow,
	    GET | HEAD | POST | OPTIONS | SP_HTTP_BIT(SP_HTTP_TRACE));
	EXPECT_EQ(find(router, SP_HTTP_GET, "/x"), SP_ROUTE_METHOD_NOT_ALLOWED);
	EXPECT_EQ(match.allow, POST | OPTIONS | SP_HTTP_BIT(SP_HTTP_TRACE));

	for (int m = 0; m < SP_HTTP_METHODS; m++) {
		bool stands = m != SP_HTTP_CONNECT && m != SP_HTTP_TRACE;
		enum sp_route_result result = find(
		    router, (enum sp_http_method)m, "/both/x");

		EXPECT_EQ(result,
		    stands ? SP_ROUTE_FOUND : SP_ROUTE_METHOD_NOT_ALLOWED);
		if (stands)
			EXPECT_EQ(match.route->number,
			    m == SP_HTTP_GET || m == SP_HTTP_HEAD ? 3 : 2);
	}
	EXPECT_EQ(find(router, SP_HTTP_HEAD, "/three"), SP_ROUTE_FOUND);
	EXPECT_EQ(match.route->number, 4);
	EXPECT_EQ(find(router, SP_HTTP_OPTIONS, "/options"), SP_ROUTE_FOUND);
	EXPECT_EQ(find(router, SP_HTTP_OPTIONS, "*"), SP_ROUTE_OPTIONS_AUTO);
	EXPECT_EQ(match.allow, SP_HTTP_ALL & ~SP_HTTP_BIT(SP_HTTP_CONNECT));
	EXPECT_EQ(find(router, SP_HTTP_GET, "*"), SP_ROUTE_NOT_FOUND);
	EXPECT_EQ(find(router, SP_HTTP_OPTIONS, "/x/y"), SP_ROUTE_NOT_FOUND);
	sp_router_free(router);
}

TEST(what_is_no_pattern_is_refused)
{
	static const char *const bad[] = { "", "a", "*", ":a", "/:", "/*",
		"/*a/b", "/*a/", "/:a/:a", "/:a/*a", "/:a-b", "/:1", "/:a%62",
		"//", "/a//b", "//a", "/.", "/a/../b", "/%2e", "/a/%2E%2e/b",
		"/a b", "/a?b", "/a#b", "/a\tb", "/a\x7f", "/%", "/%4",
		"/%zz" };
	struct sp_router *router = new_router();
	char text[SP_ROUTER_PATH + 2] = "/";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(add(router, GET, bad[i]), -EINVAL);
	EXPECT_EQ(add(router, 0, "/a"), -EINVAL);
	EXPECT_EQ(add(router, SP_HTTP_ANY << 1, "/a"), -EINVAL);

	memset(text + 1, 'a', SP_ROUTER_PATH);
	EXPECT_EQ(add(router, GET, text), -EINVAL);
	text[SP_ROUTER_PATH - 1] = '\xff';
	text[SP_ROUTER_PATH] = '\0';
	EXPECT_EQ(add(router, GET, text), -EINVAL);
	text[SP_ROUTER_PATH - 1] = 'a';
	EXPECT_EQ(add(router, GET, text), 0);
	EXPECT(serves(router, text, text));

	EXPECT_EQ(sp_router_routes(router), 1);
	EXPECT_EQ(add(router, GET, "/a:b/c*"), 0);
	EXPECT(serves(router, "/a:b/c*", "/a:b/c*"));
	sp_router_free(router);
}

TEST(the_same_pattern_and_method_come_once)
{
	struct sp_router *router = new_router();

	EXPECT_EQ(add(router, GET, "/a/:x"), 0);
	EXPECT_EQ(add(router, GET, "/a/:y"), -EEXIST);
	EXPECT_EQ(add(router, POST | GET, "/a/:y"), -EEXIST);
	EXPECT_EQ(add(router, SP_HTTP_ANY, "/a/:y"), 0);
	EXPECT_EQ(add(router, SP_HTTP_ANY, "/a/:z"), -EEXIST);
	EXPECT_EQ(add(router, GET, "/a/*x"), 0);
	EXPECT_EQ(add(router, GET, "/a/*y"), -EEXIST);
	EXPECT_EQ(add(router, GET, "/*x"), 0);
	EXPECT_EQ(add(router, GET, "/*y"), -EEXIST);
	EXPECT_EQ(add(router, GET, "/a"), 0);
	EXPECT_EQ(add(router, GET, "/a"), -EEXIST);
	EXPECT_EQ(sp_router_routes(router), 5);
	EXPECT(strcmp(sp_router_route(router, 2)->pattern, "/a/*x") == 0);
	EXPECT(sp_router_route(router, 5) == NULL);
	sp_router_free(router);
}

TEST(limits_of_a_path_and_of_a_pattern)
{
	struct sp_router *router = new_router();
	char *path = malloc(SP_ROUTER_PATH + 2);
	char pattern[256] = "";

	EXPECT_EQ(add(router, GET, "/*all"), 0);
	for (int i = 0; i < SP_ROUTER_SEGMENTS; i++)
		memcpy(path + 2 * i, "/a", 3);
	EXPECT(serves(router, path, "/*all"));
	EXPECT_EQ(add(router, GET, path), 0);
	EXPECT(serves(router, path, path));
	memcpy(path + 2 * SP_ROUTER_SEGMENTS, "/", 2);
	EXPECT(serves(router, path, ""));
	EXPECT_EQ(add(router, GET, path), -EINVAL);

	memset(path, '/', 1);
	memset(path + 1, 'b', SP_ROUTER_PATH);
	EXPECT_EQ(sp_router_find(router, SP_HTTP_GET, path, SP_ROUTER_PATH,
		      NULL, 0, &match),
	    SP_ROUTE_FOUND);
	EXPECT_EQ(sp_router_find(router, SP_HTTP_GET, path, SP_ROUTER_PATH + 1,
		      NULL, 0, &match),
	    SP_ROUTE_NOT_FOUND);
	EXPECT_EQ(sp_router_find(router, SP_HTTP_GET, path, 0, NULL, 0, &match),
	    SP_ROUTE_NOT_FOUND);

	for (int i = 0; i < SP_ROUTER_PARAMS; i++)
		snprintf(pattern + strlen(pattern), 8, "/:p%d", i);
	EXPECT_EQ(add(router, GET, pattern), 0);
	strncat(pattern, "/*p", 4);
	EXPECT_EQ(add(router, GET, pattern), -EINVAL);
	free(path);
	sp_router_free(router);
}

/* A pattern of n segments, bit i of ways deciding between "a" and a name. */
static void
forked(char *out, size_t size, int n, unsigned ways, const char *end)
{
	size_t at = 0;

	for (int i = 0; i < n; i++)
		at += (size_t)snprintf(
		    out + at, size - at, ways >> i & 1 ? "/:p%d" : "/a", i);
	snprintf(out + at, size - at, "%s", end);
}

/*
 * Goal: no path costs more nodes than the patterns promise.
 * Method: patterns that fork at each segment, so that "/a/a/a" fits all of
 * them up to the end, where none does.
 */
TEST(a_hostile_path_visits_no_more_than_promised)
{
	struct sp_router *router = new_router();
	char text[SP_ROUTER_SEGMENTS * 2 + 1] = "";
	char pattern[512];

	for (unsigned ways = 0; ways < 1u << 8; ways++) {
		forked(pattern, sizeof(pattern), 8, ways, "/end");
		EXPECT_EQ(add(router, GET, pattern), 0);
	}
	/* A tree of names has 511 nodes; "end" and the all-bytes way less. */
	EXPECT(sp_router_worst_visits(router) <= 2 * 511);
	EXPECT_EQ(find(router, SP_HTTP_GET, "/a/a/a/a/a/a/a/a/no"),
	    SP_ROUTE_NOT_FOUND);
	EXPECT(match.visits >= 510);
	EXPECT(match.visits <= sp_router_worst_visits(router));

	for (int i = 0; i < SP_ROUTER_SEGMENTS; i++) {
		memcpy(text + 2 * i, "/a", 3);
		EXPECT_EQ(find(router, SP_HTTP_GET, text), SP_ROUTE_NOT_FOUND);
		EXPECT(match.visits <= sp_router_worst_visits(router));
	}
	sp_router_free(router);
}

TEST(patterns_that_cost_too_much_are_refused)
{
	struct sp_router *router = new_router();
	unsigned added = 0, refused = 0;
	char pattern[512];

	for (unsigned ways = 1; ways < 1u << 11; ways++) {
		uint32_t worst = sp_router_worst_visits(router);
		int error;

		forked(pattern, sizeof(pattern), 11, ways, "/*rest");
		error = add(router, GET, pattern);
		if (error == 0) {
			added++;
			continue;
		}
		EXPECT_EQ(error, -E2BIG);
		EXPECT_EQ(sp_router_worst_visits(router), worst);
		refused++;
	}
	EXPECT(added > 100 && refused > 100);
	EXPECT_EQ(sp_router_routes(router), added);
	EXPECT(sp_router_worst_visits(router) <= SP_ROUTER_VISITS);
	EXPECT_EQ(find(router, SP_HTTP_PUT, "/a/a/a/a/a/a/a/a/a/a/a/a"),
	    SP_ROUTE_METHOD_NOT_ALLOWED);
	EXPECT(match.visits > SP_ROUTER_VISITS / 4);
	EXPECT(match.visits <= sp_router_worst_visits(router));
	sp_router_free(router);
}

/* One name in each segment in turn: the work grows with the path alone. */
TEST(deep_patterns_cost_in_step_with_their_depth)
{
	struct sp_router *router = new_router();
	char pattern[512], path[2 * SP_ROUTER_SEGMENTS + 1] = "";

	for (int n = 1; n < SP_ROUTER_SEGMENTS - 1; n++) {
		path[0] = '\0';
		for (int i = 0; i < n; i++)
			memcpy(path + 2 * i, "/a", 3);
		snprintf(pattern, sizeof(pattern), "%s/:x/b", path);
		EXPECT_EQ(add(router, GET, pattern), 0);
		snprintf(pattern, sizeof(pattern), "%s/*rest", path);
		EXPECT_EQ(add(router, POST, pattern), 0);
	}
	EXPECT(sp_router_worst_visits(router) <= 3 * SP_ROUTER_SEGMENTS);
	EXPECT_EQ(find(router, SP_HTTP_PUT, path), SP_ROUTE_METHOD_NOT_ALLOWED);
	EXPECT_EQ(match.allow, POST | OPTIONS);
	EXPECT(match.visits > SP_ROUTER_SEGMENTS);
	EXPECT(match.visits <= sp_router_worst_visits(router));
	sp_router_free(router);
}

TEST(ten_thousand_routes)
{
	struct sp_router *router = new_router();
	char text[64];

	for (int i = 0; i < 10000; i++) {
		snprintf(text, sizeof(text), "/static/%d/page", i);
		EXPECT_EQ(sp_router_add(router, GET, text, NULL), 0);
		snprintf(text, sizeof(text), "/names/%d/:id", i);
		EXPECT_EQ(sp_router_add(router, GET, text, NULL), 0);
	}
	EXPECT_EQ(sp_router_worst_visits(router), 4);
	for (int i = 0; i < 10000; i++) {
		snprintf(text, sizeof(text), "/static/%d/page", i);
		EXPECT_EQ(find(router, SP_HTTP_GET, text), SP_ROUTE_FOUND);
		EXPECT_EQ(match.route->number, 2 * i);
		EXPECT_EQ(match.visits, 0);
		snprintf(text, sizeof(text), "/names/%d/x", i);
		EXPECT_EQ(find(router, SP_HTTP_GET, text), SP_ROUTE_FOUND);
		EXPECT_EQ(match.route->number, 2 * i + 1);
		EXPECT_EQ(match.visits, 4);
	}
	sp_router_free(router);
}

TEST(without_memory_nothing_changes)
{
	static const char *const patterns[] = { "/a", "/a/:b", "/c/d/:e/f",
		"/g/*h", "/i/:j/k/:l/m/:n/o/:p/q/:r", "/s" };
	struct sp_router *router = NULL;
	unsigned failures = 0;

	for (unsigned n = 0; router == NULL; n++) {
		int error;

		allocations_left = n;
		error = sp_router_new(&router, 1);
		EXPECT_EQ(error, router == NULL ? -ENOMEM : 0);
	}
	for (int i = 0; i < 300; i++) {
		char text[64];
		int error = -ENOMEM;

		snprintf(text, sizeof(text), "/%d%s", i, patterns[i % 6]);
		for (unsigned n = 0; error != 0; n++) {
			allocations_left = n;
			error = sp_router_add(router, GET, text, NULL);
			if (error == 0)
				break;
			EXPECT_EQ(error, -ENOMEM);
			EXPECT_EQ(sp_router_routes(router), i);
			EXPECT_EQ(find(router, SP_HTTP_GET, text),
			    SP_ROUTE_NOT_FOUND);
			failures++;
		}
		EXPECT_EQ(find(router, SP_HTTP_GET, text), SP_ROUTE_FOUND);
	}
	EXPECT(failures > 300);
	allocations_left = UINT32_MAX;
	sp_router_free(router);
	sp_router_free(NULL);
}

TEST(the_allow_field)
{
	char out[SP_ROUTER_ALLOW];

	EXPECT_EQ(sp_router_allow(GET | HEAD | OPTIONS, out, sizeof(out)), 18);
	EXPECT(strcmp(out, "GET, HEAD, OPTIONS") == 0);
	EXPECT_EQ(sp_router_allow(GET | HEAD | OPTIONS, out, 19), 18);
	EXPECT_EQ(sp_router_allow(GET | HEAD | OPTIONS, out, 18), -ENOSPC);
	EXPECT_EQ(sp_router_allow(0, out, sizeof(out)), 0);
	EXPECT(out[0] == '\0');
	EXPECT_EQ(sp_router_allow(0, out, 0), -ENOSPC);
	EXPECT(sp_router_allow(SP_HTTP_ALL, out, sizeof(out)) > 0);
}
