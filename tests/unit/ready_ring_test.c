/* SPDX-License-Identifier: BSD-2-Clause */

/* Ready ring: lists go in at one end and come out once, at any. */

#include "shards/ready_ring.h"

#include "shards/atomics.h"
#include "shards/task.h"
#include "tests/harness.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

static struct sp_task tasks[8];

static struct sp_ready_ring *
new_ring(unsigned count)
{
	void *memory;

	SP_CHECK(posix_memalign(&memory, SP_APART, sizeof(struct sp_ready_ring))
		 == 0);
	SP_CHECK(sp_ready_ring_init(memory, count) == 0);
	return memory;
}

static void
free_ring(struct sp_ready_ring *ring)
{
	sp_ready_ring_fini(ring);
	free(ring);
}

TEST(first_in_first_out)
{
	struct sp_ready_ring *ring = new_ring(8);

	for (int lap = 0; lap < 10; lap++) {
		EXPECT(sp_ready_ring_take(ring) == NULL);
		for (int i = 0; i < 5; i++)
			EXPECT(sp_ready_ring_put(ring, &tasks[i]));
		EXPECT_EQ(sp_ready_ring_depth(ring), 5);
		for (int i = 0; i < 5; i++)
			EXPECT(sp_ready_ring_take(ring) == &tasks[i]);
	}
	free_ring(ring);
}

TEST(a_full_ring_says_so_and_keeps_what_it_has)
{
	struct sp_ready_ring *ring = new_ring(2);

	for (int lap = 0; lap < 10; lap++) {
		EXPECT(sp_ready_ring_put(ring, &tasks[0]));
		EXPECT(!sp_ready_ring_put(ring, &tasks[1]));
		EXPECT_EQ(sp_ready_ring_depth(ring), 1);
		EXPECT(sp_ready_ring_take(ring) == &tasks[0]);
		EXPECT(sp_ready_ring_take(ring) == NULL);
	}
	free_ring(ring);
}

TEST(the_size_is_a_power_of_two)
{
	EXPECT_ABORT(new_ring(1));
	EXPECT_ABORT(new_ring(3));
}

#define TAKERS 3
#define LISTS 20000

struct item {
	struct sp_task task;
	unsigned value; /* plain: RING is all that orders it */
};

static struct sp_ready_ring *shared;
static SP_ATOMIC(unsigned) taken;

static void *
take_lists(void *arg)
{
	uint64_t *sum = arg;

	while (sp_load(&taken, relaxed) < LISTS) {
		struct sp_task *task = sp_ready_ring_take(shared);

		if (task == NULL) {
			sched_yield();
			continue;
		}
		for (; task != NULL; task = task->next)
			*sum += sp_container_of(task, struct item, task)->value;
		sp_fetch_add(&taken, 1, relaxed);
	}
	return NULL;
}

TEST(each_list_is_taken_once)
{
	struct item *items = calloc(2 * LISTS, sizeof(*items));
	uint64_t sum[TAKERS] = { 0 }, total = 0;
	pthread_t threads[TAKERS];

	shared = new_ring(4);
	for (int i = 0; i < TAKERS; i++)
		EXPECT_EQ(
		    pthread_create(&threads[i], NULL, take_lists, &sum[i]), 0);
	for (unsigned i = 0; i < LISTS; i++) {
		items[2 * i].value = 2 * i;
		items[2 * i + 1].value = 2 * i + 1;
		items[2 * i].task.next = &items[2 * i + 1].task;
		while (!sp_ready_ring_put(shared, &items[2 * i].task))
			sched_yield();
	}
	for (int i = 0; i < TAKERS; i++) {
		pthread_join(threads[i], NULL);
		total += sum[i];
	}
	EXPECT_EQ(total, (uint64_t)LISTS * (2 * LISTS - 1));
	free_ring(shared);
	free(items);
}
