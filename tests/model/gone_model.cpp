/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: who stops a server and looks whether all have gone, a connection
 * whose handler spawns a task, and the task.
 *
 * Claim. When all seem to have gone they have: what the task did is seen, and
 * none is forgotten that a connection spawned before it left (GONE).
 *
 *     extract shards/spawn.c: uncount count
 *     extract shards/shard.c: sp_shard_leave
 *     extract framework/server.c: all_have_gone
 */

#include "tests/model/model.h"

#include <cerrno>

struct sp_engine {
	struct {
		uint32_t max_tasks;
	} options;
	SP_ATOMIC(int64_t) connections;
	SP_ATOMIC(uint32_t) tasks, tasks_awaited, tasks_refused;
};

struct sp_shard {
	struct sp_engine *engine;
	SP_ATOMIC(int32_t) load;
	SP_ATOMIC(uint32_t) stopping;
};

#define wake_all(shard) RL_ASSERT(!"it does not stop yet")

#include "spawn.c.inc"

#include "server.c.inc"
#include "shard.c.inc"

enum { STOPPER, CONNECTION, TASK, THREADS };

struct gone_suite : rl::test_suite<gone_suite, THREADS> {
	struct sp_engine engine;
	struct sp_shard shard;
	rl::atomic<int> posted; /* the task, as by the inbox */
	rl::var<int> done;      /* by the connection, then by the task */

	void
	before()
	{
		engine.options.max_tasks = 1;
		sp_store(&engine.connections, 1, relaxed);
		sp_store(&engine.tasks, 0, relaxed);
		sp_store(&engine.tasks_awaited, 0, relaxed);
		sp_store(&engine.tasks_refused, 0, relaxed);
		shard.engine = &engine;
		sp_store(&shard.load, 1, relaxed);
		sp_store(&shard.stopping, 0, relaxed);
		posted.store(0, rl::mo_relaxed, $);
		done($) = 0;
	}

	void
	thread(unsigned i)
	{
		switch (i) {
		case STOPPER:
			while (!all_have_gone(&engine))
				rl::yield(1, $);
			RL_ASSERT(done($) == 2);
			break;
		case CONNECTION:
			RL_ASSERT(count(&engine, false) == 0);
			done($) = 1;
			posted.store(1, rl::mo_release, $);
			sp_shard_leave(&shard);
			break;
		case TASK:
			while (posted.load(rl::mo_acquire, $) == 0)
				rl::yield(1, $);
			done($) = 2;
			uncount(&engine, false);
			break;
		}
	}
};

int
main()
{
	return !model_run<gone_suite>("all have gone");
}
