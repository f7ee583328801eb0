/* SPDX-License-Identifier: BSD-2-Clause */

/* Push, and pop all. */

#include "shards/mpsc_stack.h"

#include "alloc/cacheline.h"
#include "tests/harness.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

TEST(what_is_pushed_comes_back_in_order)
{
	struct sp_mpsc_stack stack = { NULL };
	struct sp_link link[5], *all;

	EXPECT(sp_stack_empty(&stack));
	EXPECT(sp_stack_pop_all(&stack) == NULL);
	for (int i = 0; i < 5; i++)
		sp_stack_push(&stack, &link[i]);
	EXPECT(!sp_stack_empty(&stack));
	all = sp_stack_pop_all(&stack);
	EXPECT(sp_stack_empty(&stack));
	EXPECT(all == &link[4]);
	all = sp_stack_reverse(all);
	for (int i = 0; i < 5; i++, all = all->next)
		EXPECT(all == &link[i]);
	EXPECT(all == NULL);
	EXPECT(sp_stack_reverse(NULL) == NULL);
}

#define PUSHERS 3
#define EACH 20000

struct item {
	struct sp_link link;
	unsigned pusher, number; /* plain: PUSH is all that orders them */
};

static struct sp_mpsc_stack shared;
static SP_ATOMIC(unsigned) pushers;

static void *
push_all(void *arg)
{
	struct item *items = calloc(EACH, sizeof(*items));

	(void)arg;
	unsigned me = sp_fetch_add(&pushers, 1, relaxed);
	for (unsigned i = 0; i < EACH; i++) {
		items[i].pusher = me;
		items[i].number = i + 1;
		sp_stack_push(&shared, &items[i].link);
	}
	return items;
}

TEST(nothing_is_lost_between_pushers)
{
	unsigned last[PUSHERS] = { 0 }, total = 0;
	pthread_t threads[PUSHERS];
	struct sp_link *link;
	void *items;

	for (int i = 0; i < PUSHERS; i++)
		EXPECT_EQ(pthread_create(&threads[i], NULL, push_all, NULL), 0);
	while (total < PUSHERS * EACH) {
		link = sp_stack_reverse(sp_stack_pop_all(&shared));
		if (link == NULL)
			sched_yield();
		for (; link != NULL; link = link->next) {
			struct item *item = sp_container_of(
			    link, struct item, link);

			EXPECT_EQ(item->number, last[item->pusher] + 1);
			last[item->pusher] = item->number;
			total++;
		}
	}
	for (int i = 0; i < PUSHERS; i++) {
		pthread_join(threads[i], &items);
		free(items);
	}
	EXPECT(sp_stack_empty(&shared));
}
