/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_FUTEX_H
#define SPATE_SHARDS_FUTEX_H

/*
 * futex(2), for threads of this process: sleep while a word has a value.
 * ThreadSanitizer does not see it, so what crosses has to be ordered by the
 * word itself.
 */

#include "shards/atomics.h"
#include "shards/clock.h"

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Returns at once if *word is not value, or at any time: look again. */
static inline void
sp_futex_wait(SP_ATOMIC(uint32_t) *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static inline void
sp_futex_wait_for(SP_ATOMIC(uint32_t) *word, uint32_t value, uint64_t ns)
{
	struct timespec timeout = {
		.tv_sec = (time_t)(ns / SP_NS_PER_S),
		.tv_nsec = (long)(ns % SP_NS_PER_S),
	};

	syscall(
	    SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &timeout, NULL, 0);
}

static inline void
sp_futex_wake(SP_ATOMIC(uint32_t) *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static inline void
sp_futex_wake_all(SP_ATOMIC(uint32_t) *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

#endif /* SPATE_SHARDS_FUTEX_H */
