/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: a worker that records, into a small ring, and a thread that copies
 * what is there.
 *
 * Claim. Each record that is copied is one that was written, all of it (HEAD,
 * WORD), and they come in order without a gap. What has begun and is in no
 * record of a copy that was made after the look at it has not ended (BEGAN).
 */

#include "tests/model/model.h"

#include "shards/recorder.h"

enum { WRITER, READER, THREADS };

static const struct scenario {
	const char *name;
	uint64_t size;   /* of the ring */
	uint64_t before; /* records that are there already */
	uint64_t records;
} * scenario;

struct recorder_suite : rl::test_suite<recorder_suite, THREADS> {
	struct sp_recorder recorder;
	struct sp_record_slot slots[4];

	/* The record number n says n everywhere, and began then. */
	void
	write(uint64_t n)
	{
		sp_recorder_begin(&recorder, 2 * n + 1);
		sp_record(&recorder, (enum sp_record_kind)n, n, 2 * n + 1, n,
		    (uint32_t)n);
	}

	void
	before()
	{
		recorder.slots = slots;
		recorder.mask = scenario->size - 1;
		sp_store(&recorder.head, 0, relaxed);
		sp_store(&recorder.began, 0, relaxed);
		for (uint64_t n = 0; n < scenario->before; n++)
			write(n);
	}

	void
	read()
	{
		uint64_t began = sp_recorder_began(&recorder);
		struct sp_record out[4];
		size_t count
		    = sp_recorder_copy(&recorder, out, scenario->size);

		RL_ASSERT(count < scenario->size);
		for (size_t k = 0; k < count; k++) {
			RL_ASSERT(out[k].kind == out[k].when);
			RL_ASSERT(out[k].since == 2 * out[k].when + 1);
			RL_ASSERT(out[k].what == out[k].when);
			RL_ASSERT(out[k].number == out[k].when);
			RL_ASSERT(k == 0 || out[k].when == out[k - 1].when + 1);
		}
		/* What came before it has ended, and is in the ring. */
		if (count != 0)
			RL_ASSERT(began <= out[count - 1].since + 2);
		else if (scenario->before + scenario->records < scenario->size)
			RL_ASSERT(began <= 1);
	}

	void
	thread(unsigned i)
	{
		for (uint64_t n = 0; n < scenario->records; n++) {
			if (i == WRITER)
				write(scenario->before + n);
			else
				read();
		}
	}
};

static const struct scenario scenarios[] = {
	{ "an empty ring", 2, 0, 3 },
	{ "a full one", 2, 2, 2 },
	{ "one with room", 4, 0, 3 },
};

int
main()
{
	for (const struct scenario &s : scenarios) {
		scenario = &s;
		if (!model_run<recorder_suite>(s.name))
			return 1;
	}
	return 0;
}
