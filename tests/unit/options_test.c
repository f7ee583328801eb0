/* SPDX-License-Identifier: BSD-2-Clause */

/* What a server may be started with, on both sides of each bound. */

#include "framework/http_head.h"
#include "framework/log.h"
#include "framework/server.h"
#include "tests/harness.h"

#include <stdint.h>
#include <string.h>

/* The fault has to name the option. */
#define EXPECT_BOUND(name, good, bad)                                          \
	do {                                                                   \
		struct spate_options given = spate_options_default();          \
		const char *fault;                                             \
		given.name = (good);                                           \
		EXPECT(sp_options_fault(&given) == NULL);                      \
		given.name = (bad);                                            \
		fault = sp_options_fault(&given);                              \
		EXPECT(fault != NULL && strstr(fault, #name) != NULL);         \
	} while (0)

TEST(as_they_are_they_will_do)
{
	struct spate_options options = spate_options_default();

	EXPECT_EQ(options.size, sizeof(options));
	EXPECT(sp_options_fault(&options) == NULL);
}

TEST(threads_are_as_many_as_there_are_places)
{
	struct spate_options options = spate_options_default();

	EXPECT_BOUND(workers, 1, 0);
	EXPECT_BOUND(spares, SP_WORKERS_MAX - 1 - options.workers,
	    SP_WORKERS_MAX - options.workers);
	EXPECT_BOUND(spares, 0, UINT32_MAX);
	EXPECT_BOUND(
	    shards, SP_TOPOLOGY_SHARDS_MAX, SP_TOPOLOGY_SHARDS_MAX + 1);
	EXPECT_BOUND(offload_threads, SP_OFFLOAD_THREADS_MAX,
	    SP_OFFLOAD_THREADS_MAX + 1);
	EXPECT_BOUND(offload_queue, 1 << 20, (1 << 20) + 1);
	EXPECT_BOUND(blocking_threads, SP_BLOCKING_THREADS_MAX,
	    SP_BLOCKING_THREADS_MAX + 1);
	EXPECT_BOUND(blocking_queue, 1 << 20, (1 << 20) + 1);
	EXPECT_BOUND(max_fibers, 2, 1);
}

TEST(a_head_has_bounds)
{
	EXPECT_BOUND(max_head, 256, 255);
	EXPECT_BOUND(max_head, 64000, 64001);
	EXPECT_BOUND(max_fields, 1, 0);
	EXPECT_BOUND(max_fields, SP_HTTP_FIELDS_MAX, SP_HTTP_FIELDS_MAX + 1);
	EXPECT_BOUND(max_target, 1, 0);
	EXPECT_BOUND(max_pipelined, 1, 0);
}

TEST(what_is_collected_has_bounds)
{
	struct spate_options options = spate_options_default();

	EXPECT_BOUND(max_body, UINT32_MAX - options.max_memory,
	    UINT32_MAX - options.max_memory + UINT64_C(1));
	EXPECT_BOUND(max_outq, UINT32_MAX / 2, UINT32_MAX / 2 + 1u);
	EXPECT_BOUND(record_events, SP_RECORDS_MAX, SP_RECORDS_MAX + 1);
	EXPECT_BOUND(log_queue, 2, 1);
	EXPECT_BOUND(log_queue, SP_LOG_QUEUE_MAX, SP_LOG_QUEUE_MAX + 1);
	EXPECT_BOUND(upstream_idle_max, 65536, 65537);
	EXPECT_BOUND(upstream_idle_ms, 1, 0);
	EXPECT_BOUND(log_format, SPATE_LOG_JSON,
	    (enum spate_log_format)(SPATE_LOG_JSON + 1));
	EXPECT_BOUND(log_level, SPATE_LOG_ERROR,
	    (enum spate_log_level)(SPATE_LOG_ERROR + 1));
	EXPECT_BOUND(placement, SPATE_PLACE_HASH,
	    (enum spate_placement)(SPATE_PLACE_HASH + 1));
}
