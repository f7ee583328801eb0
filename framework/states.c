/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/states.h"

#include "framework/server.h"
#include "framework/stats.h"
#include "framework/view.h"

/* To look at all descriptors is dear. */
#define FRESH_NS SP_NS_PER_S

/* As many in a row, before others have their turn. */
#define PART 256

const char *const sp_state_names[SP_STATES] = { "idle", "running", "parked",
	"blocked" };

enum sp_state
sp_state_of(struct sp_poll_desc *pd)
{
	uintptr_t reads = sp_load(&pd->slot[SP_POLL_READ], relaxed);
	uintptr_t writes = sp_load(&pd->slot[SP_POLL_WRITE], relaxed);

	if (writes > SP_SLOT_TASK)
		return SP_STATE_BLOCKED;
	if (reads > SP_SLOT_TASK)
		return SP_STATE_PARKED;
	return reads == SP_SLOT_TASK ? SP_STATE_IDLE : SP_STATE_RUNNING;
}

/* Pages of descriptors that were never used are left alone. */
static uint32_t
places(struct sp_shard *shard)
{
	struct sp_slab_stats slab;
	uint32_t most;

	sp_slab_stats_get(&shard->cache.slab, &slab);
	most = slab.in_use_max + SP_SLAB_REUSE;
	return most < SP_STATES_LOOKS ? most : SP_STATES_LOOKS;
}

/* A part of a shard, without a pause: the directory is on loan until then. */
static void
look_at(uint32_t count[SP_STATES], struct sp_shard *shard, uint32_t from,
    uint32_t end)
{
	const struct sp_slab_dir *dir = sp_slab_dir(&shard->cache.slab);
	struct sp_poll_desc *pd;

	for (uint32_t i = from; i < end; i++) {
		pd = sp_slab_at(dir, i);
		if (pd == NULL)
			break;
		/* A task of the program's has no descriptor. */
		if ((sp_load(&pd->gen, acquire) & 1) && pd->fd >= 0)
			count[sp_state_of(pd)]++;
	}
}

static void
look(struct sp_states *states, struct sp_shard *shard)
{
	uint32_t count[SP_STATES] = { 0 }, end = places(shard);

	for (uint32_t at = 0; at < end; at += PART) {
		look_at(count, shard, at, end - at < PART ? end : at + PART);
		sp_render_pause();
	}
	for (int i = 0; i < SP_STATES; i++)
		sp_store(&states->count[shard->id][i], count[i], relaxed);
}

void
sp_states_refresh(struct spate_server *server)
{
	struct sp_states *states = &server->states;

	if (!sp_view_is_due(&states->seen_ns, FRESH_NS))
		return;
	for (uint32_t i = 0; i < server->engine->shard_count; i++)
		look(states, server->engine->shards[i]);
}

uint64_t
sp_states_get(const struct spate_server *server, const struct sp_shard *shard,
    enum sp_state state)
{
	return sp_load(&server->states.count[shard->id][state], relaxed);
}
