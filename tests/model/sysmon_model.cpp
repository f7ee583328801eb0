/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: the watcher, who sleeps while no shard is awake; pollers that find
 * work (NUDGE), and who ends it (OVER). Its sleeps have no time-out here, which
 * would hide what is lost; between its looks any time passes.
 *
 * Claim. The watcher ends when it is told to, whenever that is. A poller that
 * goes on finding work is looked at: both may miss, but not for good.
 *
 *     extract shards/engine.h: sp_sysmon_nudge
 *     extract shards/sysmon.c: sp_sysmon_wake may_sleep sleep_while_idle
 *     extract shards/sysmon.c: sysmon_main sp_sysmon_stop
 */

#include "tests/model/model.h"
#include "tests/model/stub_shard.h"

#undef sp_sysmon_nudge
#undef sp_futex_wait_for
#define sp_futex_wait_for(word, value, ns) wait_for(word, value)
#define SP_NS_PER_S 1
#define SP_HANDLE_MAX_SHARDS 2
#define TICK_NS 1
#define CALM_TICKS 1
#define CALM_NS 1
#define IDLE_TICKS 1
#define SLEEP_S 1
#define sp_blocking_look(engine) false /* blocking_model.cpp has that */
#define pthread_setname_np(thread, name) ((void)0)
#define pthread_join(thread, result) ((void)0)

enum look { ASLEEP, CALM, TROUBLED };

static void wait_for(SP_ATOMIC(uint32_t) * word, uint32_t value);
static enum look look_around(struct sp_engine *engine, uint64_t *last);
void sp_sysmon_wake(struct sp_engine *engine);

#include "engine.h.inc"
#include "sysmon.c.inc"

enum act {
	NOTHING,
	WATCH,
	STOP,
	POLL,      /* finds work once, and sleeps again */
	POLL_STOP, /* until it is looked at; then the end */
};
enum { THREADS = 3, SHARDS = 2 };

static const struct scenario {
	const char *name;
	enum act act[THREADS];
} * scenario;

/* Thrown by who sleeps with nobody left to end it. */
struct for_good {};

static struct sysmon_suite *suite;

struct sysmon_suite : rl::test_suite<sysmon_suite, THREADS> {
	struct sp_engine engine;
	struct sp_shard shard[SHARDS];
	struct sp_shard *shards[SHARDS];
	model_sleep watcher;
	bool looked, ended;

	void
	before()
	{
		suite = this;
		model_resting = 0;
		looked = ended = false;
		sp_store(&engine.sysmon_asleep, 0, relaxed);
		sp_store(&engine.sysmon_stop, 0, relaxed);
		engine.sysmon_runs = true;
		engine.shard_count = SHARDS;
		engine.shards = shards;
		for (int i = 0; i < SHARDS; i++) {
			shards[i] = &shard[i];
			sp_store(&shard[i].wake.sig, SP_WAKE_BLOCKED, relaxed);
		}
	}

	void
	poll(struct sp_shard *shard)
	{
		sp_wake_running(&shard->wake); /* NUDGE3 */
		sp_sysmon_nudge(&engine);
	}

	void
	act(enum act what, unsigned i)
	{
		if (what == WATCH) {
			sysmon_main(&engine);
			ended = true;
		}
		if (what == POLL) {
			poll(&shard[0]);
			sp_wake_blocked(&shard[0].wake);
		}
		while (what == POLL_STOP && !looked) {
			poll(&shard[1]);
			rl::yield(1, $);
		}
		if (what == STOP || what == POLL_STOP)
			sp_sysmon_stop(&engine);
	}

	void
	thread(unsigned i)
	{
		try {
			act(scenario->act[i], i);
		} catch (struct for_good) {
			return;
		}
		model_resting++;
	}

	void
	after()
	{
		RL_ASSERT(ended);
	}
};

/* Whether a shard is awake, as look_at() sees it. */
static enum look
look_around(struct sp_engine *engine, uint64_t *)
{
	enum look look = ASLEEP;

	for (uint32_t i = 0; i < engine->shard_count; i++) {
		if (sp_load(&engine->shards[i]->wake.sig, seq_cst)
		    != SP_WAKE_RUNNING)
			continue;
		look = CALM;
		suite->looked |= i == 1;
	}
	return look;
}

/*
 * The kernel compares and goes to sleep in one step. Between looks there is no
 * rl::yield(): after one Relacy lets a thread see no old value any more.
 */
static void
wait_for(SP_ATOMIC(uint32_t) * word, uint32_t value)
{
	if (word == &suite->engine.sysmon_asleep
	    && sp_fetch_add(word, 0, relaxed) == value
	    && !suite->watcher.wait(THREADS))
		throw for_good();
}

void
sp_futex_wake(SP_ATOMIC(uint32_t) * word)
{
	if (word == &suite->engine.sysmon_asleep)
		suite->watcher.wake();
}

static const struct scenario scenarios[] = {
	{ "an end", { WATCH, STOP } },
	{ "a poll, an end", { WATCH, POLL, STOP } },
	{ "polls, an end", { WATCH, POLL_STOP } },
	{ "one polls on, an end", { WATCH, POLL, POLL_STOP } },
};

int
main()
{
	for (const struct scenario &s : scenarios) {
		scenario = &s;
		if (!model_run<sysmon_suite>(s.name))
			return 1;
	}
	return 0;
}
