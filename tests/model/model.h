/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_MODEL_H
#define SPATE_TESTS_MODEL_H

/*
 * What the models share: running a suite, failing, and going to sleep.
 *
 * A model that is about functions of a .c file names them in its head, and
 * extract.py puts their text, as it ships, into worker.c.inc and the like.
 */

#include "tests/model/relacy_atomics.h"

#include <cstdlib>

/* The random scheduler's rounds, of each scenario. */
#ifndef SP_MODEL_ROUNDS
#define SP_MODEL_ROUNDS 20000
#endif

extern "C++" [[noreturn]] inline void
sp_check_failed(const char *cond, const char *, const char *, int)
{
	(void)cond;
	RL_ASSERT(!"SP_CHECK");
	abort();
}

/* How many threads have ended or sleep with nobody having woken them. */
static int model_resting;

/*
 * A sleep, and what ends it. A wake-up is remembered, as by an eventfd or by
 * the word of a futex. It orders nothing, unlike the kernel's, so that a
 * model leans on no ordering but the engine's: these are plain variables,
 * which Relacy does not see. It runs one thread at a time, and changes
 * threads at atomic words only, such as point.
 */
struct model_sleep {
	rl::atomic<int> point;
	bool token = false, asleep = false;
	int wakes = 0;

	void
	wake()
	{
		point.store(0, rl::mo_relaxed, $);
		wakes++;
		token = true;
		model_resting -= asleep;
		asleep = false;
	}

	/* => Returns false: of all threads nobody is left to end this. */
	bool
	wait(int threads)
	{
		if (!token) {
			asleep = true;
			model_resting++;
		}
		while (!token) {
			if (model_resting >= threads)
				return false;
			rl::yield(1, $);
		}
		return !(token = false);
	}
};

/* => Returns whether every execution that was tried held the claim. */
template <typename Suite>
inline bool
model_run(const char *name, unsigned rounds = SP_MODEL_ROUNDS)
{
	static std::ostream nowhere(nullptr);
	rl::test_params params;
	bool held;

	params.search_type = rl::random_scheduler_type;
	params.iteration_count = rounds;
	params.progress_stream = &nowhere;
	if (getenv("SPATE_MODEL_VERBOSE") == nullptr)
		params.output_stream = &nowhere;
	held = rl::simulate<Suite>(params);
	printf("%-24s %s after %llu executions%s%s\n", name,
	    held ? "held" : "FAILED", (unsigned long long)params.stop_iteration,
	    held ? "" : ": ",
	    held ? "" : rl::test_result_str(params.test_result));
	fflush(stdout);
	return held;
}

#endif /* SPATE_TESTS_MODEL_H */
