/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_STATES_H
#define SPATE_FRAMEWORK_STATES_H

/*
 * States: what connections are at. Nothing is counted for that while they are
 * served: who wants to know looks at the slots of the descriptors (poll_slot.h)
 * under RCU.
 *
 *     idle      nobody is at it, and what comes next has it run
 *     running   a worker is at it, or soon will be
 *     parked    its handler waits: for a time, its client, another server
 *     blocked   its handler waits for room to send
 */

#include "shards/shard.h"

struct spate_server;

enum sp_state {
	SP_STATE_IDLE,
	SP_STATE_RUNNING,
	SP_STATE_PARKED,
	SP_STATE_BLOCKED,
	SP_STATES
};

/* Of a server: how many there were when somebody looked. */
struct sp_states {
	SP_ATOMIC(uint64_t) seen_ns;
	SP_ATOMIC(uint32_t) count[SP_TOPOLOGY_SHARDS_MAX][SP_STATES];
};

/* "idle" and so on. */
extern const char *const sp_state_names[SP_STATES];

/* sp_state_of: of a descriptor that was found under RCU. */
enum sp_state sp_state_of(struct sp_poll_desc *pd);

/*
 * sp_states_refresh: count anew, but not what was counted a second ago: it
 * takes some nanoseconds for each connection. Of a shard the first
 * SP_STATES_LOOKS are looked at.
 *
 * sp_states_get: connections of a shard that are in this state, those to other
 * servers included; as of the last refresh.
 *
 * => Context: between sp_rcu_enter() and sp_rcu_exit(), or a worker.
 */
#define SP_STATES_LOOKS 65536
void sp_states_refresh(struct spate_server *server);
uint64_t sp_states_get(const struct spate_server *server,
    const struct sp_shard *shard, enum sp_state state);

#endif /* SPATE_FRAMEWORK_STATES_H */
