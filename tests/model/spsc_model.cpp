/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: the ring between two threads, of which the second goes to sleep when
 * there is nothing to take.
 *
 * Claim. Each slot that was put is taken once and in order, by who sees what
 * is in it (SLOT), or is still there; and none is filled before it was read
 * (ROOM). A consumer that says that it sleeps, and then finds nothing, is told
 * of what is put.
 */

#include "tests/model/model.h"

#include "shards/spsc_ring.h"

enum { PRODUCER, CONSUMER, THREADS };
enum { SIZE = 2 };

static const struct scenario {
	const char *name;
	int puts, takes;
	bool sleeps; /* the consumer, when it has taken that many */
} * scenario;

struct spsc_suite : rl::test_suite<spsc_suite, THREADS> {
	struct sp_spsc_ring ring;
	rl::var<int> slot[SIZE];
	int put = 0, taken = 0;
	bool slept = false;
	rl::atomic<int> sleeps, told;

	void
	before()
	{
		sp_spsc_ring_init(&ring, SIZE);
		sp_store(&sleeps, 0, relaxed);
		sp_store(&told, 0, relaxed);
	}

	void
	produce()
	{
		uint64_t at;

		if (!sp_spsc_ring_room(&ring, &at))
			return;
		slot[at]($) = put++;
		sp_spsc_ring_put(&ring);
		if (sp_load(&sleeps, seq_cst))
			sp_store(&told, 1, seq_cst);
	}

	bool
	consume()
	{
		uint64_t count = sp_spsc_ring_look(&ring);

		RL_ASSERT(count <= SIZE);
		if (count == 0)
			return false;
		RL_ASSERT(slot[sp_spsc_ring_first(&ring)]($) == taken);
		taken++;
		sp_spsc_ring_take(&ring);
		return true;
	}

	void
	thread(unsigned i)
	{
		if (i == PRODUCER) {
			for (int n = 0; n < scenario->puts; n++)
				produce();
			return;
		}
		for (int n = 0; n < scenario->takes; n++)
			consume();
		if (!scenario->sleeps)
			return;
		sp_fetch_add(&sleeps, 1, seq_cst);
		slept = !consume();
	}

	void
	after()
	{
		bool left = taken != put;

		if (slept && left)
			RL_ASSERT(sp_load(&told, seq_cst));
		while (consume())
			;
		RL_ASSERT(taken == put);
	}
};

static const struct scenario scenarios[] = {
	{ "two", 2, 2, false },
	{ "a full ring", 4, 2, false },
	{ "rounds", 5, 5, false },
	{ "who sleeps", 1, 0, true },
	{ "who sleeps after one", 2, 1, true },
};

int
main()
{
	for (const struct scenario &s : scenarios) {
		scenario = &s;
		if (!model_run<spsc_suite>(s.name))
			return 1;
	}
	return 0;
}
