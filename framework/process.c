/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/process.h"

#include "shards/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DESCRIPTORS "/proc/self/fd"
#define FRESH_NS (100 * (uint64_t)SP_NS_PER_MS)

/* Fields of proc_pid_stat(5), by number, and the first after the name. */
enum { FIRST = 3, THREADS = 20, STARTED = 22, RESIDENT = 24 };

static uint64_t
ns_of(clockid_t clock)
{
	struct timespec time;

	if (clock_gettime(clock, &time) != 0)
		return 0;
	return (uint64_t)time.tv_sec * SP_NS_PER_S + (uint64_t)time.tv_nsec;
}

int
sp_process_parse(struct sp_process *process, const char *stat)
{
	/* The name is in brackets, and may have blanks and brackets in it. */
	const char *at = strrchr(stat, ')');
	uint64_t value;

	if (at == NULL)
		return -EINVAL;
	for (int field = FIRST; field <= RESIDENT; field++) {
		at = strchr(at + 1, ' ');
		if (at == NULL)
			return -EINVAL;
		if (field != THREADS && field != STARTED && field != RESIDENT)
			continue;
		if (sscanf(at, " %" SCNu64, &value) != 1)
			return -EINVAL;
		if (field == THREADS)
			process->threads = value;
		else if (field == STARTED)
			process->started_ms = value * 1000
					      / (uint64_t)sysconf(_SC_CLK_TCK);
		else
			process->resident_bytes = value
						  * (uint64_t)sysconf(
						      _SC_PAGESIZE);
	}
	return 0;
}

static void
read_stat(struct sp_process *process)
{
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	char text[1024];
	ssize_t n;

	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	if (sp_process_parse(process, text) == 0)
		process->started_ms += (ns_of(CLOCK_REALTIME)
					   - ns_of(CLOCK_BOOTTIME))
				       / SP_NS_PER_MS;
}

/* The folder's size is their number, since Linux 6.2. */
static uint64_t
count_descriptors(void)
{
	struct stat status;
	uint64_t count = 0;
	DIR *folder;

	if (stat(DESCRIPTORS, &status) == 0 && status.st_size != 0)
		return (uint64_t)status.st_size;
	folder = opendir(DESCRIPTORS);
	if (folder == NULL)
		return 0;
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	/* Without ".", ".." and the folder's own. */
	return count > 3 ? count - 3 : 0;
}

static void
remember(struct sp_process_cache *cache, const struct sp_process *process,
    uint64_t now)
{
	sp_store(&cache->resident_bytes, process->resident_bytes, relaxed);
	sp_store(&cache->threads, process->threads, relaxed);
	sp_store(&cache->descriptors, process->descriptors, relaxed);
	sp_store(&cache->started_ms, process->started_ms, relaxed);
	/* SEEN release: what else was never there would be read as 0. */
	sp_store(&cache->seen_ns, now, release);
}

void
sp_process_look(struct sp_process_cache *cache, struct sp_process *process)
{
	/* SEEN acquire. */
	uint64_t seen = sp_load(&cache->seen_ns, acquire), now = sp_now_ns();
	struct rlimit limit;

	memset(process, 0, sizeof(*process));
	process->pid = (uint64_t)getpid();
	process->cpu_ns = ns_of(CLOCK_PROCESS_CPUTIME_ID);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		process->descriptors_max = limit.rlim_cur;
	if (seen == 0 || now - seen >= FRESH_NS) {
		read_stat(process);
		process->descriptors = count_descriptors();
		remember(cache, process, now);
		return;
	}
	process->resident_bytes = sp_load(&cache->resident_bytes, relaxed);
	process->threads = sp_load(&cache->threads, relaxed);
	process->descriptors = sp_load(&cache->descriptors, relaxed);
	process->started_ms = sp_load(&cache->started_ms, relaxed);
}
