/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_SECCOMP_H
#define SPATE_FRAMEWORK_SECCOMP_H

/*
 * seccomp, by libseccomp: which system calls the process may still make.
 *
 *     a call          what becomes of it
 *     -----------     --------------------------------------------------
 *     of the list     it is made, if its arguments are as the list says
 *     clone3          -ENOSYS; libc then asks for its thread by clone(),
 *                     whose arguments a filter can see
 *     another         SIGSYS, in the thread that made it: it is counted,
 *                     told of, and fails with EPERM; with ENOSYS if it is
 *                     newer than the list, for libc knows what to do then
 *     of another      the process ends
 *       kind of CPU
 */

/*
 * A call was refused, whose number this is.
 *
 * Context: a signal handler, in the thread that made the call.
 */
typedef void sp_refused_fn(void *arg, int number);

/*
 * sp_seccomp_enforce: for all threads of the process, and for good. The
 * caller must have PR_SET_NO_NEW_PRIVS. One server of a process can have its
 * calls counted, until sp_seccomp_forget().
 *
 * => Returns how many calls the list has.
 * => Returns -EOPNOTSUPP: this build has none, sp_seccomp_lack() says why;
 *    -EBUSY: another server has it; or -errno of the kernel's.
 */
int sp_seccomp_enforce(sp_refused_fn *refused, void *arg);

/* sp_seccomp_forget: calls go on to be refused, and nobody counts them. */
void sp_seccomp_forget(const void *arg);

/* => Returns why this build has none, or NULL: it has. */
const char *sp_seccomp_lack(void);

#endif /* SPATE_FRAMEWORK_SECCOMP_H */
