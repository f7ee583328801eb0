/* SPDX-License-Identifier: BSD-2-Clause */

/* Where the pages of <spate/insight.h> are, and who may read them. */

#include "framework/admin.h"

#include "framework/connections.h"
#include "framework/debug.h"
#include "framework/health.h"
#include "framework/heap.h"
#include "framework/json_out.h"
#include "framework/log_level.h"
#include "framework/metrics.h"
#include "framework/page.h"
#include "framework/recording.h"
#include "framework/request.h"
#include "framework/stats.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_ADDRESS "127.0.0.1:0"
#define PREFIX_MAX 256

struct page {
	const char *path;
	spate_handler_fn *handler;
	bool own;      /* only at the listener of spate_admin() */
	uint32_t more; /* methods besides GET; then it changes something */
	const char *what;
};

static int index_handler(struct spate_req *req, void *arg);

static const struct page pages[] = {
	{ "/", sp_page_handler, false, 0, "all of it while it happens" },
	{ "/stats", sp_stats_handler, false, 0,
	    "counters, latencies and memory of each shard and route" },
	{ "/stats/stream", sp_stats_stream_handler, false, 0,
	    "the same, four times a second" },
	{ "/metrics", sp_metrics_handler, false, 0,
	    "the same for Prometheus" },
	{ "/livez", sp_livez_handler, false, 0,
	    "every shard looks after its connections" },
	{ "/readyz", sp_readyz_handler, false, 0, "and new work is welcome" },
	{ "/debug/", index_handler, true, 0, "this list" },
	{ "/debug/config", sp_debug_config_handler, true, 0,
	    "options and limits that the process runs with" },
	{ "/debug/connections", sp_connections_handler, true, 0,
	    "who is connected, and what each is at" },
	{ "/debug/events", sp_events_handler, false, 0,
	    "the last events of the flight recorder" },
	{ "/debug/heap", sp_heap_handler, false, 0,
	    "who has allocated what, if MALLOC_CONF has prof:true" },
	{ "/debug/latency", sp_debug_latency_handler, true, 0,
	    "quantiles of shards and routes as a table" },
	{ "/debug/log", sp_log_level_handler, true, SP_HTTP_BIT(SP_HTTP_PUT),
	    "from which level on lines are logged; PUT changes it" },
	{ "/debug/polldesc/:conn", sp_debug_polldesc_handler, true, 0,
	    "the words of one descriptor" },
	{ "/debug/shards", sp_debug_shards_handler, true, 0,
	    "workers, and what each is at" },
	{ "/debug/trace", sp_trace_handler, false, 0,
	    "the flight recorder of all workers, as Chrome trace JSON" },
};

#define PAGES (sizeof(pages) / sizeof(*pages))

/* ----------------------------------------------------------------- index */

static void
render_index(struct sp_text *text, struct spate_server *server, void *arg)
{
	struct sp_json json;

	(void)server;
	(void)arg;
	sp_json_init(&json, text);
	sp_json_object(&json);
	sp_json_key(&json, "pages");
	sp_json_array(&json);
	for (size_t i = 0; i < PAGES; i++) {
		char methods[SP_ROUTER_ALLOW] = "";

		sp_router_allow(SP_HTTP_BIT(SP_HTTP_GET) | pages[i].more,
		    methods, sizeof(methods));
		sp_json_object(&json);
		sp_json_put_string(&json, "path", pages[i].path);
		sp_json_put_string(&json, "methods", methods);
		sp_json_put_string(&json, "what", pages[i].what);
		sp_json_end(&json);
	}
	sp_json_end(&json);
	sp_json_end(&json);
	sp_text_char(text, '\n');
}

static int
index_handler(struct spate_req *req, void *arg)
{
	(void)arg;
	return sp_render_answer(req, "application/json", render_index, NULL);
}

/* ---------------------------------------------------------------- access */

static bool
is_number(int family, const char *text, size_t size)
{
	char copy[INET6_ADDRSTRLEN], address[sizeof(struct in6_addr)];

	if (size >= sizeof(copy))
		return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	return inet_pton(family, copy, address) == 1;
}

bool
sp_host_is_local(const char *host, size_t size)
{
	static const char name[] = "localhost";
	const char *end;

	if (size == 0)
		return true;
	if (host[0] == '[') {
		end = memchr(host, ']', size);
		return end != NULL
		       && is_number(
			   AF_INET6, host + 1, (size_t)(end - host) - 1);
	}
	end = memchr(host, ':', size);
	if (end != NULL)
		size = (size_t)(end - host);
	if (size == sizeof(name) - 1 && strncasecmp(host, name, size) == 0)
		return true;
	return is_number(AF_INET, host, size);
}

/*
 * A page of a site whose name has come to mean 127.0.0.1 is of the same
 * origin as we are, so its script may read what we answer. It cannot keep
 * its name out of the Host field.
 */
static int
guarded(struct spate_req *req, void *arg)
{
	const struct page *page = arg;
	struct spate_str host = spate_host(req);

	if (req->server->admin_address.storage.ss_family != AF_UNIX
	    && !sp_host_is_local(host.data, host.size))
		return spate_error(req, 403, "ask by number or as localhost");
	/* A browser says so of every page's request that is no plain GET. */
	if (req->head.method != SP_HTTP_GET && req->head.method != SP_HTTP_HEAD
	    && spate_header(req, "Origin").data != NULL)
		return spate_error(req, 403, "not for web pages");
	return page->handler(req, NULL);
}

/* ---------------------------------------------------------------- set-up */

int
spate_admin(struct spate_server *server, const char *address)
{
	struct sp_address parsed = { .service = NULL };

	if (server == NULL)
		return -ENOMEM;
	if (address == NULL)
		return sp_server_fail(server, -EINVAL, "the admin address");
	server->admin_chosen = true;
	server->admin_wanted = strcmp(address, "none") != 0;
	if (!server->admin_wanted)
		return 0;
	if (sp_address_parse(&parsed, address) != 0)
		return sp_server_fail(server, -EINVAL, "the admin address");
	server->admin_address = parsed;
	server->admin_address.service = &server->admin.service;
	return 0;
}

void
sp_admin_default(struct spate_server *server)
{
	if (!server->admin_chosen)
		spate_admin(server, DEFAULT_ADDRESS);
}

int
spate_route_admin(struct spate_server *server, const char *prefix)
{
	char path[PREFIX_MAX + 32];
	int error = 0;

	if (server == NULL)
		return -ENOMEM;
	if (prefix == NULL || strlen(prefix) > PREFIX_MAX)
		return sp_server_fail(server, -EINVAL, "the admin prefix");
	/* At the root a program has a page of its own. */
	for (size_t i = *prefix == '\0'; i < PAGES && error == 0; i++) {
		size_t size = strlen(prefix);

		/* Not for all who can reach the program. */
		if (pages[i].own)
			continue;
		memcpy(path, prefix, size);
		memcpy(path + size, pages[i].path, strlen(pages[i].path) + 1);
		error = spate_route(
		    server, "GET", path, pages[i].handler, NULL);
	}
	server->admin_chosen = true;
	return error;
}

int
spate_route_dashboard(struct spate_server *server, const char *path)
{
	return spate_route(server, "GET", path, sp_page_handler, NULL);
}

int
sp_admin_begin(struct spate_server *server)
{
	int error;

	if (!server->admin_wanted)
		return 0;
	server->admin_targets = calloc(PAGES, sizeof(*server->admin_targets));
	if (server->admin_targets == NULL)
		return sp_server_fail(server, -ENOMEM, "the admin routes");
	error = sp_router_new(&server->admin_router, 0);
	for (size_t i = 0; i < PAGES && error == 0; i++) {
		server->admin_targets[i] = (struct sp_route_target){
			.handler = guarded,
			.arg = (void *)(uintptr_t)&pages[i],
			.number = sp_server_admin_route(server),
		};
		error = sp_router_add(server->admin_router,
		    SP_HTTP_BIT(SP_HTTP_GET) | pages[i].more, pages[i].path,
		    &server->admin_targets[i]);
	}
	server->admin.router = server->admin_router;
	return error != 0 ? sp_server_fail(server, error, "the admin routes")
			  : 0;
}

void
sp_admin_free(struct spate_server *server)
{
	if (server->admin_router != NULL)
		sp_router_free(server->admin_router);
	free(server->admin_targets);
}
