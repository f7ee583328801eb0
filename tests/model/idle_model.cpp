/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: two workers of which at most one polls, a worker of another shard
 * that helps out, and the end.
 *
 * Claim.
 *  1. When all is quiet exactly one worker polls, or all have left, if they
 *     were told to stop; and nothing is left that somebody should do.
 *  2. A park is ended by one wake-up.
 */

#include "tests/model/worker_model.h"

static const struct scenario scenarios[] = {
	{ "a message", { WORKER0, WORKER1, POST } },
	{ "two tasks", { WORKER0, WORKER1, RUN, RUN } },
	{ "stop", { WORKER0, WORKER1, STOP } },
	{ "a message, stop", { WORKER0, POST_STOP } },
	{ "message, fiber, stop", { WORKER0, WORKER1, READY1, POST_STOP } },
	{ "a stranger", { WORKER0, STRANGER } },
	{ "a stranger, a task", { WORKER0, STRANGER, RUN } },
	{ "a stranger, stop", { WORKER0, STRANGER, POST_STOP } },
	{ "a stranger, tasks, stop", { WORKER0, STRANGER, RUN2_STOP } },
	{ "a task, or more, stop", { WORKER0, RUN, STOP } },
	{ "placing, stop", { WORKER0, PLACE, STOP } },
	{ "placing, task, stop", { WORKER0, PLACE, RUN, STOP } },
	{ "two workers, place, stop", { WORKER0, WORKER1, PLACE, STOP } },
	{ "tasks, stop", { WORKER0, WORKER1, RUN2_STOP } },
};

int
main()
{
	return run_scenarios(
	    scenarios, sizeof(scenarios) / sizeof(*scenarios), SP_MODEL_ROUNDS);
}
