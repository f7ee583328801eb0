/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_ALLOC_STACK_H
#define SPATE_ALLOC_STACK_H

/*
 * Stack pool: stacks for the fibers of one worker.
 *
 *     low addresses                                        high
 *     +-------+---------------+-------+---------------+---
 *     | guard | stack 0       | guard | stack 1       | ...   one mmap()
 *     +-------+---------------+-------+---------------+---
 *             ^low        top ^  <-- grows this way
 *
 * A stack that overflows runs into its guard and faults, instead of into
 * its neighbour. Guards are made by MADV_GUARD_INSTALL (Linux 6.13), which
 * leaves the mapping in one piece; on older kernels by mprotect(), which
 * splits it in two for each stack, of which the kernel allows a process
 * 65,530: so there may be SP_STACKS_SPLIT_MAX such stacks in a process.
 *
 *              get                  put                  trim
 *     new ------------> in use -------------> hot ----------------> cold
 *                         ^                    |                      |
 *                         `--------------------'----------------------'
 *                                  get: hot first, then cold
 *
 * A hot stack has its pages. Trimming keeps some of the hot ones, those put
 * back last, and gives the pages of the others to the kernel; it is for idle
 * time, as the pages cost a fault each to get back.
 *
 * A pool belongs to one thread at a time, and a stack to its pool.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stdatomic.h>

#define SP_STACK_SIZE_DEFAULT 65536
#define SP_STACK_SIZE_MIN 16384
#define SP_STACK_GUARD_SIZE 16384

/* Sanitizers' frames are that much larger; pools multiply by it. */
#define SP_STACK_SANITIZER_FACTOR 4

#define SP_STACKS_SPLIT_MAX 16000

struct sp_stack {
	struct sp_stack *next; /* the pool's */
	unsigned char *low;    /* constant: lowest usable byte */
	size_t size;           /* constant: usable bytes from there */
	bool in_use;           /* the pool's */
};

struct sp_stack_region;

struct sp_stack_pool {
	struct sp_stack *hot;
	struct sp_stack *cold;
	struct sp_stack_region *regions;
	size_t size;       /* constant: usable bytes of each */
	uint32_t max;      /* constant */
	uint32_t keep_hot; /* constant */

	/* Written by the owner, read by any thread. */
	_Atomic(uint32_t) stacks; /* made so far */
	_Atomic(uint32_t) in_use;
	_Atomic(uint32_t) in_use_max; /* the most there ever were */
	_Atomic(uint32_t) hot_count;
	_Atomic(uint64_t) trimmed; /* stacks whose pages were given back */
};

/*
 * sp_stack_pool_init: a pool without stacks.
 *
 * => size is what a fiber can use of each: 0 for the default, rounded up to
 *    whole pages, at least SP_STACK_SIZE_MIN; four times that in sanitizer
 *    builds. sp_stack_pool.size tells.
 * => max is the most stacks there may be, keep_hot what a trim leaves.
 */
void sp_stack_pool_init(
    struct sp_stack_pool *pool, size_t size, uint32_t max, uint32_t keep_hot);

/*
 * sp_stack_pool_fini: unmap all stacks.
 *
 * => Aborts if one is in use.
 */
void sp_stack_pool_fini(struct sp_stack_pool *pool);

/*
 * sp_stack_get: a stack with anything in it, now the caller's.
 *
 * => Returns NULL: there are max of them, or there is no memory. The caller
 *    can only wait for one, or refuse.
 */
struct sp_stack *sp_stack_get(struct sp_stack_pool *pool);

/*
 * sp_stack_put: take a stack over. Nobody runs on it any more, the caller
 * included.
 *
 * => Aborts if it is not in use.
 */
void sp_stack_put(struct sp_stack_pool *pool, struct sp_stack *stack);

/*
 * sp_stack_pool_trim: give back the pages of at most `most` hot stacks that
 * are more than keep_hot.
 *
 * => Returns how many it did; less than `most` means that it is done.
 * => 2 us each, and more if many pages were touched.
 */
uint32_t sp_stack_pool_trim(struct sp_stack_pool *pool, uint32_t most);

/* Where a fiber begins: one past the highest byte, aligned to a page. */
static inline void *
sp_stack_top(const struct sp_stack *stack)
{
	return stack->low + stack->size;
}

/* Whether guards cost no mapping of their own; for tests and for logs. */
bool sp_stack_guards_are_light(void);

#endif /* SPATE_ALLOC_STACK_H */
