/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/channel.h"

#include "shards/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* => Returns where the arrays end, which begin at memory. */
static char *
lay_out(struct sp_waiters *set, uint32_t words, char *memory)
{
	set->words = words;
	set->free = (struct sp_idle *)(void *)memory;
	set->parked = set->free + words;
	set->event = (struct sp_event *)(void *)(set->parked + words);
	sp_waiters_init(set);
	return (char *)(set->event + (size_t)words * SP_IDLE_MAX);
}

int
sp_channel_new(struct sp_channel **out, uint64_t capacity, uint32_t waiters,
    void (*drop)(void *item))
{
	uint64_t size = sp_queue_size(capacity);
	uint32_t words = waiters / SP_IDLE_MAX + (waiters % SP_IDLE_MAX != 0);
	size_t of_set, of_slots = size * sizeof(struct sp_queue_slot);
	struct sp_channel *channel;
	void *memory;
	char *end;

	words = words != 0 ? words : 1;
	of_set = words
		 * (2 * sizeof(struct sp_idle)
		     + SP_IDLE_MAX * sizeof(struct sp_event));
	if (posix_memalign(
		&memory, SP_APART, sizeof(*channel) + 2 * of_set + of_slots)
	    != 0)
		return -ENOMEM;
	channel = memset(memory, 0, sizeof(*channel));
	end = lay_out(&channel->receivers, words, (char *)(channel + 1));
	end = lay_out(&channel->senders, words, end);
	sp_queue_init(
	    &channel->queue, (struct sp_queue_slot *)(void *)end, size);
	sp_store(&channel->references, 1, relaxed);
	channel->drop = drop;
	*out = channel;
	return 0;
}

void
sp_channel_get(struct sp_channel *channel)
{
	sp_fetch_add(&channel->references, 1, relaxed);
}

void
sp_channel_put(struct sp_channel *channel)
{
	void *item;

	/* LAST release, and LAST acquire: all that others did with it. */
	if (sp_fetch_sub(&channel->references, 1, acq_rel) != 1)
		return;
	while (sp_queue_pop(&channel->queue, &item)) {
		if (channel->drop != NULL)
			channel->drop(item);
	}
	free(channel);
}

/* => Returns whether there was somebody. */
static bool
wake(struct sp_waiters *set)
{
	int place = sp_waiters_claim(set);

	if (place >= 0)
		sp_event_post(&set->event[place]);
	return place >= 0;
}

/* Whoever could get through may have been told so before it was true. */
static void
pass_on(struct sp_channel *channel)
{
	if (sp_queue_can_pop(&channel->queue))
		wake(&channel->receivers);
	if (sp_queue_can_push(&channel->queue))
		wake(&channel->senders);
}

void
sp_channel_close(struct sp_channel *channel)
{
	sp_store(&channel->closed, 1, seq_cst); /* IDLE1 */
	while (wake(&channel->receivers))
		;
	while (wake(&channel->senders))
		;
}

static int
try_send(struct sp_channel *channel, void **item)
{
	if (sp_load(&channel->closed, seq_cst)) /* IDLE4 */
		return -EPIPE;
	if (!sp_queue_push(&channel->queue, *item)) /* IDLE1, IDLE4 */
		return -EAGAIN;
	pass_on(channel);
	return 0;
}

static int
try_receive(struct sp_channel *channel, void **item)
{
	bool closed = sp_load(&channel->closed, seq_cst); /* IDLE4 */

	/* In this order: what was sent before the close is not lost. */
	if (!sp_queue_pop(&channel->queue, item)) /* IDLE1, IDLE4 */
		return closed ? -EPIPE : -EAGAIN;
	pass_on(channel);
	return 0;
}

/*
 * One wait, in a place that is the caller's.
 *
 * => Returns -EAGAIN: it was woken for nothing.
 */
static int
wait_once(struct sp_worker *worker, struct sp_channel *channel,
    struct sp_waiters *set, int place,
    int (*attempt)(struct sp_channel *, void **), void **item, sp_tick until)
{
	int error;

	sp_waiters_announce(set, place);
	error = attempt(channel, item);
	if (error == -EAGAIN) {
		error = sp_event_wait_until(worker, &set->event[place], until);
		if (error == 0)
			error = attempt(channel, item);
	}
	/* Whoever has claimed the place may have meant somebody to go on. */
	if (!sp_waiters_retract(set, place))
		pass_on(channel);
	return error;
}

static int
wait_for_turn(struct sp_worker *worker, struct sp_channel *channel,
    struct sp_waiters *set, int (*attempt)(struct sp_channel *, void **),
    void **item, sp_tick until)
{
	int place, error = sp_fiber_reserve(worker);

	if (error != 0)
		return error;
	place = sp_waiters_enter(set);
	if (place < 0)
		return -EAGAIN;
	do {
		error = wait_once(
		    worker, channel, set, place, attempt, item, until);
	} while (error == -EAGAIN);
	sp_waiters_leave(set, place);
	return error;
}

int
sp_channel_try_send(struct sp_channel *channel, void *item)
{
	return try_send(channel, &item);
}

int
sp_channel_try_receive(struct sp_channel *channel, void **item)
{
	return try_receive(channel, item);
}

int
sp_channel_send(struct sp_worker *worker, struct sp_channel *channel,
    void *item, sp_tick until)
{
	int error = try_send(channel, &item);

	if (error != -EAGAIN)
		return error;
	return wait_for_turn(
	    worker, channel, &channel->senders, try_send, &item, until);
}

int
sp_channel_receive(struct sp_worker *worker, struct sp_channel *channel,
    void **item, sp_tick until)
{
	int error = try_receive(channel, item);

	if (error != -EAGAIN)
		return error;
	return wait_for_turn(
	    worker, channel, &channel->receivers, try_receive, item, until);
}
