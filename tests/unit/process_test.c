/* SPDX-License-Identifier: BSD-2-Clause */

/* What the kernel says of our own process. */

#include "framework/process.h"
#include "tests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

TEST(a_name_with_blanks_and_brackets_moves_no_field)
{
	struct sp_process process = { 0 };

	EXPECT_EQ(sp_process_parse(&process,
		      "12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 "
		      "5 0 700 99 3 0"),
	    0);
	EXPECT_EQ(process.threads, 5);
	EXPECT_EQ(process.started_ms, 700 * 1000 / sysconf(_SC_CLK_TCK));
	EXPECT_EQ(process.resident_bytes, 3 * sysconf(_SC_PAGESIZE));
}

TEST(what_is_cut_off_is_refused)
{
	struct sp_process process = { 0 };

	EXPECT_EQ(sp_process_parse(&process, ""), -EINVAL);
	EXPECT_EQ(sp_process_parse(&process, "12 (a"), -EINVAL);
	EXPECT_EQ(sp_process_parse(&process, "12 (a) S 1 2 3"), -EINVAL);
	EXPECT_EQ(sp_process_parse(&process,
		      "12 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 x 0 7"),
	    -EINVAL);
}

TEST(we_are_alive_and_of_a_size)
{
	struct sp_process_cache cache = { 0 };
	struct sp_process process;

	sp_process_look(&cache, &process);
	EXPECT_EQ(process.pid, getpid());
	EXPECT(process.cpu_ns > 0);
	EXPECT(process.descriptors >= 3);
	EXPECT(process.descriptors_max >= process.descriptors);
	EXPECT(process.started_ms / 1000 <= (uint64_t)time(NULL));
	EXPECT(process.started_ms / 1000 > (uint64_t)time(NULL) - 3600);
	SKIP_IF_EMULATED("qemu's /proc/self/stat has neither size nor threads");
	EXPECT(process.resident_bytes > 100000);
	EXPECT(process.threads >= 1);
}

TEST(a_descriptor_more_is_one_more)
{
	struct sp_process_cache cache = { 0 };
	struct sp_process before, after;
	int fd;

	sp_process_look(&cache, &before);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	memset(&cache, 0, sizeof(cache));
	sp_process_look(&cache, &after);
	EXPECT_EQ(after.descriptors, before.descriptors + 1);
	close(fd);
}

TEST(what_was_seen_a_moment_ago_is_not_looked_at_again)
{
	struct sp_process_cache cache = { 0 };
	struct sp_process process;

	sp_process_look(&cache, &process);
	sp_store(&cache.threads, 12345, relaxed);
	sp_process_look(&cache, &process);
	EXPECT_EQ(process.threads, 12345);
	sp_store(&cache.seen_ns, 1, relaxed);
	sp_process_look(&cache, &process);
	EXPECT(process.threads != 12345);
}
