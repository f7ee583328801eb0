/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_SYS_H
#define SPATE_SHARDS_SYS_H

/*
 * The two system calls that every request makes.
 *
 * libc's recv() and send() are cancellation points: in a program with
 * threads each call first allows and then forbids cancellation, which is
 * some sixty instructions for a feature that no thread of ours has. Through
 * syscall() there is none of that. The sanitizers know recv() and send(), so
 * builds for them use those.
 *
 * Both return as their libc namesakes do, with errno.
 */

#include "alloc/asan.h"
#include "alloc/tsan.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#if SP_ASAN || SP_TSAN || !defined(SYS_recvfrom) || !defined(SYS_sendto)
#define SP_SYS_DIRECT 0
#else
#define SP_SYS_DIRECT 1
#endif

static inline ssize_t
sp_sys_recv(int fd, void *buf, size_t size)
{
#if SP_SYS_DIRECT
	return syscall(SYS_recvfrom, fd, buf, size, 0, NULL, NULL);
#else
	return recv(fd, buf, size, 0);
#endif
}

static inline ssize_t
sp_sys_send(int fd, const void *buf, size_t size)
{
#if SP_SYS_DIRECT
	return syscall(SYS_sendto, fd, buf, size, MSG_NOSIGNAL, NULL, 0);
#else
	return send(fd, buf, size, MSG_NOSIGNAL);
#endif
}

#endif /* SPATE_SHARDS_SYS_H */
