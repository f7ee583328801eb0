/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/clock.h"

#include "shards/atomics.h"

#include <time.h>

#define CALIBRATE_NS (2 * SP_NS_PER_MS)
#define FIRST_TICK 16

static SP_ATOMIC(uint64_t) cycles_per_us;
static SP_ATOMIC(uint64_t) epoch_ns;

uint64_t
sp_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SP_NS_PER_S + (uint64_t)now.tv_nsec;
}

sp_tick
sp_tick_of(uint64_t ns)
{
	return (sp_tick)((ns - sp_load(&epoch_ns, relaxed)) / SP_NS_PER_MS)
	    + FIRST_TICK;
}

sp_tick
sp_tick_in(uint32_t ms)
{
	return sp_tick_deadline(sp_tick_of(sp_now_ns()),
	    ms < SP_TICK_LONGEST_MS ? ms : SP_TICK_LONGEST_MS);
}

int64_t
sp_tick_delay_ns(sp_tick tick, uint64_t now_ns)
{
	sp_tick now = sp_tick_of(now_ns);
	uint64_t into = (now_ns - sp_load(&epoch_ns, relaxed)) % SP_NS_PER_MS;

	if (!sp_tick_after(tick, now))
		return 0;
	return (int64_t)(tick - now) * SP_NS_PER_MS - (int64_t)into;
}

uint64_t
sp_cycles_per_us(void)
{
	uint64_t known = sp_load(&cycles_per_us, relaxed);

	return known != 0 ? known : 1;
}

uint64_t
sp_cycles_to_ns(uint64_t cycles)
{
	return (uint64_t)((unsigned __int128)cycles * 1000
	    / sp_cycles_per_us());
}

uint64_t
sp_ns_to_cycles(uint64_t ns)
{
	return (uint64_t)((unsigned __int128)ns * sp_cycles_per_us() / 1000);
}

void
sp_clock_init(void)
{
	uint64_t start_ns, start, ns, none = 0;

	if (sp_load(&cycles_per_us, relaxed) != 0)
		return;
	start_ns = sp_now_ns();
	start = sp_cycles();
	sp_cas(&epoch_ns, &none, start_ns, relaxed, relaxed);
	do {
		ns = sp_now_ns() - start_ns;
	} while (ns < CALIBRATE_NS);
	ns = (sp_cycles() - start) * 1000 / ns;
	sp_store(&cycles_per_us, ns != 0 ? ns : 1, relaxed);
}
