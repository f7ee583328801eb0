/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: a worker that polls, and a heavy one, to which other threads hand
 * connections and whose fibers they make ready (IDLE).
 *
 * Claim. All that was handed over runs once, each fiber goes on once, and
 * both workers leave when they were told to and nothing is left.
 */

#include "tests/model/worker_model.h"

static const struct scenario scenarios[] = {
	{ "handed over", { WORKER0, HEAVY1, HAND } },
	{ "two handed over", { WORKER0, HEAVY1, HAND, HAND } },
	{ "a fiber of it", { WORKER0, HEAVY1, READY1 } },
	{ "a fiber, handed over", { WORKER0, HEAVY1, READY1, HAND } },
	{ "handed over, stop", { WORKER0, HEAVY1, HAND, STOP } },
	{ "another's task, stop", { WORKER0, HEAVY1, RUN, STOP } },
	{ "a fiber, stop", { WORKER0, HEAVY1, READY1, STOP } },
};

int
main()
{
	return run_scenarios(
	    scenarios, sizeof(scenarios) / sizeof(*scenarios), SP_MODEL_ROUNDS);
}
