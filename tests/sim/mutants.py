#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bugs that the simulation has to find.

    tests/sim/mutants.py --list                   name,file of each
    tests/sim/mutants.py ROOT NAME OUT            its file, with the bug

A simulation that holds shows nothing until it has been seen to fail. Each
mutant is one of the shipped files with one piece of text replaced; the rest
is what spate-sim is made of, and the test sim.mutant.NAME expects a seed of
the first 10,000 to fail, or 30,000 for all but the first three. Most do within
a hundred. Not listed are those that are found by luck: a grace period of no
length, a thief that loads and stores instead of swapping, and a fiber that
waits without a look at what has come, which the models have; and a watcher
that sees no rest of a list, which steal_test has.
"""

import pathlib
import sys

# name: (file, text, its replacement)
MUTANTS = {
    # The three that every change to the simulation has to go on finding.
    "lost_wakeup": (
        "shards/netpoll.c",
        "		if (sp_poll_work(shard, worker)) {\n",
        "		if (false) {\n"),
    "stale_event": (
        "shards/netpoll.c",
        "		pd = sp_poll_cache_find("
        "&shard->cache, polled.handle);\n"
        "		if (sp_unlikely(pd == NULL)) {\n",
        "		pd = sp_slab_at(sp_slab_dir(&shard->cache.slab),\n"
        "		    sp_handle_index(polled.handle));\n"
        "		if (sp_unlikely(pd == NULL)) {\n"),
    "double_close": (
        "shards/accept.c",
        "		give_up(shard, worker, over);\n"
        "		count_error(worker, -error);\n",
        "		close(over->fd);\n"
        "		give_up(shard, worker, over);\n"
        "		count_error(worker, -error);\n"),

    # What the simulation found in the server, as it was before.
    "reset_overtakes_answer": (
        "framework/http_conn.c",
        "\n	       || (req->head.flags & SP_HTTP_KEEP_ALIVE) != 0;\n",
        ";\n"),
    "drain_resets": (
        "framework/http_conn.c",
        "	return sp_conn_has_unsent(req->pd) ? TURN_LINGER :",
        "	return"),
    "blocks_before_it_sends": (
        "framework/route_class.c",
        "if (!sp_worker_polls(req->worker)) {\n", "if (false) {\n"),
    "deadline_takes_edge": (
        "shards/conn_io.c",
        "keeps_up(worker, pd, timeout_ms, stall, false))\n"
        "		return 0;\n",
        "keeps_up(worker, pd, timeout_ms, stall, false))\n"
        "		return sp_conn_wait_for_room(\n"
        "		    worker, pd, timeout_ms, stall, false);\n"),
    "late_body_is_waited_for": (
        "framework/body.c",
        "	if (ms == 0 || req->late)\n", "	if (ms == 0)\n"),
    "reset_is_an_end": (
        "framework/client_body.c",
        "	if (n == 0 && up->reset)\n", "	if (false)\n"),
    "given_up_resets": (
        "framework/http_conn.c",
        "		return req->error == 0 ? TURN_LINGER : TURN_CLOSE;\n",
        "		return TURN_CLOSE;\n"),

    # Others, each of a kind of its own.
    "park_without_news": (
        "shards/poll_desc.c",
        "	if (sp_likely(!has_news(pd)))\n", "	if (true)\n"),
    "edge_forgotten_after_io": (
        "shards/event.c",
        "	if (wait->edge)\n", "	if (false)\n"),
    "end_behind_data_unseen": (
        "framework/http_conn.c",
        "\n		       && !(sp_load(&req->pd->info, relaxed) & "
        "SP_POLL_HANGUP);", ";"),
    "no_edge_for_room": (
        "shards/conn_io.c",
        "	pd->interest |= SP_WATCH_WRITE;\n",
        "	pd->interest |= SP_WATCH_WRITE;\n	return 0;\n"),
    "sleeps_as_reader": (
        "shards/worker.c",
        "	sp_rcu_offline();\n	/* WORD acquire. */\n",
        "	/* WORD acquire. */\n"),
    "parks_without_token": (
        "shards/worker.c",
        "\n	    || sp_token_free(&shard->token)) {", ") {"),
    "leaves_others_parked": (
        "shards/steal.c",
        "	sp_shard_unattended(shard);\n", ""),
    "interrupted_send_is_an_error": (
        "shards/conn_io.c",
        "		} else if (n != -EINTR) {\n", "		} else {\n"),
    "reserve_leaks": (
        "shards/accept.c",
        "		close(reserve);\n", ""),
    "listener_never_rests": (
        "shards/accept.c",
        "	if (listener->fd >= 0 && listener_watch(listener) != 0)\n"
        "		rest(listener);\n", "	(void)listener_watch;\n"),
    "outq_leaks": (
        "shards/poll_cache.c",
        "struct sp_link *unsent = sp_stack_pop_all(&pd->outq);",
        "struct sp_link *unsent = NULL;"),
    "blocking_waits_unseen": (
        "shards/blocking.c",
        "	if (has_work(worker, held) && sp_idle_retract("
        "set, worker->place))\n", "	if (false)\n"),
    "blocking_wakes_no_watcher": (
        "shards/blocking.c",
        "sp_sysmon_wake(engine); /* NUDGE4 */\n", ";\n"),
    "blocks_a_worker": (
        "framework/route_class.c",
        "return hand_over(req, SP_HANDED_BLOCKING);\n",
        "return call_now(req, class, since);\n"),
    "piece_waits_in_buffer": (
        "framework/http_conn.c",
        "	sp_req_flush(req);\n	sp_times_wait(",
        "	if (req->body == SP_BODY_NONE"
        " || req->answer == SP_ANSWER_NONE)\n"
        "		sp_req_flush(req);\n	sp_times_wait("),
    "end_within_body_unseen": (
        "framework/body.c",
        "SP_POLL_HANGUP);\n	if (n > 0) {\n",
        "SP_POLL_HANGUP);\n	if (n > 0) {\n"
        "		req->drained = (size_t)n < size;\n"),
    "body_ends_no_wait_for_both": (
        "shards/event.c",
        "	return posted || (wait->own && wait->edge);\n",
        "	return posted;\n"),
    "unread_body_resets": (
        "framework/http_conn.c",
        "	if (!skipped)\n		return TURN_LINGER;\n",
        "	if (!skipped)\n		return TURN_CLOSE;\n"),
    "deferral_claimed_twice": (
        "framework/defer.c",
        "	    || !sp_cas(&pd->deferred, &number, 0, seq_cst, seq_cst))\n",
        "	    || sp_load(&pd->deferred, seq_cst) != number)\n"),
}


def main():
    if sys.argv[1] == "--list":
        print(";".join(f"{name},{mutant[0]}"
                       for name, mutant in MUTANTS.items()), end="")
        return
    root, name, out = sys.argv[1:]
    path, old, new = MUTANTS[name]
    text = (pathlib.Path(root) / path).read_text()
    if text.count(old) < 1:
        sys.exit(f"{name}: {path} does not have this text any more:\n{old}")
    pathlib.Path(out).write_text(text.replace(old, new, 1))


if __name__ == "__main__":
    main()
