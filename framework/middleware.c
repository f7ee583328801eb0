/* SPDX-License-Identifier: BSD-2-Clause */

/* Setting up middleware and groups, and running what is around a handler. */

#include "framework/middleware.h"

#include "framework/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- set-up */

/* To the end of a list: middleware runs in the order in which it was given. */
static int
append(struct spate_server *server, struct sp_middleware **list,
    struct sp_layer layer)
{
	struct sp_middleware *added;

	if (layer.before == NULL && layer.after == NULL)
		return sp_server_fail(server, -EINVAL, "middleware");
	added = calloc(1, sizeof(*added));
	if (added == NULL)
		return sp_server_fail(server, -ENOMEM, "middleware");
	added->layer = layer;
	while (*list != NULL)
		list = &(*list)->next;
	*list = added;
	return 0;
}

int
spate_use(struct spate_server *server, spate_before_fn *before,
    spate_after_fn *after, void *arg)
{
	if (server == NULL)
		return -ENOMEM;
	return append(server, &server->middleware,
	    (struct sp_layer){ before, after, arg });
}

int
spate_group_use(struct spate_group *group, spate_before_fn *before,
    spate_after_fn *after, void *arg)
{
	if (group == NULL)
		return -EINVAL;
	return append(group->server, &group->middleware,
	    (struct sp_layer){ before, after, arg });
}

/* The router judges the rest of it, with the path of each route. */
static bool
is_prefix(const char *prefix)
{
	size_t size = prefix != NULL ? strlen(prefix) : 0;

	return size > 1 && size <= SP_ROUTER_PATH && prefix[0] == '/'
	       && prefix[size - 1] != '/' && strchr(prefix, '*') == NULL;
}

struct spate_group *
spate_group(
    struct spate_server *server, struct spate_group *outer, const char *prefix)
{
	const char *before = outer != NULL ? outer->prefix : "";
	struct spate_group *group;
	size_t before_size, size;

	if (server == NULL)
		return NULL;
	if (!is_prefix(prefix) || (outer != NULL && outer->server != server)) {
		sp_server_fail(server, -EINVAL, "a group's prefix");
		return NULL;
	}
	before_size = strlen(before);
	size = strlen(prefix);
	group = calloc(1, sizeof(*group) + before_size + size + 1);
	if (group == NULL) {
		sp_server_fail(server, -ENOMEM, "a group");
		return NULL;
	}
	memcpy(group->prefix, before, before_size);
	memcpy(group->prefix + before_size, prefix, size);
	group->server = server;
	group->outer = outer;
	group->next = server->groups;
	server->groups = group;
	return group;
}

int
spate_group_route(struct spate_group *group, const char *method,
    const char *path, spate_handler_fn *handler, void *arg)
{
	size_t prefix_size, size;
	char *whole;
	int error;

	if (group == NULL)
		return -EINVAL;
	if (path == NULL)
		return sp_server_fail(group->server, -EINVAL, "a route's path");
	prefix_size = strlen(group->prefix);
	size = strlen(path);
	whole = malloc(prefix_size + size + 1);
	if (whole == NULL)
		return sp_server_fail(group->server, -ENOMEM, "a route");
	memcpy(whole, group->prefix, prefix_size);
	memcpy(whole + prefix_size, path, size + 1);
	error = sp_server_route(
	    group->server, group, method, whole, handler, arg);
	free(whole);
	return error;
}

/* --------------------------------------------------------------- compile */

static unsigned
count(const struct sp_middleware *list)
{
	unsigned n = 0;

	for (; list != NULL; list = list->next)
		n++;
	return n;
}

static unsigned
count_around(const struct spate_server *server, const struct spate_group *group)
{
	unsigned n = count(server->middleware);

	for (; group != NULL; group = group->outer)
		n += count(group->middleware);
	return n;
}

/* Fill in a list so that it ends at a number. Returns where it begins. */
static unsigned
fill(struct sp_layers *layers, const struct sp_middleware *list, unsigned end)
{
	unsigned start = end - count(list);

	for (unsigned at = start; list != NULL; list = list->next)
		layers->layer[at++] = list->layer;
	return start;
}

/* => Returns false: no memory. NULL stands for no layers at all. */
static bool
compile(const struct spate_server *server, const struct spate_group *group,
    struct sp_layers **out)
{
	unsigned n = count_around(server, group);
	struct sp_layers *layers;

	*out = NULL;
	if (n == 0)
		return true;
	layers = malloc(sizeof(*layers) + n * sizeof(layers->layer[0]));
	if (layers == NULL)
		return false;
	layers->count = n;
	for (; group != NULL; group = group->outer)
		n = fill(layers, group->middleware, n);
	fill(layers, server->middleware, n);
	*out = layers;
	return true;
}

/* What layers have in their middle. */
static void
call_inner(struct spate_req *req)
{
	const struct sp_route_target *target = req->match.route->target;

	sp_req_settle(req, target->inner(req, target->inner_arg));
}

/* The handler of every route that has layers. */
static int
call_layers(struct spate_req *req, void *arg)
{
	const struct sp_route_target *target = arg;

	sp_middleware_run(req, target->layers, call_inner);
	return 0;
}

static void
put_layers_around(struct sp_route_target *target)
{
	if (target->layers == NULL)
		return;
	target->inner = target->handler;
	target->inner_arg = target->arg;
	target->handler = call_layers;
	target->arg = target;
}

int
sp_middleware_compile(struct spate_server *server)
{
	bool done = compile(server, NULL, &server->layers);

	for (struct spate_group *group = server->groups; group && done;
	     group = group->next)
		done = compile(server, group, &group->layers);
	if (!done)
		return sp_server_fail(server, -ENOMEM, "middleware");
	for (struct sp_route_target *target = server->targets; target != NULL;
	     target = target->next) {
		target->layers = target->group != NULL ? target->group->layers
						       : server->layers;
		put_layers_around(target);
	}
	return 0;
}

static void
free_list(struct sp_middleware *list)
{
	while (list != NULL) {
		struct sp_middleware *next = list->next;

		free(list);
		list = next;
	}
}

void
sp_middleware_free(struct spate_server *server)
{
	while (server->groups != NULL) {
		struct spate_group *next = server->groups->next;

		free_list(server->groups->middleware);
		free(server->groups->layers);
		free(server->groups);
		server->groups = next;
	}
	free_list(server->middleware);
	free(server->layers);
}

/* ------------------------------------------------------------------- run */

/* 200 by the shortest way is the one that is not written down. */
static int
status_of(const struct spate_req *req)
{
	if (req->answer == SP_ANSWER_NONE)
		return 0;
	return req->status != 0 ? req->status : 200;
}

void
sp_middleware_run(struct spate_req *req, const struct sp_layers *layers,
    void (*answer)(struct spate_req *req))
{
	unsigned passed = 0, n = layers != NULL ? layers->count : 0;
	int result = 0;

	req->status = 0;
	for (; passed < n; passed++) {
		const struct sp_layer *layer = &layers->layer[passed];

		if (layer->before == NULL)
			continue;
		result = layer->before(req, layer->arg);
		if (result != 0 || req->answer != SP_ANSWER_NONE)
			break;
	}
	if (passed == n)
		answer(req);
	else
		sp_req_settle(req, result);
	while (passed-- > 0) {
		const struct sp_layer *layer = &layers->layer[passed];

		if (layer->after != NULL)
			layer->after(req, status_of(req), layer->arg);
	}
}
