/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Stack pool: regions of stacks, carved one by one.
 *
 * What describes a stack is not on it: the pool must be able to walk its
 * lists without touching stacks whose pages are gone.
 */

#include "alloc/stack.h"

#include "alloc/asan.h"
#include "alloc/check.h"
#include "alloc/counter.h"
#include "alloc/tsan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

/* Newer than the headers of Debian 12. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define REGION_STACKS 64
#define SIZE_MAX_USABLE ((size_t)1 << 28)

struct sp_stack_region {
	struct sp_stack_region *next;
	unsigned char *map;
	size_t map_size;
	uint32_t count; /* that fit in */
	uint32_t carved;
	uint32_t split; /* carved ones with a guard by mprotect() */
	struct sp_stack stacks[REGION_STACKS];
};

enum guards { GUARDS_UNKNOWN, GUARDS_LIGHT, GUARDS_SPLIT };

static _Atomic(int) guards;
static _Atomic(uint32_t) split_stacks; /* in the process */

static size_t
page_round(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) & ~(page - 1);
}

/*
 * Emulators take advice that they do not know, and do nothing. So see that
 * the guard is one: it cannot be populated.
 */
static enum guards
guards_probe(void)
{
	size_t size = page_round(1);
	enum guards found = GUARDS_SPLIT;
	void *page;

	page = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return GUARDS_SPLIT;
	if (madvise(page, size, MADV_GUARD_INSTALL) == 0
	    && madvise(page, size, MADV_POPULATE_READ) != 0)
		found = GUARDS_LIGHT;
	munmap(page, size);
	return found;
}

bool
sp_stack_guards_are_light(void)
{
	int known = sp_counter_get(&guards);

	if (known == GUARDS_UNKNOWN) {
		known = guards_probe();
		sp_counter_set(&guards, known);
	}
	return known == GUARDS_LIGHT;
}

void
sp_stack_pool_init(
    struct sp_stack_pool *pool, size_t size, uint32_t max, uint32_t keep_hot)
{
	if (size == 0)
		size = SP_STACK_SIZE_DEFAULT;
	if (size < SP_STACK_SIZE_MIN)
		size = SP_STACK_SIZE_MIN;
	SP_CHECK(size <= SIZE_MAX_USABLE);
	if (SP_ASAN || SP_TSAN)
		size *= SP_STACK_SANITIZER_FACTOR;
	memset(pool, 0, sizeof(*pool));
	pool->size = page_round(size);
	pool->max = max;
	pool->keep_hot = keep_hot;
}

void
sp_stack_pool_fini(struct sp_stack_pool *pool)
{
	struct sp_stack_region *region;

	SP_CHECK(sp_counter_get(&pool->in_use) == 0);
	while ((region = pool->regions) != NULL) {
		pool->regions = region->next;
		SP_ASAN_UNPOISON(region->map, region->map_size);
		munmap(region->map, region->map_size);
		atomic_fetch_sub_explicit(
		    &split_stacks, region->split, memory_order_relaxed);
		free(region);
	}
	memset(pool, 0, sizeof(*pool));
}

static struct sp_stack_region *
region_new(struct sp_stack_pool *pool)
{
	uint32_t left = pool->max - sp_counter_get(&pool->stacks);
	size_t stride = page_round(SP_STACK_GUARD_SIZE) + pool->size;
	struct sp_stack_region *region;

	region = calloc(1, sizeof(*region));
	if (region == NULL)
		return NULL;
	region->count = left < REGION_STACKS ? left : REGION_STACKS;
	region->map_size = region->count * stride;
	region->map = mmap(NULL, region->map_size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (region->map == MAP_FAILED) {
		free(region);
		return NULL;
	}
	/* Where the system gives them to everyone, a stack would be 2 MiB. */
	madvise(region->map, region->map_size, MADV_NOHUGEPAGE);
	region->next = pool->regions;
	pool->regions = region;
	return region;
}

static bool
guard_install(struct sp_stack_region *region, unsigned char *guard)
{
	size_t size = page_round(SP_STACK_GUARD_SIZE);

	/* The kernel may refuse it for this mapping, as when it is locked. */
	if (sp_stack_guards_are_light()
	    && madvise(guard, size, MADV_GUARD_INSTALL) == 0)
		return true;
	if (atomic_fetch_add_explicit(&split_stacks, 1, memory_order_relaxed)
		< SP_STACKS_SPLIT_MAX
	    && mprotect(guard, size, PROT_NONE) == 0) {
		region->split++;
		return true;
	}
	atomic_fetch_sub_explicit(&split_stacks, 1, memory_order_relaxed);
	return false;
}

static struct sp_stack *
stack_new(struct sp_stack_pool *pool)
{
	size_t guard_size = page_round(SP_STACK_GUARD_SIZE);
	struct sp_stack_region *region = pool->regions;
	struct sp_stack *stack;
	unsigned char *guard;

	if (sp_counter_get(&pool->stacks) >= pool->max)
		return NULL;
	if (region == NULL || region->carved == region->count)
		region = region_new(pool);
	if (region == NULL)
		return NULL;
	guard = region->map + region->carved * (guard_size + pool->size);
	if (!guard_install(region, guard))
		return NULL;
	stack = &region->stacks[region->carved++];
	stack->low = guard + guard_size;
	stack->size = pool->size;
	sp_counter_add(&pool->stacks, 1);
	return stack;
}

struct sp_stack *
sp_stack_get(struct sp_stack_pool *pool)
{
	struct sp_stack *stack;

	if ((stack = pool->hot) != NULL) {
		pool->hot = stack->next;
		sp_counter_add(&pool->hot_count, -1);
	} else if ((stack = pool->cold) != NULL) {
		pool->cold = stack->next;
	} else if ((stack = stack_new(pool)) == NULL) {
		return NULL;
	}
	SP_CHECK(!stack->in_use);
	stack->in_use = true;
	stack->next = NULL;
	SP_ASAN_UNPOISON(stack->low, stack->size);
	sp_counter_up(&pool->in_use, &pool->in_use_max);
	return stack;
}

void
sp_stack_put(struct sp_stack_pool *pool, struct sp_stack *stack)
{
	SP_CHECK(stack->in_use);
	stack->in_use = false;
	SP_ASAN_POISON(stack->low, stack->size);
	stack->next = pool->hot;
	pool->hot = stack;
	sp_counter_add(&pool->hot_count, 1);
	sp_counter_add(&pool->in_use, -1);
}

uint32_t
sp_stack_pool_trim(struct sp_stack_pool *pool, uint32_t most)
{
	struct sp_stack **from = &pool->hot, *stack;
	uint32_t done = 0;

	if (sp_counter_get(&pool->hot_count) <= pool->keep_hot)
		return 0;
	for (uint32_t i = 0; i < pool->keep_hot; i++)
		from = &(*from)->next;
	while (done < most && (stack = *from) != NULL) {
		*from = stack->next;
		/*
		 * MADV_FREE would be half the price, but the pages would count
		 * as ours until the system is short of them.
		 */
		madvise(stack->low, stack->size, MADV_DONTNEED);
		stack->next = pool->cold;
		pool->cold = stack;
		done++;
	}
	sp_counter_add(&pool->hot_count, 0 - done);
	sp_counter_add(&pool->trimmed, done);
	return done;
}
