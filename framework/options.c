/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The options of a server: what they are if nobody says otherwise, and what
 * they may be.
 */

#include "framework/log.h"
#include "framework/server.h"

#define KIB 1024u
#define MIB (1024u * KIB)

/* Kept connections to other servers, of one worker. */
#define UPSTREAM_IDLE_MAX 65536

struct spate_options
spate_options_default(void)
{
	return (struct spate_options) {
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

bool
sp_options_valid(const struct spate_options *options)
{
	return options->workers >= 1
	    && options->workers + (uint64_t)options->spares < SP_WORKERS_MAX
	    && options->shards <= SP_TOPOLOGY_SHARDS_MAX
	    && options->max_head >= 256 && options->max_head <= 64000
	    && options->max_fields >= 1
	    && options->max_fields <= SP_HTTP_FIELDS_MAX
	    && options->max_target >= 1 && options->max_fibers >= 2
	    && options->max_pipelined >= 1
	    && options->offload_threads <= SP_OFFLOAD_THREADS_MAX
	    && options->offload_queue <= 1u << 20
	    && options->blocking_threads <= SP_BLOCKING_THREADS_MAX
	    && options->blocking_queue <= 1u << 20
	    && options->record_events <= SP_RECORDS_MAX
	    && options->log_queue >= 2
	    && options->log_queue <= SP_LOG_QUEUE_MAX
	    && options->log_format <= SPATE_LOG_JSON
	    && options->max_body <= UINT32_MAX - options->max_memory
	    && options->max_outq <= UINT32_MAX / 2
	    && options->upstream_idle_max <= UPSTREAM_IDLE_MAX
	    && options->upstream_idle_ms >= 1;
}
