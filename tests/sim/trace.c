/* SPDX-License-Identifier: BSD-2-Clause */

/* Chance, the trace, and how a run fails. */

#include "tests/sim/sched.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool sim_tracing;
uint64_t sim_hash, sim_seed;

static uint64_t state;

void
sim_random_seed(uint64_t seed)
{
	state = seed;
}

/* SplitMix64. */
uint64_t
sim_random(void)
{
	uint64_t x = state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint32_t
sim_below(uint32_t n)
{
	return (uint32_t)((sim_random() >> 32) * n >> 32);
}

bool
sim_chance(uint32_t in)
{
	return in != 0 && sim_below(in) == 0;
}

void
sim_event(const char *what, uint64_t a, uint64_t b)
{
	uint64_t hash = sim_hash;

	for (const char *c = what; *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	hash = (hash ^ a) * UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ b ^ sim_now) * UINT64_C(0xbf58476d1ce4e5b9);
	sim_hash = hash ^ hash >> 29;
	if (sim_tracing)
		printf("%12.6f %-14s %s %lld %lld\n", (double)sim_now / 1e6,
		    sim_self != NULL ? sim_self->name : "", what, (long long)a,
		    (long long)b);
}

void
sim_fail(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(
	    stderr, "spate-sim --seed %llu: ", (unsigned long long)sim_seed);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, " (step %llu, %.3f ms, %s)\n",
	    (unsigned long long)sim_steps, (double)(sim_now) / SIM_NS_PER_MS,
	    sim_self != NULL ? sim_self->name : "-");
	fflush(stderr);
	_Exit(1);
}
