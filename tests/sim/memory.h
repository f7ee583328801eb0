/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_MEMORY_H
#define SPATE_TESTS_SIM_MEMORY_H

/* What the server has of malloc(). memory.c. */

#include <stdint.h>

extern uint32_t sim_memory_refuses; /* once in so many times; 0: never */
extern int64_t sim_memory_live;     /* blocks that were not freed */

#endif /* SPATE_TESTS_SIM_MEMORY_H */
