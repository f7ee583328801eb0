/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Fibers: laying out a new stack, and telling the sanitizers of switches.
 */

#include "shards/fiber.h"

#include "alloc/asan.h"
#include "alloc/cacheline.h"
#include "alloc/check.h"
#include "alloc/tsan.h"
#include "alloc/valgrind.h"

#include <stddef.h>
#include <string.h>

#if SP_ASAN
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if SP_TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#endif

void *sp_fiber_jump(void **save, void *load, void *arg);

/* What lies at the top of a fiber's stack. */
struct top {
	struct sp_fiber fiber;
	void (*entry)(struct sp_worker *);
	unsigned valgrind;
};

static void
arrive(struct sp_fiber *fiber)
{
#if SP_ASAN
	__sanitizer_finish_switch_fiber(fiber->asan_fake, NULL, NULL);
#else
	(void)fiber;
#endif
}

static _Noreturn void
begin(struct sp_fiber *fiber)
{
	struct top *top = sp_container_of(fiber, struct top, fiber);

	arrive(fiber);
	top->entry(fiber->home);
	SP_CHECK(!"a fiber's entry returned");
	__builtin_unreachable();
}

/* The stack that sp_fiber_jump() pops when it goes to a fiber first. */
static void *
first_frame(void *top)
{
	void **sp = top;

#if defined(__x86_64__)
	*--sp = NULL; /* where begin() would return to */
	for (int i = 0; i < 6; i++)
		*--sp = NULL;
	*--sp = (void *)(uintptr_t)begin;
#elif defined(__aarch64__)
	sp -= 20;
	memset(sp, 0, 20 * sizeof(*sp));
	sp[19] = (void *)(uintptr_t)begin; /* x30 */
#else
#error "sp_fiber_jump() is not written for this CPU"
#endif
	return sp;
}

void
sp_fiber_root(struct sp_fiber *root, struct sp_worker *home)
{
	memset(root, 0, sizeof(*root));
	root->home = home;
#if SP_TSAN
	root->tsan = __tsan_get_current_fiber();
#endif
#if SP_ASAN
	pthread_attr_t attr;
	void *low;

	SP_CHECK(pthread_getattr_np(pthread_self(), &attr) == 0);
	pthread_attr_getstack(&attr, &low, &root->asan_size);
	root->asan_low = low;
	pthread_attr_destroy(&attr);
#endif
}

void
sp_fiber_root_end(struct sp_fiber *root)
{
	memset(root, 0, sizeof(*root));
}

struct sp_fiber *
sp_fiber_new(struct sp_worker *home, struct sp_stack_pool *stacks,
    void (*entry)(struct sp_worker *))
{
	struct sp_stack *stack = sp_stack_get(stacks);
	struct top *top;

	if (stack == NULL)
		return NULL;
	top = (struct top *)sp_stack_top(stack) - 1;
	top = (struct top *)((uintptr_t)top & ~(uintptr_t)63);
	memset(top, 0, sizeof(*top));
	top->entry = entry;
	top->valgrind = SP_VALGRIND_STACK(stack->low, sp_stack_top(stack));
	top->fiber.home = home;
	top->fiber.stack = stack;
	top->fiber.asan_low = stack->low;
	top->fiber.asan_size = stack->size;
	top->fiber.sp = first_frame(top);
#if SP_TSAN
	top->fiber.tsan = __tsan_create_fiber(0);
#endif
	return &top->fiber;
}

void
sp_fiber_free(struct sp_fiber *fiber, struct sp_stack_pool *stacks)
{
	struct top *top = sp_container_of(fiber, struct top, fiber);

#if SP_TSAN
	__tsan_destroy_fiber(fiber->tsan);
#endif
	SP_VALGRIND_STACK_END(top->valgrind);
	sp_stack_put(stacks, fiber->stack);
}

void
sp_fiber_switch(struct sp_fiber *from, struct sp_fiber *to)
{
#if SP_TSAN
	__tsan_switch_to_fiber(to->tsan, 0);
#endif
#if SP_ASAN
	__sanitizer_start_switch_fiber(
	    &from->asan_fake, to->asan_low, to->asan_size);
#endif
	sp_fiber_jump(&from->sp, to->sp, to);
	arrive(from);
}
