/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/user.h"

#include "framework/urlcode.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool
is_id(const char *text, uint64_t *id)
{
	/* The largest is -1, which means "leave it" to the kernel. */
	return sp_parse_u64(text, strlen(text), id) == 0 && *id < UINT32_MAX;
}

static int
find_group(const char *text, gid_t *gid)
{
	const struct group *found = getgrnam(text);
	uint64_t id;

	if (found != NULL)
		*gid = found->gr_gid;
	else if (is_id(text, &id))
		*gid = (gid_t)id;
	else
		return -EINVAL;
	return 0;
}

int
sp_user_parse(struct sp_user *user, const char *text)
{
	const char *colon = strchr(text, ':');
	size_t size = colon != NULL ? (size_t)(colon - text) : strlen(text);
	const struct passwd *found;
	char name[sizeof(user->name)];
	uint64_t id;

	if (size == 0 || size >= sizeof(name))
		return -EINVAL;
	memcpy(name, text, size);
	name[size] = '\0';
	found = getpwnam(name);
	if (found == NULL && is_id(name, &id))
		found = getpwuid((uid_t)id);
	else if (found == NULL)
		return -EINVAL;
	if (found == NULL && colon == NULL)
		return -EINVAL;
	*user = (struct sp_user){ .given = true };
	if (found != NULL) {
		snprintf(user->name, sizeof(user->name), "%s", found->pw_name);
		user->uid = found->pw_uid;
		user->gid = found->pw_gid;
	} else {
		user->uid = (uid_t)id;
	}
	return colon != NULL ? find_group(colon + 1, &user->gid) : 0;
}

static int
set_ids(const struct sp_user *user)
{
	int failed = user->name[0] != '\0' ? initgroups(user->name, user->gid)
					   : setgroups(1, &user->gid);

	/* glibc tells every thread. The groups first: a user may not. */
	if (failed || setresgid(user->gid, user->gid, user->gid) != 0
	    || setresuid(user->uid, user->uid, user->uid) != 0)
		return -errno;
	return user->uid != 0 && setuid(0) == 0 ? -EPERM : 0;
}

/*
 * Whoever becomes another loses them, unless a bit of the process says that
 * they stay; and who was that user from the start may have been given some.
 */
static int
drop_capabilities(void)
{
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	struct __user_cap_header_struct head
	    = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capset, &head, none) != 0 ? -errno : 0;
}

int
sp_user_become(const struct sp_user *user)
{
	int error;

	if (geteuid() != user->uid || getuid() != user->uid
	    || getegid() != user->gid) {
		error = set_ids(user);
		if (error != 0)
			return error;
	}
	error = user->uid != 0 ? drop_capabilities() : 0;
	if (error != 0)
		return error;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;

	/*
	 * Who was root is not dumpable, and cannot look into /proc/self/fd.
	 * It has read nothing as root that this user may not know.
	 */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return 0;
}
