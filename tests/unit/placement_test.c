/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Placement: that connections which come one after the other, from one
 * client on one CPU, are spread over all shards.
 */

#include "shards/placement.c"
#include "tests/harness.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECTIONS 64

/* One more than 1.15 times even is allowed where 1.15 is less than one. */
static int32_t
allowed(uint32_t shards)
{
	return (int32_t)(CONNECTIONS * 115 / 100 / shards);
}

static struct sp_engine *
new_engine(uint32_t shards)
{
	struct sp_engine_options options = sp_engine_options_default();
	struct sp_engine *engine = NULL;

	options.shards = shards;
	options.ring_size = 2;
	SP_CHECK(sp_engine_new(&engine, &options) == 0);
	return engine;
}

static int32_t
most(struct sp_engine *engine)
{
	int32_t highest = 0;

	for (uint32_t i = 0; i < engine->shard_count; i++) {
		if (load_of(engine->shards[i]) > highest)
			highest = load_of(engine->shards[i]);
	}
	return highest;
}

static void
empty(struct sp_engine *engine)
{
	for (uint32_t i = 0; i < engine->shard_count; i++) {
		while (load_of(engine->shards[i]) > 0)
			sp_shard_leave(engine->shards[i]);
	}
}

/* All accepted by one shard, by any, or by the one near the client. */
enum arrival { ALL_AT_ONE, ANYWHERE, NEAR };

static int32_t
place_all(struct sp_engine *engine, struct sp_worker *worker,
    enum arrival arrival, uint64_t *random, int fd)
{
	for (int i = 0; i < CONNECTIONS; i++) {
		uint32_t at = arrival == ALL_AT_ONE
				  ? 0
				  : (uint32_t)(test_random(random)
					       % engine->shard_count);
		struct sp_shard *near, *shard = sp_accept_place(
		    engine->shards[at], worker, fd, arrival != NEAR, &near);

		EXPECT(arrival == NEAR || near == NULL);
		SP_CHECK(sp_shard_enter(shard));
	}
	return most(engine);
}

/* A connection over loopback; its packets come from this CPU. */
static int
open_pair(int fd[2])
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&address, size) != 0
	    || listen(listener, 1) != 0
	    || getsockname(listener, (struct sockaddr *)&address, &size) != 0
	    || connect(fd[0], (struct sockaddr *)&address, size) != 0)
		return -1;
	fd[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	return fd[1];
}

static void
spread_over(uint32_t shards, enum arrival arrival)
{
	struct sp_engine *engine = new_engine(shards);
	struct sp_worker *worker = calloc(1, sizeof(*worker));
	uint64_t random = test_seed();
	int fd[2];

	SP_CHECK(open_pair(fd) >= 0);
	worker->engine = engine;
	for (unsigned round = 0; round < test_rounds(500); round++) {
		int32_t highest;

		worker->random = (uint32_t)test_random(&random);
		highest = place_all(engine, worker, arrival, &random, fd[1]);
		EXPECT(highest <= allowed(shards));
		if (highest > allowed(shards)) {
			printf("%u shards: %d of %d\n", shards, highest,
			    CONNECTIONS);
			round = UINT32_MAX - 1;
		}
		empty(engine);
	}
	close(fd[0]);
	close(fd[1]);
	free(worker);
	sp_engine_free(engine);
}

TEST(one_shard_accepts_for_all)
{
	spread_over(2, ALL_AT_ONE);
	spread_over(4, ALL_AT_ONE);
	spread_over(8, ALL_AT_ONE);
}

TEST(the_kernel_spreads_at_random)
{
	spread_over(2, ANYWHERE);
	spread_over(4, ANYWHERE);
	spread_over(8, ANYWHERE);
}

TEST(one_client_on_one_cpu_reaches_all_shards)
{
	spread_over(2, NEAR);
	spread_over(4, NEAR);
	spread_over(8, NEAR);
}

TEST(the_nearest_shard_is_first)
{
	struct sp_engine *engine = new_engine(2);
	struct sp_worker worker = { .engine = engine, .random = 1 };
	struct sp_shard *near, *told;
	int fd[2];

	SP_CHECK(open_pair(fd) >= 0);
	near = nearest(engine, fd[1]);
	for (unsigned i = 0; near != NULL && i < 2; i++) {
		EXPECT(sp_accept_place(
			   engine->shards[i], &worker, fd[1], false, &told)
		       == near);
		EXPECT(told == near);
	}
	close(fd[0]);
	close(fd[1]);
	sp_engine_free(engine);
}

TEST(by_hash_it_stays_where_it_came)
{
	struct sp_engine *engine = new_engine(2);
	struct sp_worker worker = { .engine = engine, .random = 1 };
	struct sp_shard *told;
	int fd[2];

	SP_CHECK(open_pair(fd) >= 0);
	engine->options.placement = SP_PLACE_HASH;
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		EXPECT(sp_accept_place(
			   engine->shards[0], &worker, fd[1], false, &told)
		       == engine->shards[0]);
		EXPECT(told == NULL);
		SP_CHECK(sp_shard_enter(engine->shards[0]));
	}
	empty(engine);
	close(fd[0]);
	close(fd[1]);
	sp_engine_free(engine);
}

/* One that is served at a shard, and whose packets arrive near another. */
struct stray {
	uint32_t at, near;
};

/*
 * Ask each whether it may move, as it does after a request, and move it. In
 * the order of the shards, which is the hardest: all of one, then of another.
 *
 * => Returns how many moved.
 */
static unsigned
let_all_ask(struct sp_engine *engine, struct sp_worker *worker,
    struct stray *strays, unsigned count)
{
	unsigned moved = 0;

	for (unsigned i = 0; i < count; i++) {
		struct stray *stray = &strays[i];
		struct sp_poll_desc pd = { .near = (uint16_t)stray->near };

		if (stray->at == stray->near
		    || !sp_accept_may_move(worker, &pd))
			continue;
		SP_CHECK(sp_shard_enter(engine->shards[stray->near]));
		sp_shard_leave(engine->shards[stray->at]);
		stray->at = stray->near;
		moved++;
	}
	return moved;
}

TEST(one_client_after_the_other_ends_near_both)
{
	struct sp_engine *engine = new_engine(2);
	struct sp_worker worker = { .engine = engine, .random = 1 };
	struct stray strays[CONNECTIONS];
	unsigned moved = 0, rounds = 0;

	/* The first was spread over both shards, and so was the second. */
	for (uint32_t i = 0; i < CONNECTIONS; i++) {
		strays[i] = (struct stray) { i < CONNECTIONS / 2, i % 2 };
		SP_CHECK(sp_shard_enter(engine->shards[strays[i].at]));
	}
	while (moved < CONNECTIONS / 2 && rounds++ < CONNECTIONS) {
		moved += let_all_ask(engine, &worker, strays, CONNECTIONS);
		EXPECT(most(engine) <= allowed(2));
	}
	EXPECT(moved == CONNECTIONS / 2);
	EXPECT(load_of(engine->shards[0]) == CONNECTIONS / 2);
	empty(engine);
	sp_engine_free(engine);
}

TEST(a_single_client_stays_spread)
{
	struct sp_engine *engine = new_engine(2);
	struct sp_worker worker = { .engine = engine, .random = 1 };
	struct stray strays[CONNECTIONS];

	for (uint32_t i = 0; i < CONNECTIONS; i++) {
		strays[i] = (struct stray) { i % 2, 0 };
		SP_CHECK(sp_shard_enter(engine->shards[strays[i].at]));
	}
	for (unsigned round = 0; round < CONNECTIONS; round++)
		let_all_ask(engine, &worker, strays, CONNECTIONS);
	EXPECT(most(engine) <= allowed(2));
	empty(engine);
	sp_engine_free(engine);
}

TEST(ties_go_to_either)
{
	struct sp_engine *engine = new_engine(2);
	struct sp_worker worker = { .engine = engine, .random = 1 };
	int first = 0;

	for (int i = 0; i < 1000; i++)
		first += lighter(&worker, engine->shards[0], engine->shards[1])
			 == engine->shards[0];
	/* Ten standard deviations to either side of 500. */
	EXPECT(first > 340 && first < 660);
	sp_engine_free(engine);
}

TEST(the_lighter_wins)
{
	struct sp_engine *engine = new_engine(2);
	struct sp_worker worker = { .engine = engine, .random = 1 };

	SP_CHECK(sp_shard_enter(engine->shards[1]));
	for (int i = 0; i < 100; i++)
		EXPECT(lighter(&worker, engine->shards[0], engine->shards[1])
		       == engine->shards[0]);
	empty(engine);
	sp_engine_free(engine);
}
