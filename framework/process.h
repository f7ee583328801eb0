/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_PROCESS_H
#define SPATE_FRAMEWORK_PROCESS_H

/*
 * What the kernel knows of the process that we are.
 */

#include "shards/atomics.h"

#include <stdint.h>

struct sp_process {
	uint64_t pid;
	uint64_t cpu_ns; /* of all threads, user and system */
	uint64_t resident_bytes;
	uint64_t threads;
	uint64_t descriptors;
	uint64_t descriptors_max;
	uint64_t started_ms; /* since 1970 */
};

/* What was seen lately, for all threads. All zero at first. */
struct sp_process_cache {
	SP_ATOMIC(uint64_t) seen_ns; /* 0: never */
	SP_ATOMIC(uint64_t) resident_bytes;
	SP_ATOMIC(uint64_t) threads;
	SP_ATOMIC(uint64_t) descriptors;
	SP_ATOMIC(uint64_t) started_ms;
};

/*
 * sp_process_look: the CPU time as of now, the rest as of the last tenth of a
 * second. What cannot be read is 0. Any thread.
 *
 *   edge   release side               acquire side
 *   ----   ------------------------   ------------------------
 *   SEEN   who looked, as the last    who finds it fresh
 *
 * => Takes some 20 us if it has to look; on kernels before 6.2, as long as it
 *    takes to list every descriptor.
 */
void
sp_process_look(struct sp_process_cache *cache, struct sp_process *process);

/*
 * sp_process_parse: the part that comes from /proc/self/stat, which is text.
 * started_ms is then since the machine was.
 *
 * => Returns 0, or -EINVAL: that is not what it looks like.
 */
int sp_process_parse(struct sp_process *process, const char *stat);

#endif /* SPATE_FRAMEWORK_PROCESS_H */
