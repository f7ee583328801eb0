/* SPDX-License-Identifier: BSD-2-Clause */

/* GET /debug/config; docs/stats.md says what each key means. */

#include "framework/debug.h"

#include "framework/json_out.h"
#include "framework/log.h"
#include "framework/request.h"
#include "framework/stats.h"

/* Of struct spate_options, as they are called there. */
/* clang-format off */
#define NUMBERS(X) \
	X(shards) X(workers) X(spares) X(max_connections) \
	X(max_connections_per_peer) X(max_requests) X(backlog) \
	X(stack_size) X(max_fibers) X(header_timeout_ms) \
	X(body_timeout_ms) X(write_timeout_ms) X(idle_timeout_ms) \
	X(drain_timeout_ms) X(body_grace_ms) X(max_age_ms) \
	X(events_comment_ms) X(max_head) X(max_fields) X(max_target) \
	X(max_body) X(min_body_rate) X(max_outq) X(max_memory) \
	X(upstream_idle_max) X(upstream_idle_ms) X(name_cache_ms) \
	X(stall_ms) X(max_tasks) X(offload_threads) X(offload_queue) \
	X(max_pipelined) X(max_unread) X(min_write_rate) \
	X(record_events) X(log_queue) X(access_log) X(blocking_threads) \
	X(blocking_queue)
/* clang-format on */

#define SWITCHES(X) X(half_close_cancels) X(record_times) X(server_timing)

static void
put_options(struct sp_json *json, const struct spate_options *options)
{
	sp_json_key(json, "options");
	sp_json_object(json);
#define X(name) sp_json_put(json, #name, options->name);
	NUMBERS(X)
#undef X
#define X(name) sp_json_put_bool(json, #name, options->name);
	SWITCHES(X)
#undef X
	sp_json_put_string(
	    json, "log_level", sp_log_level_name(options->log_level));
	sp_json_put_string(json, "log_format",
	    options->log_format == SPATE_LOG_JSON ? "json" : "logfmt");
	sp_json_put_string(json, "placement",
	    options->placement == SPATE_PLACE_HASH ? "hash" : "near");
	sp_json_put_string(json, "crash_dump",
	    options->crash_dump != NULL ? options->crash_dump : "");
	sp_json_end(json);
}

/* What has come of them: of those that are 0, and of what may change. */
static void
put_effective(struct sp_json *json, struct spate_server *server)
{
	static const char *const sandboxes[] = { "off", "on", "require" };
	struct sp_engine *engine = server->engine;
	uint32_t level = sp_load(&server->log_level, relaxed);

	sp_json_key(json, "effective");
	sp_json_object(json);
	sp_json_put(json, "shards", engine->shard_count);
	sp_json_put(json, "cpus", engine->topology.cpus);
	sp_json_put(json, "cpu_quota", engine->topology.quota);
	sp_json_put(json, "max_connections", engine->options.max_connections);
	sp_json_put(json, "blocking_threads", engine->blocking.limit);
	sp_json_put(json, "offload_threads", engine->offload.limit);
	sp_json_put_bool(json, "heavy_workers", engine->options.heavy);
	sp_json_put_string(
	    json, "log_level", sp_log_level_name((enum spate_log_level)level));
	sp_json_put_string(json, "sandbox", sandboxes[server->sandbox.mode]);
	sp_json_put_bool(json, "fibers", SPATE_FIBERS);
	sp_json_end(json);
}

static void
put_listeners(struct sp_json *json, struct spate_server *server)
{
	sp_json_key(json, "listeners");
	sp_json_array(json);
	for (unsigned i = 0; i < server->bound; i++) {
		sp_json_object(json);
		sp_json_put_string(json, "address", server->addresses[i].text);
		sp_json_put_string(
		    json, "service", server->addresses[i].service->name);
		sp_json_end(json);
	}
	sp_json_end(json);
}

static void
render(struct sp_text *text, struct spate_server *server, void *arg)
{
	struct sp_json json;

	(void)arg;
	sp_json_init(&json, text);
	sp_json_object(&json);
	sp_json_put_string(&json, "version", spate_version());
	put_options(&json, &server->options);
	put_effective(&json, server);
	put_listeners(&json, server);
	sp_json_put(&json, "routes", server->pattern_count);
	sp_json_end(&json);
	sp_text_char(text, '\n');
}

int
sp_debug_config_handler(struct spate_req *req, void *arg)
{
	(void)arg;
	return sp_render_answer(req, "application/json", render, NULL);
}
