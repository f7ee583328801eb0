/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Lines that begin with "+" as patterns of a router, the others as paths that
 * somebody asks it for.
 *
 * Nothing costs more visits than the router has said, the values of what is
 * found lie within the path, the short way finds what the long one does, and
 * a pattern without names answers the path that it is.
 */

#include "framework/router.h"

#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define PATTERNS 64
#define TEXT 1024

static struct sp_router *router;
static unsigned patterns;

/* Where its values are is in size bytes; what is undone is no longer. */
static void
check_found(
    const struct sp_route_match *match, enum sp_http_method method, size_t size)
{
	const struct sp_route *route = match->route;

	FUZZ_CLAIM(route->params <= SP_ROUTER_PARAMS);
	FUZZ_CLAIM(
	    route->methods
	    & (SP_HTTP_BIT(method) | SP_HTTP_ANY
		| (method == SP_HTTP_HEAD ? SP_HTTP_BIT(SP_HTTP_GET) : 0)));
	for (uint32_t i = 0; i < route->params; i++)
		FUZZ_CLAIM((size_t)match->param[i].offset + match->param[i].size
			   <= size);
}

static void
find(const char *text, size_t size, enum sp_http_method method)
{
	char *path = malloc(size + 1), scratch[TEXT];
	struct sp_route_match match;
	const struct sp_route *fast;
	enum sp_route_result result;

	FUZZ_CLAIM(path != NULL);
	memcpy(path, text, size);
	path[size] = '\0';
	result = sp_router_find(
	    router, method, path, size, scratch, sizeof(scratch), &match);
	FUZZ_CLAIM(match.visits <= sp_router_worst_visits(router));
	if (result == SP_ROUTE_FOUND)
		check_found(&match, method, size);
	fast = sp_router_find_short(router, method, path, size);
	FUZZ_CLAIM(
	    fast == NULL || (result == SP_ROUTE_FOUND && match.route == fast));
	free(path);
}

/* => Returns whether the pattern has one path, which is itself. */
static bool
is_plain(const char *pattern)
{
	for (const char *at = pattern; *at != '\0'; at++)
		if (strchr(":*%", *at) != NULL || (uint8_t)*at >= 0x80)
			return false;
	return true;
}

static void
add(const char *text, size_t size)
{
	struct sp_route_match match;
	char pattern[TEXT];
	int error;

	if (size >= sizeof(pattern) || patterns == PATTERNS
	    || memchr(text, '\0', size) != NULL)
		return;
	memcpy(pattern, text, size);
	pattern[size] = '\0';
	error = sp_router_add(
	    router, SP_HTTP_BIT(SP_HTTP_GET), pattern, pattern);
	FUZZ_CLAIM(error == 0 || error == -EINVAL || error == -EEXIST
		   || error == -E2BIG);
	if (error != 0)
		return;
	patterns++;
	FUZZ_CLAIM(sp_router_routes(router) == patterns);
	FUZZ_CLAIM(
	    sp_router_add(router, SP_HTTP_BIT(SP_HTTP_GET), pattern, pattern)
	    == -EEXIST);
	if (!is_plain(pattern))
		return;
	FUZZ_CLAIM(
	    sp_router_find(router, SP_HTTP_GET, pattern, size, NULL, 0, &match)
	    == SP_ROUTE_FOUND);
	FUZZ_CLAIM(strcmp(match.route->pattern, pattern) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;

	patterns = 0;
	FUZZ_CLAIM(sp_router_new(&router, size) == 0);
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((stop != NULL ? stop : end) - at);

		if (n != 0 && at[0] == '+') {
			add(at + 1, n - 1);
		} else {
			find(at, n, SP_HTTP_GET);
			find(at, n, SP_HTTP_POST);
		}
		at += n + (stop != NULL);
		if (stop == NULL)
			break;
	}
	sp_router_free(router);
	return 0;
}
