/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_URCU_QSBR_H
#define SPATE_TESTS_SIM_URCU_QSBR_H

/*
 * liburcu as far as shards/rcu.h and rcu.c name it, on the simulated
 * threads. rcu.c here does what a grace period has to do and no more: each
 * reader that was online has passed a quiescent state or gone offline; then
 * callbacks run, as late as the seed says.
 */

#include <stddef.h>
#include <stdint.h>

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
	uint64_t epoch;
};

#define caa_container_of(p, type, member)                                      \
	((type *)((char *)(p)-offsetof(type, member)))

void rcu_register_thread(void);
void rcu_unregister_thread(void);
void rcu_quiescent_state(void);
void rcu_thread_offline(void);
void rcu_thread_online(void);
void rcu_barrier(void);
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
void *get_default_call_rcu_data(void);

#endif /* SPATE_TESTS_SIM_URCU_QSBR_H */
