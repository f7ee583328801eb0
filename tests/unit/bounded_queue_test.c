/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/bounded_queue.h"

#include "tests/harness.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

static struct sp_queue_slot slots[4];
static struct sp_queue queue;
static int items[16];

TEST(sizes_are_powers_of_two)
{
	EXPECT_EQ(sp_queue_size(0), 2);
	EXPECT_EQ(sp_queue_size(2), 2);
	EXPECT_EQ(sp_queue_size(3), 4);
	EXPECT_EQ(sp_queue_size(1025), 2048);
}

TEST(what_was_pushed_first_is_popped_first)
{
	void *item = NULL;

	sp_queue_init(&queue, slots, 4);
	EXPECT(!sp_queue_pop(&queue, &item));
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 3; i++)
			EXPECT(sp_queue_push(&queue, &items[i]));
		EXPECT_EQ(sp_queue_depth(&queue), 3);
		for (int i = 0; i < 3; i++) {
			EXPECT(sp_queue_pop(&queue, &item));
			EXPECT(item == &items[i]);
		}
		EXPECT(!sp_queue_pop(&queue, &item));
	}
	EXPECT_EQ(sp_queue_depth(&queue), 0);
}

TEST(a_full_queue_says_so_and_keeps_what_it_has)
{
	void *item = NULL;

	sp_queue_init(&queue, slots, 4);
	for (int i = 0; i < 4; i++)
		EXPECT(sp_queue_push(&queue, &items[i]));
	EXPECT(!sp_queue_push(&queue, &items[4]));
	EXPECT(sp_queue_pop(&queue, &item) && item == &items[0]);
	EXPECT(sp_queue_push(&queue, &items[5]));
	for (int i = 1; i < 4; i++)
		EXPECT(sp_queue_pop(&queue, &item) && item == &items[i]);
	EXPECT(sp_queue_pop(&queue, &item) && item == &items[5]);
}

TEST(null_is_an_item)
{
	void *item = items;

	sp_queue_init(&queue, slots, 4);
	EXPECT(sp_queue_push(&queue, NULL));
	EXPECT(sp_queue_pop(&queue, &item));
	EXPECT(item == NULL);
}

/*
 * Goal. An item that comes out twice or never, or before what its maker wrote
 * into it; items of one maker in another order.
 *
 * Method. Two push and two pop through four slots, so that full, empty and
 * the next round happen all the time. An item is a number and its double.
 */
struct number {
	unsigned value, twice;
};

struct side {
	pthread_t thread;
	unsigned first, count;
	struct number *numbers;
	uint64_t sum;
};

static unsigned total;
static _Atomic unsigned taken;

static void *
pushes(void *arg)
{
	struct side *side = arg;

	for (unsigned i = 0; i < side->count; i++) {
		struct number *number = &side->numbers[i];

		number->value = side->first + i;
		number->twice = 2 * number->value;
		while (!sp_queue_push(&queue, number))
			sched_yield();
	}
	return NULL;
}

static void *
pops(void *arg)
{
	struct side *side = arg;
	unsigned last[2] = { 0, 0 };
	void *item = NULL;

	while (taken < total) {
		struct number *number;
		unsigned maker;

		if (!sp_queue_pop(&queue, &item)) {
			sched_yield();
			continue;
		}
		taken++;
		number = item;
		maker = number->value >= total / 2 + 1;
		EXPECT_EQ(number->twice, 2 * number->value);
		EXPECT(number->value > last[maker]);
		last[maker] = number->value;
		side->sum += number->value;
	}
	return NULL;
}

TEST(stress_two_push_and_two_pop)
{
	unsigned each = test_rounds(20000);
	struct side side[4] = { { .first = 1 }, { .first = each + 1 } };

	total = 2 * each;
	taken = 0;
	sp_queue_init(&queue, slots, 4);
	for (int i = 0; i < 4; i++) {
		side[i].count = each;
		if (i < 2)
			side[i].numbers = calloc(each, sizeof(struct number));
		EXPECT_EQ(pthread_create(&side[i].thread, NULL,
			      i < 2 ? pushes : pops, &side[i]),
		    0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(side[i].thread, NULL);
	EXPECT_EQ(side[2].sum + side[3].sum, (uint64_t)total * (total + 1) / 2);
	free(side[0].numbers);
	free(side[1].numbers);
}
