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

#define TWO_CLASSES "a route that is both heavy and blocking"

#define DEADLINE_MAX_MS (24 * 60 * 60 * 1000) /* a day */

struct sp_route_class {
	/* Constant. What it calls is the program's handler, or its layers. */
	spate_handler_fn *handler;
	void *arg;
	void *given; /* the program's, as it was given to spate_route() */
	bool heavy, blocking;     /* or neither */
	spate_heavy_fn *heavy_if; /* NULL: always */
	uint32_t max_in_flight;   /* 0: no limit */
	uint32_t deadline_ms;     /* 0: none */

	SP_ALIGN_APART SP_ATOMIC(uint32_t) in_flight; /* if there is a limit */
	SP_ATOMIC(uint64_t) refused;
} SP_ALIGN_APART;

/* ------------------------------------------------------------------- run */

/*
 * Back to before it was begun: another worker begins it anew, from the head
 * on. Nothing of its body has been read, and nothing was answered.
 */
static int
hand_over(struct spate_req *req, enum sp_handed to)
{
	struct sp_counters *counters = &req->worker->counters;

	if (req->server->ageing) {
		req->pd->requests--;
		if (req->close)
			sp_count(&counters->aged, (uint64_t)-1);
	}
	req->start = (uint32_t)(req->base - req->in);
	req->handed = (uint8_t)to & 0x7f;
	req->gone = true;
	req->answer = SP_ANSWER_DONE;
	sp_count(&counters->requests, (uint64_t)-1);
	sp_count(to == SP_HANDED_HEAVY ? &counters->handed_heavy
				       : &counters->handed_blocking,
	    1);
	return 0;
}

static bool
is_heavy(struct spate_req *req, const struct sp_route_class *class)
{
	if (!class->heavy || req->worker->heavy
	    || !req->worker->engine->options.heavy)
		return false;
	return class->heavy_if == NULL || class->heavy_if(req, class->given);
}

/* since: when its time began, or SP_DEADLINE_NONE: now. */
static int
call_within_deadline(
    struct spate_req *req, const struct sp_route_class *class, sp_tick since)
{
	struct sp_fiber *fiber = req->worker->current;
	int result = -ETIMEDOUT;

	fiber->until = since != SP_DEADLINE_NONE
	    ? sp_tick_deadline(since, class->deadline_ms)
	    : sp_tick_in(class->deadline_ms);
	if (since == SP_DEADLINE_NONE || !sp_fiber_is_late(fiber))
		result = class->handler(req, class->arg);
	sp_req_settle_late(req, result);
	fiber->until = SP_DEADLINE_NONE;
	return result;
}

/* why: the counter of this reason. */
static int
refuse(struct spate_req *req, struct sp_route_class *class,
    SP_ATOMIC(uint64_t) *why)
{
	sp_count(&req->worker->counters.refused_busy, 1);
	sp_count(why, 1);
	sp_fetch_add(&class->refused, 1, relaxed);
	spate_add_header(req, "Retry-After", "1");
	return spate_error(req, 503, "too many requests of this kind");
}

/* What it was given, at once: it may have been here before. */
static int
call_now(struct spate_req *req, struct sp_route_class *class, sp_tick since)
{
	int result;

	if (class->max_in_flight != 0
	    && sp_fetch_add(&class->in_flight, 1, relaxed)
		>= class->max_in_flight) {
		sp_fetch_sub(&class->in_flight, 1, relaxed);
		return refuse(
		    req, class, &req->worker->counters.refused_in_flight);
	}
	if (class->deadline_ms != 0)
		result = call_within_deadline(req, class, since);
	else
		result = class->handler(req, class->arg);
	if (class->max_in_flight != 0)
		sp_fetch_sub(&class->in_flight, 1, relaxed);
	return result;
}

/* In a thread that is for that, but for a client that has not waited. */
static int
call_blocking(struct spate_req *req, struct sp_route_class *class)
{
	struct sp_worker *worker = req->worker;
	struct sp_blocking *pool = &worker->engine->blocking;
	sp_tick since = SP_DEADLINE_NONE;
	int result;

	if (!worker->blocking) {
		if (!sp_blocking_full(pool))
			return hand_over(req, SP_HANDED_BLOCKING);
		sp_fetch_add(&pool->refused, 1, relaxed);
		return refuse(req, class, &worker->counters.refused_queue);
	}
	if (req->resuming) {
		since = req->handed_at;
		req->handed_at = SP_DEADLINE_NONE;
	}
	if (since != SP_DEADLINE_NONE && sp_req_left(req)) {
		sp_fetch_add(&pool->left, 1, relaxed);
		req->gone = true;
		return -ECANCELED;
	}
	result = call_now(req, class, since);
	/* While it blocked nobody has looked at the clock. */
	sp_worker_look_at_clock(worker);
	return result;
}

/* The handler of every route that has a class. */
static int
call_classed(struct spate_req *req, void *arg)
{
	struct sp_route_class *class = arg;
	int error;

	/* What comes before it on this connection does not wait for it. */
	if (!sp_worker_polls(req->worker)) {
		error = sp_req_flush(req);
		if (error != 0)
			return error;
	}
	if (class->blocking)
		return call_blocking(req, class);
	if (is_heavy(req, class))
		return hand_over(req, SP_HANDED_HEAVY);
	return call_now(req, class, SP_DEADLINE_NONE);
}

uint64_t
sp_route_refused(const struct spate_server *server, uint32_t number)
{
	uint64_t sum = 0;

	for (const struct sp_route_target *target = server->targets;
	     target != NULL; target = target->next) {
		if (target->number == number && target->class != NULL)
			sum += sp_load(&target->class->refused, relaxed);
	}
	return sum;
}

int64_t
spate_time_left(void)
{
	struct sp_worker *worker = sp_worker_self();
	sp_tick until = worker != NULL ? worker->current->until
				       : (sp_tick)SP_DEADLINE_NONE;
	uint64_t now_ns = sp_now_ns();

	if (until == SP_DEADLINE_NONE)
		return -1;
	return sp_tick_delay_ns(until, now_ns) / SP_NS_PER_MS;
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

	if (class == NULL)
		return error;
	if (class->blocking)
		return sp_server_fail(server, -EINVAL, TWO_CLASSES);
	class->heavy = true;
	class->heavy_if = heavy_if;
	return 0;
}

int
spate_route_blocking(
    struct spate_server *server, const char *method, const char *path)
{
	int error;
	struct sp_route_class *class = find_class(server, method, path, &error);

	if (class == NULL)
		return error;
	if (class->heavy)
		return sp_server_fail(server, -EINVAL, TWO_CLASSES);
	class->blocking = true;
	return 0;
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

void
sp_route_classes_put(struct spate_server *server)
{
	for (struct sp_route_target *target = server->targets; target != NULL;
	     target = target->next) {
		struct sp_route_class *class = target->class;

		if (class == NULL)
			continue;
		class->handler = target->handler;
		class->arg = target->arg;
		target->handler = call_classed;
		target->arg = class;
		server->heavy |= class->heavy;
		server->blocking |= class->blocking;
	}
}
