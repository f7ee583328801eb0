/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_LANDLOCK_H
#define SPATE_FRAMEWORK_LANDLOCK_H

/*
 * Landlock: which files the calling thread, and all that it makes from then
 * on, may still open; and as far as the kernel's version of it goes, that it
 * listens at no other TCP port, and reaches no process outside by a signal or
 * an abstract socket. What is open already stays as it is. It needs no rights
 * and cannot be taken back.
 *
 *     sp_landlock_begin --> sp_landlock_allow, any number --> _enforce
 *                                                         `-> _end: nothing
 */

#include <stdint.h>

enum sp_landlock_right {
	SP_LANDLOCK_READ = 1,   /* a file, or all below a folder */
	SP_LANDLOCK_CREATE = 2, /* new files in a folder, and write to files */
	SP_LANDLOCK_REMOVE = 4, /* files of a folder */
	SP_LANDLOCK_MAKE = 8,   /* folders; and move, cut and remove all */
	SP_LANDLOCK_ALL = 15    /* but programs are never run */
};

struct sp_landlock {
	int abi;      /* what the kernel has, from 1 on */
	uint64_t all; /* of the file system: what is forbidden */
	int rules;    /* a descriptor; -1: none */
};

/*
 * sp_landlock_begin: everything is forbidden, once it is enforced.
 *
 * => Returns -ENOSYS or -EOPNOTSUPP: the kernel has none, or it is off.
 */
int sp_landlock_begin(struct sp_landlock *landlock);

/*
 * sp_landlock_allow: a file or a folder, by a descriptor that may be O_PATH.
 * Rights that only folders have are left out for a file.
 */
int sp_landlock_allow(struct sp_landlock *landlock, int fd, unsigned rights);

/* sp_landlock_enforce: for good. The thread must have PR_SET_NO_NEW_PRIVS. */
int sp_landlock_enforce(struct sp_landlock *landlock);

/* sp_landlock_end: also after it was enforced, or never begun (rules -1). */
void sp_landlock_end(struct sp_landlock *landlock);

#endif /* SPATE_FRAMEWORK_LANDLOCK_H */
