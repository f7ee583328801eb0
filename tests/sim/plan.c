/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/sim/plan.h"

#include "tests/sim/kernel.h"

#include <string.h>

/* A body is so many buffers at most, or a slow run would take for ever. */
#define BUFFERS 16

/*
 * The server counts ticks from the first time that it looks at the clock,
 * which is in the run before the first; so later ones start later.
 */
#define START_MS UINT64_C(1000)
#define CYCLES 3 /* in a ns, as the first run has measured it */
#define TICKS (UINT64_C(1) << 32)

struct sim_plan sim_plan;

static uint32_t
one_of(const uint32_t *values, uint32_t count)
{
	return values[sim_below(count)];
}

#define ONE_OF(...)                                                            \
	one_of((const uint32_t[]){ __VA_ARGS__ },                              \
	    sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static void
draw_sched(void)
{
	struct sim_sched_options *sched = &sim_sched;

	sched->points = ONE_OF(1, 2, 4, 10, 30, 100, 500);
	sched->step_ns = ONE_OF(100, 1000, 10000);
	sched->unfair = ONE_OF(0, 30, 300);
	sched->freezes = ONE_OF(0, 20, 200);
	sched->actors = ONE_OF(2, 5, 10, 15);
	sched->interrupts = ONE_OF(0, 0, 20, 500);
	/* Tasks that seem to take no time go in long lists. */
	sched->cycles = ONE_OF(CYCLES, CYCLES, 0);
	sched->jump = 0;
	sched->jump_ns = 1;
	sched->steps = 6000000;
	sched->start_ns = START_MS * SIM_NS_PER_MS;
	if (sim_chance(4)) /* ticks wrap soon */
		sched->start_ns += (TICKS - sim_below(40)) * SIM_NS_PER_MS;
}

static void
draw_kernel(void)
{
	struct sim_kernel_options *kernel = &sim_kernel;

	memset(kernel, 0, sizeof(*kernel));
	kernel->send_buffer = ONE_OF(64, 500, 2000, SIM_PIPE, SIM_PIPE);
	kernel->receive_buffer = ONE_OF(64, 500, 2000, SIM_PIPE, SIM_PIPE);
	kernel->edges = 300;
	kernel->spurious = ONE_OF(0, 3, 20);
	kernel->short_reads = ONE_OF(0, 3, 20);
	kernel->early_eagain = ONE_OF(0, 5, 50);
	kernel->interrupt = ONE_OF(0, 4, 50);
	kernel->abort_accept = ONE_OF(0, 0, 4);
	kernel->whole = ONE_OF(0, 1, 2, 8);
	kernel->slow[0] = ONE_OF(0, 0, 8, 40);
	kernel->slow[1] = ONE_OF(0, 0, 0, 20);
	kernel->cpus = ONE_OF(1, 2, 4);
	kernel->no_timers = sim_chance(4);
	kernel->coarse = sim_chance(6);
}

static void
draw_server(struct sim_plan *plan)
{
	plan->shards = ONE_OF(1, 1, 2, 2, 3);
	plan->workers = ONE_OF(1, 1, 2, 3);
	plan->spares = ONE_OF(0, 1, 2);
	plan->ring_size = ONE_OF(2, 4, 64);
	plan->slab_reuse = ONE_OF(0, 1, 2, 64);
	plan->max_connections = ONE_OF(0, 0, 0, 1, 2, 4);
	plan->max_per_peer = sim_chance(16) ? ONE_OF(1, 2, 50) : 0;
	/* Enough for all clients, and for those that have just broken off. */
	plan->max_fibers = ONE_OF(64, 64, 32);
	plan->wake_us = ONE_OF(0, 10, 80);
	plan->drain_timeout_ms = 0;
	plan->max_requests = ONE_OF(0, 0, 0, 2);
	plan->max_unread = ONE_OF(SIM_UNREAD_ANY, SIM_UNREAD_ANY, 0, 200);
	plan->idle_upstreams = ONE_OF(0, 1, 4);
	plan->blocking_threads = ONE_OF(1, 2, 3);
	plan->blocking_queue = ONE_OF(1, 2, SIM_QUEUE_LONG);
}

static uint32_t
at_most(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void
draw_clients(struct sim_plan *plan)
{
	plan->clients = 1 + sim_below(ONE_OF(3, 6, SIM_CLIENTS));
	plan->streams = sim_chance(2) ? 1 + sim_below(3) : 0;
	plan->sessions = 1 + sim_below(ONE_OF(2, 4, 8, 12));
	plan->requests = ONE_OF(1, 2, 4, 10);
	plan->largest = at_most(ONE_OF(20, 300, 3000, 12000),
	    BUFFERS
		* at_most(sim_kernel.send_buffer, sim_kernel.receive_buffer));
	plan->hoggish = sim_chance(8);
	plan->hogs = ONE_OF(1, 4, 30);
	plan->blocks = ONE_OF(1, 1, 4, 30);
	plan->pause = ONE_OF(0, 0, 8, 40);
	plan->rude = ONE_OF(0, 0, 2, 5);
	plan->half_close = ONE_OF(0, 2, 5);
	plan->local = sim_chance(3);
}

static void
draw_others(struct sim_plan *plan)
{
	plan->meddlers = sim_below(4);
	plan->meddle_ns = ONE_OF(20000, 200000, SIM_NS_PER_MS);
	plan->handles = plan->meddlers != 0 && sim_chance(2);
	plan->casts = sim_chance(2);
	plan->closes = sim_chance(2);
	plan->deadlines = sim_chance(6);
	plan->pins = sim_chance(4);
	plan->drain_at = SIM_NEVER;
	if (sim_chance(2))
		plan->drain_at = sim_random()
				 % ((uint64_t)sim_sched.step_ns
				     * ONE_OF(200, 1000, 4000));
}

/* What breaks the promises that a server makes to patient clients. */
static void
draw_faults(struct sim_plan *plan)
{
	if (sim_chance(6))
		plan->rude_upstream = ONE_OF(3, 20, 100);
	if (sim_chance(6)) {
		plan->timely = true;
		sim_sched.jump = ONE_OF(0, 100, 1000);
		sim_sched.jump_ns = ONE_OF(1, 100, 5000) * SIM_NS_PER_MS;
		plan->drain_timeout_ms = ONE_OF(1, 20, 1000);
	}
	if (sim_chance(6)) {
		plan->faulty = true;
		plan->presses = sim_chance(2);
		plan->fail_accept = ONE_OF(0, 2, 10);
		plan->fail_control = ONE_OF(0, 3, 20);
		plan->max_fibers = ONE_OF(64, 2, 3);
		plan->no_memory = ONE_OF(0, 20, 300);
		plan->no_threads = ONE_OF(0, 2);
	}
}

void
sim_plan_draw(void)
{
	memset(&sim_plan, 0, sizeof(sim_plan));
	draw_sched();
	draw_kernel();
	draw_server(&sim_plan);
	draw_clients(&sim_plan);
	draw_others(&sim_plan);
	draw_faults(&sim_plan);
}
