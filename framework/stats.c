/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/stats.h"

#include "alloc/arena.h"
#include "framework/json_out.h"
#include "framework/request.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* Of JSON, for one shard and for the rest. */
#define SHARD_MAX 2816
#define FRAME_MAX 1024

/* The same fields as struct sp_counters, as plain numbers. */
struct sums {
#define X(name) uint64_t name;
	SP_COUNTERS(X)
#undef X
};

static void
add_up(struct sp_shard *shard, struct sums *sums)
{
	uint32_t workers = sp_load(&shard->worker_count, acquire);

	memset(sums, 0, sizeof(*sums));
	for (uint32_t i = 0; i < workers; i++) {
		struct sp_worker *worker = sp_load(&shard->workers[i], acquire);

		if (worker == NULL)
			continue;
#define X(name) sums->name += sp_load(&worker->counters.name, relaxed);
		SP_COUNTERS(X)
#undef X
	}
}

static void
put(struct sp_json *json, const char *key, uint64_t value)
{
	sp_json_key(json, key);
	sp_json_u64(json, value);
}

static void
put_responses(struct sp_json *json, const struct sums *sums)
{
	sp_json_key(json, "responses");
	sp_json_object(json);
	put(json, "1xx", sums->responses_1xx);
	put(json, "2xx", sums->responses_2xx);
	put(json, "3xx", sums->responses_3xx);
	put(json, "4xx", sums->responses_4xx);
	put(json, "5xx", sums->responses_5xx);
	sp_json_end(json);
}

static void
put_timeouts(struct sp_json *json, const struct sums *sums)
{
	sp_json_key(json, "timeouts");
	sp_json_object(json);
	put(json, "header", sums->timeouts_head);
	put(json, "body", sums->timeouts_body);
	put(json, "rate", sums->timeouts_rate);
	put(json, "write", sums->timeouts_write);
	put(json, "idle", sums->timeouts_idle);
	put(json, "route", sums->timeouts_route);
	sp_json_end(json);
}

static uint64_t
memory_of(struct sp_shard *shard, bool refresh)
{
	struct sp_arena_stats arena = { 0 };
	struct sp_slab_stats slab;

	if (shard->arena != UINT_MAX) {
		if (refresh)
			sp_arena_stats_get(shard->arena, &arena);
		else
			sp_arena_stats_last(shard->arena, &arena);
	}
	sp_slab_stats_get(&shard->cache.slab, &slab);
	return arena.allocated
	    + (uint64_t)slab.in_use_max * SP_SLAB_OBJECT_SIZE;
}

static void
put_shard(struct sp_json *json, struct sp_shard *shard)
{
	int32_t load = sp_load(&shard->load, relaxed);
	struct sums sums;

	add_up(shard, &sums);
	sp_json_object(json);
	put(json, "id", shard->id);
	put(json, "cpu", shard->cpu);
	put(json, "connections", load > 0 ? (uint64_t)load : 0);
	put_responses(json, &sums);
	put_timeouts(json, &sums);
#define X(name)                                                                \
	if (strncmp(#name, "responses_", 10) != 0                              \
	    && strncmp(#name, "timeouts_", 9) != 0)                            \
		put(json, #name, sums.name);
	SP_COUNTERS(X)
#undef X
	put(json, "breaks_sent", sp_load(&shard->breaks_sent, relaxed));
	put(json, "breaks_coalesced",
	    sp_load(&shard->breaks_coalesced, relaxed));
	put(json, "stale_lookups", sp_load(&shard->stale_lookups, relaxed));
	put(json, "ring_depth", sp_ready_ring_depth(&shard->ring));
	put(json, "workers", sp_load(&shard->worker_count, relaxed));
	put(json, "memory_bytes", memory_of(shard, shard->id == 0));
	sp_json_end(json);
}

static void
put_tasks(struct sp_json *json, struct sp_engine *engine)
{
	sp_json_key(json, "tasks");
	sp_json_object(json);
	put(json, "running", sp_load(&engine->tasks, relaxed));
	put(json, "spawned", sp_load(&engine->tasks_spawned, relaxed));
	put(json, "refused", sp_load(&engine->tasks_refused, relaxed));
	sp_json_end(json);
}

static void
put_offload(struct sp_json *json, struct sp_offload *pool)
{
	sp_json_key(json, "offload");
	sp_json_object(json);
	put(json, "threads", sp_load(&pool->threads, relaxed));
	put(json, "queued", sp_offload_depth(pool));
	put(json, "begun", sp_load(&pool->jobs, relaxed));
	put(json, "cancelled", sp_load(&pool->cancelled, relaxed));
	put(json, "let_go", sp_load(&pool->let_go, relaxed));
	put(json, "refused", sp_load(&pool->refused, relaxed));
	put(json, "wait_us", sp_load(&pool->wait_us, relaxed));
	sp_json_end(json);
}

int
sp_stats_handler(struct spate_req *req, void *arg)
{
	struct sp_engine *engine = req->worker->engine;
	size_t capacity
	    = (size_t)engine->shard_count * SHARD_MAX + FRAME_MAX;
	char *memory = spate_alloc(req, capacity);
	struct sp_text text;
	struct sp_json json;

	(void)arg;
	if (memory == NULL)
		return -ENOMEM;
	sp_text_init(&text, memory, capacity);
	sp_json_init(&json, &text);
	sp_json_object(&json);
	sp_json_key(&json, "shards");
	sp_json_array(&json);
	for (uint32_t i = 0; i < engine->shard_count; i++)
		put_shard(&json, engine->shards[i]);
	sp_json_end(&json);
	put_tasks(&json, engine);
	put_offload(&json, &engine->offload);
	put(&json, "stalls", sp_load(&engine->stalls, relaxed));
	sp_json_key(&json, "uptime_seconds");
	sp_json_u64(
	    &json, (sp_now_ns() - engine->started_ns) / SP_NS_PER_S);
	sp_json_key(&json, "version");
	sp_json_string(&json, spate_version(), strlen(spate_version()));
	sp_json_end(&json);
	sp_text_char(&text, '\n');
	if (text.overflow)
		return -ENOMEM;
	spate_add_header(req, "Cache-Control", "no-store");
	return spate_respond(
	    req, 200, "application/json", text.data, text.size);
}
