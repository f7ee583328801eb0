/* SPDX-License-Identifier: BSD-2-Clause */

/* Stacks: guards that fault, order of reuse, the bound, and trimming. */

#include "tests/harness.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* A kernel that refuses what it is asked for. */
static bool refuse_guards, refuse_maps, refuse_protection;

static int
test_madvise(void *address, size_t size, int advice)
{
	if (refuse_guards && advice == 102) {
		errno = EINVAL;
		return -1;
	}
	return madvise(address, size, advice);
}

static int
test_mprotect(void *address, size_t size, int protection)
{
	return refuse_protection ? -1 : mprotect(address, size, protection);
}

static void *
test_mmap(
    void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (refuse_maps)
		return MAP_FAILED;
	return mmap(address, size, protection, flags, fd, offset);
}

#define madvise test_madvise
#define mprotect test_mprotect
#define mmap test_mmap
#include "alloc/stack.c"
#undef madvise
#undef mprotect
#undef mmap

#define MANY 1000

static struct sp_stack *stacks[MANY];

/* Whether a write there kills the process that does it. */
static bool
write_faults(unsigned char *at)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		signal(SIGSEGV, SIG_DFL);
		*(_Atomic(unsigned char) *)at = 1;
		_exit(0);
	}
	EXPECT(child > 0);
	EXPECT(waitpid(child, &status, 0) == child);
	EXPECT(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

static size_t
pages_in_memory(const struct sp_stack *stack)
{
	static unsigned char in_core[(1 << 20) / 4096];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t found = 0;

	memset(in_core, 0, sizeof(in_core));
	EXPECT_EQ(mincore(stack->low, stack->size, in_core), 0);
	for (size_t i = 0; i < stack->size / page; i++)
		found += in_core[i] & 1;
	return found;
}

static void
check_guards(struct sp_stack_pool *pool)
{
	struct sp_stack *a = sp_stack_get(pool), *b = sp_stack_get(pool);

	EXPECT(!write_faults(a->low));
	EXPECT(!write_faults((unsigned char *)sp_stack_top(a) - 1));
	EXPECT(write_faults(a->low - 1));
	EXPECT(write_faults(b->low - 1));
	EXPECT(write_faults(a->low - SP_STACK_GUARD_SIZE));
	sp_stack_put(pool, a);
	sp_stack_put(pool, b);
}

TEST(an_overflow_faults)
{
	struct sp_stack_pool pool;

	sp_stack_pool_init(&pool, 0, 8, 8);
	check_guards(&pool);
	sp_stack_pool_fini(&pool);
}

TEST(an_overflow_faults_after_a_trim)
{
	struct sp_stack_pool pool;

	sp_stack_pool_init(&pool, 0, 2, 0);
	check_guards(&pool);
	EXPECT_EQ(sp_stack_pool_trim(&pool, 8), 2);
	check_guards(&pool);
	sp_stack_pool_fini(&pool);
}

TEST(a_stack_can_be_used_to_the_last_byte_and_is_aligned)
{
	struct sp_stack_pool pool;
	struct sp_stack *stack;

	sp_stack_pool_init(&pool, 100000, 1, 1);
	EXPECT(pool.size >= 100000);
	stack = sp_stack_get(&pool);
	EXPECT_EQ(stack->size, pool.size);
	memset(stack->low, 0x77, stack->size);
	EXPECT_EQ((uintptr_t)sp_stack_top(stack) % 4096, 0);
	sp_stack_put(&pool, stack);
	sp_stack_pool_fini(&pool);
}

TEST(a_thousand_stacks_are_apart_and_reused_last_in_first_out)
{
	struct sp_stack_pool pool;

	sp_stack_pool_init(&pool, SP_STACK_SIZE_MIN, MANY, MANY);
	for (int i = 0; i < MANY; i++) {
		stacks[i] = sp_stack_get(&pool);
		EXPECT(stacks[i] != NULL);
		memcpy(stacks[i]->low, &i, sizeof(i));
		memcpy(stacks[i]->low + pool.size - sizeof(i), &i, sizeof(i));
	}
	EXPECT(sp_stack_get(&pool) == NULL);
	EXPECT_EQ(pool.in_use, MANY);
	for (int i = 0; i < MANY; i++) {
		EXPECT_EQ(memcmp(stacks[i]->low, &i, sizeof(i)), 0);
		EXPECT_EQ(memcmp(stacks[i]->low + pool.size - sizeof(i), &i,
			      sizeof(i)),
		    0);
		sp_stack_put(&pool, stacks[i]);
	}
	for (int i = MANY - 1; i >= 0; i--)
		EXPECT(sp_stack_get(&pool) == stacks[i]);
	for (int i = 0; i < MANY; i++)
		sp_stack_put(&pool, stacks[i]);
	EXPECT_EQ(pool.stacks, MANY);
	EXPECT_EQ(pool.in_use, 0);
	EXPECT_EQ(pool.in_use_max, MANY);
	EXPECT_EQ(pool.hot_count, MANY);
	sp_stack_pool_fini(&pool);
}

TEST(a_trim_gives_back_the_pages_of_all_but_the_hottest)
{
	enum { COUNT = 100, KEEP = 10 };
	struct sp_stack_pool pool;

	sp_stack_pool_init(&pool, 0, COUNT, KEEP);
	for (int i = 0; i < COUNT; i++) {
		stacks[i] = sp_stack_get(&pool);
		memset(stacks[i]->low, 1, stacks[i]->size);
	}
	EXPECT_EQ(sp_stack_pool_trim(&pool, COUNT), 0);
	for (int i = 0; i < COUNT; i++)
		sp_stack_put(&pool, stacks[i]);

	EXPECT_EQ(sp_stack_pool_trim(&pool, 50), 50);
	EXPECT_EQ(sp_stack_pool_trim(&pool, 50), COUNT - KEEP - 50);
	EXPECT_EQ(sp_stack_pool_trim(&pool, 50), 0);
	EXPECT_EQ(pool.trimmed, COUNT - KEEP);
	EXPECT_EQ(pool.hot_count, KEEP);
	for (int i = 0; i < COUNT - KEEP; i++)
		EXPECT_EQ(pages_in_memory(stacks[i]), 0);
	for (int i = COUNT - KEEP; i < COUNT; i++)
		EXPECT(pages_in_memory(stacks[i]) != 0);

	/* Hot ones first, then the others, and no new ones. */
	for (int i = COUNT - 1; i >= COUNT - KEEP; i--)
		EXPECT(sp_stack_get(&pool) == stacks[i]);
	for (int i = KEEP; i < COUNT; i++)
		EXPECT(sp_stack_get(&pool) != NULL);
	EXPECT_EQ(pool.stacks, COUNT);
	EXPECT_EQ(pool.hot_count, 0);
	EXPECT(sp_stack_get(&pool) == NULL);
	for (int i = 0; i < COUNT; i++)
		sp_stack_put(&pool, stacks[i]);
	sp_stack_pool_fini(&pool);
}

TEST(broken_use_aborts)
{
	struct sp_stack_pool pool;
	struct sp_stack *stack;

	sp_stack_pool_init(&pool, 0, 8, 8);
	stack = sp_stack_get(&pool);
	EXPECT_ABORT(sp_stack_pool_fini(&pool));
	sp_stack_put(&pool, stack);
	EXPECT_ABORT(sp_stack_put(&pool, stack));
	sp_stack_pool_fini(&pool);
}

TEST(without_light_guards_an_overflow_faults_too)
{
	struct sp_stack_pool pool;

	refuse_guards = true;
	guards = GUARDS_UNKNOWN;
	EXPECT(!sp_stack_guards_are_light());
	sp_stack_pool_init(&pool, 0, 2, 0);
	check_guards(&pool);
	EXPECT_EQ(sp_stack_pool_trim(&pool, 8), 2);
	check_guards(&pool);
	EXPECT_EQ(split_stacks, 2);
	sp_stack_pool_fini(&pool);
	EXPECT_EQ(split_stacks, 0);
	refuse_guards = false;
	guards = GUARDS_UNKNOWN;
}

TEST(a_single_refused_guard_is_made_the_other_way)
{
	struct sp_stack_pool pool;

	guards = GUARDS_LIGHT;
	refuse_guards = true;
	sp_stack_pool_init(&pool, 0, 2, 0);
	check_guards(&pool);
	EXPECT_EQ(split_stacks, 2);
	sp_stack_pool_fini(&pool);
	refuse_guards = false;
	guards = GUARDS_UNKNOWN;
}

TEST(stacks_that_split_the_mapping_are_bounded_in_the_process)
{
	struct sp_stack_pool pool, other;
	struct sp_stack *stack;

	refuse_guards = true;
	split_stacks = SP_STACKS_SPLIT_MAX - 1;
	sp_stack_pool_init(&pool, 0, 8, 0);
	sp_stack_pool_init(&other, 0, 8, 0);
	stack = sp_stack_get(&pool);
	EXPECT(stack != NULL);
	EXPECT(sp_stack_get(&pool) == NULL);
	EXPECT(sp_stack_get(&other) == NULL);
	EXPECT_EQ(split_stacks, SP_STACKS_SPLIT_MAX);
	sp_stack_put(&pool, stack);
	sp_stack_pool_fini(&pool);
	stack = sp_stack_get(&other);
	EXPECT(stack != NULL);
	sp_stack_put(&other, stack);
	sp_stack_pool_fini(&other);
	split_stacks = 0;
	refuse_guards = false;
}

TEST(a_kernel_out_of_memory_gives_no_stack_and_the_next_try_works)
{
	struct sp_stack_pool pool;
	struct sp_stack *stack;

	sp_stack_pool_init(&pool, 0, 2, 0);
	refuse_maps = true;
	EXPECT(sp_stack_get(&pool) == NULL);
	refuse_maps = false;
	refuse_guards = refuse_protection = true;
	EXPECT(sp_stack_get(&pool) == NULL);
	refuse_guards = refuse_protection = false;
	EXPECT_EQ(pool.stacks, 0);
	EXPECT_EQ(split_stacks, 0);
	stack = sp_stack_get(&pool);
	EXPECT(stack != NULL);
	sp_stack_put(&pool, stack);
	sp_stack_pool_fini(&pool);
}
