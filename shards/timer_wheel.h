/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_TIMER_WHEEL_H
#define SPATE_SHARDS_TIMER_WHEEL_H

/*
 * Timer wheel: the deadlines of one shard, in ticks of a millisecond.
 *
 *     tick          31    24 23    16 15     8 7      0
 *                  +--------+--------+--------+--------+
 *                  |        |        |        |        |
 *                  +--------+--------+--------+--------+
 *     level            3        2        1        0       256 slots each
 *
 * A timer is on the level of the highest byte in which its tick differs from
 * the wheel's present, in the slot that this byte numbers. On level 0 a slot
 * is one tick. When the present reaches a slot of a higher level, the slot's
 * timers move down; each does so three times at most.
 *
 * It follows that the slots in use on a level are all ahead of the present,
 * and that everything on a level expires before anything on the next. So the
 * next slot to look at is the first bit of the first bitmap that has one:
 * however far the present jumps, advancing costs a step for each slot and
 * timer that is passed, and none for empty time.
 *
 * Ticks wrap (clock.h). A deadline lies less than 2^31 ticks ahead, and two
 * calls of sp_wheel_advance() less than 2^31 apart: 24 days.
 *
 * Timers are embedded in what they are for; the wheel allocates nothing.
 * Shards use them lazily: a connection that is used again only stores a new
 * deadline, and when the timer fires it is added again for what is stored.
 * Only a deadline that gets earlier has to move the timer.
 *
 * Context: one thread at a time, for everything here: the holder of the
 * shard's poll token.
 */

#include "shards/clock.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SP_WHEEL_LEVELS 4
#define SP_WHEEL_SLOTS 256

/* All zero is a timer that is not armed. It must not move while it is. */
struct sp_timer {
	struct sp_timer *next;
	struct sp_timer **pprev; /* what points to it; NULL: not armed */
	sp_tick when;
	uint16_t place; /* the wheel's */
	uint16_t kind;  /* the owner's; which struct it is in */
};

static_assert(sizeof(void *) != 8 || sizeof(struct sp_timer) == 24,
    "poll descriptors have 24 bytes to spare for a timer");

/* Expired timers. It must not move while it has any. */
struct sp_timer_list {
	struct sp_timer *first;
};

/* Must not move once it has timers. */
struct sp_wheel {
	sp_tick now;
	uint32_t armed;       /* timers in the wheel, due ones included */
	uint64_t steps;       /* slots and timers handled by advancing */
	struct sp_timer *due; /* added when they were late already */
	struct sp_timer **due_end;
	/* The next slot in use, while no bit has changed: each poll asks. */
	bool soonest_known, soonest_any;
	unsigned soonest_level;
	sp_tick soonest; /* when it starts */
	uint64_t bits[SP_WHEEL_LEVELS][SP_WHEEL_SLOTS / 64];
	struct sp_timer *slot[SP_WHEEL_LEVELS][SP_WHEEL_SLOTS];
};

/*
 * sp_wheel_init: an empty wheel whose present is now.
 */
void sp_wheel_init(struct sp_wheel *wheel, sp_tick now);

static inline void
sp_timer_init(struct sp_timer *timer)
{
	timer->next = NULL;
	timer->pprev = NULL;
	timer->when = 0;
	timer->place = 0;
	timer->kind = 0;
}

/*
 * sp_timer_armed: in a wheel, or expired and not yet popped.
 */
static inline bool
sp_timer_armed(const struct sp_timer *timer)
{
	return timer->pprev != NULL;
}

/*
 * sp_wheel_add: let a timer expire when the present reaches `when`.
 *
 * => The wheel borrows it until it is popped or deleted.
 * => A tick that is not after the present expires at the next advance.
 * => One that is armed is moved; also one that has expired and was not
 *    popped, which then does not come out of its list.
 */
void sp_wheel_add(struct sp_wheel *wheel, struct sp_timer *timer, sp_tick when);

/*
 * sp_wheel_del: disarm a timer; nothing happens if it is not armed.
 *
 * => Also takes an expired timer out of its list, so what it is embedded in
 *    can be freed while others of that list are being handled.
 */
void sp_wheel_del(struct sp_wheel *wheel, struct sp_timer *timer);

/*
 * sp_wheel_advance: move the present, and collect what expires.
 *
 * => Expired timers are put into *expired, which was empty: first those that
 *    were late when they were added, then the others in the order of their
 *    ticks. Returns how many there are.
 * => A present before the wheel's is taken for no change.
 * => The list outlives the call: pop as many as there is time for, and the
 *    rest later.
 */
uint32_t sp_wheel_advance(
    struct sp_wheel *wheel, sp_tick now, struct sp_timer_list *expired);

/*
 * sp_wheel_keep_up: move the present of a wheel without timers, however far;
 * before one is added. Such a wheel stands still while nobody advances it, and
 * after weeks its past is a future. Nothing happens if there are timers.
 */
static inline void
sp_wheel_keep_up(struct sp_wheel *wheel, sp_tick now)
{
	if (wheel->armed == 0)
		wheel->now = now;
}

/*
 * sp_timer_list_pop: the next expired timer, no longer armed and again the
 * caller's, who may add it at once; or NULL.
 */
struct sp_timer *sp_timer_list_pop(struct sp_timer_list *list);

/*
 * sp_wheel_next: how long the shard may sleep.
 *
 * => Returns true and sets *tick, which is never after the next expiry. It
 *    is exact for the 256-tick window that the present is in, and else the
 *    start of a slot: then nothing may expire, and one asks again.
 * => *tick is the present if something is due already.
 * => Returns false: there are no timers.
 */
bool sp_wheel_next(struct sp_wheel *wheel, sp_tick *tick);

#endif /* SPATE_SHARDS_TIMER_WHEEL_H */
