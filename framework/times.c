/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/times.h"

#include "framework/server.h"

#include <errno.h>
#include <stdlib.h>

int
sp_times_worker_new(struct spate_server *server, struct sp_worker *worker)
{
	uint32_t routes = sp_server_counted(server);
	struct sp_worker_times *times;
	struct sp_route_times *none;

	if (!server->options.record_times)
		return 0;
	times = calloc(1, sizeof(*times) + routes * sizeof(times->route[0]));
	none = calloc(1, sizeof(*none));
	if (times == NULL || none == NULL) {
		free(times);
		free(none);
		return -ENOMEM;
	}
	times->routes = routes;
	times->none = sp_server_no_route(server);
	sp_store(&times->route[sp_server_no_route(server)], none, relaxed);
	sp_stack_push(&server->times, &times->link);
	/* TABLE release: with the entry for no route. */
	sp_store(&worker->insight, times, release);
	return 0;
}

void
sp_times_free(struct spate_server *server)
{
	struct sp_link *link = sp_stack_pop_all(&server->times);

	while (link != NULL) {
		struct sp_worker_times *times = sp_container_of(
		    link, struct sp_worker_times, link);

		link = link->next;
		for (uint32_t i = 0; i < times->routes; i++)
			free(sp_load(&times->route[i], relaxed));
		free(times);
	}
}

struct sp_worker_times *
sp_times_of(struct sp_worker *worker)
{
	/* TABLE acquire. */
	return sp_load(&worker->insight, acquire);
}

static struct sp_route_times *
entry_at(struct sp_worker_times *worker, uint32_t number)
{
	/* ENTRY acquire: or its zeroes might not be there yet. */
	return sp_load(&worker->route[number], acquire);
}

uint64_t
sp_times_answers(uint64_t answers[SP_HTTP_METHODS][SP_CODES],
    struct sp_worker_times *worker, uint32_t number)
{
	struct sp_route_times *route = entry_at(worker, number);
	uint64_t sum = 0;

	if (route == NULL)
		return 0;
	for (int method = 0; method < SP_HTTP_METHODS; method++) {
		for (int code = 0; code < SP_CODES; code++) {
			uint64_t n = sp_load(
			    &route->answers[method][code], relaxed);

			answers[method][code] += n;
			sum += n;
		}
	}
	return sum;
}

uint64_t
sp_times_phase(
    struct sp_worker_times *worker, uint32_t number, enum sp_phase phase)
{
	struct sp_route_times *route = entry_at(worker, number);

	return route != NULL ? sp_load(&route->phase[phase], relaxed) : 0;
}

void
sp_times_add(
    struct sp_route_sum *sum, struct sp_worker_times *worker, uint32_t number)
{
	struct sp_route_times *route = entry_at(worker, number);

	if (route == NULL)
		return;
	sp_times_answers(sum->answers, worker, number);
	for (int phase = 0; phase < SP_PHASES; phase++)
		sum->phase[phase] += sp_load(&route->phase[phase], relaxed);
	sp_histogram_add(&sum->latency, &route->latency);
}

bool
sp_times_any(struct sp_worker_times *worker, uint32_t number)
{
	return entry_at(worker, number) != NULL;
}

void
sp_times_add_all(struct sp_histogram_sum *latency, uint64_t phase[SP_PHASES],
    struct sp_worker_times *worker)
{
	for (uint32_t number = 0; number < worker->routes; number++) {
		struct sp_route_times *route = entry_at(worker, number);

		if (route == NULL)
			continue;
		for (int i = 0; i < SP_PHASES; i++)
			phase[i] += sp_load(&route->phase[i], relaxed);
		sp_histogram_add(latency, &route->latency);
	}
}

/* Without memory for one, the entry of no route has to do: it is there. */
static struct sp_route_times *
add_entry(struct sp_worker_times *worker, uint32_t number)
{
	struct sp_route_times *route = calloc(1, sizeof(*route));

	if (route == NULL)
		return sp_load(&worker->route[worker->none], relaxed);
	/* ENTRY release: all zero. */
	sp_store(&worker->route[number], route, release);
	return route;
}

void
sp_times_change(struct sp_turn_times *times, uint32_t number)
{
	struct sp_route_times *route = sp_load(
	    &times->worker->route[number], relaxed);

	if (route == NULL)
		route = add_entry(times->worker, number);
	if (times->count != 0) {
		sp_times_record(times);
	} else if (sp_waited_any(times->waited)) {
		/* For the rest of a body that nobody wanted. */
		*times->waited = (struct sp_waited){ 0 };
		times->begun = times->ready = sp_cycles();
	}
	times->route = times->batch = route;
}

void
sp_times_wait(struct sp_turn_times *times, bool sent)
{
	if (sent)
		sp_times_turn_end(times);
	times->batch = NULL;
}

void
sp_times_refuse(struct sp_turn_times *times)
{
	sp_times_turn_end(times);
	times->route = times->batch = NULL;
}

void
sp_times_record_waits(struct sp_turn_times *times, uint64_t n)
{
	struct sp_waited *waited = times->waited;

	if (waited->parked != 0) {
		sp_count(
		    &times->route->phase[SP_PHASE_PARKED], waited->parked * n);
		sp_histogram_record(
		    &times->worker->phase[SP_PHASE_PARKED], waited->parked, n);
	}
	if (waited->blocked != 0) {
		sp_count(&times->route->phase[SP_PHASE_BLOCKED],
		    waited->blocked * n);
		sp_histogram_record(&times->worker->phase[SP_PHASE_BLOCKED],
		    waited->blocked, n);
	}
	*waited = (struct sp_waited){ 0 };
}

void
sp_times_record(struct sp_turn_times *times)
{
	sp_times_record_n(times, times->count);
}
