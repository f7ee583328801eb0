/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Poll slot: the table in shards/poll_slot.h as a table. What happens when
 * two threads are in it at once is for models and for tests/stress/.
 */

#include "shards/poll_slot.h"
#include "tests/harness.h"

#include <stddef.h>

static char fiber[16];
#define FIBER ((uintptr_t)fiber)

enum event { ANNOUNCE, COMMIT, CONSUME, PARK, UNPARK, READY, EVICT, EVENTS };
enum { STATES = 5 };

/* Raise an event. Returns what the call returned, a bool as 0 or 1. */
static uintptr_t
raise_event(sp_slot *slot, enum event event)
{
	switch (event) {
	case ANNOUNCE:
		return sp_slot_announce(slot);
	case COMMIT:
		return sp_slot_commit(slot, FIBER);
	case CONSUME:
		return sp_slot_consume(slot);
	case PARK:
		return sp_slot_park(slot);
	case UNPARK:
		return sp_slot_unpark(slot);
	case READY:
		return sp_slot_ready(slot);
	case EVICT:
		return sp_slot_evict(slot);
	case EVENTS:
		break;
	}
	return 0;
}

/*
 * Where a cell leads, and what the caller is told there. The columns are
 * NIL, READY, WAIT, TASK and a fiber.
 */
struct cell {
	uintptr_t next, returned;
};

/* The states, in the order of the table, which needs constants. */
#define NIL SP_SLOT_NIL
#define RDY SP_SLOT_READY
#define WAIT SP_SLOT_WAIT
#define TASK SP_SLOT_TASK
#define FIB 4 /* a fiber, here and in what is returned */
#define BUG 5 /* aborts */

#define NO 0
#define YES 1

/* clang-format off */
static const struct cell table[EVENTS][STATES] = {
	[ANNOUNCE] = {
		{ WAIT, YES }, { NIL, NO }, { BUG, 0 }, { BUG, 0 },
		{ BUG, 0 } },
	[COMMIT] = {
		{ NIL, NO }, { RDY, NO }, { FIB, YES }, { BUG, 0 },
		{ BUG, 0 } },
	[CONSUME] = {
		{ NIL, NO }, { NIL, YES }, { NIL, NO }, { BUG, 0 },
		{ BUG, 0 } },
	[PARK] = {
		{ TASK, YES }, { NIL, NO }, { BUG, 0 }, { BUG, 0 },
		{ BUG, 0 } },
	[UNPARK] = {
		{ NIL, NO }, { RDY, NO }, { WAIT, NO }, { NIL, YES },
		{ FIB, NO } },
	[READY] = {
		{ RDY, NIL }, { RDY, NIL }, { RDY, NIL }, { NIL, TASK },
		{ RDY, FIB } },
	[EVICT] = {
		{ NIL, NIL }, { RDY, NIL }, { NIL, NIL }, { NIL, TASK },
		{ NIL, FIB } },
};
/* clang-format on */

static uintptr_t
value_of(uintptr_t state)
{
	return state == FIB ? FIBER : state;
}

TEST(slots_follow_the_table_in_the_header)
{
	for (enum event event = 0; event < EVENTS; event++) {
		for (uintptr_t i = 0; i < STATES; i++) {
			const struct cell *cell = &table[event][i];
			sp_slot slot = value_of(i);

			if (cell->next == BUG) {
				EXPECT_ABORT(raise_event(&slot, event));
				continue;
			}
			EXPECT_EQ((intmax_t)raise_event(&slot, event),
			    (intmax_t)value_of(cell->returned));
			EXPECT_EQ((intmax_t)sp_load(&slot, relaxed),
			    (intmax_t)value_of(cell->next));
		}
	}
}

TEST(an_edge_that_came_first_is_taken_once)
{
	sp_slot slot = SP_SLOT_NIL;

	sp_slot_ready(&slot);
	sp_slot_ready(&slot);
	EXPECT(!sp_slot_park(&slot));
	EXPECT(sp_slot_park(&slot));
}

TEST(a_fiber_that_waited_finds_its_edge)
{
	sp_slot slot = SP_SLOT_NIL;

	EXPECT(sp_slot_announce(&slot));
	EXPECT(sp_slot_commit(&slot, FIBER));
	EXPECT_EQ((intmax_t)sp_slot_ready(&slot), (intmax_t)FIBER);
	EXPECT_EQ((intmax_t)sp_slot_evict(&slot), SP_SLOT_NIL);
	EXPECT(sp_slot_consume(&slot));
	EXPECT(!sp_slot_consume(&slot));
}

TEST(a_fiber_that_was_evicted_finds_none)
{
	sp_slot slot = SP_SLOT_NIL;

	EXPECT(sp_slot_announce(&slot));
	EXPECT(sp_slot_commit(&slot, FIBER));
	EXPECT_EQ((intmax_t)sp_slot_evict(&slot), (intmax_t)FIBER);
	EXPECT(!sp_slot_consume(&slot));
}
