/* SPDX-License-Identifier: BSD-2-Clause */

#include "perf/micro/http_parts.h"

#include "framework/histogram.h"
#include "framework/http_chunked.h"
#include "framework/http_date.h"
#include "framework/http_repeat.h"
#include "framework/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY 16384
#define HEAD_SIZE 16384
#define ROUTES_MAX 10000
#define FIELDS_MAX 100

/* ------------------------------------------------------------------ answers */

static char out[CAPACITY];

/* A request that was read, in a worker that does nothing else. */
static struct spate_req *
new_request(void)
{
	static struct sp_engine engine;
	static struct sp_worker worker;
	static struct spate_server server;
	static struct spate_req req;

	if (req.worker != NULL)
		return &req;
	sp_clock_init();
	server.options = spate_options_default();
	server.options.upstream_idle_max = 0;
	engine.context = &server;
	worker.engine = &engine;
	SP_CHECK(sp_http_worker_begin(&worker) == 0);
	req.worker = &worker;
	req.server = &server;
	req.out = out;
	req.capacity = CAPACITY;
	req.head.method = SP_HTTP_GET;
	req.head.minor = 1;
	req.head.flags = SP_HTTP_KEEP_ALIVE;
	return &req;
}

static void
respond(uint64_t n, int status, const char *type)
{
	struct spate_req *req = new_request();

	while (n-- != 0) {
		req->state = SP_REQ_FRESH;
		req->out_size = 0;
		SP_CHECK(
		    spate_respond(req, status, type, "Hello, World!", 13) == 0);
	}
}

void
part_respond(uint64_t n, unsigned unused)
{
	(void)unused;
	respond(n, 200, "text/plain");
}

void
part_respond_any(uint64_t n, unsigned unused)
{
	(void)unused;
	respond(n, 404, "text/plain; charset=utf-8");
}

void
part_date(uint64_t n, unsigned unused)
{
	static char date[SP_HTTP_DATE + 1];

	(void)unused;
	for (time_t at = 1700000000; n-- != 0; at++)
		sp_http_date_format(date, at);
}

/* ------------------------------------------------------------------- routes */

/* So many routes, of which every second has parameters. */
static struct sp_router *
router_of(unsigned routes)
{
	static struct sp_router *routers[ROUTES_MAX + 1];
	static int target;
	struct sp_router *router = routers[routes];
	char path[64];

	if (router != NULL)
		return router;
	SP_CHECK(sp_router_new(&router, 1) == 0);
	for (unsigned i = 0; i < routes; i++) {
		snprintf(path, sizeof(path),
		    i % 2 ? "/things%u/:id/parts/:part" : "/plain%u", i);
		SP_CHECK(sp_router_add(
			     router, SP_HTTP_BIT(SP_HTTP_GET), path, &target)
			 == 0);
	}
	return routers[routes] = router;
}

void
part_route(uint64_t n, unsigned routes)
{
	const struct sp_router *router = router_of(routes);

	/* The slot may be another's, whatever the number of routes. */
	while (n-- != 0) {
		struct sp_route_match match;

		if (sp_router_find_short(router, SP_HTTP_GET, "/plain4", 7)
		    == NULL)
			SP_CHECK(sp_router_find(router, SP_HTTP_GET, "/plain4",
				     7, NULL, 0, &match)
				 == SP_ROUTE_FOUND);
	}
}

void
part_route_params(uint64_t n, unsigned routes)
{
	static const char path[] = "/things5/12345/parts/678";
	const struct sp_router *router = router_of(routes);
	struct sp_route_match match;

	while (n-- != 0)
		SP_CHECK(sp_router_find(router, SP_HTTP_GET, path,
			     sizeof(path) - 1, NULL, 0, &match)
			 == SP_ROUTE_FOUND);
}

/* -------------------------------------------------------------------- heads */

static void
parse(uint64_t n, unsigned fields, struct sp_http_repeat *repeat)
{
	static const struct sp_http_limits limits = { HEAD_SIZE, FIELDS_MAX,
		8192 };
	static char text[HEAD_SIZE + SP_BUFFER_PAD];
	static struct sp_http_head head;
	int size = snprintf(text, HEAD_SIZE,
	    "GET /plaintext HTTP/1.1\r\n"
	    "Host: a\r\n");

	for (unsigned i = 1; i < fields; i++)
		size += snprintf(text + size, (size_t)(HEAD_SIZE - size),
		    "X-Field-%02u: a value of some length\r\n", i);
	size += snprintf(text + size, (size_t)(HEAD_SIZE - size), "\r\n");
	while (n-- != 0)
		SP_CHECK(sp_http_head_parse(
			     &head, text, (size_t)size, &limits, repeat)
			 == size);
}

void
part_head(uint64_t n, unsigned fields)
{
	parse(n, fields, NULL);
}

/* As those of one client: the fields are those of the head before. */
void
part_head_again(uint64_t n, unsigned fields)
{
	static struct sp_http_repeat repeat;

	parse(n, fields, &repeat);
	SP_CHECK(repeat.armed);
}

/* A body of one chunk of that size, and the one that ends it. */
void
part_chunked(uint64_t n, unsigned chunk)
{
	static char text[CAPACITY];
	int size = snprintf(text, sizeof(text), "%x\r\n%0*d\r\n0\r\n\r\n",
	    chunk, (int)chunk, 0);

	while (n-- != 0) {
		struct sp_http_chunked chunked;
		const char *data;
		size_t used, data_size;
		int event, at = 0;

		sp_http_chunked_init(&chunked, CAPACITY);
		do {
			event = sp_http_chunked_feed(&chunked, text + at,
			    (size_t)(size - at), &used, &data, &data_size);
			at += (int)used;
		} while (event == SP_HTTP_CHUNKED_DATA);
		SP_CHECK(event == SP_HTTP_CHUNKED_DONE && at == size);
	}
}

/* ------------------------------------------------------------------- counts */

void
part_histogram(uint64_t n, unsigned unused)
{
	static struct sp_histogram histogram;

	(void)unused;
	while (n-- != 0)
		sp_histogram_record(&histogram, n * 977, 2);
}
