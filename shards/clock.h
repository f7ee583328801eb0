/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_CLOCK_H
#define SPATE_SHARDS_CLOCK_H

/*
 * The three clocks of a shard.
 *
 *     nanoseconds   CLOCK_MONOTONIC, for time-outs handed to the kernel
 *     ticks         milliseconds since the first call, in 32 bits: deadlines
 *     cycles        the CPU's own counter, for how long a handler took
 *
 * A tick wraps after 49 days, so compare ticks by sp_tick_after() and never
 * by "<". Ticks 0 and 1 are never the present: deadlines use them to say
 * "none" and "expired" (poll_desc.h).
 */

#include <stdbool.h>
#include <stdint.h>

#define SP_NS_PER_MS 1000000
#define SP_NS_PER_S 1000000000

typedef uint32_t sp_tick;

uint64_t sp_now_ns(void);

/* The tick of an sp_now_ns(). */
sp_tick sp_tick_of(uint64_t ns);

static inline bool
sp_tick_after(sp_tick a, sp_tick b)
{
	return (int32_t)(a - b) > 0;
}

/* A tick to store as a deadline, off the two reserved values. */
static inline sp_tick
sp_tick_deadline(sp_tick now, uint32_t ms)
{
	sp_tick tick = now + ms;

	return tick > 1 ? tick : 2;
}

/* Ticks compare within half of their range; what is longer is for ever. */
#define SP_TICK_LONGEST_MS (UINT32_C(1) << 30)

/*
 * sp_tick_in: the tick in ms milliseconds from now, to store as a deadline;
 * in twelve days, if that is sooner.
 */
sp_tick sp_tick_in(uint32_t ms);

/*
 * How long from an sp_now_ns() until a tick begins. Never negative, and never
 * 0 for a tick to come.
 */
int64_t sp_tick_delay_ns(sp_tick tick, uint64_t now_ns);

static inline uint64_t
sp_cycles(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t count;

	__asm__ __volatile__("mrs %0, cntvct_el0" : "=r"(count));
	return count;
#else
	return sp_now_ns();
#endif
}

/*
 * Cycles in a microsecond, measured once at start. Never 0.
 */
uint64_t sp_cycles_per_us(void);
void sp_clock_init(void);

/* sp_cycles_to_ns: a time in cycles, as nanoseconds, and the reverse. */
uint64_t sp_cycles_to_ns(uint64_t cycles);
uint64_t sp_ns_to_cycles(uint64_t ns);

#endif /* SPATE_SHARDS_CLOCK_H */
