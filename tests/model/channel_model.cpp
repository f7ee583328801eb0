/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: fibers of different workers that send and receive through a channel
 * with room for two, wait when they have to, and may give up; one that closes
 * it.
 *
 * Claim. When all is quiet, nobody waits who could get through. Each item
 * that was sent is received once or still there, and its receiver sees what
 * the sender wrote. Who gives up gets through to nobody, and leaves no wake-up
 * behind that another needed.
 *
 *     extract shards/channel.c: wake pass_on sp_channel_close
 *     extract shards/channel.c: try_send try_receive wait_once wait_for_turn
 *     extract shards/channel.c: sp_channel_send sp_channel_receive
 */

#include "tests/model/model.h"

#include "tests/model/stub_worker.h"

#include "shards/channel.h"

#include <cerrno>

#include "channel.c.inc"

enum act { NOTHING, SEND, SEND2, SEND3, RECEIVE, RECEIVE2, HURRY, CLOSE };
enum { THREADS = 4, ITEMS = THREADS * 3, PLACES = 64 };

static const struct scenario {
	const char *name;
	enum act act[THREADS];
	int before; /* items in it already */
} * scenario;

/* Thrown by who waits with nobody left to end it. */
struct for_good {};

struct channel_suite : rl::test_suite<channel_suite, THREADS> {
	struct sp_channel channel;
	struct sp_queue_slot slot[2];
	struct sp_idle idle[4];
	struct sp_event event[2][PLACES];
	model_sleep sleep[2][PLACES];
	struct sp_worker worker[THREADS];
	rl::var<int> payload[ITEMS + 2];
	int sent = 0, received = 0, gave_up = 0;
	bool taken[ITEMS + 2] = {};
	int asleep[2] = {};

	static struct channel_suite *suite;

	void
	before_one(struct sp_waiters *set, int which)
	{
		set->words = 1;
		set->free = &idle[2 * which];
		set->parked = &idle[2 * which + 1];
		set->event = event[which];
		sp_waiters_init(set);
		/* Two places are enough, and sooner looked at. */
		sp_store(&set->free->set, 15, relaxed);
	}

	void
	before()
	{
		suite = this;
		model_resting = 0;
		before_one(&channel.receivers, 0);
		before_one(&channel.senders, 1);
		sp_queue_init(&channel.queue, slot, 2);
		sp_store(&channel.closed, 0, relaxed);
		for (int i = 0; i < scenario->before; i++) {
			payload[ITEMS + i]($) = ITEMS + i;
			sp_queue_push(&channel.queue, &taken[ITEMS + i]);
			sent++;
		}
	}

	int
	send(unsigned i, int n)
	{
		int item = i * 3 + n;
		int error;

		payload[item]($) = item;
		error = sp_channel_send(&worker[i], &channel, &taken[item], 0);
		sent += error == 0;
		return error;
	}

	int
	receive(unsigned i, sp_tick until)
	{
		void *found;
		int error = sp_channel_receive(
		    &worker[i], &channel, &found, until);

		if (error == 0) {
			int item = (bool *)found - taken;

			RL_ASSERT(payload[item]($) == item);
			RL_ASSERT(!taken[item]);
			taken[item] = true;
			received++;
		}
		return error;
	}

	void
	act(unsigned i)
	{
		switch (scenario->act[i]) {
		case SEND3:
			send(i, 2);
		case SEND2:
			send(i, 1);
		case SEND:
			send(i, 0);
			break;
		case RECEIVE2:
			receive(i, 0);
		case RECEIVE:
			receive(i, 0);
			break;
		case HURRY:
			gave_up += receive(i, 1) != 0;
			break;
		case CLOSE:
			sp_channel_close(&channel);
			break;
		default:
			break;
		}
	}

	void
	thread(unsigned i)
	{
		try {
			act(i);
			model_resting++;
		} catch (struct for_good) {
		}
	}

	void
	after()
	{
		int left = 0;
		void *item;

		/* Nobody sleeps next to what it waits for. */
		if (asleep[0] != 0)
			RL_ASSERT(!sp_queue_can_pop(&channel.queue));
		if (asleep[1] != 0)
			RL_ASSERT(!sp_queue_can_push(&channel.queue));
		if (sp_load(&channel.closed, relaxed))
			RL_ASSERT(asleep[0] == 0 && asleep[1] == 0);
		while (sp_queue_pop(&channel.queue, &item))
			left++;
		RL_ASSERT(sent == received + left);
	}
};

struct channel_suite *channel_suite::suite;

int
sp_fiber_reserve(struct sp_worker *)
{
	return 0;
}

static model_sleep *
sleep_of(struct sp_event *event)
{
	struct channel_suite *suite = channel_suite::suite;
	int which = event >= suite->event[1]
		    && event < suite->event[1] + PLACES;

	return &suite->sleep[which][event - suite->event[which]];
}

/* Who is in a hurry gives up sooner or later, posted or not. */
int
sp_event_wait_until(struct sp_worker *, struct sp_event *event, sp_tick until)
{
	struct channel_suite *suite = channel_suite::suite;
	model_sleep *sleep = sleep_of(event);

	if (until != 0) {
		for (int looks = 0; looks < 3; looks++) {
			if (sleep->token)
				return sleep->token = false;
			rl::yield(1, $);
		}
		return -ETIMEDOUT;
	}
	if (!sleep->wait(THREADS)) {
		suite->asleep[sleep >= suite->sleep[1]]++;
		throw for_good();
	}
	return 0;
}

void
sp_event_post(struct sp_event *event)
{
	sleep_of(event)->wake();
}

static const struct scenario scenarios[] = {
	{ "one each", { SEND, RECEIVE } },
	{ "two send, one receives", { SEND, SEND, RECEIVE2 } },
	{ "one sends, two receive", { SEND2, RECEIVE, RECEIVE } },
	{ "two and two", { SEND, SEND, RECEIVE, RECEIVE } },
	{ "a full one", { SEND3, SEND, RECEIVE2, RECEIVE } },
	{ "two wait for room", { SEND2, SEND, SEND, RECEIVE2 } },
	{ "two wait, two receive", { SEND, SEND, RECEIVE, RECEIVE }, 2 },
	{ "one gives up", { SEND, HURRY, RECEIVE } },
	{ "one gives up, two send", { SEND, SEND, HURRY, RECEIVE2 } },
	{ "closed, receiving", { SEND, CLOSE, RECEIVE, RECEIVE } },
	{ "closed, sending", { SEND3, CLOSE, SEND } },
};

int
main()
{
	for (const struct scenario &s : scenarios) {
		scenario = &s;
		if (!model_run<channel_suite>(s.name))
			return 1;
	}
	return 0;
}
