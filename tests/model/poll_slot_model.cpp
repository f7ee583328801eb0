/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: one descriptor, its owner, and up to three threads that want
 * something of it: an edge, a send, a close, a passed deadline, a drain.
 *
 * Claim, for a TASK and for a fiber alike.
 *
 *  1. The descriptor has one owner at a time (two would be a data race on
 *     buffer), and what waited is handed over exactly once.
 *  2. When all is done, what arrived has been read, what was sent has been
 *     taken, and who was told to close has closed. Nobody is parked over it.
 *  3. A bit of info that came with an edge is seen by who takes the edge.
 *  4. A deadline that has been moved is never taken for passed.
 *
 * Nobody comes to the rescue: each thread acts once.
 *
 *     extract shards/netpoll.c: run_or_resume sp_netpoll_ready
 *     extract shards/engine.c: drain_one
 */

#include "tests/model/model.h"

#include "shards/netpoll.h"
#include "shards/poll_desc.h"
#include "tests/model/stub_worker.h"

#include "shards/poll_desc.c"
#include "shards/poll_wait.c"

struct sp_shard;
void sp_run_woken(struct sp_poll_desc *, struct sp_shard *, uintptr_t);
#include "engine.c.inc"
#include "netpoll.c.inc"

/* What a thread does. The owner begins as a running TASK or fiber. */
enum act {
	NOTHING,
	TASK,
	FIBER,
	MOVER,
	WRITER,
	EDGE,
	ROOM,
	HANGUP,
	SEND,
	CLOSE,
	LATE,
	DRAIN,
	KICK
};
enum { OLD_TICK = 5, NEW_TICK = 9, THREADS = 4 };

static const struct scenario {
	const char *name;
	enum act act[THREADS];
} * scenario;

static struct slot_suite *suite;

struct slot_suite : rl::test_suite<slot_suite, THREADS> {
	struct sp_poll_desc pd;
	struct sp_link message[THREADS];
	struct sp_worker worker;
	struct sp_fiber fiber;
	model_sleep asleep;

	/* The socket: both sides go through its lock, so acq_rel. */
	rl::atomic<int> socket;
	rl::var<int> buffer; /* the owner's */
	int seen = 0, taken = 0, hungup = 0, ended = 0, suspended = 0;
	int readied = 0;

	int
	count(enum act what)
	{
		int n = 0;

		for (enum act act : scenario->act)
			n += act == what;
		return n;
	}

	bool
	ending()
	{
		return count(CLOSE) + count(LATE) + count(DRAIN) + count(KICK)
			   != 0
		       && count(MOVER) == 0;
	}

	void
	before()
	{
		suite = this;
		choose_bit();
		model_resting = 0;
		sp_poll_desc_reset(&pd, 3, NULL);
		pd.deadline[SP_POLL_READ].store(OLD_TICK, rl::mo_relaxed, $);
		socket.store(0, rl::mo_relaxed, $);
		buffer($) = 0;
		worker.current = &fiber;
		fiber.home = &worker;
		if (count(TASK) + count(FIBER) + count(MOVER) + count(WRITER)
		    == 0)
			sp_slot_park(&pd.slot[SP_POLL_READ]);
	}

	/* What comes with the edge of HANGUP: one bit, since each orders the
	 * others. A fiber takes the last for an error, which ends its wait. */
	struct {
		uint32_t polled, info;
	} bit;

	void
	choose_bit()
	{
		switch (rl::rand(count(FIBER) ? 2 : 3)) {
		case 0:
			bit = { SP_POLLED_HANGUP, SP_POLL_HANGUP };
			break;
		case 1:
			bit = { SP_POLLED_URGENT, SP_POLL_URGENT };
			break;
		default:
			bit = { SP_POLLED_ERROR, SP_POLL_EVENT_ERR };
		}
	}

	/* The owner's turn at the descriptor. */
	void
	serve()
	{
		buffer($) = buffer($) + 1;
		seen = socket.fetch_add(0, rl::mo_acq_rel, $);
		for (struct sp_link *link = sp_stack_pop_all(&pd.outq); link;
		     link = link->next)
			taken++;
		hungup |= (sp_poll_info(&pd) & bit.info) != 0;
	}

	bool
	told_to_end()
	{
		return (sp_poll_info(&pd) & SP_POLL_ATTENTION) != 0
		       || sp_load(&pd.deadline[SP_POLL_READ], seq_cst)
			      == SP_DEADLINE_EXPIRED;
	}

	/* A TASK, from being handed over to being parked again. */
	void
	run_task()
	{
		do {
			serve();
			if (told_to_end()) {
				ended++;
				return;
			}
		} while (!sp_poll_park(&pd));
	}

	bool
	fiber_is_through(int error)
	{
		if (count(MOVER) != 0)
			RL_ASSERT(error != -ETIMEDOUT);
		else if (error != 0)
			ended = 1;
		if (ended)
			return true;
		return !ending() && seen >= count(EDGE) + 2 * count(HANGUP)
		       && taken == count(SEND)
		       && (count(HANGUP) == 0 || hungup);
	}

	void
	run_fiber()
	{
		int error = sp_poll_reset(&pd, SP_POLL_READ);

		for (;;) {
			serve();
			if (fiber_is_through(error))
				break;
			error = sp_poll_wait(&worker, &pd, SP_POLL_READ);
		}
	}

	/* Leaves outq alone, and gets room only once it sleeps. */
	void
	run_writer()
	{
		while (socket.fetch_add(0, rl::mo_acq_rel, $) == 0) {
			RL_ASSERT(
			    sp_poll_wait(&worker, &pd, SP_POLL_WRITE) == 0);
			sp_poll_reset(&pd, SP_POLL_WRITE);
		}
	}

	void
	handed_over(uintptr_t woken)
	{
		if (woken == SP_SLOT_TASK)
			run_task();
		else if (woken > SP_SLOT_TASK)
			sp_fiber_ready((struct sp_fiber *)woken);
	}

	void
	edge(uint32_t polled)
	{
		struct sp_task_list ready;

		sp_task_list_init(&ready);
		socket.fetch_add(1, rl::mo_acq_rel, $);
		sp_netpoll_ready(NULL, &pd, polled, &ready);
		if (ready.count != 0)
			run_task();
	}

	void
	act(enum act what, struct sp_link *link)
	{
		uintptr_t woken[SP_POLL_MODES] = { 0, 0 };

		if (what == EDGE || what == HANGUP)
			edge(SP_POLLED_READ);
		if (what == HANGUP)
			edge(SP_POLLED_READ | bit.polled);
		while (what == ROOM && !asleep.asleep)
			rl::yield(1, $);
		if (what == ROOM)
			edge(SP_POLLED_WRITE);
		if (what == SEND) {
			sp_stack_push(&pd.outq, link); /* FLAG3 */
			sp_poll_kick(&pd, 0, woken);
		}
		if (what == KICK)
			sp_poll_kick(&pd, SP_POLL_DRAIN, woken);
		if (what == CLOSE)
			RL_ASSERT(sp_poll_unblock(&pd, woken));
		if (what == LATE)
			woken[0] = sp_poll_expire(&pd, SP_POLL_READ, OLD_TICK);
		if (what == DRAIN)
			drain_one(&pd, NULL);
		handed_over(woken[SP_POLL_READ]);
		handed_over(woken[SP_POLL_WRITE]);
	}

	void
	thread(unsigned i)
	{
		enum act what = scenario->act[i];

		if (what == TASK)
			run_task();
		if (what == MOVER)
			sp_poll_set_deadline(&pd, SP_POLL_READ, NEW_TICK);
		if (what == FIBER || what == MOVER)
			run_fiber();
		else if (what == WRITER)
			run_writer();
		else if (what > WRITER)
			act(what, &message[i]);
		model_resting++;
	}

	void
	after()
	{
		RL_ASSERT(readied == suspended);
		RL_ASSERT(ended == ending());
		if (ended || count(WRITER) != 0)
			return;
		RL_ASSERT(seen == count(EDGE) + 2 * count(HANGUP));
		RL_ASSERT(taken == count(SEND));
		RL_ASSERT(count(HANGUP) == 0 || hungup);
	}
};

int
sp_fiber_reserve(struct sp_worker *)
{
	return 0;
}

void
sp_fiber_suspend(struct sp_worker *)
{
	suite->suspended++;
	RL_ASSERT(suite->asleep.wait(THREADS));
}

void
sp_fiber_ready(struct sp_fiber *fiber)
{
	RL_ASSERT(fiber == &suite->fiber);
	suite->readied++;
	suite->asleep.wake();
}

void
sp_run_woken(struct sp_poll_desc *, struct sp_shard *, uintptr_t woken)
{
	suite->handed_over(woken);
}

static const struct scenario scenarios[] = {
	{ "task: two edges", { TASK, EDGE, EDGE } },
	{ "task: edge, send", { TASK, EDGE, SEND } },
	{ "task: two sends", { TASK, SEND, SEND } },
	{ "task: close", { TASK, CLOSE } },
	{ "task: edge, close", { TASK, EDGE, CLOSE } },
	{ "task: edge, send, close", { TASK, EDGE, SEND, CLOSE } },
	{ "task: send", { TASK, SEND } },
	{ "task: deadline", { TASK, LATE } },
	{ "task: edge, deadline", { TASK, EDGE, LATE } },
	{ "task: drain", { TASK, DRAIN } },
	{ "task: kick", { TASK, KICK } },
	{ "task: edge, drain", { TASK, EDGE, DRAIN } },
	{ "task: hang-up", { TASK, HANGUP } },
	{ "parked: two edges", { NOTHING, EDGE, EDGE } },
	{ "parked: all three", { NOTHING, EDGE, SEND, CLOSE } },
	{ "parked: hang-up, send", { NOTHING, HANGUP, SEND } },
	{ "fiber: edge", { FIBER, EDGE } },
	{ "fiber: two edges", { FIBER, EDGE, EDGE } },
	{ "fiber: send", { FIBER, SEND } },
	{ "fiber: close", { FIBER, CLOSE } },
	{ "fiber: deadline", { FIBER, LATE } },
	{ "fiber: edge, send", { FIBER, EDGE, SEND } },
	{ "fiber: edge, close", { FIBER, EDGE, CLOSE } },
	{ "fiber: edge, deadline", { FIBER, EDGE, LATE } },
	{ "fiber: hang-up", { FIBER, HANGUP } },
	{ "fiber: moved deadline", { MOVER, EDGE, LATE } },
	{ "writer: room, send", { WRITER, ROOM, SEND } },
	{ "writer: room, sends", { WRITER, ROOM, SEND, SEND } },
};

int
main()
{
	for (const struct scenario &s : scenarios) {
		scenario = &s;
		if (!model_run<slot_suite>(s.name))
			return 1;
	}
	return 0;
}
