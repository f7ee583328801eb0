/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Fibers without a worker's loop: switching, what a switch keeps, and
 * stacks that come back. sp_worker is only passed through here.
 */

#include "shards/fiber.h"

#include "alloc/check.h"
#include "tests/harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct sp_stack_pool stacks;
static struct sp_fiber root, *one, *two;
static char trace[64];
static unsigned traced;

static struct sp_worker *const nobody = (struct sp_worker *)(void *)&stacks;

static void
note(char what)
{
	trace[traced++ % (sizeof(trace) - 1)] = what;
}

static void
begin(uint32_t most)
{
	traced = 0;
	memset(trace, 0, sizeof(trace));
	sp_stack_pool_init(&stacks, 0, most, 4);
	sp_fiber_root(&root, nobody);
}

static void
end(void)
{
	sp_fiber_root_end(&root);
	sp_stack_pool_fini(&stacks);
}

static void
ping(struct sp_worker *home)
{
	EXPECT(home == nobody);
	for (int i = 0; i < 3; i++) {
		note('a');
		sp_fiber_switch(one, two);
	}
	note('A');
	sp_fiber_switch(one, &root);
}

static void
pong(struct sp_worker *home)
{
	EXPECT(home == nobody);
	for (;;) {
		note('b');
		sp_fiber_switch(two, one);
	}
}

TEST(two_fibers_take_turns)
{
	begin(2);
	one = sp_fiber_new(nobody, &stacks, ping);
	two = sp_fiber_new(nobody, &stacks, pong);
	EXPECT(sp_fiber_new(nobody, &stacks, pong) == NULL);
	sp_fiber_switch(&root, one);
	EXPECT(strcmp(trace, "abababA") == 0);
	sp_fiber_free(one, &stacks);
	sp_fiber_free(two, &stacks);
	end();
}

/* Fill a good part of the stack, and see it again after a switch. */
static unsigned
recurse(unsigned depth)
{
	unsigned char frame[256];
	unsigned sum = 0;

	memset(frame, (int)depth, sizeof(frame));
	if (depth != 0)
		sum = recurse(depth - 1);
	else
		sp_fiber_switch(one, &root);
	for (size_t i = 0; i < sizeof(frame); i++)
		sum += frame[i] == depth;
	return sum;
}

static unsigned kept;

static void
go_deep(struct sp_worker *home)
{
	double number = 1.0;

	(void)home;
	errno = EDOM;
	for (int i = 0; i < 10; i++)
		number /= 3;
	kept = recurse(40);
	EXPECT_EQ(errno, ERANGE);
	for (int i = 0; i < 10; i++)
		number *= 3;
	EXPECT(number > 0.999 && number < 1.001);
	sp_fiber_switch(one, &root);
}

TEST(a_stack_is_what_it_was_after_a_switch)
{
	begin(2);
	one = sp_fiber_new(nobody, &stacks, go_deep);
	sp_fiber_switch(&root, one);
	/* The thread's own, and so both's. */
	EXPECT_EQ(errno, EDOM);
	errno = ERANGE;
	sp_fiber_switch(&root, one);
	EXPECT_EQ(kept, 41 * 256);
	sp_fiber_free(one, &stacks);
	end();
}

static void
print_and_leave(struct sp_worker *home)
{
	char buffer[64];

	/* Moves aligned vectors, and faults on a stack that is not. */
	(void)home;
	snprintf(buffer, sizeof(buffer), "%f %d", 1.5, 7);
	EXPECT(strcmp(buffer, "1.500000 7") == 0);
	sp_fiber_switch(one, &root);
}

TEST(the_stack_is_aligned_as_calls_expect)
{
	begin(1);
	one = sp_fiber_new(nobody, &stacks, print_and_leave);
	sp_fiber_switch(&root, one);
	sp_fiber_free(one, &stacks);
	end();
}

TEST(stacks_are_used_again)
{
	begin(2);
	for (int i = 0; i < 1000; i++) {
		one = sp_fiber_new(nobody, &stacks, print_and_leave);
		SP_CHECK(one != NULL);
		sp_fiber_switch(&root, one);
		sp_fiber_free(one, &stacks);
	}
	EXPECT(stacks.stacks <= 2);
	end();
}

static void
return_at_once(struct sp_worker *home)
{
	(void)home;
}

TEST(an_entry_may_not_return)
{
	begin(1);
	one = sp_fiber_new(nobody, &stacks, return_at_once);
	EXPECT_ABORT(sp_fiber_switch(&root, one));
	sp_fiber_free(one, &stacks);
	end();
}

static void *
in_a_thread(void *unused)
{
	begin(2);
	one = sp_fiber_new(nobody, &stacks, ping);
	two = sp_fiber_new(nobody, &stacks, pong);
	sp_fiber_switch(&root, one);
	EXPECT(strcmp(trace, "abababA") == 0);
	sp_fiber_free(one, &stacks);
	sp_fiber_free(two, &stacks);
	end();
	return unused;
}

TEST(any_thread_can_be_a_root)
{
	pthread_t thread;

	EXPECT_EQ(pthread_create(&thread, NULL, in_a_thread, NULL), 0);
	pthread_join(thread, NULL);
}
