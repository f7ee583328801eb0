/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Classes of routes: where a handler runs, how many at once, and for how
 * long. A route that has a class is called by a handler that takes the place
 * of its own, so the others do not even ask.
 */

#include "framework/request.h"

#include "alloc/cacheline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_MAX_MS (24 * 60 * 60 * 1000) /* a day */

struct sp_route_class {
	/* Constant. What it calls is the program's handler, or its layers. */
	spate_handler_fn *handler;
	void *arg;
	void *given; /* the program's, as it was given to spate_route() */
	bool heavy;
	spate_heavy_fn *heavy_if; /* NULL: always */
	uint32_t max_in_flight;   /* 0: no limit */
	uint32_t deadline_ms;     /* 0: none */

	SP_ALIGN_APART SP_ATOMIC(uint32_t) in_flight; /* if there is a limit */
} SP_ALIGN_APART;

/* ------------------------------------------------------------------- run */

/*
 * Back to before it was begun: the heavy worker begins it anew, from the head
 * on. Nothing of its body has been read, and nothing was answered.
 */
static void
hand_over(struct spate_req *req)
{
	if (req->server->ageing) {
		req->pd->requests--;
		if (req->close)
			sp_count(&req->worker->counters.aged, (uint64_t)-1);
	}
	req->start = (uint32_t)(req->base - req->in);
	req->handed = true;
	req->gone = true;
	req->answer = SP_ANSWER_DONE;
	sp_count(&req->worker->counters.requests, (uint64_t)-1);
	sp_count(&req->worker->counters.handed_heavy, 1);
}

static bool
is_heavy(struct spate_req *req, const struct sp_route_class *class)
{
	if (!class->heavy || req->worker->heavy
	    || !req->worker->engine->options.heavy)
		return false;
	return class->heavy_if == NULL || class->heavy_if(req, class->given);
}

static int
call_within_deadline(struct spate_req *req, const struct sp_route_class *class)
{
	struct sp_fiber *fiber = req->worker->current;
	int result;

	fiber->until = sp_tick_in(class->deadline_ms);
	result = class->handler(req, class->arg);
	if (result == -ETIMEDOUT && sp_fiber_is_late(fiber)) {
		sp_count(&req->worker->counters.timeouts_route, 1);
		fiber->until = SP_DEADLINE_NONE;
		if (!req->gone)
			sp_req_fail(req, 503, "the handler took too long");
	}
	fiber->until = SP_DEADLINE_NONE;
	return result;
}

static int
refuse(struct spate_req *req)
{
	sp_count(&req->worker->counters.refused_busy, 1);
	spate_add_header(req, "Retry-After", "1");
	return spate_error(req, 503, "too many requests of this kind");
}

/* The handler of every route that has a class. */
static int
call_classed(struct spate_req *req, void *arg)
{
	struct sp_route_class *class = arg;
	int result;

	if (is_heavy(req, class)) {
		hand_over(req);
		return 0;
	}
	if (class->max_in_flight != 0
	    && sp_fetch_add(&class->in_flight, 1, relaxed)
		   >= class->max_in_flight) {
		sp_fetch_sub(&class->in_flight, 1, relaxed);
		return refuse(req);
	}
	if (class->deadline_ms != 0)
		result = call_within_deadline(req, class);
	else
		result = class->handler(req, class->arg);
	if (class->max_in_flight != 0)
		sp_fetch_sub(&class->in_flight, 1, relaxed);
	return result;
}

/* ---------------------------------------------------------------- set-up */

static void
give_class(struct sp_route_target *target)
{
	void *memory;

	if (posix_memalign(&memory, SP_APART, sizeof(*target->class)) != 0)
		return;
	target->class = memset(memory, 0, sizeof(*target->class));
	target->class->given = target->arg;
}

/*
 * => Returns the class of a route, a new one if it had none; *error is 0.
 *    Returns NULL: *error is what is wrong, and the server remembers it.
 */
static struct sp_route_class *
find_class(struct spate_server *server, const char *method, const char *path,
    int *error)
{
	struct sp_route_target *target;

	*error = -ENOMEM;
	if (server == NULL)
		return NULL;
	target = sp_server_find_route(server, method, path);
	if (target == NULL)
		*error = -ENOENT;
	else if (target->class == NULL)
		give_class(target);
	if (target == NULL || target->class == NULL) {
		sp_server_fail(server, *error, "the class of a route");
		return NULL;
	}
	*error = 0;
	return target->class;
}

int
spate_route_heavy(struct spate_server *server, const char *method,
    const char *path, spate_heavy_fn *heavy_if)
{
	int error;
	struct sp_route_class *class = find_class(server, method, path, &error);

	if (class != NULL) {
		class->heavy = true;
		class->heavy_if = heavy_if;
	}
	return error;
}

int
spate_route_limit(struct spate_server *server, const char *method,
    const char *path, uint32_t max_in_flight)
{
	int error;
	struct sp_route_class *class = find_class(server, method, path, &error);

	if (class != NULL)
		class->max_in_flight = max_in_flight;
	return error;
}

int
spate_route_deadline(struct spate_server *server, const char *method,
    const char *path, uint32_t ms)
{
	int error;
	struct sp_route_class *class = find_class(server, method, path, &error);

	if (class == NULL)
		return error;
	if (ms > DEADLINE_MAX_MS)
		return sp_server_fail(server, -EINVAL, "a route's deadline");
	class->deadline_ms = ms;
	return 0;
}

bool
sp_route_classes_put(struct spate_server *server)
{
	bool heavy = false;

	for (struct sp_route_target *target = server->targets; target != NULL;
	     target = target->next) {
		struct sp_route_class *class = target->class;

		if (class == NULL)
			continue;
		class->handler = target->handler;
		class->arg = target->arg;
		target->handler = call_classed;
		target->arg = class;
		heavy |= class->heavy;
	}
	return heavy;
}
