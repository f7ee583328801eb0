/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Timer wheel: see the header for the picture.
 *
 * The invariant that all of this keeps: a timer that is after the present
 * sits on the level of the highest byte in which it differs from it. The
 * present only ever moves to the start of a slot in use, whose timers then
 * move down or expire, or over empty slots, to which no timer's level or
 * slot is sensitive: had the present entered a slot with timers, or left the
 * window that a level covers, it would have passed that slot's start.
 */

#include "shards/timer_wheel.h"

#include "alloc/cacheline.h"
#include "alloc/check.h"

#include <string.h>

/* Values of sp_timer.place that are not level * SP_WHEEL_SLOTS + slot. */
#define PLACE_DUE (SP_WHEEL_LEVELS * SP_WHEEL_SLOTS)
#define PLACE_EXPIRED (PLACE_DUE + 1)

#define LEVEL_BITS 8
#define SLOT_MASK (SP_WHEEL_SLOTS - 1)

void
sp_wheel_init(struct sp_wheel *wheel, sp_tick now)
{
	memset(wheel, 0, sizeof(*wheel));
	wheel->now = now;
	wheel->due_end = &wheel->due;
}

static void
link_at(struct sp_timer **head, struct sp_timer *timer)
{
	timer->next = *head;
	timer->pprev = head;
	if (timer->next != NULL)
		timer->next->pprev = &timer->next;
	*head = timer;
}

static void
unlink_timer(struct sp_timer *timer)
{
	*timer->pprev = timer->next;
	if (timer->next != NULL)
		timer->next->pprev = timer->pprev;
	timer->next = NULL;
	timer->pprev = NULL;
}

static unsigned
level_of(sp_tick now, sp_tick when)
{
	return (31u - (unsigned)__builtin_clz(now ^ when)) / LEVEL_BITS;
}

static void
mark_slot(struct sp_wheel *wheel, unsigned level, unsigned slot)
{
	wheel->bits[level][slot / 64] |= UINT64_C(1) << (slot % 64);
	wheel->soonest_known = false;
}

static void
unmark_slot(struct sp_wheel *wheel, unsigned level, unsigned slot)
{
	wheel->bits[level][slot / 64] &= ~(UINT64_C(1) << (slot % 64));
	wheel->soonest_known = false;
}

/* Into the wheel; it is after the present. */
static void
place_timer(struct sp_wheel *wheel, struct sp_timer *timer)
{
	unsigned level = level_of(wheel->now, timer->when);
	unsigned slot = timer->when >> (level * LEVEL_BITS) & SLOT_MASK;

	timer->place = level * SP_WHEEL_SLOTS + slot;
	link_at(&wheel->slot[level][slot], timer);
	mark_slot(wheel, level, slot);
}

void
sp_wheel_add(struct sp_wheel *wheel, struct sp_timer *timer, sp_tick when)
{
	sp_wheel_del(wheel, timer);
	wheel->armed++;
	timer->when = when;
	if (sp_tick_after(when, wheel->now)) {
		place_timer(wheel, timer);
		return;
	}
	timer->place = PLACE_DUE;
	link_at(wheel->due_end, timer);
	wheel->due_end = &timer->next;
}

void
sp_wheel_del(struct sp_wheel *wheel, struct sp_timer *timer)
{
	unsigned level = timer->place / SP_WHEEL_SLOTS;
	unsigned slot = timer->place % SP_WHEEL_SLOTS;

	if (timer->pprev == NULL)
		return;
	if (timer->place == PLACE_DUE && timer->next == NULL)
		wheel->due_end = timer->pprev;
	unlink_timer(timer);
	if (timer->place == PLACE_EXPIRED)
		return;
	wheel->armed--;
	if (timer->place != PLACE_DUE && wheel->slot[level][slot] == NULL)
		unmark_slot(wheel, level, slot);
}

/*
 * The first slot in use after `from`, going round; or -1. None is so far
 * round as to be in front of `from` and in the same word: deadlines are less
 * than half a round of the highest level away.
 */
static int
slot_after(const uint64_t *bits, unsigned from)
{
	unsigned start = (from + 1) & SLOT_MASK;
	unsigned word = start / 64;
	uint64_t found = bits[word] & ~UINT64_C(0) << (start % 64);

	for (int i = 0; i < SP_WHEEL_SLOTS / 64; i++) {
		if (found != 0)
			return (
			    int)(word * 64 + (unsigned)__builtin_ctzll(found));
		word = (word + 1) % (SP_WHEEL_SLOTS / 64);
		found = bits[word];
	}
	return -1;
}

/* The next slot in use, and the tick at which it starts. */
static bool
find_next_slot(const struct sp_wheel *wheel, unsigned *level, sp_tick *start)
{
	for (*level = 0; *level < SP_WHEEL_LEVELS; ++*level) {
		unsigned shift = *level * LEVEL_BITS;
		int slot = slot_after(
		    wheel->bits[*level], wheel->now >> shift & SLOT_MASK);

		if (slot < 0)
			continue;
		/* In two shifts: one by 32 would be undefined. */
		*start = wheel->now >> shift >> LEVEL_BITS;
		*start = *start << LEVEL_BITS << shift;
		*start |= (sp_tick)slot << shift;
		return true;
	}
	return false;
}

/*
 * Where the present is does not matter: until it comes to that slot, it goes
 * over empty ones.
 */
static inline bool
next_slot(struct sp_wheel *wheel)
{
	if (sp_unlikely(!wheel->soonest_known)) {
		wheel->soonest_any = find_next_slot(
		    wheel, &wheel->soonest_level, &wheel->soonest);
		wheel->soonest_known = true;
	}
	return wheel->soonest_any;
}

static struct sp_timer **
expire(struct sp_timer **tail, struct sp_timer *timer)
{
	timer->place = PLACE_EXPIRED;
	link_at(tail, timer);
	return &timer->next;
}

/* Empty a slot whose start is the present: down, or out. */
static struct sp_timer **
open_slot(struct sp_wheel *wheel, unsigned level, struct sp_timer **tail)
{
	unsigned slot = wheel->now >> (level * LEVEL_BITS) & SLOT_MASK;
	struct sp_timer *timer, *next = wheel->slot[level][slot];

	wheel->slot[level][slot] = NULL;
	unmark_slot(wheel, level, slot);
	wheel->steps++;
	while ((timer = next) != NULL) {
		next = timer->next;
		wheel->steps++;
		if (timer->when == wheel->now) {
			wheel->armed--;
			tail = expire(tail, timer);
		} else {
			place_timer(wheel, timer);
		}
	}
	return tail;
}

uint32_t
sp_wheel_advance(
    struct sp_wheel *wheel, sp_tick now, struct sp_timer_list *expired)
{
	struct sp_timer **tail = &expired->first, *timer;
	uint32_t before = wheel->armed;

	SP_CHECK(expired->first == NULL);
	while ((timer = wheel->due) != NULL) {
		sp_wheel_del(wheel, timer);
		wheel->steps++;
		tail = expire(tail, timer);
	}
	if (!sp_tick_after(now, wheel->now))
		return before - wheel->armed;
	while (next_slot(wheel) && !sp_tick_after(wheel->soonest, now)) {
		wheel->now = wheel->soonest;
		tail = open_slot(wheel, wheel->soonest_level, tail);
	}
	wheel->now = now;
	return before - wheel->armed;
}

struct sp_timer *
sp_timer_list_pop(struct sp_timer_list *list)
{
	struct sp_timer *timer = list->first;

	if (timer != NULL)
		unlink_timer(timer);
	return timer;
}

bool
sp_wheel_next(struct sp_wheel *wheel, sp_tick *tick)
{
	bool any = next_slot(wheel);

	*tick = wheel->due != NULL ? wheel->now : wheel->soonest;
	return any || wheel->due != NULL;
}
