/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Placement: which shard gets a new connection.
 *
 * First choice is the shard on the CPU that receives the connection's
 * packets, as serving it there costs half: its data does not cross between
 * CPUs. That holds as long as that shard has no more than its part; else the
 * lightest of CHOICES shards from a random one on, or this one if none is
 * lighter by enough to be worth a hand-over.
 *
 * Who comes first cannot know who comes next. When one client has connected
 * before another begins, half of each would be served on the other's CPU for
 * good. So one that finds no room asks again after each request, and moves
 * when there is: the shards may differ by the same margin, and two of them
 * exchange what they have of each other a few at a time. It moves once, and
 * then is where it belongs. With a single client nothing ever moves, as the
 * shard near it is full.
 *
 * Two choices would do for very many connections. But the fullest of 8
 * shards then has 10 of 64, where 8 is even; and to read a few counters is
 * nothing next to an accept.
 *
 * Loads are counted by whoever opens and closes, at once. To queue the
 * decrements would show a shard as busy because its queue is long, and keep
 * it empty (a feedback loop that others have met).
 */

#include "shards/accept.h"
#include "shards/engine.h"

#include <sys/socket.h>

/*
 * A shard may have this much more than the mean before it counts as full:
 * a sixteenth and one connection.
 */
#define BIAS_SHIFT 4
#define BIAS_MIN 1

/* With so many shards or fewer, all are looked at. */
#define CHOICES 8

static int32_t
load_of(struct sp_shard *shard)
{
	return sp_load(&shard->load, relaxed);
}

static uint32_t
pick(struct sp_worker *worker, uint32_t n)
{
	return (uint32_t)((uint64_t)sp_worker_random(worker) * n >> 32);
}

static struct sp_shard *
lighter(struct sp_worker *worker, struct sp_shard *a, struct sp_shard *b)
{
	int32_t difference = load_of(a) - load_of(b);

	/* Ties at random: or the first shard would get all of them. */
	if (difference == 0)
		return pick(worker, 2) ? a : b;
	return difference < 0 ? a : b;
}

static struct sp_shard *
lightest(struct sp_engine *engine, struct sp_worker *worker)
{
	uint32_t n = engine->shard_count, start = pick(worker, n);
	struct sp_shard *shard = engine->shards[start];

	for (uint32_t i = 1; i < n && i < CHOICES; i++)
		shard = lighter(
		    worker, shard, engine->shards[(start + i) % n]);
	return shard;
}

/* The shard on the CPU where the connection's packets arrive, or NULL. */
static struct sp_shard *
nearest(struct sp_engine *engine, int fd)
{
	socklen_t size = sizeof(int);
	int cpu;

	if (getsockopt(fd, SOL_SOCKET, SO_INCOMING_CPU, &cpu, &size) != 0)
		return NULL;
	for (uint32_t i = 0; i < engine->shard_count; i++) {
		if (engine->shards[i]->cpu == cpu)
			return engine->shards[i];
	}
	return NULL;
}

static int32_t
mean_of(struct sp_engine *engine)
{
	int64_t total = sp_load(&engine->connections, relaxed);

	return (int32_t)(total / engine->shard_count);
}

static int32_t
bias_of(int32_t mean)
{
	return (mean >> BIAS_SHIFT) + BIAS_MIN;
}

struct sp_shard *
sp_accept_place(struct sp_shard *self, struct sp_worker *worker, int fd,
    bool local, struct sp_shard **near)
{
	struct sp_engine *engine = self->engine;
	int32_t mean = mean_of(engine), bias = bias_of(mean);
	struct sp_shard *shard;

	*near = NULL;
	if (engine->shard_count == 1
	    || engine->options.placement == SP_PLACE_HASH)
		return self;
	*near = local ? NULL : nearest(engine, fd);
	if (*near != NULL && load_of(*near) < mean + bias)
		return *near;
	shard = lightest(engine, worker);
	return load_of(shard) + bias <= load_of(self) ? shard : self;
}

bool
sp_accept_may_move(struct sp_worker *worker, const struct sp_poll_desc *pd)
{
	struct sp_engine *engine = worker->engine;
	int32_t mean = mean_of(engine);

	return load_of(engine->shards[pd->near]) < mean + bias_of(mean);
}
