/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/seccomp.h"

#include "alloc/asan.h"
#include "alloc/tsan.h"
#include "shards/atomics.h"

#include <errno.h>
#include <stddef.h>

#ifdef SPATE_SECCOMP

#include <linux/netlink.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The newest call that was known when the list was made: fchmodat2(). */
#define NEWEST 452

/*
 * Allowed whatever the arguments are. Which files are opened, Landlock says:
 * a filter cannot follow a pointer.
 */
static const char *const allowed[] = {
	/* connections, and those to others */
	"accept4", "connect", "getpeername", "getsockname", "getsockopt",
	"recvfrom", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt",
	"shutdown", "bind",
	/* descriptors and files */
	"close", "creat", "dup", "eventfd2", "fcntl", "fdatasync", "fstat",
	"fsync", "ftruncate", "getdents64", "lseek", "mkdir", "mkdirat",
	"newfstatat", "open", "openat", "openat2", "pipe2", "pread64", "preadv",
	"pwrite64", "pwritev", "read", "readlink", "readlinkat", "readv",
	"rename", "renameat", "renameat2", "rmdir", "sendfile", "splice",
	"stat", "lstat", "statx", "unlink", "unlinkat", "write", "writev",
	"memfd_create", "access", "faccessat", "faccessat2", "fallocate",
	"fadvise64", "flock", "getcwd",
	/* waiting, and the clock */
	"epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
	"epoll_wait", "futex", "poll", "ppoll", "pselect6", "select",
	"clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday",
	"nanosleep", "restart_syscall", "time", "timerfd_create",
	"timerfd_settime", "timerfd_gettime",
	/* memory */
	"brk", "madvise", "mincore", "mremap", "munmap", "mlock", "munlock",
	/* threads */
	"exit", "exit_group", "get_robust_list", "getcpu", "gettid",
	"membarrier", "rseq", "sched_get_priority_max",
	"sched_get_priority_min", "sched_getaffinity", "sched_getattr",
	"sched_getparam", "sched_getscheduler", "sched_setaffinity",
	"sched_setattr", "sched_setscheduler", "sched_yield", "getpriority",
	"set_robust_list", "sigaltstack", "rt_sigaction", "rt_sigpending",
	"rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
	"pause",
	/* who and how much one is */
	"getegid", "geteuid", "getgid", "getpid", "getppid", "getrandom",
	"getrlimit", "getrusage", "getuid", "sysinfo", "times", "umask", "uname"
};

/* Allowed if an argument is as it says. Numbers of ioctl() are 32 bits. */
static const struct {
	const char *call;
	struct scmp_arg_cmp must;
} conditions[] = {
	{ "socket", { 0, SCMP_CMP_EQ, AF_UNIX, 0 } },
	{ "socket", { 0, SCMP_CMP_EQ, AF_INET, 0 } },
	{ "socket", { 0, SCMP_CMP_EQ, AF_INET6, 0 } },
	{ "socketpair", { 0, SCMP_CMP_EQ, AF_UNIX, 0 } },
	/* No code but what was there at the start. */
	{ "mmap", { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
	{ "mprotect", { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
	/* Threads, and no processes. */
	{ "clone", { 0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD } },
	{ "ioctl", { 1, SCMP_CMP_MASKED_EQ, UINT32_MAX, FIONREAD } },
	{ "ioctl", { 1, SCMP_CMP_MASKED_EQ, UINT32_MAX, FIONBIO } },
	{ "ioctl", { 1, SCMP_CMP_MASKED_EQ, UINT32_MAX, SIOCOUTQ } },
	{ "ioctl", { 1, SCMP_CMP_MASKED_EQ, UINT32_MAX, TCGETS } },
	{ "prctl", { 0, SCMP_CMP_EQ, PR_SET_NAME, 0 } },
	{ "prctl", { 0, SCMP_CMP_EQ, PR_GET_NAME, 0 } },
	{ "prctl", { 0, SCMP_CMP_EQ, PR_SET_TIMERSLACK, 0 } },
	{ "prctl", { 0, SCMP_CMP_EQ, PR_SET_VMA, 0 } },
	/* To ask, and not to change. */
	{ "prlimit64", { 2, SCMP_CMP_EQ, 0, 0 } },
};

static SP_ATOMIC(void *) counter; /* whose calls are counted; NULL: nobody's */
static sp_refused_fn *count_call; /* the same for all */

/* ------------------------------------------------------------ the handler */

static void
on_refused(int number, siginfo_t *info, void *context)
{
	ucontext_t *thread = context;
	void *arg = sp_load(&counter, acquire); /* COUNTER acquire. */
	int error = info->si_syscall > NEWEST ? ENOSYS : EPERM;

	(void)number;
	if (arg != NULL)
		count_call(arg, info->si_syscall);
#if defined(__x86_64__)
	thread->uc_mcontext.gregs[REG_RAX] = -error;
#elif defined(__aarch64__)
	thread->uc_mcontext.regs[0] = (unsigned long long)-error;
#else
#error "where does this CPU have the result of a system call?"
#endif
}

static int
handle_refusals(sp_refused_fn *refused, void *arg)
{
	struct sigaction action = { .sa_sigaction = on_refused,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	void *nobody = NULL;

	if (sp_load(&counter, relaxed) != NULL)
		return -EBUSY;
	count_call = refused;
	/* COUNTER release: the function, which whoever finds it calls. */
	if (!sp_cas(&counter, &nobody, arg, acq_rel, relaxed))
		return -EBUSY;
	sigemptyset(&action.sa_mask);
	return sigaction(SIGSYS, &action, NULL) != 0 ? -errno : 0;
}

/* --------------------------------------------------------------- the list */

static int
add(scmp_filter_ctx filter, const char *call, unsigned count,
    const struct scmp_arg_cmp *must)
{
	int number = seccomp_syscall_resolve_name(call);

	/* What this CPU does not have is nothing to allow. */
	if (number == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add_array(
	    filter, SCMP_ACT_ALLOW, number, count, must);
}

static int
fill(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp route[] = {
		{ 0, SCMP_CMP_EQ, AF_NETLINK, 0 },
		{ 2, SCMP_CMP_EQ, NETLINK_ROUTE, 0 },
	};
	const struct scmp_arg_cmp ourselves = { 0, SCMP_CMP_EQ,
		(scmp_datum_t)getpid(), 0 };
	int error = 0;

	for (size_t i = 0; i < COUNT(allowed) && error == 0; i++)
		error = add(filter, allowed[i], 0, NULL);
	for (size_t i = 0; i < COUNT(conditions) && error == 0; i++)
		error = add(filter, conditions[i].call, 1, &conditions[i].must);
	/* A look-up of a name asks which addresses there are here. */
	if (error == 0)
		error = add(filter, "socket", COUNT(route), route);
	/* A crash ends the process by its own signal. */
	if (error == 0)
		error = add(filter, "tgkill", 1, &ourselves);
	if (error == 0)
		error = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSYS),
		    seccomp_syscall_resolve_name("clone3"), 0, NULL);
	return error;
}

int
sp_seccomp_enforce(sp_refused_fn *refused, void *arg)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int error = filter != NULL ? 0 : -ENOMEM;

	if (error == 0)
		error = seccomp_attr_set(
		    filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* The caller has seen to that. */
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	/* A tree and not a chain, where the kernel keeps no table of it. */
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (error == 0)
		error = fill(filter);
	if (error == 0)
		error = handle_refusals(refused, arg);
	if (error == 0) {
		error = seccomp_load(filter);
		if (error != 0)
			sp_seccomp_forget(arg);
	}
	seccomp_release(filter);
	return error != 0 ? error : (int)(COUNT(allowed) + COUNT(conditions));
}

void
sp_seccomp_forget(const void *arg)
{
	if (sp_load(&counter, relaxed) == arg)
		sp_store(&counter, NULL, release);
}

const char *
sp_seccomp_lack(void)
{
	return NULL;
}

#else

int
sp_seccomp_enforce(sp_refused_fn *refused, void *arg)
{
	(void)refused;
	(void)arg;
	return -EOPNOTSUPP;
}

void
sp_seccomp_forget(const void *arg)
{
	(void)arg;
}

const char *
sp_seccomp_lack(void)
{
#if SP_ASAN || SP_TSAN
	return "the sanitizer of this build makes calls of its own";
#elif defined(SPATE_COVERAGE)
	return "what counts coverage makes calls of its own";
#else
	return "it was built without libseccomp";
#endif
}

#endif
