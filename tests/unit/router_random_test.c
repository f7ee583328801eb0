/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Router, compared with a list.
 *
 * Goal: for any set of patterns and any path, the router answers as a reader
 * of router.h would.
 * Method: random patterns over few segments, so that many fit the same path,
 * and random paths with escapes, dots and empty segments. The reader goes
 * through the list: which patterns fit, which of these comes first, which
 * methods they have.
 */

#include "framework/router.h"
#include "tests/harness.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETS 60
#define PATHS 400
#define PATTERNS 48
#define TEXT 256

struct entry {
	char pattern[TEXT];
	uint32_t methods;
};

static struct entry list[PATTERNS];
static int count;
static uint64_t state;

static unsigned
below(unsigned n)
{
	return (unsigned)(test_random(&state) >> 20) % n;
}

/* ------------------------------------------------------------- the reader */

static bool
undo_escapes(const char *in, char *out)
{
	for (; *in != '\0'; in++) {
		char c = *in, hex[3] = "";

		if (c == '%') {
			if (!isxdigit((unsigned char)in[1])
			    || !isxdigit((unsigned char)in[2]))
				return false;
			hex[0] = (char)toupper((unsigned char)in[1]);
			hex[1] = (char)toupper((unsigned char)in[2]);
			c = (char)strtol(hex, NULL, 16);
			in += 2;
			if (!isalnum((unsigned char)c)
			    && strchr("-._~", c) == NULL) {
				*out++ = '%';
				*out++ = hex[0];
				c = hex[1];
			}
		}
		*out++ = c;
	}
	*out = '\0';
	return true;
}

/*
 * Does the path fit? order gets a letter for each segment: b(ytes), n(ame)
 * or r(est), so that strcmp() tells which pattern comes first. values gets
 * what the names stand for, each behind a line feed.
 */
static bool
fits(const char *pattern, const char *path, char *order, char *values)
{
	size_t want = strcspn(pattern + 1, "/");
	size_t have = strcspn(path + 1, "/");

	if (pattern[1] == '*') {
		strcpy(order, "r");
		sprintf(values, "\n%s", *path == '\0' ? "" : path + 1);
		return true;
	}
	if (*path == '\0')
		return false;
	if (pattern[1] == ':') {
		if (have == 0)
			return false;
		strcpy(order, "n");
		values += sprintf(values, "\n%.*s", (int)have, path + 1);
	} else {
		if (want != have || memcmp(pattern + 1, path + 1, have) != 0)
			return false;
		strcpy(order, "b");
	}
	pattern += 1 + want;
	path += 1 + have;
	if (*pattern == '\0') {
		*values = '\0';
		return *path == '\0';
	}
	return fits(pattern, path, order + 1, values);
}

static bool
has_dots(const char *path)
{
	char copy[TEXT + 2];

	snprintf(copy, sizeof(copy), "%s/", path);
	return strstr(copy, "/./") != NULL || strstr(copy, "/../") != NULL;
}

/* How well an entry serves the method; 0 is not at all. */
static int
service(const struct entry *entry, enum sp_http_method method)
{
	if (entry->methods & SP_HTTP_BIT(method))
		return 3;
	if (method == SP_HTTP_HEAD && entry->methods & SP_HTTP_BIT(SP_HTTP_GET))
		return 2;
	return entry->methods & SP_HTTP_ANY && method != SP_HTTP_CONNECT
		       && method != SP_HTTP_TRACE
		   ? 1
		   : 0;
}

struct answer {
	enum sp_route_result result;
	int number;
	uint32_t allow;
	char values[TEXT];
};

static void
read_list(struct answer *answer, enum sp_http_method method, const char *path)
{
	char plain[TEXT], best[TEXT] = "", order[TEXT], values[TEXT];
	int best_service = 0;

	*answer = (struct answer){ .number = -1 };
	answer->result = SP_ROUTE_NOT_FOUND;
	if (!undo_escapes(path, plain) || has_dots(plain))
		return;
	for (int i = 0; i < count; i++) {
		char pattern[TEXT];
		int s = service(&list[i], method), before;

		undo_escapes(list[i].pattern, pattern);
		memset(order, 0, sizeof(order));
		if (!fits(pattern, plain, order, values))
			continue;
		for (int m = 0; m < SP_HTTP_METHODS; m++) {
			if (service(&list[i], (enum sp_http_method)m))
				answer->allow |= SP_HTTP_BIT(m);
		}
		before = strcmp(order, best);
		if (s == 0
		    || (answer->number >= 0
			&& (before > 0 || (before == 0 && s <= best_service))))
			continue;
		strcpy(best, order);
		best_service = s;
		answer->number = i;
		strcpy(answer->values, values);
	}
	if (answer->number >= 0)
		answer->result = SP_ROUTE_FOUND;
	else if (answer->allow != 0)
		answer->result = method == SP_HTTP_OPTIONS
				     ? SP_ROUTE_OPTIONS_AUTO
				     : SP_ROUTE_METHOD_NOT_ALLOWED;
	answer->allow |= SP_HTTP_BIT(SP_HTTP_OPTIONS);
}

/* ------------------------------------------------------------- the random */

static const char *const bytes[] = { "a", "a", "b", "b", "c", "ab", "abcdefghi",
	"abcdefghj", "%C3%A9", "x%2fy" };

static void
random_pattern(char *out)
{
	unsigned depth = 1 + below(5);

	for (unsigned i = 0; i < depth; i++) {
		unsigned what = below(10);

		if (what < 6)
			out += sprintf(out, "/%s", bytes[below(10)]);
		else if (what < 9)
			out += sprintf(out, "/:n%u", i);
		else {
			sprintf(out, "/*rest");
			return;
		}
	}
	if (below(8) == 0)
		strcpy(out, "/");
}

static uint32_t
random_methods(void)
{
	uint32_t methods = SP_HTTP_BIT(below(SP_HTTP_METHODS + 1));

	if (below(2) == 0)
		methods = SP_HTTP_BIT(SP_HTTP_GET);
	if (below(4) == 0)
		methods |= SP_HTTP_BIT(below(SP_HTTP_METHODS + 1));
	return methods;
}

/* An entry is in the list if and only if the router took it. */
static struct sp_router *
random_router(uint64_t seed)
{
	struct sp_router *router = NULL;

	count = 0;
	EXPECT_EQ(sp_router_new(&router, seed), 0);
	for (unsigned i = 1 + below(PATTERNS); i-- > 0;) {
		struct entry *entry = &list[count];
		int error;

		random_pattern(entry->pattern);
		entry->methods = random_methods();
		error = sp_router_add(
		    router, entry->methods, entry->pattern, entry);
		EXPECT(error == 0 || error == -EEXIST);
		count += error == 0;
	}
	return router;
}

static void
random_path(char *out)
{
	static const char *const odd[] = { "", ".", "..", "%2e", "%61",
		"%c3%a9", "x%2Fy", "%zz", "%", "a%62", "...", "~", "%7e", "%2F",
		"%2561" };
	unsigned depth = 1 + below(6);

	for (unsigned i = 0; i < depth; i++)
		out += sprintf(out, "/%s",
		    below(12) == 0 ? odd[below(15)] : bytes[below(7)]);
	if (below(10) == 0)
		strcpy(out, "/");
}

static void
print_values(const struct sp_route_match *match, char *out)
{
	*out = '\0';
	for (uint32_t i = 0; i < match->route->params; i++)
		out += sprintf(out, "\n%.*s", match->param[i].size,
		    match->path + match->param[i].offset);
}

static bool
agrees(const struct sp_router *router, enum sp_http_method method,
    const char *path)
{
	char scratch[TEXT], values[TEXT];
	struct sp_route_match match;
	struct answer answer;
	enum sp_route_result result;

	read_list(&answer, method, path);
	result = sp_router_find(router, method, path, strlen(path), scratch,
	    sizeof(scratch), &match);
	if (result != answer.result
	    || match.visits > sp_router_worst_visits(router))
		return false;
	if (result == SP_ROUTE_NOT_FOUND)
		return true;
	if (result != SP_ROUTE_FOUND)
		return match.allow == answer.allow;
	print_values(&match, values);
	return match.route->number == (uint32_t)answer.number
	       && match.route->target == &list[answer.number]
	       && strcmp(values, answer.values) == 0;
}

TEST(router_answers_as_the_list_does)
{
	unsigned sets = test_rounds(SETS), results[4] = { 0 };

	state = test_seed();
	for (unsigned set = 0; set < sets; set++) {
		struct sp_router *router = random_router(state);

		for (int i = 0; i < PATHS; i++) {
			enum sp_http_method method = (enum sp_http_method)below(
			    SP_HTTP_METHODS);
			struct answer answer;
			char path[TEXT];

			random_path(path);
			read_list(&answer, method, path);
			results[answer.result]++;
			if (agrees(router, method, path))
				continue;
			printf(
			    "%s %s among\n", sp_http_method_name(method), path);
			for (int k = 0; k < count; k++)
				printf("  %#x %s\n", list[k].methods,
				    list[k].pattern);
			EXPECT(!"router and list agree");
			break;
		}
		sp_router_free(router);
	}
	for (int i = 0; i < 4; i++)
		EXPECT(results[i] > 0);
	printf("found %u, not found %u, not allowed %u, options %u\n",
	    results[0], results[1], results[2], results[3]);
}
