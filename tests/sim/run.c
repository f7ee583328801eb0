/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/sim/run.h"

#include "tests/sim/app.h"
#include "tests/sim/check.h"
#include "tests/sim/client.h"
#include "tests/sim/kernel.h"
#include "tests/sim/meddle.h"
#include "tests/sim/memory.h"
#include "tests/sim/rcu.h"
#include "tests/sim/stream.h"

#include "framework/server.h"

#include <errno.h>
#include <string.h>

extern uint32_t sim_slab_reuse;
uint32_t sim_slab_reuse = 64;

struct sp_engine_options __real_sp_engine_options_default(void);
struct sp_engine_options __wrap_sp_engine_options_default(void);

/* Of what a program cannot set. */
struct sp_engine_options
__wrap_sp_engine_options_default(void)
{
	struct sp_engine_options options = __real_sp_engine_options_default();

	options.ring_size = sim_plan.ring_size;
	options.wake_us = sim_plan.wake_us;
	return options;
}

/* Arenas are the process's, and would tell one run from the next. */
int __wrap_sp_arena_new(unsigned *id);

int
__wrap_sp_arena_new(unsigned *id)
{
	*id = UINT32_MAX;
	return -ENOMEM;
}

static void
start_clients(void)
{
	sim_app.clients_left = sim_plan.clients + sim_plan.streams;
	for (uint32_t i = 0; i < sim_plan.clients; i++)
		sim_client_start(&sim_clients[i], i);
	for (uint32_t i = 0; i < sim_plan.streams; i++)
		sim_stream_start(&sim_streams[i], i);
}

static void
wait_for_clients(uint64_t until)
{
	while (sim_app.clients_left != 0 && sim_now < until)
		sim_wait(&sim_app.clients_left, until, false);
}

/* Not while it starts: that may fail, and would be all of the run. */
static void
begin_faults(void)
{
	sim_memory_refuses = sim_plan.no_memory;
	sim_kernel.no_threads = sim_plan.no_threads;
	sim_kernel.fail_control = sim_plan.fail_control;
	sim_kernel.fail_accept = sim_plan.fail_accept;
}

static void
serve(struct spate_server *server)
{
	uint64_t until = sim_plan.drain_at;
	int error = spate_server_start(server);

	if (error != 0)
		sim_fail("the server does not start: %d", error);
	begin_faults();
	sim_meddle_start();
	start_clients();
	wait_for_clients(until == SIM_NEVER ? until : sim_now + until);
	sim_app.stopping = true;
	error = spate_server_stop(server);
	sim_event("stopped", (uint64_t)error, 0);
	if (error != 0 && (error != -ETIMEDOUT || !sim_plan.timely))
		sim_fail("spate_server_stop() returns %d", error);
	sim_check_stopped();
	sim_meddle_end();
	wait_for_clients(SIM_NEVER);
	sim_memory_refuses = 0;
}

static void *
program(void *unused)
{
	int64_t live = sim_memory_live;
	struct spate_server *server;

	(void)unused;
	sim_rcu_begin(sim_chance(2) ? 0 : 1 + sim_below(10));
	server = sim_app_server();
	sim_app.server = server;
	serve(server);
	sim_app.server = NULL;
	spate_server_free(server);
	sim_rcu_end();
	sim_kernel_check_end();
	if (sim_memory_live != live)
		sim_fail("%lld allocations are left",
		    (long long)(sim_memory_live - live));
	return NULL;
}

struct sim_result
sim_run(uint64_t seed)
{
	sim_seed = seed;
	sim_hash = 0;
	sim_random_seed(seed * UINT64_C(0x9e3779b97f4a7c15));
	sim_plan_draw();
	if (seed == 0) { /* clocks are set by it */
		sim_sched.start_ns = 0;
		sim_sched.cycles = 3;
	}
	sim_slab_reuse = sim_plan.slab_reuse;
	sim_memory_refuses = 0;
	memset(&sim_app, 0, sizeof(sim_app));
	sim_kernel_reset();
	sim_check_begin();
	sim_sched_run(program, NULL);
	return (
	    struct sim_result){ sim_hash, sim_steps, sim_app.request_count };
}
