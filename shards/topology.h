/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_TOPOLOGY_H
#define SPATE_SHARDS_TOPOLOGY_H

/*
 * Topology: the CPUs that this process may use, and which shard uses which.
 *
 *     source                      what it limits
 *     -------------------------   -----------------------------------------
 *     sched_getaffinity()         which CPUs (cpusets included)
 *     cgroup v2  cpu.max          CPU time, as a number of CPUs: the quota
 *     cgroup v1  cpu.cfs_*_us     divided by the period, rounded up
 *
 * A quota holds for everything below its group, so the least one on the way
 * from the group of the process to the root counts. With a quota of 2 CPUs
 * on a machine of 64, 64 shards would be throttled together: there are 2,
 * and each may run on 32 of the CPUs.
 *
 * Files that are missing or make no sense set no limit. What is said about
 * a machine may be wrong; a server that does not start helps nobody.
 */

#include <stdint.h>

/* More CPUs than that are left unused. */
#define SP_TOPOLOGY_CPUS_MAX 1024

/* A handle has eight bits for its shard. */
#define SP_TOPOLOGY_SHARDS_MAX 256

struct sp_topology {
	uint32_t cpus;   /* in cpu[], at least 1 */
	uint32_t quota;  /* in CPUs, rounded up; 0: no limit */
	uint32_t shards; /* suggested: the lesser of the two, at least 1 */
	uint16_t cpu[SP_TOPOLOGY_CPUS_MAX]; /* numbers, ascending */
};

/* Where to look. Tests have a directory of their own. */
struct sp_topology_roots {
	const char *cgroup; /* "/proc/self/cgroup" */
	const char *mount;  /* "/sys/fs/cgroup" */
};

/*
 * sp_topology_read: what the calling thread may use.
 *
 * => Returns 0, or -errno if the kernel does not tell the affinity.
 * => Context: before any thread is pinned, or it sees only that one CPU.
 */
int sp_topology_read(struct sp_topology *out);

int sp_topology_read_at(
    struct sp_topology *out, const struct sp_topology_roots *roots);

/*
 * sp_topology_quota: the least quota that a process is under, in CPUs, or 0
 * if there is none.
 */
uint32_t sp_topology_quota(const struct sp_topology_roots *roots);

/*
 * sp_topology_shard_cpus: the CPUs of one shard of so many.
 *
 *     fewer shards than CPUs    CPUs i, i + shards, i + 2 * shards ...
 *     more shards than CPUs     CPU i modulo the number of CPUs
 *
 * where i counts in topology->cpu[]. All CPUs are given out, and no shard
 * is without.
 *
 * => Returns how many numbers it wrote to cpu[], which has room for
 *    topology->cpus of them.
 */
uint32_t sp_topology_shard_cpus(const struct sp_topology *topology,
    uint32_t shards, uint32_t shard, uint16_t *cpu);

/*
 * sp_topology_pin: let the calling thread run on these CPUs alone.
 *
 * => Returns 0 or -errno. Unpinned, a shard works, less well.
 */
int sp_topology_pin(const uint16_t *cpu, uint32_t count);

/* sp_topology_pin_shard: to the CPUs of sp_topology_shard_cpus(). */
int sp_topology_pin_shard(
    const struct sp_topology *topology, uint32_t shards, uint32_t shard);

#endif /* SPATE_SHARDS_TOPOLOGY_H */
