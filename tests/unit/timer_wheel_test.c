/* SPDX-License-Identifier: BSD-2-Clause */

/* Timer wheel: against a list that is searched, and its bounds by count. */

#include "shards/timer_wheel.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

#define MS_PER_HOUR 3600000u

static struct sp_wheel wheel;

static unsigned
advance_and_drop(sp_tick now)
{
	struct sp_timer_list expired = { NULL };
	unsigned count = sp_wheel_advance(&wheel, now, &expired), popped = 0;

	while (sp_timer_list_pop(&expired) != NULL)
		popped++;
	EXPECT_EQ(popped, count);
	return count;
}

/* Starts at interesting places: both sides of carries and of the wrap. */
static const sp_tick starts[] = { 0, 1, 255, 256, 65535, 65536, 16777215,
	16777216, 0x7fffffff, 0x80000000, 0xfeffffff, 0xff000000, 0xffffff00,
	0xfffffffe, 0xffffffff };
static const uint32_t delays[] = { 1, 2, 254, 255, 256, 257, 511, 512, 65535,
	65536, 65537, 131072, 16777215, 16777216, 16777217, 0x40000000,
	0x7fffffff };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

TEST(a_timer_expires_at_its_tick_and_not_before)
{
	struct sp_timer timer = { 0 };

	for (size_t i = 0; i < COUNT(starts); i++) {
		for (size_t j = 0; j < COUNT(delays); j++) {
			sp_wheel_init(&wheel, starts[i]);
			sp_wheel_add(&wheel, &timer, starts[i] + delays[j]);
			EXPECT(sp_timer_armed(&timer));
			EXPECT_EQ(
			    advance_and_drop(starts[i] + delays[j] - 1), 0);
			EXPECT_EQ(advance_and_drop(starts[i] + delays[j]), 1);
			EXPECT(!sp_timer_armed(&timer));
			EXPECT_EQ(wheel.armed, 0);
		}
	}
}

TEST(waiting_as_told_finds_the_tick_in_four_looks)
{
	struct sp_timer timer = { 0 };
	sp_tick next, when;

	for (size_t i = 0; i < COUNT(starts); i++) {
		for (size_t j = 0; j < COUNT(delays); j++) {
			int looks = 0;

			when = starts[i] + delays[j];
			sp_wheel_init(&wheel, starts[i]);
			EXPECT(!sp_wheel_next(&wheel, &next));
			sp_wheel_add(&wheel, &timer, when);
			do {
				EXPECT(sp_wheel_next(&wheel, &next));
				EXPECT(!sp_tick_after(next, when));
				EXPECT(sp_tick_after(next, wheel.now));
				looks++;
			} while (advance_and_drop(next) == 0 && looks < 5);
			EXPECT_EQ(wheel.now, when);
			EXPECT(looks <= SP_WHEEL_LEVELS);
		}
	}
}

TEST(a_late_timer_expires_at_the_next_advance)
{
	struct sp_timer late = { 0 }, now = { 0 }, soon = { 0 };
	struct sp_timer_list expired = { NULL };
	sp_tick next;

	sp_wheel_init(&wheel, 1000);
	sp_wheel_add(&wheel, &soon, 1001);
	sp_wheel_add(&wheel, &now, 1000);
	sp_wheel_add(&wheel, &late, 10);
	EXPECT(sp_wheel_next(&wheel, &next));
	EXPECT_EQ(next, 1000);
	EXPECT_EQ(sp_wheel_advance(&wheel, 1000, &expired), 2);
	EXPECT(sp_timer_list_pop(&expired) == &now);
	EXPECT(sp_timer_list_pop(&expired) == &late);
	EXPECT(sp_timer_list_pop(&expired) == NULL);
	sp_wheel_add(&wheel, &late, 10);
	EXPECT_EQ(sp_wheel_advance(&wheel, 999, &expired), 1); /* no way back */
	EXPECT_EQ(wheel.now, 1000);
	EXPECT(sp_timer_list_pop(&expired) == &late);
	EXPECT_EQ(advance_and_drop(1001), 1);
}

TEST(the_last_late_timer_can_be_deleted)
{
	struct sp_timer a = { 0 }, b = { 0 }, c = { 0 };

	sp_wheel_init(&wheel, 1000);
	sp_wheel_add(&wheel, &a, 1);
	sp_wheel_add(&wheel, &b, 1);
	sp_wheel_del(&wheel, &b);
	sp_wheel_add(&wheel, &c, 1);
	sp_wheel_del(&wheel, &a);
	sp_wheel_del(&wheel, &c);
	EXPECT_EQ(advance_and_drop(1001), 0);
	sp_wheel_add(&wheel, &b, 1);
	EXPECT_EQ(advance_and_drop(1001), 1);
}

TEST(deleting_is_safe_armed_or_not)
{
	struct sp_timer timer = { 0 };
	sp_tick next;

	sp_wheel_init(&wheel, 0);
	sp_wheel_del(&wheel, &timer);
	sp_wheel_add(&wheel, &timer, 70000);
	sp_wheel_del(&wheel, &timer);
	sp_wheel_del(&wheel, &timer);
	EXPECT(!sp_timer_armed(&timer));
	EXPECT(!sp_wheel_next(&wheel, &next));
	EXPECT_EQ(advance_and_drop(80000), 0);
}

TEST(adding_an_armed_timer_moves_it)
{
	struct sp_timer timer = { 0 };

	sp_wheel_init(&wheel, 0);
	sp_wheel_add(&wheel, &timer, 70000);
	sp_wheel_add(&wheel, &timer, 5);
	EXPECT_EQ(wheel.armed, 1);
	EXPECT_EQ(advance_and_drop(5), 1);
	EXPECT_EQ(advance_and_drop(80000), 0);
}

TEST(an_expired_timer_can_be_deleted_or_added_while_others_are_handled)
{
	struct sp_timer timer[4] = { 0 };
	struct sp_timer_list expired = { NULL };

	sp_wheel_init(&wheel, 0);
	for (unsigned i = 0; i < 4; i++)
		sp_wheel_add(&wheel, &timer[i], 10 + i);
	EXPECT_EQ(sp_wheel_advance(&wheel, 20, &expired), 4);
	EXPECT(sp_timer_list_pop(&expired) == &timer[0]);
	sp_wheel_add(&wheel, &timer[0], 30);
	sp_wheel_del(&wheel, &timer[1]);
	sp_wheel_add(&wheel, &timer[3], 31);
	EXPECT(sp_timer_list_pop(&expired) == &timer[2]);
	EXPECT(sp_timer_list_pop(&expired) == NULL);
	EXPECT(!sp_timer_armed(&timer[1]));
	EXPECT_EQ(advance_and_drop(30), 1);
	EXPECT_EQ(advance_and_drop(31), 1);
	EXPECT_EQ(wheel.armed, 0);
}

/*
 * A jump by hours, days or weeks: no more steps than four for each timer
 * passed, one to open a slot and one to move on each level; and none at all
 * for empty time.
 */
TEST(a_far_jump_costs_steps_by_timers_and_not_by_ticks)
{
	enum { TIMERS = 100 };
	static struct sp_timer timer[TIMERS];
	const uint32_t jumps[] = { 1, MS_PER_HOUR, 24 * MS_PER_HOUR,
		20 * 24 * MS_PER_HOUR, 0x7fffffff };
	uint64_t seed = test_seed();

	for (size_t i = 0; i < COUNT(jumps); i++) {
		sp_tick start = (sp_tick)test_random(&seed);

		sp_wheel_init(&wheel, start);
		EXPECT_EQ(advance_and_drop(start + jumps[i]), 0);
		EXPECT_EQ(wheel.steps, 0);

		sp_wheel_init(&wheel, start);
		for (int j = 0; j < TIMERS; j++)
			sp_wheel_add(&wheel, &timer[j],
			    start + 1
				+ (sp_tick)(test_random(&seed) % jumps[i]));
		EXPECT_EQ(advance_and_drop(start + jumps[i]), TIMERS);
		EXPECT(wheel.steps <= 2 * SP_WHEEL_LEVELS * TIMERS);
	}
}

/*
 * Goal: the wheel does what a plain list does that is searched for whatever
 * is not after the present.
 * Method: a million random adds, deletions and advances on both. Advances
 * are mostly short, sometimes as far as the next expiry, and now and then
 * days, so that the ticks wrap several times.
 */
#define MODEL_TIMERS 64

struct model {
	sp_tick now;
	bool armed[MODEL_TIMERS];
	sp_tick when[MODEL_TIMERS];
	unsigned count;
};

static struct sp_timer timers[MODEL_TIMERS];

/* What is due, by the model. */
static unsigned
model_expire(struct model *model, bool *expired)
{
	unsigned count = 0;

	for (unsigned i = 0; i < MODEL_TIMERS; i++) {
		expired[i] = model->armed[i]
			     && !sp_tick_after(model->when[i], model->now);
		if (expired[i]) {
			model->armed[i] = false;
			count++;
		}
	}
	model->count -= count;
	return count;
}

static void
both_advance(struct model *model, uint32_t ticks)
{
	struct sp_timer_list list = { NULL };
	struct sp_timer *timer;
	bool expired[MODEL_TIMERS];
	sp_tick before = model->now, previous = before;

	model->now += ticks;
	EXPECT_EQ(sp_wheel_advance(&wheel, model->now, &list),
	    model_expire(model, expired));
	while ((timer = sp_timer_list_pop(&list)) != NULL) {
		EXPECT(expired[timer - timers]);
		expired[timer - timers] = false;
		if (sp_tick_after(timer->when, before)) {
			EXPECT(!sp_tick_after(previous, timer->when));
			previous = timer->when;
		}
	}
	EXPECT_EQ(wheel.now, model->now);
}

static void
both_next(const struct model *model)
{
	sp_tick next;
	bool any = sp_wheel_next(&wheel, &next);

	EXPECT_EQ(any, model->count != 0);
	for (unsigned i = 0; i < MODEL_TIMERS; i++) {
		EXPECT_EQ(sp_timer_armed(&timers[i]), model->armed[i]);
		if (!model->armed[i])
			continue;
		if (sp_tick_after(model->when[i], model->now))
			EXPECT(!sp_tick_after(next, model->when[i]));
		else
			EXPECT_EQ(next, model->now);
	}
}

static uint32_t
random_distance(uint64_t *seed)
{
	uint64_t random = test_random(seed);

	/* As many of each length in bits, up to 2^31 - 1. */
	return (uint32_t)(random >> 32) >> (1 + random % 31);
}

static void
both_add(struct model *model, unsigned i, sp_tick when)
{
	sp_wheel_add(&wheel, &timers[i], when);
	model->count += !model->armed[i];
	model->armed[i] = true;
	model->when[i] = when;
}

static void
both_del(struct model *model, unsigned i)
{
	sp_wheel_del(&wheel, &timers[i]);
	model->count -= model->armed[i];
	model->armed[i] = false;
}

static void
both_step(struct model *model, uint64_t *seed)
{
	unsigned which = test_random(seed) % MODEL_TIMERS;
	sp_tick next;

	switch (test_random(seed) % 16) {
	case 0:
	case 1:
		both_del(model, which);
		break;
	case 2:
		both_add(model, which,
		    model->now - (sp_tick)(test_random(seed) % 1000));
		break;
	case 3:
	case 4:
	case 5:
		both_advance(model, (uint32_t)(test_random(seed) % 300));
		break;
	case 6:
		if (sp_wheel_next(&wheel, &next))
			both_advance(model, next - model->now);
		break;
	case 7:
		if (test_random(seed) % 64 == 0)
			both_advance(model, random_distance(seed));
		break;
	default:
		both_add(model, which, model->now + random_distance(seed));
		break;
	}
}

TEST(a_million_random_steps_agree_with_a_list)
{
	uint64_t seed = test_seed();
	unsigned rounds = test_rounds(1000000), wraps = 0;
	struct model model = { .now = (sp_tick)-5000 };
	sp_tick before;

	sp_wheel_init(&wheel, model.now);
	for (unsigned i = 0; i < rounds; i++) {
		before = model.now;
		both_step(&model, &seed);
		wraps += model.now < before;
		EXPECT_EQ(wheel.armed, model.count);
		if (i % 16 == 0)
			both_next(&model);
	}
	EXPECT(wraps >= 1);
}
