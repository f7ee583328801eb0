/* SPDX-License-Identifier: BSD-2-Clause */

#include "perf/micro/engine_parts.h"

#include "alloc/bufcache.h"
#include "shards/engine.h"
#include "shards/fiber.h"
#include "shards/recorder.h"
#include "shards/spsc_ring.h"

#include <stdlib.h>

#define DESCS 65536
#define TIMERS 100000
#define MESSAGES 16

static struct sp_ready_ring ring;
static struct sp_netpoll netpoll;
static struct sp_poll_cache cache;
static sp_handle handles[DESCS];
static struct sp_wheel wheel;
static struct sp_timer timers[TIMERS];
static struct sp_bufcache buffers;
static struct sp_stack_pool stacks;
static struct sp_fiber root, *other;
static struct sp_token token;
static struct sp_idle idle;
static struct sp_wake wake;
static struct sp_recorder recorder;
static struct sp_spsc_ring spsc;

static uint32_t
random_next(uint32_t *state)
{
	uint32_t x = *state;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return *state = x;
}

/* The other fiber: back at once, for ever. */
static void
bounce(struct sp_worker *worker)
{
	(void)worker;
	for (;;)
		sp_fiber_switch(other, &root);
}

void
part_setup(void)
{
	uint32_t seed = 1;

	sp_clock_init();
	sp_rcu_register();
	SP_CHECK(sp_ready_ring_init(&ring, 4096) == 0);
	SP_CHECK(sp_netpoll_init(&netpoll) == 0);
	sp_poll_cache_init(&cache, 0, 0);
	for (int i = 0; i < DESCS; i++) {
		struct sp_poll_desc *pd = sp_poll_cache_alloc(&cache);

		sp_poll_desc_reset(pd, i, NULL);
		handles[i] = sp_poll_cache_publish(pd);
	}
	sp_wheel_init(&wheel, 100);
	for (int i = 0; i < TIMERS; i++) {
		sp_timer_init(&timers[i]);
		sp_wheel_add(
		    &wheel, &timers[i], 100 + random_next(&seed) % 75000);
	}
	sp_bufcache_init(&buffers, SP_BUFFER_SIZE, 64);
	sp_stack_pool_init(&stacks, 0, 16, 4);
	sp_fiber_root(&root, NULL);
	other = sp_fiber_new(NULL, &stacks, bounce);
	SP_CHECK(other != NULL);
	SP_CHECK(sp_recorder_init(&recorder, 4096) == 0);
	sp_spsc_ring_init(&spsc, 64);
}

void
part_ring_put_take(uint64_t n)
{
	static struct sp_task task;

	while (n-- != 0) {
		sp_ready_ring_put(&ring, &task);
		SP_CHECK(sp_ready_ring_take(&ring) == &task);
	}
}

void
part_stack_push_pop(uint64_t n)
{
	static struct sp_mpsc_stack stack;
	static struct sp_link link[MESSAGES];

	for (; n >= MESSAGES; n -= MESSAGES) {
		for (int i = 0; i < MESSAGES; i++)
			sp_stack_push(&stack, &link[i]);
		SP_CHECK(sp_stack_reverse(sp_stack_pop_all(&stack)) == link);
	}
}

void
part_wake_awake(uint64_t n)
{
	while (n-- != 0)
		SP_CHECK(!sp_wake_notify(&wake));
}

void
part_wake_blocked(uint64_t n)
{
	while (n-- != 0) {
		sp_wake_blocked(&wake);
		SP_CHECK(sp_wake_notify(&wake));
		sp_wake_running(&wake);
	}
}

void
part_break_eventfd(uint64_t n)
{
	while (n-- != 0)
		sp_netpoll_break(&netpoll);
}

void
part_poll_empty(uint64_t n)
{
	(void)sp_netpoll_wait(&netpoll, 0);
	while (n-- != 0)
		SP_CHECK(sp_netpoll_wait(&netpoll, 0) == 0);
}

void
part_slot_ready_park(uint64_t n)
{
	static sp_slot slot;

	while (n-- != 0) {
		SP_CHECK(sp_slot_park(&slot));
		SP_CHECK(sp_slot_ready(&slot) == SP_SLOT_TASK);
	}
}

void
part_slot_ready_fiber(uint64_t n)
{
	static sp_slot slot;

	while (n-- != 0) {
		SP_CHECK(sp_slot_announce(&slot));
		SP_CHECK(sp_slot_commit(&slot, (uintptr_t)&root));
		SP_CHECK(sp_slot_ready(&slot) == (uintptr_t)&root);
		SP_CHECK(sp_slot_consume(&slot));
	}
}

static void
find(uint64_t n, sp_handle flip, bool found)
{
	uint32_t seed = 2463534242u;

	while (n-- != 0) {
		sp_handle handle = handles[random_next(&seed) % DESCS] ^ flip;

		SP_CHECK((sp_poll_cache_find(&cache, handle) != NULL) == found);
	}
}

void
part_desc_find(uint64_t n)
{
	find(n, 0, true);
}

void
part_desc_find_stale(uint64_t n)
{
	find(n, UINT64_C(2) << 32, false);
}

void
part_slab_alloc_free(uint64_t n)
{
	static struct sp_slab slab;
	struct sp_slab_dir *old;

	if (slab.max == 0) {
		sp_slab_init(&slab, 0, false);
		SP_CHECK(sp_slab_grow(&slab, &old) == 0);
	}
	while (n-- != 0)
		sp_slab_free(&slab, sp_slab_alloc(&slab));
}

void
part_buffer_get_put(uint64_t n)
{
	while (n-- != 0)
		sp_bufcache_put(&buffers, sp_bufcache_get(&buffers));
}

void
part_token(uint64_t n)
{
	while (n-- != 0) {
		SP_CHECK(sp_token_try(&token, 1));
		sp_token_drop(&token);
	}
}

void
part_idle(uint64_t n)
{
	while (n-- != 0) {
		sp_idle_announce(&idle, 3);
		SP_CHECK(sp_idle_retract(&idle, 3));
	}
}

void
part_quiescent(uint64_t n)
{
	while (n-- != 0)
		sp_rcu_quiescent();
}

void
part_offline_online(uint64_t n)
{
	while (n-- != 0) {
		sp_rcu_offline();
		sp_rcu_online();
	}
}

void
part_wheel_move(uint64_t n)
{
	uint32_t seed = 7;

	while (n-- != 0) {
		uint32_t x = random_next(&seed);

		sp_wheel_add(&wheel, &timers[x % TIMERS], 100 + x % 75000);
	}
}

void
part_wheel_next(uint64_t n)
{
	sp_tick tick;

	while (n-- != 0)
		SP_CHECK(sp_wheel_next(&wheel, &tick));
}

void
part_fiber_switch(uint64_t n)
{
	while (n-- != 0)
		sp_fiber_switch(&root, other);
}

void
part_record(uint64_t n)
{
	while (n-- != 0)
		sp_record(&recorder, SP_RECORD_RUN, n, n, n, 1);
}

/* As a line of the log goes to the thread that writes it. */
void
part_spsc_put_take(uint64_t n)
{
	uint64_t slot;

	while (n-- != 0) {
		SP_CHECK(sp_spsc_ring_room(&spsc, &slot));
		sp_spsc_ring_put(&spsc);
		SP_CHECK(sp_spsc_ring_look(&spsc));
		sp_spsc_ring_take(&spsc);
	}
}
