/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_SYS_H
#define SPATE_SHARDS_SYS_H

/*
 * The two system calls that every request makes.
 *
 * libc's recv() and send() are cancellation points: in a program with
 * threads each call first allows and then forbids cancellation, which is
 * some sixty instructions for a feature that no thread of ours has. Its
 * syscall() moves the arguments once more, and both put the error where each
 * thread has its own. The instruction itself does none of that. Sanitizers
 * know recv() and send(), so builds for them use those, and so do other
 * CPUs than x86-64 and aarch64.
 *
 * => Both return how many bytes, or -errno.
 */

#include "alloc/asan.h"
#include "alloc/tsan.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>

#ifndef SP_SYS_DIRECT
#if !SP_ASAN && !SP_TSAN && (defined(__x86_64__) || defined(__aarch64__))
#define SP_SYS_DIRECT 1
#else
#define SP_SYS_DIRECT 0
#endif
#endif

#if SP_SYS_DIRECT

/* recvfrom() and sendto() without an address: the last two are 0. */
static inline long
sp_syscall_io(long number, long fd, const void *buf, size_t size, long flags)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = flags;
	register long r8 __asm__("r8") = 0;
	register long r9 __asm__("r9") = 0;
	long result;

	/* The kernel leaves its return address and flags in rcx and r11. */
	__asm__ __volatile__("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(fd), "S"(buf), "d"(size), "r"(r10),
			 "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
#else
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = fd;
	register const void *x1 __asm__("x1") = buf;
	register size_t x2 __asm__("x2") = size;
	register long x3 __asm__("x3") = flags;
	register long x4 __asm__("x4") = 0;
	register long x5 __asm__("x5") = 0;

	__asm__ __volatile__("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory", "cc");
	return x0;
#endif
}

#endif

static inline ssize_t
sp_sys_recv(int fd, void *buf, size_t size)
{
#if SP_SYS_DIRECT
	return sp_syscall_io(SYS_recvfrom, fd, buf, size, 0);
#else
	ssize_t n = recv(fd, buf, size, 0);

	return n < 0 ? -errno : n;
#endif
}

static inline ssize_t
sp_sys_send(int fd, const void *buf, size_t size)
{
#if SP_SYS_DIRECT
	return sp_syscall_io(SYS_sendto, fd, buf, size, MSG_NOSIGNAL);
#else
	ssize_t n = send(fd, buf, size, MSG_NOSIGNAL);

	return n < 0 ? -errno : n;
#endif
}

#endif /* SPATE_SHARDS_SYS_H */
