/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_USER_H
#define SPATE_FRAMEWORK_USER_H

/*
 * Whom the process becomes when it has its sockets, and before it has its
 * workers: no handler runs as the user that started it.
 */

#include <stdbool.h>
#include <sys/types.h>

struct sp_user {
	bool given;
	char name[64]; /* empty: a number that has no name */
	uid_t uid;
	gid_t gid;
};

/*
 * sp_user_parse: "USER" or "USER:GROUP", by name or by number.
 *
 * => Returns 0.
 * => Returns -EINVAL: there is no such user or group, or a number without a
 *    name that comes without a group.
 */
int sp_user_parse(struct sp_user *user, const char *text);

/*
 * sp_user_become: for all threads, and for good. Groups are those that the
 * user is in; no program that is started later can get privileges back.
 *
 * => Returns 0, also if the process is that user already.
 * => Returns -EPERM: only root can. Or another error of the kernel's: the
 *    process is no longer what it was, and should end.
 */
int sp_user_become(const struct sp_user *user);

#endif /* SPATE_FRAMEWORK_USER_H */
