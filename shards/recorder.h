/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_RECORDER_H
#define SPATE_SHARDS_RECORDER_H

/*
 * Flight recorder: the last things that a worker did, in a ring that it alone
 * writes. Others copy the ring while it does, and leave out what it has
 * written over meanwhile; it never waits for them and does not know of them.
 *
 *          tail of a copy                    head
 *            | number: head - size + 1        | the next to be written
 *            v                                v
 *     ...----+-------------------------------+- - -+----...
 *            | may be copied                 | is being written, over the
 *     ...----+-------------------------------+- - -+ one of head - size
 *
 *   edge   release side                  acquire side
 *   ----   ---------------------------   ----------------------------------
 *   HEAD   head, after a record's words  the first look at head: all words
 *                                        of what is before it
 *   WORD   each word of a record         each word that is copied: if it is
 *                                        of a newer record than was meant,
 *                                        the second look at head tells
 *
 * With plain words a copy could take part of a newer record and still find
 * the old head. On x86 both are plain moves.
 *
 * Times are cycles (clock.h). What takes time is recorded as it ends, with
 * when it began. What a worker has begun and not ended is in began:
 *
 *     task begins        began: now
 *     it ends or waits   a record, since: began
 *     it goes on         began: now, and SP_RECORD_RESUMED
 *
 * So a reader that looks at began first, and does not find it in a record
 * that it copies after that, knows that this still goes on.
 *
 *   edge    release side           acquire side
 *   -----   --------------------   -----------------------------------------
 *   BEGAN   sp_recorder_begin()    sp_recorder_began(): the records before it
 */

#include "alloc/cacheline.h"
#include "shards/atomics.h"
#include "shards/probes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * X(kind, probe, name): what is recorded, and its name among the probes
 * (probes.h) and for people. docs/stats.md tells of each.
 *
 *     kind         since    what            number
 *     ----------   ------   -------------   -------------------------------
 *     RUN, WAIT    begin    handle          requests of the worker so far
 *     POLL         begin    SP_RECORD_BY_*  events
 *     PARK         begin
 *     ACCEPT, TIMER, STALE, CLOSE
 *                           handle
 *     PUBLISH, STEAL                        tasks
 *     BREAK_SENT                            shard
 *     BREAK_SEEN
 */
#define SP_RECORDS(X)                                                          \
	X(RUN, run, "run")     /* a task, to its end */                        \
	X(WAIT, wait, "run")   /* likewise, until it waited */                 \
	X(POLL, poll, "sleep") /* found something, or slept: since is set */   \
	X(PARK, park, "park")                                                  \
	X(ACCEPT, accept, "accept")                                            \
	X(PUBLISH, publish, "publish")                                         \
	X(STEAL, steal, "steal")                                               \
	X(BREAK_SENT, break_sent, "break_sent")                                \
	X(BREAK_SEEN, break_seen, "break_seen")                                \
	X(TIMER, timer, "timer")                                               \
	X(STALE, stale, "stale")                                               \
	X(CLOSE, close, "close")

enum sp_record_kind {
#define X(kind, probe, name) SP_RECORD_##kind,
	SP_RECORDS(X)
#undef X
	    SP_RECORD_KINDS
};

/* What has ended the poller's sleep. */
enum sp_record_wake {
	SP_RECORD_BY_IO,
	SP_RECORD_BY_BREAK,
	SP_RECORD_BY_TIMER,
	SP_RECORD_BY_NOTHING,
	SP_RECORD_WAKES
};

/* Of since and began: goes on after a wait. No counter comes that far. */
#define SP_RECORD_RESUMED (UINT64_C(1) << 63)

struct sp_record {
	uint64_t when;
	uint64_t since; /* 0: takes no time */
	uint64_t what;
	uint32_t kind;
	uint32_t number;
};

struct sp_record_slot {
	SP_ATOMIC(uint64_t) when, since, what;
	SP_ATOMIC(uint32_t) kind, number;
};

struct sp_recorder {
	struct sp_record_slot *slots; /* constant; NULL: nothing is recorded */
	uint64_t mask;                /* constant; how many, less one */
	SP_ATOMIC(uint64_t) head;     /* records so far */
	SP_ATOMIC(uint64_t) began;    /* cycles, and SP_RECORD_RESUMED */
};

/*
 * sp_recorder_init: for at least this many records; 0: for none.
 *
 * => Returns 0 or -ENOMEM.
 */
#define SP_RECORDS_MAX (1u << 20)
int sp_recorder_init(struct sp_recorder *recorder, uint32_t size);
void sp_recorder_fini(struct sp_recorder *recorder);

/*
 * The kind is a constant, so this is one of them; but where branches are
 * counted nothing is optimised, and each place would count all.
 */
#ifdef SPATE_COVERAGE
#define sp_record_probe(kind, since, what, number) ((void)0)
#else
static inline __attribute__((always_inline)) void
sp_record_probe(
    enum sp_record_kind kind, uint64_t since, uint64_t what, uint32_t number)
{
	switch (kind) {
#define X(kind, probe, name)                                                   \
	case SP_RECORD_##kind:                                                 \
		SP_PROBE(probe, since, what, number);                          \
		break;
		SP_RECORDS(X)
#undef X
	default:
		break;
	}
}
#endif

/* sp_record: Context: the recorder's worker. */
static inline __attribute__((always_inline)) void
sp_record(struct sp_recorder *recorder, enum sp_record_kind kind, uint64_t when,
    uint64_t since, uint64_t what, uint32_t number)
{
	struct sp_record_slot *slot = recorder->slots;
	uint64_t head;

	sp_record_probe(kind, since, what, number);
	if (sp_unlikely(slot == NULL))
		return;
	head = sp_load(&recorder->head, relaxed);
	slot += head & recorder->mask;
	/* WORD release: who sees one of these sees this head, too. */
	sp_store(&slot->when, when, release);
	sp_store(&slot->since, since, release);
	sp_store(&slot->what, what, release);
	sp_store(&slot->kind, (uint32_t)kind, release);
	sp_store(&slot->number, number, release);
	/* HEAD release: the words, for who copies up to here. */
	sp_store(&recorder->head, head + 1, release);
}

/* sp_recorder_begin: the worker begins what will be a record. */
static inline void
sp_recorder_begin(struct sp_recorder *recorder, uint64_t began)
{
	/* BEGAN release: what ended before this is in the ring. */
	sp_store(&recorder->began, began, release);
}

/*
 * sp_recorder_began: when it last began something. Before a copy: if no
 * record there has this in since, or a later one, it still goes on.
 *
 * => Returns 0: it has begun nothing so far.
 */
static inline uint64_t
sp_recorder_began(struct sp_recorder *recorder)
{
	/* BEGAN acquire. */
	return sp_load(&recorder->began, acquire);
}

/*
 * sp_recorder_copy: the last records, at most so many, oldest first. Any
 * thread, also from a handler of a signal.
 *
 * => Returns how many there are. Fewer than are in the ring if the worker
 *    has gone on meanwhile.
 */
static inline size_t
sp_recorder_copy(
    struct sp_recorder *recorder, struct sp_record *out, size_t most)
{
	/* HEAD acquire. */
	uint64_t head = sp_load(&recorder->head, acquire), first, lost;
	uint64_t size = recorder->mask + 1;
	size_t count = 0, gone;

	if (recorder->slots == NULL)
		return 0;
	first = head >= size ? head - size + 1 : 0;
	if (head - first > most)
		first = head - most;
	for (uint64_t number = first; number < head; number++) {
		struct sp_record_slot *slot =
		    &recorder->slots[number & recorder->mask];

		/* WORD acquire: or the next look at head might be too old. */
		out[count].when = sp_load(&slot->when, acquire);
		out[count].since = sp_load(&slot->since, acquire);
		out[count].what = sp_load(&slot->what, acquire);
		out[count].kind = sp_load(&slot->kind, acquire);
		out[count].number = sp_load(&slot->number, acquire);
		count++;
	}
	/* What is written now may be over the one of head - size. */
	head = sp_load(&recorder->head, relaxed);
	lost = head >= size ? head - size + 1 : 0;
	if (lost <= first)
		return count;
	gone = lost - first < count ? (size_t)(lost - first) : count;
	for (size_t i = gone; i < count; i++)
		out[i - gone] = out[i];
	return count - gone;
}

#endif /* SPATE_SHARDS_RECORDER_H */
