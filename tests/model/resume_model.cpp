/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: fibers that other threads make ready, while their worker runs,
 * polls (WAKE) or is parked because another worker polls (IDLE).
 *
 * Claim. Each fiber goes on exactly once, in its own worker.
 */

#include "tests/model/worker_model.h"

static const struct scenario scenarios[] = {
	{ "polling", { WORKER0, READY0 } },
	{ "polling, two fibers", { WORKER0, READY0, READY0 } },
	{ "polling or parked", { WORKER0, WORKER1, READY0 } },
	{ "two fibers, or parked", { WORKER0, WORKER1, READY0, READY0 } },
	{ "one each", { WORKER0, WORKER1, READY0, READY1 } },
	{ "a fiber, a message", { WORKER0, WORKER1, READY0, POST } },
	{ "a fiber, a stop", { WORKER0, READY0, STOP } },
};

int
main()
{
	return run_scenarios(
	    scenarios, sizeof(scenarios) / sizeof(*scenarios), SP_MODEL_ROUNDS);
}
