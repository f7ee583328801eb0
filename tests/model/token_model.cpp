/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: three workers that want the poll token.
 *
 * Claim. What belongs to the poller is touched by one worker at a time, and
 * each sees what the one before left (TOKEN): anything else would be a data
 * race on wheel. A try that fails has not taken the token.
 */

#include "tests/model/model.h"

#include "shards/token.h"

enum { THREADS = 3, TURNS = 2 };

struct token_suite : rl::test_suite<token_suite, THREADS> {
	struct sp_token token;
	rl::var<int> wheel; /* the poller's */
	int turns = 0;

	void
	before()
	{
		sp_store(&token.owner, 0, relaxed);
		wheel($) = 0;
	}

	void
	thread(unsigned worker)
	{
		for (int i = 0; i < TURNS; i++) {
			if (!sp_token_try(&token, worker))
				continue;
			wheel($) = wheel($) + 1;
			turns++;
			sp_token_drop(&token);
		}
	}

	void
	after()
	{
		RL_ASSERT(turns >= 1 && wheel($) == turns);
		RL_ASSERT(sp_token_free(&token));
	}
};

int
main()
{
	return !model_run<token_suite>("one poller at a time");
}
