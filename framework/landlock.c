/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/landlock.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the headers of the system may be too old for. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0)
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)
#endif

/* The kernel takes it in the size that the version has. */
struct attributes {
	uint64_t fs;
	uint64_t net;    /* 4 and later */
	uint64_t scoped; /* 6 and later */
};

#define OF_FIRST                                                               \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE            \
	    | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR       \
	    | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE   \
	    | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR       \
	    | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK       \
	    | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK     \
	    | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define OF_FILES                                                               \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE            \
	    | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_TRUNCATE       \
	    | LANDLOCK_ACCESS_FS_IOCTL_DEV)

static uint64_t
rights_of(unsigned rights)
{
	uint64_t access = 0;

	if (rights & SP_LANDLOCK_READ)
		access |= LANDLOCK_ACCESS_FS_READ_FILE
			  | LANDLOCK_ACCESS_FS_READ_DIR;
	if (rights & SP_LANDLOCK_CREATE)
		access |= LANDLOCK_ACCESS_FS_WRITE_FILE
			  | LANDLOCK_ACCESS_FS_MAKE_REG;
	if (rights & SP_LANDLOCK_REMOVE)
		access |= LANDLOCK_ACCESS_FS_REMOVE_FILE;
	if (rights & SP_LANDLOCK_MAKE)
		access |= LANDLOCK_ACCESS_FS_MAKE_DIR
			  | LANDLOCK_ACCESS_FS_REMOVE_DIR
			  | LANDLOCK_ACCESS_FS_REFER
			  | LANDLOCK_ACCESS_FS_TRUNCATE;
	return access;
}

int
sp_landlock_begin(struct sp_landlock *landlock)
{
	struct attributes all = { .fs = OF_FIRST,
		.net = LANDLOCK_ACCESS_NET_BIND_TCP,
		.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
			  | LANDLOCK_SCOPE_SIGNAL };
	size_t size = sizeof(all);
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	*landlock = (struct sp_landlock){ .rules = -1 };
	if (abi < 1)
		return abi < 0 ? -errno : -EOPNOTSUPP;
	if (abi >= 2)
		all.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		all.fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= 5)
		all.fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	if (abi < 6)
		size = offsetof(struct attributes, scoped);
	if (abi < 4)
		size = offsetof(struct attributes, net);
	landlock->abi = (int)abi;
	landlock->all = all.fs;
	landlock->rules = (int)syscall(
	    SYS_landlock_create_ruleset, &all, size, 0);
	return landlock->rules < 0 ? -errno : 0;
}

int
sp_landlock_allow(struct sp_landlock *landlock, int fd, unsigned rights)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = fd };
	struct stat status;

	if (fstat(fd, &status) != 0)
		return -errno;
	rule.allowed_access = rights_of(rights) & landlock->all;
	if (!S_ISDIR(status.st_mode))
		rule.allowed_access &= OF_FILES;
	if (syscall(SYS_landlock_add_rule, landlock->rules,
		LANDLOCK_RULE_PATH_BENEATH, &rule, 0)
	    != 0)
		return -errno;
	return 0;
}

int
sp_landlock_enforce(struct sp_landlock *landlock)
{
	return syscall(SYS_landlock_restrict_self, landlock->rules, 0) != 0
		   ? -errno
		   : 0;
}

void
sp_landlock_end(struct sp_landlock *landlock)
{
	if (landlock->rules >= 0)
		close(landlock->rules);
	landlock->rules = -1;
}
