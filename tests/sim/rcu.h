/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_RCU_H
#define SPATE_TESTS_SIM_RCU_H

/* The simulated liburcu: what a run does with it. rcu.c. */

#include <stdint.h>

/* How late a callback may be, besides the grace period. */
extern uint32_t sim_rcu_late_ms;

/* The helper thread, from a thread of the run; until no callback is left. */
void sim_rcu_begin(uint32_t late_ms);
void sim_rcu_end(void);

#endif /* SPATE_TESTS_SIM_RCU_H */
