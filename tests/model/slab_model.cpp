/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: a slab that grows twice, and readers that look up an object in the
 * directory they find. Old directories stay, as for a grace period.
 *
 * Claim. Who finds a chunk in a directory finds it mapped (DIR): anything else
 * would be a data race on payload. An object stays where it was found.
 *
 *     extract alloc/slab.c: own_dir sp_slab_grow
 */

#include "tests/model/model.h"

#include <cerrno>
#include <cstdint>
#include <cstring>

/* <stdatomic.h>, which C++ does not have, upon Relacy's words. */
#define _STDATOMIC_H 1
#define _GLIBCXX_STDATOMIC_H 1
#define _Atomic(type) rl::atomic<type>
#define memory_order_relaxed rl::mo_relaxed
#define memory_order_acquire rl::mo_acquire
#define memory_order_release rl::mo_release
#define atomic_load_explicit(word, order) (word)->load(order, $)
#define atomic_store_explicit(word, value, order) (word)->store(value, order, $)

#include "alloc/counter.h"
#include "alloc/slab.h"

static struct sp_slab_dir no_chunks;
static unsigned char *map_chunk(bool huge);

#include "slab.c.inc"

enum { OWNER, READERS = 2, THREADS = 1 + READERS, CHUNKS = 2 };

static struct slab_suite *suite;
static unsigned found_last; /* executions in which a reader came so far */

struct slab_suite : rl::test_suite<slab_suite, THREADS> {
	struct sp_slab slab;
	struct sp_slab_dir *old[CHUNKS] = {};
	rl::var<int> payload[CHUNKS];
	unsigned char chunk[CHUNKS];
	int mapped = 0;

	void
	before()
	{
		suite = this;
		slab.max = CHUNKS * SP_SLAB_CHUNK_OBJECTS;
		slab.huge = false;
		slab.dir.store(&no_chunks, rl::mo_relaxed, $);
		slab.chunks.store(0, rl::mo_relaxed, $);
		for (rl::var<int> &one : payload)
			one($) = 0;
	}

	void
	grow()
	{
		struct sp_slab_dir *more;

		for (int i = 0; i < CHUNKS; i++)
			RL_ASSERT(sp_slab_grow(&slab, &old[i]) == 0);
		RL_ASSERT(sp_slab_grow(&slab, &more) == -ENOSPC);
		RL_ASSERT(old[0] == NULL && old[1] != NULL);
	}

	void
	read()
	{
		for (int i = 0; i < CHUNKS; i++) {
			void *object = sp_slab_at(
			    sp_slab_dir(&slab), i * SP_SLAB_CHUNK_OBJECTS);

			if (object == NULL)
				continue;
			RL_ASSERT(object == &chunk[i]);
			RL_ASSERT(payload[i]($) == 1);
			found_last += i == CHUNKS - 1;
		}
	}

	void
	thread(unsigned i)
	{
		if (i == OWNER)
			return grow();
		read();
		read();
	}

	void
	after()
	{
		free(slab.dir.load(rl::mo_relaxed, $));
		for (struct sp_slab_dir *dir : old)
			free(dir);
	}
};

static unsigned char *
map_chunk(bool)
{
	int i = suite->mapped++;

	suite->payload[i]($) = 1;
	return &suite->chunk[i];
}

int
main()
{
	return !model_run<slab_suite>("readers of one that grows")
	       || found_last == 0;
}
