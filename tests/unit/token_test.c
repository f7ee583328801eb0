/* SPDX-License-Identifier: BSD-2-Clause */

/* Poll token: one holder at a time, and what it leaves to the next. */

#include "shards/token.h"
#include "tests/harness.h"

#include <pthread.h>
#include <sched.h>

TEST(one_holder_at_a_time)
{
	struct sp_token token = { 0 };

	EXPECT(sp_token_free(&token));
	EXPECT(sp_token_try(&token, 0));
	EXPECT(!sp_token_free(&token));
	EXPECT(!sp_token_try(&token, 0));
	EXPECT(!sp_token_try(&token, 1));
	sp_token_drop(&token);
	EXPECT(sp_token_free(&token));
	EXPECT(sp_token_try(&token, 1));
	EXPECT_EQ(sp_load(&token.owner, relaxed), 2);
}

#define TURNS 20000

struct shared {
	struct sp_token token;
	unsigned turns; /* plain: the token is all that orders it */
};

static void *
take_turns(void *arg)
{
	struct shared *shared = arg;

	for (unsigned i = 0; i < TURNS; i++) {
		while (!sp_token_try(&shared->token, 3))
			sched_yield();
		shared->turns++;
		sp_token_drop(&shared->token);
	}
	return NULL;
}

TEST(what_a_holder_wrote_reaches_the_next)
{
	struct shared shared = { .turns = 0 };
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		EXPECT_EQ(
		    pthread_create(&threads[i], NULL, take_turns, &shared), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(shared.turns, 3 * TURNS);
}
