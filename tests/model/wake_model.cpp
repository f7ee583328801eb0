/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: one worker that polls, and up to three threads that leave something
 * with its shard and break the poll.
 *
 * Claim. When all is quiet the worker sleeps in its poll, and nothing that
 * was left is unseen. A sleep costs one write to the eventfd at most.
 */

#include "tests/model/worker_model.h"

static const struct scenario scenarios[] = {
	{ "a message", { WORKER0, POST } },
	{ "two messages", { WORKER0, POST, POST } },
	{ "a task", { WORKER0, RUN } },
	{ "two tasks", { WORKER0, RUN, RUN } },
	{ "two messages, a task", { WORKER0, POST, POST, RUN } },
};

int
main()
{
	return run_scenarios(
	    scenarios, sizeof(scenarios) / sizeof(*scenarios), SP_MODEL_ROUNDS);
}
