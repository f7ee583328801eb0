/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_ALLOC_COUNTER_H
#define SPATE_ALLOC_COUNTER_H

/*
 * Counters that one thread writes and any thread may read: never torn, never
 * behind for long, and to the writer a plain load, add and store.
 */

#include <stdatomic.h>

#define sp_counter_get(p) atomic_load_explicit(p, memory_order_relaxed)
#define sp_counter_set(p, value)                                               \
	atomic_store_explicit(p, value, memory_order_relaxed)
#define sp_counter_add(p, n) sp_counter_set(p, sp_counter_get(p) + (n))

/* Add 1 to a counter, and keep its highest value in another. */
#define sp_counter_up(p, highest)                                              \
	do {                                                                   \
		sp_counter_add(p, 1);                                          \
		if (sp_counter_get(p) > sp_counter_get(highest))               \
			sp_counter_set(highest, sp_counter_get(p));            \
	} while (0)

#endif /* SPATE_ALLOC_COUNTER_H */
