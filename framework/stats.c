/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/stats.h"

#include "framework/json_out.h"
#include "framework/log.h"
#include "framework/process.h"
#include "framework/recording.h"
#include "framework/request.h"
#include "framework/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_MS 250
#define STREAM_MIN_MS 100
#define STREAM_MAX_MS 60000
#define TAIL_MAX 100

/* What the client has asked for. */
struct wanted {
	bool buckets;
	uint64_t tail;        /* events, at most; 0: none */
	uint64_t after, next; /* of which position, and what comes then */
};

/* ------------------------------------------------------------ histograms */

static void
put_buckets(struct sp_json *json, const struct sp_histogram_sum *sum)
{
	sp_json_key(json, "buckets");
	sp_json_array(json);
	for (unsigned i = sum->begin; i < sum->end; i++) {
		if (sum->buckets[i] == 0)
			continue;
		sp_json_array(json);
		sp_json_u64(json, sp_cycles_to_ns(sp_histogram_greatest(i)));
		sp_json_u64(json, sum->buckets[i]);
		sp_json_end(json);
	}
	sp_json_end(json);
}

static void
put_histogram(struct sp_json *json, const char *key,
    const struct sp_histogram_sum *sum, uint64_t cycles, bool buckets)
{
	static const struct {
		const char *name;
		unsigned share;
	} quantiles[] = {
		{ "p50_ns", 500 },
		{ "p90_ns", 900 },
		{ "p99_ns", 990 },
		{ "p999_ns", 999 },
		{ "max_ns", 1000 },
	};

	sp_json_key(json, key);
	sp_json_object(json);
	sp_json_put(json, "count", sum->count);
	sp_json_put(json, "sum_ns", sp_cycles_to_ns(cycles));
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(*quantiles); i++)
		sp_json_put(json, quantiles[i].name,
		    sp_cycles_to_ns(
			sp_histogram_quantile(sum, quantiles[i].share)));
	if (buckets)
		put_buckets(json, sum);
	sp_json_end(json);
}

/* ---------------------------------------------------------------- shards */

static bool
is_of(const char *name, const char *group)
{
	size_t size = strlen(group);

	return strncmp(name, group, size) == 0 && name[size] == '_';
}

/* Counters of one name but for what follows it, by that. */
static void
put_group(struct sp_json *json, const char *group, const struct sp_sums *sums)
{
	sp_json_key(json, group);
	sp_json_object(json);
#define X(name)                                                                \
	if (is_of(#name, group))                                               \
		sp_json_put(json, &#name[strlen(group) + 1], sums->name);
	SP_COUNTERS(X)
#undef X
	sp_json_end(json);
}

/* All of them in one number. */
static uint64_t
group_sum(const struct sp_sums *sums, const char *group)
{
	uint64_t sum = 0;

#define X(name)                                                                \
	if (is_of(#name, group))                                               \
		sum += sums->name;
	SP_COUNTERS(X)
#undef X
	return sum;
}

/* Its listeners' connections, by the shard that each was given to. */
static void
put_placed(struct sp_json *json, struct sp_shard *shard)
{
	sp_json_key(json, "placed");
	sp_json_array(json);
	for (uint32_t i = 0; i < shard->engine->shard_count; i++)
		sp_json_u64(json, sp_load(&shard->placed[i], relaxed));
	sp_json_end(json);
}

static void
put_fibers(struct sp_json *json, struct sp_shard *shard)
{
	struct sp_fibers_view view = sp_view_fibers(shard);

	sp_json_key(json, "fibers");
	sp_json_object(json);
	sp_json_put(json, "waiting", view.waiting);
	sp_json_put(json, "stacks", view.stacks);
	sp_json_put(json, "stacks_kept", view.kept);
	sp_json_end(json);
}

static void
put_shard_times(
    struct sp_json *json, const struct sp_shard_view *view, bool buckets)
{
	uint64_t cycles = 0;

	for (int i = 0; i < SP_PHASES; i++)
		cycles += view->phase[i];
	put_histogram(json, "latency", &view->latency, cycles, buckets);
	sp_json_key(json, "phases");
	sp_json_object(json);
	for (int i = 0; i < SP_PHASES; i++)
		put_histogram(json, sp_phase_names[i], &view->phases[i],
		    view->phase[i], buckets);
	sp_json_end(json);
}

static bool
is_in_a_group(const char *name)
{
	return is_of(name, "responses") || is_of(name, "timeouts")
	       || is_of(name, "wakes");
}

/* A counter with a name to itself; others are in an object of their group. */
static void
put_alone(struct sp_json *json, const char *name, uint64_t value)
{
	if (!is_in_a_group(name))
		sp_json_put(json, name, value);
}

static void
put_memory(struct sp_json *json, struct sp_shard *shard)
{
	struct sp_memory_view view = sp_view_memory(shard);

	sp_json_put(json, "memory_bytes", sp_view_memory_sum(&view));
	sp_json_key(json, "memory");
	sp_json_object(json);
	sp_json_put(json, "allocated", view.arena.allocated);
	sp_json_put(json, "active", view.arena.active);
	sp_json_put(json, "dirty", view.arena.dirty);
	sp_json_put(json, "mapped", view.arena.mapped);
	sp_json_put(json, "resident", view.arena.resident);
	sp_json_put(json, "descriptors", view.descriptors);
	sp_json_put(json, "idle_connection", SP_SLAB_OBJECT_SIZE);
	sp_json_end(json);
}

static void
put_states(struct sp_json *json, const struct spate_server *server,
    const struct sp_shard *shard)
{
	sp_json_key(json, "connection_states");
	sp_json_object(json);
	for (int i = 0; i < SP_STATES; i++)
		sp_json_put(json, sp_state_names[i],
		    sp_states_get(server, shard, (enum sp_state)i));
	sp_json_end(json);
}

static void
put_shard(struct sp_json *json, const struct spate_server *server,
    struct sp_shard *shard, struct sp_shard_view *view,
    const struct wanted *wanted)
{
	uint64_t cycles;

	sp_view_shard(view, shard);
	sp_render_pause();
	sp_json_object(json);
	sp_json_put(json, "id", shard->id);
	sp_json_put(json, "cpu", shard->cpu);
	sp_json_put(json, "connections", sp_view_connections(shard));
	put_states(json, server, shard);
	put_group(json, "responses", &view->counters);
	put_group(json, "timeouts", &view->counters);
	put_placed(json, shard);
	sp_json_put(
	    json, "accept_errors", group_sum(&view->counters, "accept_errors"));
#define X(name) put_alone(json, #name, view->counters.name);
	SP_COUNTERS(X)
#undef X
	put_group(json, "wakes", &view->counters);
	put_fibers(json, shard);
	sp_json_put(json, "breaks_sent", sp_load(&shard->breaks_sent, relaxed));
	sp_json_put(json, "breaks_coalesced",
	    sp_load(&shard->breaks_coalesced, relaxed));
	sp_json_put(json, "limited_outq", sp_load(&shard->outq_full, relaxed));
	sp_json_put(
	    json, "stale_lookups", sp_load(&shard->stale_lookups, relaxed));
	sp_json_put(json, "ring_depth", sp_ready_ring_depth(&shard->ring));
	sp_json_put(json, "workers", sp_load(&shard->worker_count, relaxed));
	put_memory(json, shard);
	sp_json_put(json, "busy_ns", sp_cycles_to_ns(view->busy));
	put_shard_times(json, view, wanted->buckets);
	/* The rest of the view has been told. */
	cycles = sp_view_loop(&view->latency, shard);
	put_histogram(
	    json, "loop", &view->latency, cycles, wanted->buckets);
	sp_json_end(json);
}

/* ---------------------------------------------------------------- routes */

static uint64_t
code_sum(const struct sp_route_sum *sum, unsigned code)
{
	uint64_t n = 0;

	for (int method = 0; method < SP_HTTP_METHODS; method++)
		n += sum->answers[method][code];
	return n;
}

static void
put_answers(
    struct sp_json *json, const struct sp_route_sum *sum, uint64_t refused)
{
	static const char *const names[] = { "2xx", "3xx", "4xx", "5xx" };
	uint64_t requests = 0;

	for (unsigned code = 0; code < SP_CODES; code++)
		requests += code_sum(sum, code);
	sp_json_put(json, "requests", requests);
	sp_json_put(json, "aborted", code_sum(sum, SP_CODE_ABORTED));
	sp_json_put(json, "refused", refused);
	sp_json_key(json, "codes");
	sp_json_object(json);
	for (unsigned i = 0; i < 4; i++)
		sp_json_put(json, names[i], code_sum(sum, i + 2));
	sp_json_end(json);
}

static void
put_by_shard(struct sp_json *json, struct sp_engine *engine, uint32_t number)
{
	struct sp_answers answers;

	sp_json_key(json, "by_shard");
	sp_json_array(json);
	for (uint32_t i = 0; i < engine->shard_count; i++)
		sp_json_u64(
		    json, sp_view_answers(&answers, engine->shards[i], number));
	sp_json_end(json);
}

static void
put_route(struct sp_json *json, struct spate_server *server,
    struct sp_route_sum *memory, uint32_t number, const struct wanted *wanted)
{
	const struct sp_route_sum *sum = sp_view_route(
	    memory, server->engine, number);
	char methods[SP_ROUTER_ALLOW] = "";
	uint64_t cycles = 0;

	if (number < server->pattern_count)
		sp_router_allow(
		    server->patterns[number].methods, methods, sizeof(methods));
	sp_json_object(json);
	sp_json_put_string(json, "route", sp_view_pattern(server, number));
	sp_json_put_string(json, "methods", methods);
	put_answers(json, sum, sp_route_refused(server, number));
	put_by_shard(json, server->engine, number);
	for (int i = 0; i < SP_PHASES; i++)
		cycles += sum->phase[i];
	put_histogram(json, "latency", &sum->latency, cycles, wanted->buckets);
	sp_json_key(json, "phases_ns");
	sp_json_object(json);
	for (int i = 0; i < SP_PHASES; i++)
		sp_json_put(
		    json, sp_phase_names[i], sp_cycles_to_ns(sum->phase[i]));
	sp_json_end(json);
	sp_json_end(json);
}

/* ----------------------------------------------------------------- whole */

static void
put_process(struct sp_json *json, struct spate_server *server)
{
	struct sp_process process;

	sp_process_look(&server->process, &process);
	sp_json_key(json, "process");
	sp_json_object(json);
	sp_json_put(json, "pid", process.pid);
	sp_json_put(json, "cpu_ns", process.cpu_ns);
	sp_json_put(json, "resident_bytes", process.resident_bytes);
	sp_json_put(json, "descriptors", process.descriptors);
	sp_json_put(json, "descriptors_max", process.descriptors_max);
	sp_json_put(json, "threads", process.threads);
	sp_json_put(json, "started_unix", process.started_ms / 1000);
	sp_json_put(
	    json, "refused_calls", sp_load(&server->sandbox.refused, relaxed));
	sp_json_end(json);
}

static void
put_tasks(struct sp_json *json, struct sp_engine *engine)
{
	sp_json_key(json, "tasks");
	sp_json_object(json);
	sp_json_put(json, "running", sp_load(&engine->tasks, relaxed));
	sp_json_put(json, "spawned", sp_load(&engine->tasks_spawned, relaxed));
	sp_json_put(json, "refused", sp_load(&engine->tasks_refused, relaxed));
	sp_json_end(json);
}

static void
put_offload(struct sp_json *json, struct sp_offload *pool)
{
	sp_json_key(json, "offload");
	sp_json_object(json);
	sp_json_put(json, "threads", sp_load(&pool->threads, relaxed));
	sp_json_put(json, "queued", sp_offload_depth(pool));
	sp_json_put(json, "begun", sp_load(&pool->jobs, relaxed));
	sp_json_put(json, "cancelled", sp_load(&pool->cancelled, relaxed));
	sp_json_put(json, "let_go", sp_load(&pool->let_go, relaxed));
	sp_json_put(json, "refused", sp_load(&pool->refused, relaxed));
	sp_json_put(json, "wait_us", sp_load(&pool->wait_us, relaxed));
	sp_json_end(json);
}

/* Of all threads; those of a shard are in its counters as well. */
static uint64_t
lines_dropped(struct sp_engine *engine, struct sp_log *log)
{
	uint64_t lines = sp_load(&log->dropped, relaxed);

	for (uint32_t i = 0; i < engine->shard_count; i++)
		lines += sp_view_counter(engine->shards[i],
		    offsetof(struct sp_counters, log_dropped));
	return lines;
}

static void
put_blocking(struct sp_json *json, struct sp_blocking *pool)
{
	sp_json_key(json, "blocking");
	sp_json_object(json);
	sp_json_put(json, "threads", sp_load(&pool->threads, relaxed));
	sp_json_put(json, "queued", sp_blocking_depth(pool));
	sp_json_put(json, "begun", sp_load(&pool->begun, relaxed));
	sp_json_put(json, "left", sp_load(&pool->left, relaxed));
	sp_json_put(json, "refused", sp_load(&pool->refused, relaxed));
	sp_json_put(json, "wait_us", sp_load(&pool->wait_us, relaxed));
	sp_json_end(json);
}

static void
put_log(struct sp_json *json, struct sp_engine *engine, struct sp_log *log)
{
	sp_json_key(json, "log");
	sp_json_object(json);
	sp_json_put(json, "written", log ? sp_load(&log->written, relaxed) : 0);
	sp_json_put(json, "dropped", log ? lines_dropped(engine, log) : 0);
	sp_json_put(json, "lost", log ? sp_load(&log->lost, relaxed) : 0);
	sp_json_end(json);
}

/* Of the process, if it has more servers than this one. */
static void
put_rcu(struct sp_json *json)
{
	struct sp_rcu_stats rcu;

	sp_rcu_stats_get(&rcu);
	sp_json_key(json, "rcu");
	sp_json_object(json);
	sp_json_put(json, "pending", rcu.pending);
	sp_json_put(json, "reclaimed", rcu.reclaimed);
	sp_json_put(json, "wait_ns", rcu.wait_ns);
	sp_json_end(json);
}

static void
put_shards(struct sp_json *json, struct spate_server *server,
    const struct wanted *wanted)
{
	struct sp_shard_view *view = malloc(sizeof(*view));
	struct sp_engine *engine = server->engine;

	sp_states_refresh(server);
	sp_json_key(json, "shards");
	sp_json_array(json);
	for (uint32_t i = 0; view != NULL && i < engine->shard_count; i++) {
		put_shard(json, server, engine->shards[i], view, wanted);
		sp_render_pause();
	}
	sp_json_end(json);
	json->text->overflow |= view == NULL;
	free(view);
}

static void
put_routes(struct sp_json *json, struct spate_server *server,
    const struct wanted *wanted)
{
	struct sp_route_sum *sum = malloc(sizeof(*sum));
	uint32_t count = server->options.record_times && sum != NULL
			     ? sp_server_counted(server)
			     : 0;

	sp_json_key(json, "routes");
	sp_json_array(json);
	for (uint32_t i = 0; i < count; i++) {
		put_route(json, server, sum, i, wanted);
		sp_render_pause();
	}
	sp_json_end(json);
	json->text->overflow |= sum == NULL;
	free(sum);
}

static void
render(struct sp_text *text, struct spate_server *server, void *arg)
{
	struct sp_engine *engine = server->engine;
	uint64_t ns = sp_now_ns() - engine->started_ns;
	struct wanted *wanted = arg;
	struct sp_json json;

	sp_view_refresh_memory(server);
	sp_json_init(&json, text);
	sp_json_object(&json);
	sp_json_put(&json, "schema", 1);
	put_shards(&json, server, wanted);
	put_routes(&json, server, wanted);
	put_tasks(&json, engine);
	put_offload(&json, &engine->offload);
	put_blocking(&json, &engine->blocking);
	put_log(&json, engine, server->log);
	put_rcu(&json);
	sp_json_put(&json, "stalls", sp_load(&engine->stalls, relaxed));
	put_process(&json, server);
	if (wanted->tail != 0)
		wanted->next = sp_recording_put(
		    &json, "tail", engine, wanted->tail, wanted->after);
	sp_json_put_string(&json, "state",
	    sp_load(&engine->draining, relaxed) ? "draining" : "ready");
	sp_json_put(&json, "time_ns", ns);
	sp_json_put(&json, "uptime_seconds", ns / SP_NS_PER_S);
	sp_json_put_string(&json, "version", spate_version());
	sp_json_end(&json);
	sp_text_char(text, '\n');
}

/* -------------------------------------------------------------- handlers */

int
sp_stats_handler(struct spate_req *req, void *arg)
{
	struct wanted wanted = { .buckets = false };
	int error = spate_query_bool(req, "buckets", &wanted.buckets);

	(void)arg;
	if (error != 0 && error != -ENOENT)
		return error;
	return sp_render_answer(req, "application/json", render, &wanted);
}

static int
send_event(struct spate_req *req, struct wanted *wanted)
{
	struct sp_text text;
	int error = sp_render(&text, req->server, render, wanted);

	if (error != 0)
		return error;
	/* Without the end of the line, which would be one more. */
	error = spate_event(req, NULL, "stats", text.data, text.size - 1);
	free(text.data);
	return error;
}

int
sp_stats_stream_handler(struct spate_req *req, void *arg)
{
	struct wanted wanted = { .buckets = true };
	uint64_t ms = STREAM_MS;
	int error = spate_query_u64(req, "ms", &ms);

	(void)arg;
	if (error == 0 || error == -ENOENT)
		error = spate_query_u64(req, "tail", &wanted.tail);
	if ((error == 0 || error == -ENOENT)
	    && (ms < STREAM_MIN_MS || ms > STREAM_MAX_MS
		|| wanted.tail > TAIL_MAX))
		error = -ERANGE;
	if (error != 0 && error != -ENOENT)
		return error;
	error = spate_events_begin(req);
	while (error == 0) {
		error = send_event(req, &wanted);
		wanted.after = wanted.next;
		if (error == 0)
			error = spate_events_wait(req, (uint32_t)ms);
	}
	return error;
}
