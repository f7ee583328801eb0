# SPDX-License-Identifier: BSD-2-Clause
"""What mutate.py tries, besides weakening every order."""

# Which models are about a file; the first to fail has caught a mutant.
MODELS = {
    "shards/bounded_queue.h": ["queue", "channel"],
    "shards/blocking.c": ["blocking"],
    "shards/handed.c": ["heavy"],
    "shards/sysmon.c": ["blocking", "sysmon"],
    "shards/waiters.h": ["channel"],
    "shards/channel.c": ["channel"],
    "shards/offload.c": ["offload", "pool"],
    "shards/recorder.h": ["recorder"],
    "shards/spsc_ring.h": ["spsc"],
    "shards/poll_slot.h": ["poll_slot"],
    "shards/poll_desc.h": ["poll_slot"],
    "shards/poll_desc.c": ["poll_slot"],
    "shards/poll_wait.c": ["poll_slot"],
    "shards/mpsc_stack.h": ["wake", "reclaim", "poll_slot", "resume"],
    "shards/wake.h": ["wake", "idle"],
    "shards/idle.h": ["resume", "idle"],
    "shards/token.h": ["token", "idle"],
    "shards/poll_cache.h": ["reclaim"],
    "shards/poll_cache.c": ["reclaim"],
    "shards/worker.c": ["rest", "fiber", "resume", "idle"],
    "shards/netpoll.c": ["poll_slot", "wake", "idle"],
    "shards/shard.c": ["reclaim", "idle", "gone"],
    "shards/steal.c": ["rest", "idle"],
    "shards/engine.c": ["poll_slot", "idle"],
    "shards/spawn.c": ["gone"],
    "framework/server.c": ["gone"],
}

# Why an order is kept though no model fails without it.
RUNS_IN_ORDER = "Relacy's order of execution is that of seq_cst"
SWAPS = "the swap that follows sees the newest"
LOOKED = "the load before was FLAG4; a later waiter looks at the news itself"
CLAIM = "the other three order the pair; what crosses has its own edges"
NOTIFY = "one of many has to win; the stack orders what crosses"
WORD = "the stacks order what crosses; TSan sees this and not the futex"
GRACE = "the grace period orders it; in order, events go stale at once"
TOKEN = "the token's acquire brings the stop of who left before"
ADDED = "for a worker just added, which the models do not do"
GLANCE = "no pair ends here now; in order, so that one may"
CLOSING = "a late send is freed after the grace period; info has one order"
SEEN = "the owner clears what it has seen, and nothing crosses"
OUTGOING = "no model has outgoing ones; as for connections, which they have"
OVERTAKEN = "who fails was overtaken, and touches nothing any more"
RETRACTS = "the fiber owned all along; who took it out wakes it by WAKES"
MISSES = "a poller's side is relaxed, so both may miss whatever this one is"
JOINED = "nothing crosses: who ends the watcher joins it"
RARE = "as sp_queue_can_pop's, but random schedules do not come upon it"
AGAIN = "it looks again when it has said that it is idle"
LAST_IDLE = "the retract before it was of the same word"
TAKEN = "the exchange that follows acquires"
OWN = "the owner takes back only what it has put there itself"

# "file: name of the access -> order": why the stronger order is kept.
EXPECTED_TO_HOLD = {
    # Relacy takes the order in which it runs things for the one of seq_cst,
    # so it cannot tell these from acquire and relaxed. C11 can.
    "shards/poll_slot.h: sp_slot_ready cas -> acq_rel": RUNS_IN_ORDER,
    "shards/poll_slot.h: sp_slot_unpark cas -> acq_rel": RUNS_IN_ORDER,
    "shards/poll_slot.h: sp_slot_evict cas -> acq_rel": RUNS_IN_ORDER,

    "shards/sysmon.c: sp_sysmon_wake xchg -> acq_rel": RUNS_IN_ORDER,
    "shards/sysmon.c: sp_sysmon_wake xchg -> relaxed": RUNS_IN_ORDER,
    "shards/sysmon.c: sleep_while_idle store -> release": RUNS_IN_ORDER,
    "shards/sysmon.c: sleep_while_idle store -> relaxed": RUNS_IN_ORDER,
    "shards/sysmon.c: may_sleep load 2 -> acquire": MISSES,
    "shards/sysmon.c: may_sleep load 2 -> relaxed": MISSES,
    "shards/sysmon.c: sysmon_main load -> relaxed": JOINED,

    # A failure that only begins another try, or a swap.
    "shards/poll_slot.h: sp_slot_announce cas failure -> acquire": SWAPS,
    "shards/poll_slot.h: sp_slot_announce cas failure -> relaxed": SWAPS,
    "shards/poll_slot.h: sp_slot_park cas failure -> acquire": SWAPS,
    "shards/poll_slot.h: sp_slot_park cas failure -> relaxed": SWAPS,
    "shards/poll_slot.h: sp_slot_evict cas failure -> acquire": LOOKED,
    "shards/poll_slot.h: sp_slot_evict cas failure -> relaxed": LOOKED,

    "shards/bounded_queue.h: sp_queue_can_push load 2 -> acquire": RARE,
    "shards/bounded_queue.h: sp_queue_can_push load 2 -> relaxed": RARE,
    "shards/blocking.c: has_work load 2 -> acquire": RARE,
    "shards/blocking.c: has_work load 2 -> relaxed": RARE,

    # Ordered by something else already, and kept for who reads it.
    "shards/poll_slot.h: sp_slot_commit cas -> relaxed":
        "the announce's release sequence goes on to the commit",
    "shards/idle.h: sp_idle_retract fetch_and -> acq_rel": CLAIM,
    "shards/idle.h: sp_idle_retract fetch_and -> relaxed": CLAIM,
    "shards/wake.h: sp_wake_notify cas -> acquire": NOTIFY,
    "shards/wake.h: sp_wake_notify cas -> release": NOTIFY,
    "shards/wake.h: sp_wake_notify cas -> relaxed": NOTIFY,
    "shards/worker.c: sp_worker_wake fetch_add -> relaxed": WORD,
    "shards/worker.c: sp_worker_park load -> relaxed": WORD,
    "shards/poll_cache.c: sp_poll_cache_retire store -> release": GRACE,
    "shards/poll_cache.c: sp_poll_cache_retire store -> relaxed": GRACE,
    "shards/steal.c: help load -> acquire": TOKEN,
    "shards/steal.c: help load -> relaxed": TOKEN,
    "shards/steal.c: take_rest load -> relaxed": ADDED,
    "shards/steal.c: take_rest load 2 -> relaxed": ADDED,
    "shards/shard.c: wake_all load -> relaxed": ADDED,
    "shards/shard.c: sp_shard_unattended load -> relaxed": ADDED,
    "shards/handed.c: sp_shard_heavy load -> relaxed": ADDED,
    "shards/blocking.c: wake load -> relaxed": ADDED,
    "shards/mpsc_stack.h: sp_stack_pop_all load -> acquire": GLANCE,
    "shards/mpsc_stack.h: sp_stack_pop_all load -> relaxed": GLANCE,
    "shards/shard.c: close_and_retire fetch_or -> acq_rel": CLOSING,
    "shards/shard.c: close_and_retire fetch_or -> relaxed": CLOSING,
    "shards/shard.c: sp_shard_ended load 3 -> acquire": OUTGOING,
    "shards/shard.c: sp_shard_ended load 3 -> relaxed": OUTGOING,
    "shards/poll_slot.h: sp_slot_unpark cas failure -> acquire": OVERTAKEN,
    "shards/poll_slot.h: sp_slot_unpark cas failure -> relaxed": OVERTAKEN,
    "shards/poll_slot.h: sp_slot_retract cas -> acq_rel": RETRACTS,
    "shards/poll_slot.h: sp_slot_retract cas -> relaxed": RETRACTS,
    "shards/poll_slot.h: sp_slot_retract cas failure -> acquire": RETRACTS,
    "shards/poll_slot.h: sp_slot_retract cas failure -> relaxed": RETRACTS,
    "shards/poll_desc.h: sp_poll_take_drain fetch_and -> acq_rel": SEEN,
    "shards/poll_desc.h: sp_poll_take_drain fetch_and -> relaxed": SEEN,
    "shards/offload.c: wake_one fetch_add -> relaxed": WORD,
    "shards/offload.c: sleep_until_claimed load -> relaxed": WORD,
    "shards/offload.c: sleep_until_claimed load 2 -> acquire": LAST_IDLE,
    "shards/offload.c: sleep_until_claimed load 2 -> relaxed": LAST_IDLE,
    "shards/offload.c: thread_main load 2 -> acquire": AGAIN,
    "shards/offload.c: thread_main load 2 -> relaxed": AGAIN,
    "shards/offload.c: take_place load -> relaxed": TAKEN,
    "shards/worker.c: run_list xchg -> relaxed": OWN,
    "shards/worker.c: loop xchg -> relaxed": OWN,
}

# (name, file, text, its replacement, the model that has to fail)
LOGIC = [
    ("a record is told of before it is written", "shards/recorder.h",
     "	slot += head & recorder->mask;\n",
     "	slot += head & recorder->mask;\n"
     "	sp_store(&recorder->head, head + 1, release);\n", "recorder"),
    ("a copy has what was written over it", "shards/recorder.h",
     "	if (lost <= first)\n", "	if (true)\n", "recorder"),
    ("a copy has what is being written", "shards/recorder.h",
     "	lost = head >= size ? head - size + 1 : 0;\n",
     "	lost = head >= size ? head - size : 0;\n", "recorder"),
    ("a ring has one slot more than it has", "shards/spsc_ring.h",
     " == ring->size)", " > ring->size)", "spsc"),
    ("a slot is taken before it is there", "shards/spsc_ring.h",
     "return sp_load(&ring->tail, seq_cst) - ",
     "return 1 + sp_load(&ring->tail, seq_cst) - ", "spsc"),
    ("a pop takes by a store", "shards/bounded_queue.h",
     "else if (sp_cas(&queue->head, &at, at + 1, relaxed, relaxed))",
     "else if ((sp_store(&queue->head, at + 1, relaxed), true))", "queue"),
    ("a push takes by a store", "shards/bounded_queue.h",
     "else if (sp_cas(&queue->tail, &at, at + 1, relaxed, relaxed))",
     "else if ((sp_store(&queue->tail, at + 1, relaxed), true))", "queue"),
    ("a push publishes before it writes", "shards/bounded_queue.h",
     """	sp_put(&slot->item, item);
	/* PUBLISH release; a swap, since a store would not come in order. */
	sp_xchg(&slot->sequence, at + 1, seq_cst);
""", """	sp_xchg(&slot->sequence, at + 1, seq_cst);
	sp_put(&slot->item, item);
""", "queue"),
    ("a thread begins what was given up", "shards/offload.c",
     "	    == SP_OFFLOAD_CANCELLED) {\n",
     "	    > SP_OFFLOAD_CANCELLED) {\n", "offload"),
    ("a fiber leaves what has begun", "shards/offload.c",
     "		sp_event_wait_posted(worker, &job->done);\n", "", "offload"),
    ("a fiber lets go of what has ended", "shards/offload.c",
     "if (was != SP_OFFLOAD_BEGUN || let_go == NULL)",
     "if (let_go == NULL)", "offload"),
    ("a thread posts for who has let go", "shards/offload.c",
     "	    && job->drop != NULL) {\n", "	    && false) {\n", "offload"),
    ("a thread is made while the pool stops", "shards/offload.c",
     "		if (sp_load(&pool->stopping, seq_cst)) { /* LEAVE2 */\n",
     "		if (false) {\n", "pool"),
    ("a place is left before its thread is joined", "shards/offload.c",
     "		if (seen == SP_OFFLOAD_THREAD_ENDED)\n"
     "			pthread_join(thread->thread, NULL);\n", "", "pool"),
    ("the stop joins who could not be made", "shards/offload.c",
     "	if (state == SP_OFFLOAD_NO_THREAD)\n		return;\n", "",
     "pool"),
    ("the stop does not wait for who is being made", "shards/offload.c",
     "		sp_futex_wait(&thread->state, SP_OFFLOAD_THREAD_MADE);\n"
     "	if (state == SP_OFFLOAD_NO_THREAD)\n",
     "		return;\n	if (state == SP_OFFLOAD_NO_THREAD)\n",
     "pool"),
    ("who makes a thread wakes one of two", "shards/offload.c",
     "	sp_futex_wake_all(&thread->state);\n",
     "	sp_futex_wake(&thread->state);\n", "pool"),
    ("the stop leaves who is idle asleep", "shards/offload.c",
     "	while (sp_load(&pool->idle.set, seq_cst) != 0)\n"
     "		wake_one(pool);\n", "", "pool"),
    ("an idle thread does not look for the stop", "shards/offload.c",
     "		if ((job != NULL || sp_load(&pool->stopping, seq_cst))\n",
     "		if (job != NULL\n", "pool"),
    ("a thread ends before it counts as made", "shards/offload.c",
     "	while (sp_load(&thread->state, acquire) == SP_OFFLOAD_THREAD_MADE)\n"
     "		sp_futex_wait(&thread->state, SP_OFFLOAD_THREAD_MADE);\n"
     "	sp_store(", "	sp_store(", "pool"),
    ("who stops looks at the tasks first", "framework/server.c",
     """	return sp_load(&engine->connections, acquire) == 0
	    && sp_load(&engine->tasks_awaited, acquire) == 0;
""", """	return sp_load(&engine->tasks_awaited, acquire) == 0
	    && sp_load(&engine->connections, acquire) == 0;
""", "gone"),
    ("a fiber waits without looking again", "shards/channel.c",
     "	error = attempt(channel, item);\n	if (error == -EAGAIN) {",
     "	error = -EAGAIN;\n	if (error == -EAGAIN) {", "channel"),
    ("who has sent wakes nobody", "shards/channel.c",
     "IDLE4 */\n		return -EAGAIN;\n	pass_on(channel);\n",
     "IDLE4 */\n		return -EAGAIN;\n", "channel"),
    ("who has received wakes nobody", "shards/channel.c",
     "-EPIPE : -EAGAIN;\n	pass_on(channel);\n",
     "-EPIPE : -EAGAIN;\n", "channel"),
    ("who gives up keeps the wake-up", "shards/channel.c",
     "	if (!sp_waiters_retract(set, place))\n		pass_on(channel);\n",
     "	sp_waiters_retract(set, place);\n", "channel"),
    ("who gives up leaves its bit behind", "shards/channel.c",
     "	if (!sp_waiters_retract(set, place))\n		pass_on(channel);\n",
     "	pass_on(channel);\n", "channel"),
    ("a close wakes before it says so", "shards/channel.c",
     """	sp_store(&channel->closed, 1, seq_cst); /* IDLE1 */
	while (wake(&channel->receivers))
		;
	while (wake(&channel->senders))
		;
""", """	while (wake(&channel->receivers))
		;
	while (wake(&channel->senders))
		;
	sp_store(&channel->closed, 1, seq_cst); /* IDLE1 */
""", "channel"),
    ("who claims looks before the count is right", "shards/waiters.h",
     "		sp_fetch_add(&set->count, 1, seq_cst); /* IDLE3 */\n", "",
     "channel"),
    ("a task parks without looking for news", "shards/poll_desc.c",
     "if (sp_likely(!has_news(pd)))", "if (true)", "poll_slot"),
    ("a task parks without looking at outq", "shards/poll_desc.c",
     "|| !sp_stack_empty(&pd->outq)", "", "poll_slot"),
    ("a deadline expires by a store", "shards/poll_desc.c",
     """	if (!sp_cas(&pd->deadline[mode], &judged, \
(sp_tick)SP_DEADLINE_EXPIRED,
		seq_cst, relaxed))
		return SP_SLOT_NIL;
""", """	sp_store(&pd->deadline[mode], SP_DEADLINE_EXPIRED, seq_cst);
""", "poll_slot"),
    ("a kick evicts before it sets the bits", "shards/poll_desc.c",
     "	if (bits != 0)\n		sp_fetch_or(&pd->info, bits, seq_cst);",
     """	for (int mode = 0; mode < SP_POLL_MODES; mode++)
		woken[mode] = sp_slot_evict(&pd->slot[mode]);
	if (bits != 0)
		sp_fetch_or(&pd->info, bits, seq_cst);
	return;""", "poll_slot"),
    ("a close wakes nobody", "shards/poll_desc.c",
     "	sp_poll_kick(pd, 0, woken);\n", "	woken[0] = woken[1] = 0;\n",
     "poll_slot"),
    ("a fiber waits without looking for errors", "shards/poll_wait.c",
     """	if (sp_netpoll_check_err(pd, mode) == 0
	    && (""", "	if ((", "poll_slot"),
    ("a fiber waits without looking at outq", "shards/poll_wait.c",
     "sp_stack_empty(&pd->outq)", "true", "poll_slot"),
    ("a writer is kept up by its outq", "shards/poll_wait.c",
     "mode == SP_POLL_WRITE || ", "", "poll_slot"),
    ("commit is a store", "shards/poll_slot.h",
     "if (sp_likely(sp_cas(slot, &seen, fiber, release, relaxed)))",
     "sp_store(slot, fiber, release);\n	if (seen != 0)", "poll_slot"),
    ("ready forgets who waited", "shards/poll_slot.h",
     "if (seen == SP_SLOT_READY)", "if (seen >= SP_SLOT_READY)", "poll_slot"),
    ("evict clears READY", "shards/poll_slot.h",
     "if (seen <= SP_SLOT_READY)", "if (seen == SP_SLOT_NIL)", "poll_slot"),
    ("unpark is a load and a store", "shards/poll_slot.h",
     "return sp_cas(slot, &seen, (uintptr_t)SP_SLOT_NIL, "
     "seq_cst, seq_cst);",
     """if (sp_load(slot, seq_cst) != seen)
		return false;
	sp_store(slot, (uintptr_t)SP_SLOT_NIL, seq_cst);
	return true;""", "poll_slot"),
    ("the bits come after the edge", "shards/netpoll.c",
     "	if (polled & SP_POLLED_HANGUP)\n",
     """	if (polled & SP_POLLED_READ)
		run_or_resume(
		    pd, sp_slot_ready(&pd->slot[SP_POLL_READ]), ready);
	polled &= ~SP_POLLED_READ;
	if (polled & SP_POLLED_HANGUP)
""", "poll_slot"),
    ("push is a store", "shards/mpsc_stack.h",
     "while (!sp_cas(&stack->head, &seen, link, seq_cst, relaxed));",
     "while ((sp_store(&stack->head, link, seq_cst), false));", "wake"),
    ("pop all is a load and a store", "shards/mpsc_stack.h",
     "return sp_xchg(&stack->head, (struct sp_link *)NULL, acquire);",
     """struct sp_link *all = sp_load(&stack->head, acquire);

	sp_store(&stack->head, (struct sp_link *)NULL, relaxed);
	return all;""", "wake"),
    ("the poller looks before it says BLOCKED", "shards/netpoll.c",
     """		sp_wake_blocked(&shard->wake);
		if (sp_poll_work(shard, worker)) {""",
     """		bool work = sp_poll_work(shard, worker);

		sp_wake_blocked(&shard->wake);
		if (work) {""", "wake"),
    ("the poller does not look at runq", "shards/netpoll.c",
     "|| !sp_stack_empty(&shard->runq)", "", "wake"),
    ("each breaker writes", "shards/wake.h",
     "	return sp_cas(&wake->sig, &seen, SP_WAKE_NOTIFIED, "
     "acq_rel, relaxed);\n",
     "	sp_store(&wake->sig, seen = SP_WAKE_NOTIFIED, release);\n"
     "	return true;\n", "wake"),
    ("a breaker looks before it leaves something", "shards/shard.c",
     """	sp_stack_push(&shard->inbox, &msg->link); /* WAKE1 */
	sp_shard_break(shard);
""", """	sp_shard_break(shard);
	sp_stack_push(&shard->inbox, &msg->link); /* WAKE1 */
""", "wake"),
    ("a worker parks without looking at its fibers", "shards/worker.c",
     """	if (!sp_stack_empty(&worker->resumed)
	    || sp_ready""", "	if (sp_ready", "resume"),
    ("a worker parks without looking at the token", "shards/worker.c",
     "\n	    || sp_token_free(&shard->token)) {", ") {", "idle"),
    ("the poller does not look at its fibers", "shards/netpoll.c",
     "|| !sp_stack_empty(&worker->resumed)", "", "resume"),
    ("a fiber forgets who else made it ready", "shards/worker.c",
     "fiber->credits = wakes - 1;", "fiber->credits = 0;", "fiber"),
    ("a fiber looks when it was made ready, too late", "shards/worker.c",
     """	ready = fiber->ready;
	wakes = sp_xchg(&fiber->wakes, 0, acq_rel);
""", """	wakes = sp_xchg(&fiber->wakes, 0, acq_rel);
	ready = fiber->ready;
""", "fiber"),
    ("a directory is published by a relaxed store", "alloc/slab.c",
     "grown, memory_order_release);", "grown, memory_order_relaxed);", "slab"),
    ("a directory is found by a relaxed load", "alloc/slab.h",
     "&slab->dir, memory_order_acquire);",
     "&slab->dir, memory_order_relaxed);", "slab"),
    ("a directory lists a chunk too many", "alloc/slab.c",
     "grown->chunks = chunks + 1;", "grown->chunks = chunks + 2;", "slab"),
    ("who readies a fiber looks before it pushes", "shards/worker.c",
     """	sp_stack_push(&home->resumed, &fiber->link);
	if (sp_idle_claim(home->idle, home->place))
		sp_worker_wake(home);
	else if (sp_worker_polls(home))
		sp_shard_break(home->shard);
""", """	if (sp_idle_claim(home->idle, home->place))
		sp_worker_wake(home);
	else if (sp_worker_polls(home))
		sp_shard_break(home->shard);
	sp_stack_push(&home->resumed, &fiber->link);
""", "resume"),
    ("two may claim one worker", "shards/idle.h",
     "return sp_idle_retract(idle, worker);",
     "sp_idle_retract(idle, worker);\n	return true;", "resume"),
    ("a worker that was claimed does not wait for it", "shards/worker.c",
     "		if (sp_idle_retract(&shard->idle, worker->number))\n"
     "			return;\n",
     "		sp_idle_retract(&shard->idle, worker->number);\n"
     "		return;\n", "idle"),
    ("a heavy worker parks without looking for more", "shards/handed.c",
     " || !sp_stack_empty(&shard->heavy)\n		|| heavy_ended",
     "\n		|| heavy_ended", "heavy"),
    ("a heavy worker parks without looking at its fibers", "shards/handed.c",
     "(!sp_stack_empty(&worker->resumed) || !sp_stack_empty(&shard->heavy)",
     "(!sp_stack_empty(&shard->heavy)", "heavy"),
    ("a heavy worker parks without looking for the end", "shards/handed.c",
     "\n		|| heavy_ended(worker))\n", ")\n", "heavy"),
    ("a heavy worker leaves its fibers", "shards/handed.c",
     " == 0 /* END4 */\n"
     "	       && sp_load(&worker->waiting, relaxed) == 0;",
     " == 0 /* END4 */;",
     "heavy"),
    ("who hands over looks before it pushes", "shards/handed.c",
     """	sp_stack_push(&shard->heavy, &pd->link); /* IDLE1 */
	if (sp_idle_claim(&shard->idle, number)) /* IDLE2 */
		sp_worker_wake(sp_load(&shard->workers[number], acquire));
""", """	if (sp_idle_claim(&shard->idle, number)) /* IDLE2 */
		sp_worker_wake(sp_load(&shard->workers[number], acquire));
	sp_stack_push(&shard->heavy, &pd->link); /* IDLE1 */
""", "heavy"),
    ("a blocking worker parks without looking at the queue",
     "shards/blocking.c",
     "		return sp_queue_can_pop(&pool->queue)\n"
     "		       || sp_load", "		return sp_load",
     "blocking"),
    ("a blocking worker parks without looking for the stop",
     "shards/blocking.c",
     "\n		       || sp_load(&pool->stopping, seq_cst);", ";",
     "blocking"),
    ("a blocking worker parks without looking at its fibers",
     "shards/blocking.c",
     "	return !sp_stack_empty(&worker->resumed)\n	       || (sp_load",
     "	return (sp_load", "blocking"),
    ("who waits in a blocking worker keeps the others out",
     "shards/blocking.c",
     """	if (sp_load(&worker->waiting, relaxed) != 0
	    && !sp_load(&pool->crowded, relaxed))
		return NULL;
""", """	if (sp_load(&worker->waiting, relaxed) != 0)
		return NULL;
""", "blocking"),
    ("who pops does not tell of what is left", "shards/blocking.c",
     "	if (sp_queue_can_pop(&pool->queue))\n"
     "		wake_one(worker->engine);\n", "", "blocking"),
    ("who pushes does not tell the watcher", "shards/blocking.c",
     "sp_sysmon_wake(engine); /* NUDGE4 */\n", ";\n",
     "blocking"),
    ("who was refused a thread never asks again", "shards/blocking.c",
     "	else if (sp_load(&pool->threads, relaxed) < pool->limit)\n",
     "	else if (!sp_load(&pool->crowded, relaxed))\n", "blocking"),
    ("the watcher sleeps without looking at the queue", "shards/sysmon.c",
     "return !sp_blocking_look(engine); /* NUDGE2 */\n",
     "return true;\n", "blocking"),
    ("the watcher looks before it says that it sleeps",
     "shards/sysmon.c",
     """sp_store(&engine->sysmon_asleep, 1, seq_cst); /* NUDGE1, OVER1 */
	if (may_sleep(engine))
""", """bool sleeps = may_sleep(engine);

	sp_store(&engine->sysmon_asleep, 1, seq_cst);
	if (sleeps)
""", "sysmon"),
    ("the end wakes the watcher before it says so", "shards/sysmon.c",
     """	sp_store(&engine->sysmon_stop, 1, seq_cst); /* OVER3 */
	sp_futex_wake(&engine->sysmon_stop);
	sp_sysmon_wake(engine); /* OVER4 */
""", """	sp_sysmon_wake(engine);
	sp_store(&engine->sysmon_stop, 1, seq_cst);
	sp_futex_wake(&engine->sysmon_stop);
""", "sysmon"),
    ("the end leaves the watcher asleep", "shards/sysmon.c",
     "	sp_futex_wake(&engine->sysmon_stop);\n"
     "	sp_sysmon_wake(engine); /* OVER4 */\n",
     "	sp_futex_wake(&engine->sysmon_stop);\n", "sysmon"),
    ("a poller does not nudge the watcher", "shards/engine.h",
     "	if (sp_unlikely(sp_load(&engine->sysmon_asleep, relaxed)))\n",
     "	if (false)\n", "sysmon"),
    ("the watcher tells nobody that it is crowded", "shards/blocking.c",
     "		add_threads(engine);\n	wake_one(engine);\n",
     "		add_threads(engine);\n", "blocking"),
    ("who hands to a blocking worker looks before it pushes",
     "shards/blocking.c",
     """	if (!sp_queue_push(&engine->blocking.queue, pd))
		return false;
	wake_one(engine);
""", """	wake_one(engine);
	if (!sp_queue_push(&engine->blocking.queue, pd))
		return false;
""", "blocking"),
    ("a helper wakes nobody when it is done", "shards/steal.c",
     "	sp_shard_unattended(shard);\n", "", "idle"),
    ("a worker leaves without waking a parked one", "shards/worker.c",
     "	sp_shard_unattended(shard);\n", "", "idle"),
    ("a shard ends without looking at the inbox", "shards/shard.c",
     "&& sp_stack_empty(&shard->inbox) &&", "&&", "idle"),
    ("a shard ends without looking at its connections", "shards/shard.c",
     "&& sp_load(&shard->load, seq_cst) == 0     /* END4 */", "", "idle"),
    ("placing does not look for the stop", "shards/shard.c",
     "if (sp_likely(!sp_load(&shard->stopping, seq_cst))) /* END2 */",
     "if (sp_likely(true))", "idle"),
    ("the last connection wakes nobody", "shards/shard.c",
     "	if (sp_fetch_sub(&shard->load, 1, seq_cst) == 1\n",
     "	if (sp_fetch_sub(&shard->load, 1, seq_cst) == 0\n", "idle"),
    ("who has left does not say so in order", "shards/token.h",
     "return sp_fetch_add(&token->owner, 0, seq_cst) == 0; /* IDLE1 */",
     "return sp_load(&token->owner, seq_cst) == 0;", "idle"),
    ("the token is taken by a store", "shards/token.h",
     "return sp_cas(&token->owner, &nobody, worker + 1, acquire, relaxed);",
     "sp_store(&token->owner, nobody + worker + 1, relaxed);\n"
     "	return true;", "token"),
    ("no grace period", "shards/poll_cache.c",
     "	sp_rcu_retire(&cache->batch_rcu, reclaimed);\n",
     "	reclaimed(&cache->batch_rcu);\n", "reclaim"),
    ("the generation stays when it retires", "shards/poll_cache.c",
     "sp_store(&pd->gen, gen + 1, seq_cst);",
     "sp_store(&pd->gen, gen, seq_cst);", "reclaim"),
    ("find does not compare generations", "shards/poll_cache.h",
     "sp_load(&pd->gen, acquire) != sp_handle_gen(handle)",
     "sp_load(&pd->gen, acquire) == 0", "reclaim"),
    ("what is left in outq is forgotten", "shards/poll_cache.c",
     "struct sp_link *unsent = sp_stack_pop_all(&pd->outq);",
     "struct sp_link *unsent = NULL;", "reclaim"),
    ("a thief loads and stores", "shards/steal.c",
     "		list = sp_xchg(&worker->rest, NULL, acquire);\n",
     "		list = sp_load(&worker->rest, acquire);\n"
     "		sp_store(&worker->rest, NULL, relaxed);\n", "rest"),
    ("a worker goes on with what a thief may have", "shards/worker.c",
     "		task = sp_xchg(&worker->rest, NULL, acquire);\n",
     "		task = next;\n", "rest"),
]

SPIN_MUTANTS = {
    0: "as it is",
    1: "park without a look at the token",
    2: "a stranger wakes nobody",
    3: "leave without a look at the inbox",
    4: "leave without waking a parked one",
    5: "sleep without a look after BLOCKED",
    6: "no write for a poller that is BLOCKED",
}
