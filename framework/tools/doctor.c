/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * spate-doctor: what this machine is set to, as far as a server feels it.
 * Says of each whether it is right, and if not what to type.
 *
 *     status   0   all is well, or cannot be known
 *              1   something is not
 *              64  a bad flag
 */

#include "shards/topology.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <spate.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define ROOT_MAX 1024
#define LINE 512

/* Less than these, and it is felt. */
#define BACKLOG_LEAST 4096
#define DESCRIPTORS_LEAST 65536
#define PORTS_LEAST 20000

static struct {
	const char *root; /* where proc and sys are */
	uint32_t shards;  /* 0: as many as a server would have */
	unsigned warnings;
} doctor = { .root = "" };

/* ---------------------------------------------------------------- findings */

static void
fine(const char *what, const char *value)
{
	printf("OK    %-18s %s\n", what, value);
}

static void
unknown(const char *what, const char *path)
{
	printf("?     %-18s cannot be read: %s%s\n", what, doctor.root, path);
}

/* In a program's words: what it is, what that does, and what to type. */
static void __attribute__((format(printf, 4, 5))) warn(const char *what,
    const char *value, const char *why, const char *command, ...)
{
	va_list arguments;

	doctor.warnings++;
	printf("WARN  %-18s %s: %s\n      ", what, value, why);
	va_start(arguments, command);
	vprintf(command, arguments);
	va_end(arguments);
	putchar('\n');
}

/* The first line that begins like this, without it. */
static bool
line_of(const char *path, const char *begin, char line[LINE])
{
	char full[ROOT_MAX + 128];
	bool found = false;
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", doctor.root, path);
	file = fopen(full, "re");
	if (file == NULL)
		return false;
	while (!found && fgets(line, LINE, file) != NULL)
		found = strncmp(line, begin, strlen(begin)) == 0;
	fclose(file);
	if (!found)
		return false;
	line[strcspn(line, "\n")] = '\0';
	memmove(line, line + strlen(begin), strlen(line + strlen(begin)) + 1);
	return true;
}

/* ------------------------------------------------------------------ checks */

static void
check_backlog(void)
{
	static const char path[] = "/proc/sys/net/core/somaxconn";
	char line[LINE];

	if (!line_of(path, "", line))
		unknown("somaxconn", path);
	else if (strtoul(line, NULL, 10) < BACKLOG_LEAST)
		warn("somaxconn", line,
		    "of a burst of more connections some wait for a second",
		    "sysctl -w net.core.somaxconn=%d", BACKLOG_LEAST);
	else
		fine("somaxconn", line);
}

/* The server raises the soft limit by itself, up to the hard one. */
static void
check_descriptors(void)
{
	static const char path[] = "/proc/self/limits";
	char line[LINE], soft[32] = "", hard[32] = "";

	if (!line_of(path, "Max open files", line)
	    || sscanf(line, "%31s %31s", soft, hard) != 2)
		unknown("RLIMIT_NOFILE", path);
	else if (strcmp(hard, "unlimited") != 0
		 && strtoul(hard, NULL, 10) < DESCRIPTORS_LEAST)
		warn("RLIMIT_NOFILE", hard,
		    "there are no more connections than that",
		    "ulimit -Hn %d; or LimitNOFILE=%d in its unit",
		    DESCRIPTORS_LEAST, DESCRIPTORS_LEAST);
	else
		fine("RLIMIT_NOFILE", hard);
}

/* Shards that share too little time stop all at once when it is used up. */
static void
check_quota(void)
{
	char cgroup[ROOT_MAX + 32], mount[ROOT_MAX + 32], value[LINE];
	struct sp_topology_roots roots = { cgroup, mount };
	struct sp_topology topology;
	uint32_t shards = doctor.shards;

	snprintf(cgroup, sizeof(cgroup), "%s/proc/self/cgroup", doctor.root);
	snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup", doctor.root);
	if (sp_topology_read_at(&topology, &roots) != 0) {
		unknown("CPU quota", "/proc/self/cgroup");
		return;
	}
	if (shards == 0)
		shards = topology.shards;
	if (topology.quota == 0)
		snprintf(value, sizeof(value),
		    "none, %" PRIu32 " CPUs for %" PRIu32 " shards",
		    topology.cpus, shards);
	else
		snprintf(value, sizeof(value),
		    "%" PRIu32 " CPUs for %" PRIu32 " shards", topology.quota,
		    shards);
	if (topology.quota != 0 && shards > topology.quota)
		warn("CPU quota", value,
		    "they are throttled together, which shows in the tail",
		    "--shards %" PRIu32 "; or systemctl set-property UNIT "
		    "CPUQuota=%" PRIu32 "%%",
		    topology.quota, shards * 100);
	else if (shards > topology.cpus)
		warn("CPU quota", value, "shards share CPUs",
		    "--shards %" PRIu32, topology.cpus);
	else
		fine("CPU quota", value);
}

/* For connections to other servers: each takes a port for a minute. */
static void
check_ports(void)
{
	static const char path[] = "/proc/sys/net/ipv4/ip_local_port_range";
	unsigned long first, last;
	char line[LINE], value[LINE];

	if (!line_of(path, "", line)
	    || sscanf(line, "%lu %lu", &first, &last) != 2 || last < first) {
		unknown("port range", path);
		return;
	}
	snprintf(value, sizeof(value), "%lu to %lu", first, last);
	if (last - first + 1 < PORTS_LEAST)
		warn("port range", value,
		    "connections to one other server run out of ports",
		    "sysctl -w net.ipv4.ip_local_port_range='32768 60999'");
	else
		fine("port range", value);
}

static void
check_huge_pages(void)
{
	static const char path[] =
	    "/sys/kernel/mm/transparent_hugepage/enabled";
	char line[LINE], *begin, *end;

	if (!line_of(path, "", line) || (begin = strchr(line, '[')) == NULL
	    || (end = strchr(begin, ']')) == NULL) {
		unknown("huge pages", path);
		return;
	}
	*end = '\0';
	if (strcmp(begin + 1, "always") == 0)
		warn("huge pages", begin + 1,
		    "a small stack may take 2 MiB, and the kernel stops to "
		    "make room",
		    "echo madvise >%s", path);
	else
		fine("huge pages", begin + 1);
}

/* Those that a process reads without a call into the kernel. */
static bool
is_quick(const char *source)
{
	static const char *const quick[] = { "tsc", "kvm-clock",
		"arch_sys_counter", "hyperv_clocksource_tsc_page" };

	for (size_t i = 0; i < sizeof(quick) / sizeof(*quick); i++) {
		if (strcmp(source, quick[i]) == 0)
			return true;
	}
	return false;
}

static void
check_clock(void)
{
	static const char folder[] =
	    "/sys/devices/system/clocksource/clocksource0/";
	char path[128], line[LINE], others[LINE] = "", *rest = others;
	const char *better = NULL, *name;

	snprintf(path, sizeof(path), "%scurrent_clocksource", folder);
	if (!line_of(path, "", line)) {
		unknown("clocksource", path);
		return;
	}
	if (is_quick(line)) {
		fine("clocksource", line);
		return;
	}
	snprintf(path, sizeof(path), "%savailable_clocksource", folder);
	line_of(path, "", others);
	while (better == NULL && (name = strsep(&rest, " ")) != NULL)
		better = is_quick(name) ? name : NULL;
	if (better != NULL)
		warn("clocksource", line,
		    "each look at the clock is a system "
		    "call",
		    "echo %s >%scurrent_clocksource", better, folder);
	else
		warn("clocksource", line,
		    "each look at the clock is a system "
		    "call",
		    "dmesg | grep -i clocksource    tells why there is "
		    "no tsc");
}

static void
check_kernel(void)
{
	static const char path[] = "/proc/sys/kernel/osrelease";
	unsigned major, minor;
	char line[LINE];

	if (!line_of(path, "", line)
	    || sscanf(line, "%u.%u", &major, &minor) != 2)
		unknown("kernel", path);
	else if (major < 5 || (major == 5 && minor < 11))
		warn("kernel", line, "before 5.11 it sleeps by milliseconds",
		    "apt-get install linux-image-amd64    and boot it");
	else
		fine("kernel", line);
}

/* ------------------------------------------------------------------- flags */

static const struct argp_option flags[] = {
	{ "shards", 's', "N", 0, "That the server is to have; 1 to 256", 0 },
	{ "root", 'r', "FOLDER", 0, "Where /proc and /sys are: another's", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static error_t
on_flag(int key, char *text, struct argp_state *state)
{
	unsigned long value;
	char *end;

	switch (key) {
	case 's':
		value = strtoul(text, &end, 10);
		if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < 1
		    || value > SP_TOPOLOGY_SHARDS_MAX)
			argp_error(
			    state, "--shards is from 1 to 256: %s", text);
		doctor.shards = (uint32_t)value;
		return 0;
	case 'r':
		if (strlen(text) > ROOT_MAX)
			argp_error(state, "--root is too long");
		doctor.root = text;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int
main(int argc, char **argv)
{
	static const struct argp argp = { .options = flags,
		.parser = on_flag,
		.doc = "What this machine is set to, as far as a Spate server "
		       "feels it: OK, or WARN with what to type."
		       "\vStatus: 0 all is well, 1 something is not, 64 a bad "
		       "flag. What is typed holds until the next boot; "
		       "/etc/sysctl.d is for longer." };
	static char version[64];

	snprintf(version, sizeof(version), "spate-doctor %s", spate_version());
	argp_program_version = version;
	argp_err_exit_status = EX_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	check_backlog();
	check_descriptors();
	check_quota();
	check_ports();
	check_huge_pages();
	check_clock();
	check_kernel();
	return doctor.warnings != 0;
}
