/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Topology: affinity from the kernel, quotas from files.
 *
 * /proc/self/cgroup says which group the process is in, a line for each
 * hierarchy:
 *
 *     0::/system.slice/web.service        version 2
 *     4:cpu,cpuacct:/docker/1f2e          version 1, if it has "cpu"
 *
 * In a container the path may be that of the host, which is not there, or
 * begin with "/..", which leads out of what is mounted. Walking up from it
 * ends at the mounted root either way, and that is the container's group.
 */

#include "shards/topology.h"

#include "alloc/check.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CPU_BITS_MAX 65536
#define CGROUP_FILE_MAX 8192
#define PATH_SIZE 4096

static const struct sp_topology_roots real_roots = {
	.cgroup = "/proc/self/cgroup",
	.mount = "/sys/fs/cgroup",
};

/* As much of a file as there is room for. */
static bool
read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t got;

	if (fd < 0)
		return false;
	while (used < size - 1) {
		got = read(fd, text + used, size - 1 - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	close(fd);
	text[used] = '\0';
	return used != 0;
}

static bool
parse_number(const char **at, int64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoll(*at, &end, 10);
	if (end == *at || errno != 0)
		return false;
	*at = end;
	return true;
}

/* A quota in CPUs; 0 for none, also for one that makes no sense. */
static uint32_t
cpus_of(int64_t quota, int64_t period)
{
	int64_t cpus;

	if (quota <= 0 || period <= 0)
		return 0;
	cpus = quota / period + (quota % period != 0);
	return cpus < UINT32_MAX ? (uint32_t)cpus : 0;
}

static uint32_t
lesser_limit(uint32_t a, uint32_t b)
{
	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

/* "50000 100000", or "max 100000". */
static uint32_t
quota_v2(const char *group)
{
	char path[PATH_SIZE], text[128];
	const char *at = text;
	int64_t quota, period;

	if ((size_t)snprintf(path, sizeof(path), "%s/cpu.max", group)
		>= sizeof(path)
	    || !read_file(path, text, sizeof(text)))
		return 0;
	if (!parse_number(&at, &quota) || !parse_number(&at, &period))
		return 0;
	return cpus_of(quota, period);
}

static bool
read_number(const char *group, const char *name, int64_t *value)
{
	char path[PATH_SIZE], text[128];
	const char *at = text;

	return (size_t)snprintf(path, sizeof(path), "%s/%s", group, name)
		   < sizeof(path)
	       && read_file(path, text, sizeof(text))
	       && parse_number(&at, value);
}

/* Two files; a quota of -1 is none. */
static uint32_t
quota_v1(const char *group)
{
	int64_t quota, period;

	if (!read_number(group, "cpu.cfs_quota_us", &quota)
	    || !read_number(group, "cpu.cfs_period_us", &period))
		return 0;
	return cpus_of(quota, period);
}

/* The least quota from mount/group up to mount itself. */
static uint32_t
quota_on_path(
    const char *mount, const char *group, uint32_t (*quota)(const char *))
{
	char path[PATH_SIZE];
	size_t root = strlen(mount);
	uint32_t least = 0;
	char *slash;

	if (strstr(group, "/..") != NULL)
		group = "/";
	if ((size_t)snprintf(path, sizeof(path), "%s%s", mount, group)
	    >= sizeof(path))
		return 0;
	for (;;) {
		least = lesser_limit(least, quota(path));
		slash = strrchr(path, '/');
		if (slash == NULL || (size_t)(slash - path) < root)
			return least;
		*slash = '\0';
	}
}

static bool
has_cpu(const char *controllers)
{
	const char *at = controllers;

	while (at != NULL) {
		if (strncmp(at, "cpu", 3) == 0
		    && (at[3] == ',' || at[3] == '\0'))
			return true;
		at = strchr(at, ',');
		if (at != NULL)
			at++;
	}
	return false;
}

/* Under the mount, a hierarchy has the name of its controllers, or of one. */
static uint32_t
quota_in(const char *mount, const char *hierarchy, const char *group,
    uint32_t (*quota)(const char *))
{
	char path[PATH_SIZE];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", mount, hierarchy)
	    >= sizeof(path))
		return 0;
	return quota_on_path(path, group, quota);
}

static uint32_t
quota_of_line(const char *mount, char *line)
{
	char *controllers = strchr(line, ':'), *group;
	uint32_t least;

	if (controllers == NULL)
		return 0;
	group = strchr(++controllers, ':');
	if (group == NULL || group[1] != '/')
		return 0;
	*group++ = '\0';
	if (*controllers == '\0') {
		least = quota_on_path(mount, group, quota_v2);
		return lesser_limit(
		    least, quota_in(mount, "unified", group, quota_v2));
	}
	if (!has_cpu(controllers))
		return 0;
	least = quota_in(mount, controllers, group, quota_v1);
	return lesser_limit(least, quota_in(mount, "cpu", group, quota_v1));
}

uint32_t
sp_topology_quota(const struct sp_topology_roots *roots)
{
	char text[CGROUP_FILE_MAX], *line, *rest = text;
	uint32_t least = 0;

	if (!read_file(roots->cgroup, text, sizeof(text)))
		return 0;
	while ((line = strsep(&rest, "\n")) != NULL)
		least = lesser_limit(least, quota_of_line(roots->mount, line));
	return least;
}

/*
 * The kernel refuses a set that is smaller than its own, whose size it does
 * not tell.
 */
static int
read_affinity(struct sp_topology *out)
{
	int error = -EINVAL;

	for (int bits = SP_TOPOLOGY_CPUS_MAX;
	     error == -EINVAL && bits <= CPU_BITS_MAX; bits *= 2) {
		size_t size = CPU_ALLOC_SIZE(bits);
		cpu_set_t *set = CPU_ALLOC(bits);

		if (set == NULL)
			return -ENOMEM;
		CPU_ZERO_S(size, set);
		error = sched_getaffinity(0, size, set) == 0 ? 0 : -errno;
		for (int cpu = 0; error == 0 && cpu < bits; cpu++) {
			if (CPU_ISSET_S(cpu, size, set)
			    && out->cpus < SP_TOPOLOGY_CPUS_MAX)
				out->cpu[out->cpus++] = (uint16_t)cpu;
		}
		CPU_FREE(set);
	}
	return error == 0 && out->cpus == 0 ? -ESRCH : error;
}

int
sp_topology_read_at(
    struct sp_topology *out, const struct sp_topology_roots *roots)
{
	int error;

	memset(out, 0, sizeof(*out));
	error = read_affinity(out);
	if (error != 0)
		return error;
	out->quota = sp_topology_quota(roots);
	out->shards = lesser_limit(out->cpus, out->quota);
	if (out->shards > SP_TOPOLOGY_SHARDS_MAX)
		out->shards = SP_TOPOLOGY_SHARDS_MAX;
	return 0;
}

int
sp_topology_read(struct sp_topology *out)
{
	return sp_topology_read_at(out, &real_roots);
}

uint32_t
sp_topology_shard_cpus(const struct sp_topology *topology, uint32_t shards,
    uint32_t shard, uint16_t *cpu)
{
	uint32_t count = 0;

	SP_CHECK(topology->cpus != 0 && shard < shards);
	for (uint32_t i = shard % topology->cpus; i < topology->cpus;
	     i += shards)
		cpu[count++] = topology->cpu[i];
	return count;
}

int
sp_topology_pin(const uint16_t *cpu, uint32_t count)
{
	int bits = 0, error;
	size_t size;
	cpu_set_t *set;

	for (uint32_t i = 0; i < count; i++)
		bits = cpu[i] >= bits ? cpu[i] + 1 : bits;
	set = CPU_ALLOC(bits);
	if (set == NULL)
		return -ENOMEM;
	size = CPU_ALLOC_SIZE(bits);
	CPU_ZERO_S(size, set);
	for (uint32_t i = 0; i < count; i++)
		CPU_SET_S(cpu[i], size, set);
	error = sched_setaffinity(0, size, set) == 0 ? 0 : -errno;
	CPU_FREE(set);
	return error;
}

int
sp_topology_pin_shard(
    const struct sp_topology *topology, uint32_t shards, uint32_t shard)
{
	uint16_t cpu[SP_TOPOLOGY_CPUS_MAX];
	uint32_t count = sp_topology_shard_cpus(topology, shards, shard, cpu);

	return sp_topology_pin(cpu, count);
}
