/* SPDX-License-Identifier: BSD-2-Clause */

/* Topology: quotas from made-up cgroup trees, and how CPUs are shared. */

#include "shards/topology.h"
#include "tests/harness.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

/* A machine as files: written below a directory that goes with the test. */
static char root[64], cgroup[96], mount[96];
static const struct sp_topology_roots roots = { cgroup, mount };

static void
tree_new(void)
{
	snprintf(root, sizeof(root), "/tmp/spate_topology.XXXXXX");
	EXPECT(mkdtemp(root) != NULL);
	snprintf(cgroup, sizeof(cgroup), "%s/self_cgroup", root);
	snprintf(mount, sizeof(mount), "%s/mount", root);
}

static void
tree_free(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", root);
	EXPECT_EQ(system(command), 0);
}

/* Write a file, and make the directories on the way to it. */
static void
put_file(const char *path, const char *text)
{
	char whole[512];
	FILE *file;

	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	for (char *at = strchr(whole + 1, '/'); at != NULL;
	     at = strchr(at + 1, '/')) {
		*at = '\0';
		mkdir(whole, 0700);
		*at = '/';
	}
	file = fopen(whole, "w");
	EXPECT(file != NULL);
	if (file == NULL)
		return;
	fputs(text, file);
	fclose(file);
}

struct file {
	const char *path;
	const char *text;
};

static void
expect_quota(const struct file *files, uint32_t want)
{
	tree_new();
	for (; files->path != NULL; files++)
		put_file(files->path, files->text);
	EXPECT_EQ(sp_topology_quota(&roots), want);
	tree_free();
}

#define EXPECT_QUOTA(want, ...)                                                \
	expect_quota((const struct file[]){ __VA_ARGS__, { NULL, NULL } }, want)

TEST(max_is_no_limit)
{
	EXPECT_QUOTA(0, { "self_cgroup", "0::/\n" },
	    { "mount/cpu.max", "max 100000\n" });
}

TEST(half_a_cpu_is_one)
{
	EXPECT_QUOTA(1, { "self_cgroup", "0::/\n" },
	    { "mount/cpu.max", "50000 100000\n" });
}

TEST(a_quota_is_rounded_up)
{
	EXPECT_QUOTA(2, { "self_cgroup", "0::/\n" },
	    { "mount/cpu.max", "200000 100000\n" });
	EXPECT_QUOTA(3, { "self_cgroup", "0::/\n" },
	    { "mount/cpu.max", "200001 100000\n" });
}

TEST(the_least_on_the_way_up_counts)
{
	const char *self = "0::/a/b/c\n";

	EXPECT_QUOTA(2, { "self_cgroup", self },
	    { "mount/cpu.max", "900000 100000\n" },
	    { "mount/a/cpu.max", "200000 100000\n" },
	    { "mount/a/b/cpu.max", "max 100000\n" },
	    { "mount/a/b/c/cpu.max", "400000 100000\n" });
	EXPECT_QUOTA(4, { "self_cgroup", self },
	    { "mount/a/b/c/cpu.max", "400000 100000\n" },
	    { "mount/a/x/cpu.max", "100000 100000\n" },
	    { "mount/a/b/c/d/cpu.max", "100000 100000\n" });
	EXPECT_QUOTA(
	    7, { "self_cgroup", self }, { "mount/cpu.max", "700000 100000\n" });
}

TEST(version_one_has_two_files)
{
	EXPECT_QUOTA(3, { "self_cgroup", "4:memory:/m\n1:cpu,cpuacct:/d/e\n" },
	    { "mount/cpu,cpuacct/d/e/cpu.cfs_quota_us", "250000\n" },
	    { "mount/cpu,cpuacct/d/e/cpu.cfs_period_us", "100000\n" });
	EXPECT_QUOTA(2, { "self_cgroup", "1:cpuacct,cpu:/d/e\n" },
	    { "mount/cpu/d/cpu.cfs_quota_us", "150000\n" },
	    { "mount/cpu/d/cpu.cfs_period_us", "100000\n" },
	    { "mount/cpu/d/e/cpu.cfs_quota_us", "-1\n" },
	    { "mount/cpu/d/e/cpu.cfs_period_us", "100000\n" });
	EXPECT_QUOTA(0, { "self_cgroup", "1:cpuacct:/d\n2:cpuset:/d\n" },
	    { "mount/cpuacct/d/cpu.cfs_quota_us", "150000\n" },
	    { "mount/cpuacct/d/cpu.cfs_period_us", "100000\n" });
}

TEST(both_versions_at_once_are_both_looked_at)
{
	EXPECT_QUOTA(2, { "self_cgroup", "1:cpu:/d\n0::/u\n" },
	    { "mount/cpu/d/cpu.cfs_quota_us", "300000\n" },
	    { "mount/cpu/d/cpu.cfs_period_us", "100000\n" },
	    { "mount/unified/u/cpu.max", "200000 100000\n" });
}

TEST(a_path_of_the_host_or_out_of_the_mount_ends_at_its_root)
{
	EXPECT_QUOTA(2, { "self_cgroup", "0::/docker/1f2e\n" },
	    { "mount/cpu.max", "200000 100000\n" });
	EXPECT_QUOTA(2, { "self_cgroup", "0::/../other\n" },
	    { "mount/cpu.max", "200000 100000\n" },
	    { "other/cpu.max", "100000 100000\n" });
}

TEST(what_makes_no_sense_is_no_limit)
{
	static const char *const bad[] = { "", "\n", "100000", "100000 0",
		"0 100000", "-5 100000", "50000 -1", "x 5",
		"99999999999999999999 1", "9223372036854775807 1" };
	static const char *const lines[] = { "", "0", "0:", "0::", "0::x",
		"::", ":::::", "0::/\n0::/", "\n\n\n" };

	EXPECT_QUOTA(0, { "mount/cpu.max", "100000 100000\n" });
	EXPECT_QUOTA(0, { "self_cgroup", "0::/a\n" });
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_QUOTA(0, { "self_cgroup", "0::/\n" },
		    { "mount/cpu.max", bad[i] });
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		EXPECT_QUOTA(0, { "self_cgroup", lines[i] });
}

TEST(a_path_too_long_for_us_is_no_limit)
{
	static char text[6000];

	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "0::/", 4);
	EXPECT_QUOTA(
	    0, { "self_cgroup", text }, { "mount/cpu.max", "100000 100000\n" });
}

TEST(shards_are_the_lesser_of_cpus_and_quota)
{
	struct sp_topology topology;

	tree_new();
	EXPECT_EQ(sp_topology_read_at(&topology, &roots), 0);
	EXPECT(topology.cpus >= 1);
	EXPECT_EQ(topology.quota, 0);
	EXPECT_EQ(topology.shards, topology.cpus);
	put_file("self_cgroup", "0::/\n");
	put_file("mount/cpu.max", "50000 100000\n");
	EXPECT_EQ(sp_topology_read_at(&topology, &roots), 0);
	EXPECT_EQ(topology.quota, 1);
	EXPECT_EQ(topology.shards, 1);
	put_file("mount/cpu.max", "99900000 100000\n");
	EXPECT_EQ(sp_topology_read_at(&topology, &roots), 0);
	EXPECT_EQ(topology.quota, 999);
	EXPECT(topology.shards == topology.cpus);
	tree_free();

	EXPECT_EQ(sp_topology_read(&topology), 0);
	EXPECT(topology.shards >= 1 && topology.shards <= topology.cpus);
}

static struct sp_topology
five_cpus(void)
{
	return (struct sp_topology){
		.cpus = 5,
		.shards = 5,
		.cpu = { 2, 3, 5, 7, 11 },
	};
}

TEST(few_shards_share_all_cpus_out)
{
	struct sp_topology topology = five_cpus();
	uint16_t cpu[5];

	EXPECT_EQ(sp_topology_shard_cpus(&topology, 2, 0, cpu), 3);
	EXPECT(cpu[0] == 2 && cpu[1] == 5 && cpu[2] == 11);
	EXPECT_EQ(sp_topology_shard_cpus(&topology, 2, 1, cpu), 2);
	EXPECT(cpu[0] == 3 && cpu[1] == 7);
	EXPECT_EQ(sp_topology_shard_cpus(&topology, 1, 0, cpu), 5);
}

TEST(many_shards_go_round)
{
	struct sp_topology topology = five_cpus();
	uint16_t cpu[5];

	for (uint32_t shard = 0; shard < 12; shard++) {
		EXPECT_EQ(sp_topology_shard_cpus(&topology, 12, shard, cpu), 1);
		EXPECT_EQ(cpu[0], topology.cpu[shard % 5]);
	}
	EXPECT_ABORT(sp_topology_shard_cpus(&topology, 2, 2, cpu));
}

static void *
pin_and_read(void *arg)
{
	struct sp_topology *topology = arg, pinned;
	uint32_t last = topology->cpus - 1;

	EXPECT_EQ(sp_topology_pin_shard(topology, topology->cpus, last), 0);
	EXPECT_EQ(sp_topology_read(&pinned), 0);
	EXPECT_EQ(pinned.cpus, 1);
	EXPECT_EQ(pinned.shards, 1);
	EXPECT_EQ(pinned.cpu[0], topology->cpu[last]);
	EXPECT_EQ(sched_getcpu(), topology->cpu[last]);

	EXPECT_EQ(sp_topology_pin(topology->cpu, topology->cpus), 0);
	EXPECT_EQ(sp_topology_read(&pinned), 0);
	EXPECT_EQ(pinned.cpus, topology->cpus);
	EXPECT_EQ(sp_topology_pin(NULL, 0), -EINVAL);
	return NULL;
}

TEST(a_pinned_thread_runs_where_it_was_told_to)
{
	struct sp_topology topology;
	pthread_t thread;

	EXPECT_EQ(sp_topology_read(&topology), 0);
	EXPECT_EQ(pthread_create(&thread, NULL, pin_and_read, &topology), 0);
	pthread_join(thread, NULL);
}
