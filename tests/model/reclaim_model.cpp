/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: a sender that found a descriptor by its handle, against the owner
 * that closes it, and against the poller that opens the next connection in
 * the same place.
 *
 * Claim.
 *
 *  1. A message goes to the connection it was sent to, or is freed; once,
 *     and never into the next connection.
 *  2. What a reader found is not used anew until the reader has left (two
 *     uses at once would be a data race on content).
 *  3. A reader that finds the new handle sees the descriptor as it was
 *     published (GEN).
 *
 * The sender pushes and goes; here nobody takes what it sent but the close.
 *
 * A grace period ends when each reader that was inside when it began has
 * left. It is a plain counter: what crosses it is only what leaving and
 * entering (readers_order) are said to order in shards/rcu.h.
 *
 *     extract shards/poll_cache.c: free_all sp_poll_cache_retire reclaimed
 *     extract shards/poll_cache.c: collect sp_poll_cache_reclaim
 *     extract shards/shard.c: close_and_retire sp_shard_close
 */

#include "tests/model/model.h"
#include "tests/model/stub_cache.h"

enum { CLOSER, POLLER, SENDER, READER, THREADS };

static struct reclaim_suite *suite;
static unsigned reused; /* executions that came so far */

struct message {
	struct sp_link link;
	int freed;
};

static void model_free(void *link);
#define free(p) model_free(p)
#define close(fd) ((void)(fd))
#include "poll_cache.c.inc"
#include "shard.c.inc"
#undef free
#undef close

struct reclaim_suite : rl::test_suite<reclaim_suite, THREADS> {
	struct sp_shard shard;
	struct sp_poll_desc pd;
	struct message message;
	rl::var<int> content; /* of the use: 1, then 2 */
	rl::atomic<int> edge; /* what RCU orders */
	int sent = 0;
	bool was_inside[THREADS] = {}, is_inside[THREADS] = {};
	bool free_again = false;
	int grace_begun = 0; /* 1: it has, 2: its callback has been called */
	sp_handle handle;

	void
	before()
	{
		struct sp_poll_cache *cache = &shard.cache;

		suite = this;
		cache->slab.pd = &pd;
		message.freed = 0;
		sp_store(&cache->retired.head, NULL, relaxed);
		sp_store(&cache->batch_state, BATCH_NONE, relaxed);
		cache->batch = NULL;
		edge.store(0, rl::mo_relaxed, $);
		sp_store(&pd.gen, 0, relaxed);
		pd.index = 0;
		sp_poll_desc_reset(&pd, 3, NULL);
		content($) = 1;
		handle = sp_poll_cache_publish(&pd);
	}

	void
	enter(unsigned reader)
	{
		edge.fetch_add(0, rl::mo_acq_rel, $);
		is_inside[reader] = true;
	}

	void
	leave(unsigned reader)
	{
		edge.fetch_add(0, rl::mo_acq_rel, $);
		is_inside[reader] = was_inside[reader] = false;
	}

	void
	close_it()
	{
		enter(CLOSER);
		RL_ASSERT(content($) == 1);
		sp_shard_close(&shard, &pd);
		leave(CLOSER);
	}

	/* The thread that runs callbacks; here it has closed before. */
	void
	run_callback()
	{
		for (int i = 0; i < 6 && grace_begun < 2;
		     i++, rl::yield(1, $)) {
			if (!grace_is_over())
				continue;
			grace_begun = 2;
			edge.fetch_add(0, rl::mo_acq_rel, $);
			shard.cache.batch_rcu.reclaim(&shard.cache.batch_rcu);
		}
	}

	bool
	grace_is_over()
	{
		for (bool inside : was_inside)
			if (inside)
				return false;
		return grace_begun == 1;
	}

	/* With the token: reclaim, and open the next one if there is room. */
	void
	reclaim_and_open()
	{
		for (int i = 0; i < 6 && !free_again; i++) {
			sp_poll_cache_reclaim(
			    &shard.cache, [](struct sp_poll_desc *, void *) {},
			    NULL);
			rl::yield(1, $);
		}
		if (!free_again)
			return;
		reused++;
		content($) = 2;
		sp_poll_desc_reset(&pd, 4, NULL);
		RL_ASSERT(sp_poll_cache_publish(&pd) != handle);
		RL_ASSERT(sp_stack_empty(&pd.outq));
	}

	void
	send()
	{
		struct sp_poll_desc *found;

		enter(SENDER);
		found = sp_poll_cache_find(&shard.cache, handle);
		if (found != NULL) {
			RL_ASSERT(content($) == 1);
			sent = 1;
			sp_stack_push(&found->outq, &message.link);
		}
		leave(SENDER);
	}

	/* As an event does, or a user's look-up; of either handle. */
	bool
	read(unsigned use)
	{
		struct sp_poll_desc *found;
		sp_handle looked_for = handle + ((uint64_t)use << 33);

		enter(READER);
		found = sp_poll_cache_find(&shard.cache, looked_for);
		if (found != NULL)
			RL_ASSERT(content($) == 1 + (int)use);
		leave(READER);
		return found != NULL;
	}

	void
	thread(unsigned i)
	{
		if (i == CLOSER) {
			close_it();
			run_callback();
		} else if (i == POLLER)
			reclaim_and_open();
		else if (i == SENDER)
			send();
		else if (rl::rand(2) == 0)
			read(0);
		else
			for (int k = 0; k < 6 && !read(1); k++)
				rl::yield(1, $);
	}

	void
	after()
	{
		/* As sp_poll_cache_fini() does with what has not come so far.
		 */
		if (!free_again) {
			free_all(&shard.cache, shard.cache.batch);
			free_all(&shard.cache,
			    sp_stack_pop_all(&shard.cache.retired));
		}
		RL_ASSERT(message.freed == sent);
		RL_ASSERT(sp_stack_empty(&pd.outq));
	}
};

static void
model_free(void *link)
{
	((struct message *)link)->freed++;
}

void
sp_slab_free(struct sp_slab *, uint32_t)
{
	suite->free_again = true;
}

/* A grace period begins: who is inside now has to leave first. */
void
sp_rcu_retire(
    struct sp_rcu_retired *retired, void (*reclaim)(struct sp_rcu_retired *))
{
	retired->reclaim = reclaim;
	suite->edge.fetch_add(0, rl::mo_acq_rel, $);
	for (int i = 0; i < THREADS; i++)
		suite->was_inside[i] = suite->is_inside[i];
	suite->grace_begun = 1;
}

int
main()
{
	return !model_run<reclaim_suite>("close and reuse", 4 * SP_MODEL_ROUNDS)
	       || reused == 0;
}
