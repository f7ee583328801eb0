/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_RUN_H
#define SPATE_TESTS_SIM_RUN_H

/* One run: from a server's set-up until it is freed. */

#include <stdint.h>

struct sim_result {
	uint64_t hash; /* of its trace */
	uint64_t steps;
	uint32_t requests;
};

struct sim_result sim_run(uint64_t seed);

#endif /* SPATE_TESTS_SIM_RUN_H */
