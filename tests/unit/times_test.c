/* SPDX-License-Identifier: BSD-2-Clause */

/* Where the time of requests went: batches, waits, and what adds up. */

#include "framework/server.h"
#include "framework/times.h"
#include "tests/harness.h"

#include <string.h>

#define ROUTES 3
#define NONE ROUTES
#define LONG_AGO UINT64_C(1000000000)

static struct spate_server server;
static struct sp_worker worker;
static struct sp_waited waited;
static struct sp_turn_times times;

static struct sp_worker_times *
begin(void)
{
	memset(&server, 0, sizeof(server));
	memset(&worker, 0, sizeof(worker));
	memset(&waited, 0, sizeof(waited));
	server.options.record_times = true;
	server.pattern_count = ROUTES;
	EXPECT_EQ(sp_times_worker_new(&server, &worker), 0);
	EXPECT(sp_times_of(&worker) != NULL);
	return sp_times_of(&worker);
}

static struct sp_histogram_sum
sum_of(const struct sp_histogram *histogram)
{
	struct sp_histogram_sum sum = { 0 };

	sp_histogram_add(&sum, histogram);
	return sum;
}

static uint64_t
latencies(struct sp_worker_times *of, uint32_t number)
{
	struct sp_route_times *route = sp_load(&of->route[number], relaxed);

	return route != NULL ? sum_of(&route->latency).count : 0;
}

static uint64_t
phase(struct sp_worker_times *of, uint32_t number, enum sp_phase phase)
{
	return sp_load(
	    &sp_load(&of->route[number], relaxed)->phase[phase], relaxed);
}

static void
ask(uint32_t number, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		sp_times_route(&times, number);
		sp_times_answer(&times, SP_HTTP_GET, 2);
		sp_times_done(&times);
	}
}

TEST(a_batch_is_that_many_requests_of_one_latency)
{
	struct sp_worker_times *of = begin();
	struct sp_route_times *route;

	sp_times_turn(&times, of, &waited, sp_cycles() - LONG_AGO, sp_cycles());
	ask(1, 16);
	EXPECT_EQ(latencies(of, 1), 0);
	sp_times_turn_end(&times);
	route = sp_load(&of->route[1], relaxed);
	EXPECT_EQ(sp_load(&route->answers[SP_HTTP_GET][2], relaxed), 16);
	EXPECT_EQ(latencies(of, 1), 16);
	EXPECT_EQ(latencies(of, 0) + latencies(of, NONE), 0);
	EXPECT(phase(of, 1, SP_PHASE_QUEUE) >= 16 * LONG_AGO);
	EXPECT_EQ(sum_of(&of->phase[SP_PHASE_QUEUE]).count, 16);
	EXPECT_EQ(sum_of(&of->phase[SP_PHASE_RUN]).count, 16);
	EXPECT_EQ(sum_of(&of->phase[SP_PHASE_PARKED]).count, 0);
	sp_times_free(&server);
}

TEST(phases_add_up_to_the_latency)
{
	struct sp_worker_times *of = begin();
	uint64_t ready = sp_cycles() - LONG_AGO, least, sum = 0;
	struct sp_histogram_sum latency;

	sp_times_turn(&times, of, &waited, ready, sp_cycles());
	times.begun -= LONG_AGO / 2;
	ask(0, 1);
	waited.parked = LONG_AGO / 8;
	waited.blocked = LONG_AGO / 16;
	waited.queued = LONG_AGO / 32;
	least = sp_cycles() - ready;
	sp_times_turn_end(&times);
	for (int i = 0; i < SP_PHASES; i++)
		sum += phase(of, 0, (enum sp_phase)i);
	EXPECT(sum >= least && sum <= sp_cycles() - ready);
	EXPECT_EQ(phase(of, 0, SP_PHASE_PARKED), LONG_AGO / 8);
	EXPECT_EQ(phase(of, 0, SP_PHASE_BLOCKED), LONG_AGO / 16);
	/* Half of it was before the turn, and a part of it was queued again. */
	EXPECT(phase(of, 0, SP_PHASE_QUEUE) >= LONG_AGO / 2 + LONG_AGO / 32);
	latency = sum_of(&sp_load(&of->route[0], relaxed)->latency);
	EXPECT(sp_histogram_quantile(&latency, 1000) >= least);
	EXPECT(!sp_waited_any(&waited));
	sp_times_free(&server);
}

TEST(another_route_begins_a_batch_of_its_own)
{
	struct sp_worker_times *of = begin();

	sp_times_turn(&times, of, &waited, sp_cycles(), sp_cycles());
	ask(0, 2);
	ask(2, 3);
	EXPECT_EQ(latencies(of, 0), 2);
	EXPECT_EQ(latencies(of, 2), 0);
	ask(0, 1);
	EXPECT_EQ(latencies(of, 2), 3);
	sp_times_turn_end(&times);
	EXPECT_EQ(latencies(of, 0), 3);
	sp_times_free(&server);
}

TEST(who_waits_does_not_wait_for_those_before_and_behind)
{
	struct sp_worker_times *of = begin();

	sp_times_turn(&times, of, &waited, sp_cycles(), sp_cycles());
	ask(1, 2);
	sp_times_route(&times, 1);
	sp_times_wait(&times, true);
	EXPECT_EQ(latencies(of, 1), 2);
	waited.parked = LONG_AGO;
	times.begun -= LONG_AGO;
	times.ready -= LONG_AGO;
	sp_times_answer(&times, SP_HTTP_GET, 2);
	sp_times_done(&times);
	ask(1, 2);
	sp_times_turn_end(&times);
	EXPECT_EQ(latencies(of, 1), 5);
	EXPECT_EQ(phase(of, 1, SP_PHASE_PARKED), LONG_AGO);
	EXPECT_EQ(sum_of(&of->phase[SP_PHASE_PARKED]).count, 1);
	EXPECT(phase(of, 1, SP_PHASE_QUEUE) < LONG_AGO);
	sp_times_free(&server);
}

TEST(a_send_that_waits_holds_up_all_that_are_in_it)
{
	struct sp_worker_times *of = begin();

	sp_times_turn(&times, of, &waited, sp_cycles(), sp_cycles());
	ask(1, 4);
	sp_times_wait(&times, false);
	EXPECT_EQ(latencies(of, 1), 0);
	waited.blocked = 1000;
	times.begun -= 1000;
	times.ready -= 1000;
	sp_times_turn_end(&times);
	EXPECT_EQ(latencies(of, 1), 4);
	EXPECT_EQ(phase(of, 1, SP_PHASE_BLOCKED), 4000);
	sp_times_free(&server);
}

TEST(a_wait_after_the_answer_is_no_part_of_the_next_request)
{
	struct sp_worker_times *of = begin();

	sp_times_turn(&times, of, &waited, sp_cycles(), sp_cycles());
	ask(1, 1);
	sp_times_wait(&times, true);
	waited.parked = LONG_AGO;
	ask(1, 1);
	sp_times_turn_end(&times);
	EXPECT_EQ(latencies(of, 1), 2);
	EXPECT_EQ(phase(of, 1, SP_PHASE_PARKED), 0);
	sp_times_free(&server);
}

TEST(workers_are_added_up)
{
	struct sp_worker_times *of = begin();
	struct sp_route_sum sum = { 0 };

	sp_times_add(&sum, of, 2);
	EXPECT_EQ(sum.latency.count, 0);
	sp_times_turn(&times, of, &waited, sp_cycles() - LONG_AGO, sp_cycles());
	ask(2, 3);
	sp_times_turn_end(&times);
	sp_times_add(&sum, of, 2);
	sp_times_add(&sum, of, 2);
	EXPECT_EQ(sum.answers[SP_HTTP_GET][2], 6);
	EXPECT_EQ(sum.latency.count, 6);
	EXPECT(sum.phase[SP_PHASE_QUEUE] >= 6 * LONG_AGO);
	sp_times_free(&server);
}

TEST(who_leaves_early_is_counted_and_has_no_latency)
{
	struct sp_worker_times *of = begin();
	struct sp_route_times *none;

	sp_times_turn(&times, of, &waited, sp_cycles(), sp_cycles());
	sp_times_route(&times, NONE);
	sp_times_answer(&times, SP_HTTP_PUT, SP_CODE_ABORTED);
	sp_times_turn_end(&times);
	none = sp_load(&of->route[NONE], relaxed);
	EXPECT_EQ(
	    sp_load(&none->answers[SP_HTTP_PUT][SP_CODE_ABORTED], relaxed), 1);
	EXPECT_EQ(latencies(of, NONE), 0);
	sp_times_free(&server);
}

TEST(without_the_option_nothing_is_recorded)
{
	memset(&server, 0, sizeof(server));
	memset(&worker, 0, sizeof(worker));
	EXPECT_EQ(sp_times_worker_new(&server, &worker), 0);
	EXPECT(sp_times_of(&worker) == NULL);
	sp_times_turn(&times, NULL, &waited, sp_cycles(), sp_cycles());
	ask(0, 3);
	sp_times_wait(&times, true);
	sp_times_refuse(&times);
	sp_times_turn_end(&times);
	EXPECT(times.route == NULL);
}

TEST(what_is_no_request_is_counted_with_none)
{
	struct sp_worker_times *of = begin();
	struct sp_route_sum sum = { 0 };

	sp_times_turn(&times, of, &waited, sp_cycles(), sp_cycles());
	ask(1, 2);
	sp_times_refuse(&times);
	sp_times_answer(&times, SP_HTTP_GET, 4);
	sp_times_turn_end(&times);
	for (uint32_t i = 0; i < of->routes; i++)
		sp_times_add(&sum, of, i);
	EXPECT_EQ(sum.latency.count, 2);
	EXPECT_EQ(sum.answers[SP_HTTP_GET][4], 0);
	sp_times_free(&server);
}
