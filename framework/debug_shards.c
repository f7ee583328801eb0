/* SPDX-License-Identifier: BSD-2-Clause */

/* GET /debug/shards; docs/stats.md says what each key means. */

#include "framework/debug.h"

#include "framework/json_out.h"
#include "framework/request.h"
#include "framework/stats.h"
#include "framework/view.h"

static const char *
kind_of(const struct sp_worker *worker)
{
	if (worker->blocking)
		return "blocking";
	if (worker->heavy)
		return "heavy";
	return worker->spare ? "spare" : "primary";
}

/* A handler is named by its route, which is constant text. */
static void
put_handler(struct sp_json *json, struct sp_worker *worker)
{
	const char *handler = sp_load(&worker->handler, relaxed);

	if (handler != NULL) {
		sp_json_put_string(json, "handler", handler);
		return;
	}
	sp_json_key(json, "handler");
	sp_json_null(json);
}

/* 0: it is awake. */
static uint64_t
asleep_ns(struct sp_worker *worker)
{
	uint64_t since = sp_load(&worker->asleep_since, relaxed);
	uint64_t now = sp_cycles();

	return since != 0 && since < now ? sp_cycles_to_ns(now - since) : 0;
}

static void
put_worker(
    struct sp_json *json, struct sp_shard *shard, struct sp_worker *worker)
{
	char name[SP_WORKER_NAME];

	sp_worker_name(worker, name);
	sp_json_object(json);
	sp_json_put_string(json, "name", name);
	sp_json_put_string(json, "kind", kind_of(worker));
	sp_json_put_bool(json, "polls",
	    sp_worker_polls(worker)
		&& sp_load(&shard->token.owner, relaxed) == worker->number + 1);
	sp_json_put(json, "asleep_ns", asleep_ns(worker));
	put_handler(json, worker);
	sp_json_put(json, "begun", sp_load(&worker->begun, relaxed));
	sp_json_put(
	    json, "requests", sp_load(&worker->counters.requests, relaxed));
	sp_json_put(json, "waiting", sp_load(&worker->waiting, relaxed));
	sp_json_end(json);
}

static uint64_t
polled_ns_ago(struct sp_shard *shard)
{
	uint64_t polled = sp_load(&shard->last_poll, relaxed);
	uint64_t now = sp_now_ns();

	return polled < now ? now - polled : 0;
}

static void
put_descriptors(struct sp_json *json, struct sp_shard *shard)
{
	struct sp_slab_stats slab;

	sp_slab_stats_get(&shard->cache.slab, &slab);
	sp_json_key(json, "descriptors");
	sp_json_object(json);
	sp_json_put(json, "in_use", slab.in_use);
	sp_json_put(json, "in_use_max", slab.in_use_max);
	sp_json_put(json, "bytes", slab.bytes);
	sp_json_end(json);
}

static void
put_cpus(struct sp_json *json, struct sp_engine *engine, uint32_t shard)
{
	uint16_t cpu[SP_TOPOLOGY_CPUS_MAX];
	uint32_t count = sp_topology_shard_cpus(
	    &engine->topology, engine->shard_count, shard, cpu);

	sp_json_key(json, "cpus");
	sp_json_array(json);
	for (uint32_t i = 0; i < count; i++)
		sp_json_u64(json, cpu[i]);
	sp_json_end(json);
}

static void
put_shard(struct sp_json *json, struct sp_engine *engine, uint32_t number)
{
	struct sp_shard *shard = engine->shards[number];
	int32_t outgoing = sp_load(&shard->outgoing, relaxed);

	sp_json_object(json);
	sp_json_put(json, "id", number);
	put_cpus(json, engine, number);
	sp_json_put_bool(json, "alive", sp_view_alive(shard));
	sp_json_put_bool(json, "stuck", sp_load(&shard->stuck, relaxed));
	sp_json_put_bool(json, "asleep",
	    sp_load(&shard->wake.sig, relaxed) != SP_WAKE_RUNNING);
	sp_json_put(json, "polled_ns_ago", polled_ns_ago(shard));
	sp_json_put(json, "connections", sp_view_connections(shard));
	sp_json_put(json, "outgoing", outgoing > 0 ? (uint64_t)outgoing : 0);
	sp_json_put(json, "ring_depth", sp_ready_ring_depth(&shard->ring));
	put_descriptors(json, shard);
	sp_json_key(json, "workers");
	sp_json_array(json);
	for (uint32_t i = 0; i < sp_view_workers(shard); i++) {
		struct sp_worker *worker = sp_view_worker(shard, i);

		if (worker != NULL)
			put_worker(json, shard, worker);
	}
	sp_json_end(json);
	sp_json_end(json);
}

static void
render(struct sp_text *text, struct spate_server *server, void *arg)
{
	struct sp_engine *engine = server->engine;
	struct sp_json json;

	(void)arg;
	sp_json_init(&json, text);
	sp_json_object(&json);
	sp_json_put(&json, "time_ns", sp_now_ns() - engine->started_ns);
	sp_json_key(&json, "shards");
	sp_json_array(&json);
	for (uint32_t i = 0; i < engine->shard_count; i++) {
		put_shard(&json, engine, i);
		sp_render_pause();
	}
	sp_json_end(&json);
	sp_json_end(&json);
	sp_text_char(text, '\n');
}

int
sp_debug_shards_handler(struct spate_req *req, void *arg)
{
	(void)arg;
	return sp_render_answer(req, "application/json", render, NULL);
}
