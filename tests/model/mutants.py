# SPDX-License-Identifier: BSD-2-Clause
"""What mutate.py tries, besides weakening every order."""

# Which models are about a file; the first to fail has caught a mutant.
MODELS = {
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
    "shards/worker.c": ["rest", "resume", "idle"],
    "shards/netpoll.c": ["poll_slot", "wake", "idle"],
    "shards/shard.c": ["reclaim", "idle"],
    "shards/steal.c": ["rest", "idle"],
    "shards/engine.c": ["poll_slot", "idle"],
}

# "file: name of the access -> order": why the stronger order is kept.
EXPECTED_TO_HOLD = {
}

# (name, file, text, its replacement, the model that has to fail)
LOGIC = []

SPIN_MUTANTS = {
    0: "as it is",
    1: "park without a look at the token",
    2: "a stranger wakes nobody",
    3: "leave without a look at the inbox",
    4: "leave without waking a parked one",
    5: "sleep without a look after BLOCKED",
    6: "no write for a poller that is BLOCKED",
}
