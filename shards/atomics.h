/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_ATOMICS_H
#define SPATE_SHARDS_ATOMICS_H

/*
 * Atomic words, spelt so that a model checker can read the same text.
 *
 * In the product each of these is the C11 operation of that name. A model in
 * tests/model/ is C++ and brings its own, which are Relacy's, before it
 * includes a protocol header; so the protocol that is checked is the one
 * that ships.
 *
 * The order is the last argument, without its prefix:
 *
 *     sp_store(&shard->wake.sig, SP_WAKE_RUNNING, relaxed);
 *
 * There is no fence here on purpose. ThreadSanitizer cannot see fences, and
 * a store-then-load pair reads better as four seq_cst accesses with names
 * (see wake.h) than as two accesses and something in between.
 *
 * sp_cas() is strong, and leaves what it found in *expected when it fails.
 */

#ifndef SP_ATOMICS_MODEL

#include "alloc/asan.h"
#include "alloc/tsan.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>

#define SP_ATOMIC(type) _Atomic(type)
#define sp_load(p, mo) atomic_load_explicit(p, memory_order_##mo)
#define sp_store(p, v, mo) atomic_store_explicit(p, v, memory_order_##mo)
#define sp_xchg(p, v, mo) atomic_exchange_explicit(p, v, memory_order_##mo)
#define sp_cas(p, expected, desired, mo, mo_fail)                              \
	atomic_compare_exchange_strong_explicit(                               \
	    p, expected, desired, memory_order_##mo, memory_order_##mo_fail)
#define sp_fetch_add(p, v, mo)                                                 \
	atomic_fetch_add_explicit(p, v, memory_order_##mo)
#define sp_fetch_sub(p, v, mo)                                                 \
	atomic_fetch_sub_explicit(p, v, memory_order_##mo)
#define sp_fetch_or(p, v, mo)                                                  \
	atomic_fetch_or_explicit(p, v, memory_order_##mo)
#define sp_fetch_and(p, v, mo)                                                 \
	atomic_fetch_and_explicit(p, v, memory_order_##mo)

/* A plain word that threads hand over by an edge; a model watches for races. */
#define SP_PLAIN(type) __typeof__(type)
#define sp_get(p) (*(p))
#define sp_put(p, v) ((void)(*(p) = (v)))

#endif

/*
 * A counter with one writer and any number of readers: a plain add for the
 * writer, and no torn or cached value for the readers. No compiler makes one
 * instruction of a relaxed load, an addition and a relaxed store, though on
 * x86-64 it is one: an add to memory, without the lock of a fetch_add. A
 * request counts some ten times.
 */
#ifndef SP_COUNT_DIRECT
#if defined(__x86_64__) && !defined(SP_ATOMICS_MODEL)
#define SP_COUNT_DIRECT (!SP_ASAN && !SP_TSAN)
#else
#define SP_COUNT_DIRECT 0
#endif
#endif
#if SP_COUNT_DIRECT
#define sp_count(p, n)                                                         \
	do {                                                                   \
		static_assert(sizeof(*(p)) == 8, "counters have 64 bits");     \
		__asm__ __volatile__("addq %1, %0"                             \
				     : "+m"(*(p))                              \
				     : "er"((uint64_t)(n))                     \
				     : "cc");                                  \
	} while (0)
#else
#define sp_count(p, n) sp_store(p, sp_load(p, relaxed) + (n), relaxed)
#endif

#endif /* SPATE_SHARDS_ATOMICS_H */
