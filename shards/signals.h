/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_SIGNALS_H
#define SPATE_SHARDS_SIGNALS_H

/*
 * Signals are for the program's own threads: ours are made with all of them
 * blocked, but for those that a thread gets for what it has done itself. If
 * these were blocked the kernel would end the process without calling whoever
 * handles them.
 */

#include <signal.h>
#include <stddef.h>

static const int sp_fault_signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL,
	SIGABRT };

#define SP_FAULT_SIGNALS                                                       \
	(sizeof(sp_fault_signals) / sizeof(sp_fault_signals[0]))

/* sp_signals_block: for who is about to make a thread, and then unblocks. */
static inline void
sp_signals_block(sigset_t *before)
{
	sigset_t most;

	sigfillset(&most);
	for (size_t i = 0; i < SP_FAULT_SIGNALS; i++)
		sigdelset(&most, sp_fault_signals[i]);
	/* A call that the sandbox refuses; framework/seccomp.h. */
	sigdelset(&most, SIGSYS);
	pthread_sigmask(SIG_SETMASK, &most, before);
}

static inline void
sp_signals_unblock(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

#endif /* SPATE_SHARDS_SIGNALS_H */
