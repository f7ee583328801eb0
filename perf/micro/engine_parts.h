/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_PERF_MICRO_ENGINE_PARTS_H
#define SPATE_PERF_MICRO_ENGINE_PARTS_H

/*
 * The engine's parts, each as a function that does the thing n times. They
 * are C, because the wrappers of ck and liburcu are; engine_bench.cpp times
 * them. Every call begins and ends with the part at rest.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void part_ring_put_take(uint64_t n);    /* one list through the ring */
void part_stack_push_pop(uint64_t n);   /* sixteen messages at a time */
void part_wake_awake(uint64_t n);       /* a breaker finds RUNNING */
void part_wake_blocked(uint64_t n);     /* BLOCKED, NOTIFIED, RUNNING */
void part_break_eventfd(uint64_t n);    /* and the system call */
void part_poll_empty(uint64_t n);       /* epoll_wait that finds nothing */
void part_slot_ready_park(uint64_t n);  /* a task's turn, both sides */
void part_slot_ready_fiber(uint64_t n); /* a fiber's wait, both sides */
void part_desc_find(uint64_t n);        /* handles at random, of 65,536 */
void part_desc_find_stale(uint64_t n);  /* likewise, of an earlier use */
void part_slab_alloc_free(uint64_t n);
void part_buffer_get_put(uint64_t n);
void part_token(uint64_t n); /* try and drop */
void part_idle(uint64_t n);  /* announce and retract */
void part_quiescent(uint64_t n);
void part_offline_online(uint64_t n);
void part_wheel_move(uint64_t n); /* a timer of 100,000 */
void part_wheel_next(uint64_t n);
void part_fiber_switch(uint64_t n);  /* there and back */
void part_record(uint64_t n);        /* a record of what was run */
void part_spsc_put_take(uint64_t n); /* a slot, both sides */

/* Once, before any of them. */
void part_setup(void);

#ifdef __cplusplus
}
#endif

#endif /* SPATE_PERF_MICRO_ENGINE_PARTS_H */
