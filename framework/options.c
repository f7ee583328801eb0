/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The options of a server: what they are if nobody says otherwise, and what
 * they may be.
 */

#include "framework/log.h"
#include "framework/request.h"
#include "framework/server.h"

#define KIB 1024u
#define MIB (1024u * KIB)

/* The largest head of an answer; and what a buffer has besides the largest. */
#define ANSWER_HEAD (SP_FIELDS_MAX + KIB)
#define BEHIND_HEAD (4u * KIB)

/* Kept connections to other servers, of one worker. */
#define UPSTREAM_IDLE_MAX 65536

/* Calls and requests that wait for a thread. */
#define QUEUE_MAX (1u << 20)

struct spate_options
spate_options_default(void)
{
	return (struct spate_options){
		.size = sizeof(struct spate_options),
		.workers = 1,
		.spares = 2,
		.max_fibers = 16384,
		.header_timeout_ms = 10000,
		.body_timeout_ms = 30000,
		.body_grace_ms = 5000,
		.min_body_rate = 240,
		.write_timeout_ms = 30000,
		.idle_timeout_ms = 75000,
		.drain_timeout_ms = 25000,
		.events_comment_ms = 15000,
		.max_head = 16 * KIB,
		.max_fields = 100,
		.max_target = 8 * KIB,
		.max_body = MIB,
		.max_outq = MIB,
		.max_memory = MIB,
		.log_level = SPATE_LOG_INFO,
		.upstream_idle_max = 128,
		.upstream_idle_ms = 15000,
		.max_pipelined = 16,
		.max_unread = 256 * KIB,
		.min_write_rate = 240,
		.record_times = true,
		.name_cache_ms = 10000,
		.stall_ms = 20,
		.max_tasks = 65536,
		.offload_threads = 16,
		.offload_queue = 1024,
		.blocking_threads = 16,
		.blocking_queue = 1024,
		.record_events = 16384,
		.log_queue = 1024,
	};
}

/* The texts below have these in them, as digits. */
static_assert(SP_WORKERS_MAX == 64, "a text has it");
static_assert(SP_OFFLOAD_THREADS_MAX == 64, "a text has it");
static_assert(SP_BLOCKING_THREADS_MAX == 64, "a text has it");
static_assert(SP_HTTP_FIELDS_MAX == 100, "a text has it");
static_assert(SP_TOPOLOGY_SHARDS_MAX == 256, "a text has it");
static_assert(UPSTREAM_IDLE_MAX == 65536, "a text has it");
static_assert(QUEUE_MAX == 1048576, "a text has it");
static_assert(SP_RECORDS_MAX == 1048576, "a text has it");
static_assert(SP_LOG_QUEUE_MAX == 1048576, "a text has it");

const char *
sp_options_fault(const struct spate_options *options)
{
	const uint64_t threads = options->workers + (uint64_t)options->spares;
	const struct {
		bool right;
		const char *fault;
	} rules[] = {
		{ options->workers >= 1, "workers: not at least 1" },
		{ threads < SP_WORKERS_MAX,
		    "workers and spares: together not below 64" },
		{ options->shards <= SP_TOPOLOGY_SHARDS_MAX,
		    "shards: not at most 256" },
		{ options->max_head >= 256 && options->max_head <= 64000,
		    "max_head: not from 256 to 64000" },
		{ options->max_fields >= 1
			&& options->max_fields <= SP_HTTP_FIELDS_MAX,
		    "max_fields: not from 1 to 100" },
		{ options->max_target >= 1, "max_target: not at least 1" },
		{ options->max_fibers >= 2, "max_fibers: not at least 2" },
		{ options->max_pipelined >= 1,
		    "max_pipelined: not at least 1" },
		{ options->offload_threads <= SP_OFFLOAD_THREADS_MAX,
		    "offload_threads: not at most 64" },
		{ options->offload_queue <= QUEUE_MAX,
		    "offload_queue: not at most 1048576" },
		{ options->blocking_threads <= SP_BLOCKING_THREADS_MAX,
		    "blocking_threads: not at most 64" },
		{ options->blocking_queue <= QUEUE_MAX,
		    "blocking_queue: not at most 1048576" },
		{ options->record_events <= SP_RECORDS_MAX,
		    "record_events: not at most 1048576" },
		{ options->log_queue >= 2
			&& options->log_queue <= SP_LOG_QUEUE_MAX,
		    "log_queue: not from 2 to 1048576" },
		{ options->log_format <= SPATE_LOG_JSON,
		    "log_format: not one of them" },
		{ options->log_level <= SPATE_LOG_ERROR,
		    "log_level: not one of them" },
		{ options->placement <= SPATE_PLACE_HASH,
		    "placement: not one of them" },
		{ options->max_body <= UINT32_MAX - options->max_memory,
		    "max_body and max_memory: together not below 4 GiB" },
		{ options->max_outq <= UINT32_MAX / 2,
		    "max_outq: not below 2 GiB" },
		{ options->upstream_idle_max <= UPSTREAM_IDLE_MAX,
		    "upstream_idle_max: not at most 65536" },
		{ options->upstream_idle_ms >= 1,
		    "upstream_idle_ms: not at least 1" },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!rules[i].right)
			return rules[i].fault;
	}
	return NULL;
}

uint32_t
sp_options_buffer_size(const struct spate_options *options)
{
	uint32_t head = options->max_head;

	if (head < ANSWER_HEAD)
		head = ANSWER_HEAD;
	return head + BEHIND_HEAD - SP_BUFFER_PAD;
}
