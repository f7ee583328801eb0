/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_POINTS_H
#define SPATE_TESTS_SIM_POINTS_H

/*
 * Included before anything else in the sources of alloc, shards and
 * framework when they are compiled for the simulation. Nothing else about
 * them changes.
 *
 *     atomic accesses        each is a point where the scheduler may switch
 *                            to another thread; one order for all of them,
 *                            as weaker ones are the models' to check
 *     thread-local words     lie in a section that the scheduler swaps
 *     the CPU's counter      is the simulated clock
 *     reuse of descriptors   after as few others as the run says
 *
 * System calls are replaced when linking (wrap_*.c), liburcu by the header
 * beside this one (include/urcu-qsbr.h).
 */

#undef _FORTIFY_SOURCE  /* the calls would have other names */
#define SP_SYS_DIRECT 0 /* recv() and send(), which can be replaced */
#define SP_COUNT_DIRECT 0 /* loads and stores, each a point */
#undef SPATE_JEMALLOC   /* nor is malloc() jemalloc's */

#include <ck_pr.h>
#include <stdatomic.h>
#include <stdint.h>

/* Points until the next switch; sched.c draws the number. */
extern uint32_t sim_budget;
extern uint32_t sim_slab_reuse;
uint64_t sim_cycles(void);
void sim_preempt(const char *where, int line);

#define SIM_POINT()                                                            \
	((void)(--sim_budget == 0 ? sim_preempt(__func__, __LINE__) : (void)0))

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_exchange_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and_explicit

#define SIM_ACCESS(access)                                                     \
	__extension__({                                                        \
		SIM_POINT();                                                   \
		access;                                                        \
	})

/* Clang's builtins for _Atomic have names of their own. */
#ifdef __clang__
#define SIM_ATOMIC(name, ...) __c11_atomic_##name(__VA_ARGS__)
#define SIM_LOAD(p) __c11_atomic_load(p, __ATOMIC_SEQ_CST)
#define SIM_SWAP(p, v) __c11_atomic_exchange(p, v, __ATOMIC_SEQ_CST)
#define SIM_CAS(p, e, v)                                                       \
	__c11_atomic_compare_exchange_strong(                                  \
	    p, e, v, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#else
#define SIM_ATOMIC(name, ...) __atomic_##name(__VA_ARGS__)
#define SIM_LOAD(p) (*(p))
#define SIM_SWAP(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define SIM_CAS(p, e, v)                                                       \
	__atomic_compare_exchange_n(                                           \
	    p, e, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#endif
#define SIM_FETCH(op, p, v)                                                    \
	SIM_ACCESS(SIM_ATOMIC(fetch_##op, p, v, __ATOMIC_SEQ_CST))

#define atomic_load_explicit(p, mo) SIM_ACCESS(SIM_LOAD(p))
#define atomic_store_explicit(p, v, mo) SIM_ACCESS((void)(*(p) = (v)))
#define atomic_exchange_explicit(p, v, mo) SIM_ACCESS(SIM_SWAP(p, v))
#define atomic_compare_exchange_strong_explicit(p, e, v, mo, mo_fail)          \
	SIM_ACCESS(SIM_CAS(p, e, v))
#define atomic_fetch_add_explicit(p, v, mo) SIM_FETCH(add, p, v)
#define atomic_fetch_sub_explicit(p, v, mo) SIM_FETCH(sub, p, v)
#define atomic_fetch_or_explicit(p, v, mo) SIM_FETCH(or, p, v)
#define atomic_fetch_and_explicit(p, v, mo) SIM_FETCH(and, p, v)

/* The ready ring's. */
static inline unsigned
sim_ring_load(const unsigned *word)
{
	SIM_POINT();
	return ck_pr_load_uint(word);
}

static inline void
sim_ring_store(unsigned *word, unsigned value)
{
	SIM_POINT();
	ck_pr_store_uint(word, value);
}

static inline bool
sim_ring_cas(unsigned *word, unsigned old, unsigned new, unsigned *seen)
{
	SIM_POINT();
	return ck_pr_cas_uint_value(word, old, new, seen);
}

#undef ck_pr_load_uint
#undef ck_pr_store_uint
#undef ck_pr_cas_uint_value
#define ck_pr_load_uint(p) sim_ring_load(p)
#define ck_pr_store_uint(p, v) sim_ring_store(p, v)
#define ck_pr_cas_uint_value(p, o, n, s) sim_ring_cas(p, o, n, s)

/* Before the word that is ours is taken from it. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define __thread __attribute__((section("sim_tls")))

#define sp_cycles sp_cycles_of_the_cpu
#include "shards/clock.h"
#undef sp_cycles
#define sp_cycles sim_cycles

#include "alloc/slab.h"
#undef SP_SLAB_REUSE
#define SP_SLAB_REUSE sim_slab_reuse

#endif /* SPATE_TESTS_SIM_POINTS_H */
