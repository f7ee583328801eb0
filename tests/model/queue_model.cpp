/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: the bounded queue, with threads that push and pop at the same time,
 * and one that goes to sleep when there is nothing to pop.
 *
 * Claim. Each item that was pushed is popped once, by who sees all that its
 * maker wrote (PUBLISH), or is still there; a slot is not written before it
 * was read (EMPTY). Who says that it waits, and then finds the queue empty or
 * full, is told of what changes that.
 */

#include "tests/model/model.h"

#include "shards/bounded_queue.h"

enum act { NOTHING, PUSH2, POP2, PUSH_TELL, WAIT_POP, POP_TELL, WAIT_PUSH };
enum { THREADS = 3, SIZE = 2, ITEMS = 8 };

static const struct scenario {
	const char *name;
	int before; /* items in it already */
	enum act act[THREADS];
} * scenario;

struct queue_suite : rl::test_suite<queue_suite, THREADS> {
	struct sp_queue queue;
	struct sp_queue_slot slot[SIZE];
	rl::var<int> payload[ITEMS];
	int state[ITEMS] = {}; /* 1: pushed; 2: popped */
	int made = 0;
	bool slept = false;
	rl::atomic<int> waits, told;

	void
	before()
	{
		sp_queue_init(&queue, slot, SIZE);
		sp_store(&waits, 0, relaxed);
		sp_store(&told, 0, relaxed);
		for (int i = 0; i < scenario->before; i++)
			push(0);
	}

	bool
	push(int maker)
	{
		int item = made++;

		payload[item]($) = maker;
		if (!sp_queue_push(&queue, &state[item]))
			return false;
		state[item] |= 1;
		return true;
	}

	bool
	pop(unsigned reader)
	{
		void *found;

		if (!sp_queue_pop(&queue, &found))
			return false;
		int item = (int *)found - state;
		RL_ASSERT(item >= 0 && item < ITEMS && !(state[item] & 2));
		state[item] |= 2;
		RL_ASSERT(payload[item]($) < THREADS);
		return true;
	}

	void
	tell()
	{
		if (sp_load(&waits, seq_cst))
			sp_store(&told, 1, seq_cst);
	}

	void
	thread(unsigned i)
	{
		switch (scenario->act[i]) {
		case PUSH2:
			push(i);
			push(i);
			break;
		case POP2:
			pop(i);
			pop(i);
			break;
		case PUSH_TELL:
			push(i);
			tell();
			break;
		case POP_TELL:
			pop(i);
			tell();
			break;
		case WAIT_POP:
			sp_fetch_add(&waits, 1, seq_cst);
			slept = !pop(i);
			break;
		case WAIT_PUSH:
			sp_fetch_add(&waits, 1, seq_cst);
			slept = !push(i);
			break;
		default:
			break;
		}
	}

	void
	after()
	{
		int left = 0, pushed = 0, popped = 0;
		void *item;

		if (slept)
			RL_ASSERT(sp_load(&told, seq_cst));
		while (sp_queue_pop(&queue, &item))
			left++;
		for (int i = 0; i < ITEMS; i++) {
			RL_ASSERT(state[i] != 2);
			pushed += state[i] & 1;
			popped += state[i] >> 1;
		}
		RL_ASSERT(pushed == popped + left);
		RL_ASSERT(sp_queue_depth(&queue) == 0);
	}
};

static const struct scenario scenarios[] = {
	{ "two push, one pops", 0, { PUSH2, PUSH2, POP2 } },
	{ "one pushes, two pop", 0, { PUSH2, POP2, POP2 } },
	{ "a full one", 2, { PUSH2, POP2, POP2 } },
	{ "a round", 1, { PUSH2, POP2, PUSH2 } },
	{ "who waits for an item", 0, { PUSH_TELL, WAIT_POP, NOTHING } },
	{ "who waits for room", 2, { POP_TELL, WAIT_PUSH, NOTHING } },
};

int
main()
{
	for (const struct scenario &s : scenarios) {
		scenario = &s;
		if (!model_run<queue_suite>(s.name))
			return 1;
	}
	return 0;
}
