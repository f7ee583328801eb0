/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/spsc_ring.h"

#include "tests/harness.h"

#include <pthread.h>

#define SIZE 4

static struct sp_spsc_ring ring;
static uint64_t slots[SIZE];

TEST(slots_come_in_order_and_full_is_an_answer)
{
	uint64_t slot = SIZE;

	sp_spsc_ring_init(&ring, SIZE);
	EXPECT_EQ(sp_spsc_ring_look(&ring), 0);
	for (uint64_t n = 0; n < 3 * SIZE; n++) {
		EXPECT(sp_spsc_ring_room(&ring, &slot));
		EXPECT_EQ(slot, n % SIZE);
		/* Asked twice it is the same one: nothing was put. */
		EXPECT(sp_spsc_ring_room(&ring, &slot));
		EXPECT_EQ(slot, n % SIZE);
		sp_spsc_ring_put(&ring);
		if (n < SIZE - 1)
			continue;
		EXPECT_EQ(sp_spsc_ring_look(&ring), SIZE);
		EXPECT(!sp_spsc_ring_room(&ring, &slot));
		EXPECT_EQ(sp_spsc_ring_first(&ring), (n + 1) % SIZE);
		sp_spsc_ring_take(&ring);
		EXPECT_EQ(sp_spsc_ring_look(&ring), SIZE - 1);
	}
}

#define ITEMS UINT64_C(200000)

static void *
produce(void *arg)
{
	uint64_t slot;

	for (uint64_t n = 0; n < ITEMS;) {
		if (!sp_spsc_ring_room(&ring, &slot)) {
			sched_yield();
			continue;
		}
		slots[slot] = n++;
		sp_spsc_ring_put(&ring);
	}
	return arg;
}

/*
 * Goal: what is in a slot comes along, and it is not filled anew before it
 * was read. Method: two threads and a ring of four, so that full and empty
 * are found often.
 */
TEST(between_threads_each_item_arrives_once_and_in_order)
{
	pthread_t thread;

	sp_spsc_ring_init(&ring, SIZE);
	EXPECT_EQ(pthread_create(&thread, NULL, produce, NULL), 0);
	for (uint64_t n = 0; n < ITEMS;) {
		uint64_t count = sp_spsc_ring_look(&ring);

		if (count == 0)
			sched_yield();
		for (; count > 0; count--) {
			EXPECT_EQ(slots[sp_spsc_ring_first(&ring)], n);
			sp_spsc_ring_take(&ring);
			n++;
		}
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(sp_spsc_ring_look(&ring), 0);
}
