/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Raw streams, and what other threads may do with any connection by its
 * handle.
 *
 *     any thread                          the stream's owner
 *     find the handle (RCU)
 *     push onto outq          (FLAG3)     park                 (FLAG1)
 *                                         outq empty?          (FLAG2)
 *     evict the slot          (FLAG4)     else send it, again
 *
 * Whoever evicts a parked stream leaves it with its shard to be run; a fiber
 * that waits in its handler is woken, sends, and goes on waiting.
 */

#include "framework/server.h"
#include "shards/conn_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Calls of the handler in one turn, before others have theirs. */
#define TURN_CALLS 16

/* What was sent by spate_send(). link is first: poll_cache.h frees it. */
struct sp_out {
	struct sp_link link;
	size_t size;
	char data[];
};

/* A stream while it is handled, in the frame of sp_stream_run(). */
struct spate_stream {
	struct sp_worker *worker;
	struct sp_poll_desc *pd;
	struct sp_stream_service *service;
	bool drained; /* the kernel had no more, at the last look */
	bool ended;   /* the peer has sent its last */
	bool flushing;
	int error; /* of sending; sticks */
	struct sp_stall stall;
};

static const struct spate_options *
options_of(const struct spate_stream *stream)
{
	return &stream->service->server->options;
}

/* A peer that takes nothing is waited for once, and not for each piece. */
static int
send_all(struct spate_stream *stream, const void *data, size_t size)
{
	if (stream->error != 0)
		return stream->error;
	stream->error = sp_conn_send(stream->worker, stream->pd, data, size,
	    options_of(stream)->write_timeout_ms, &stream->stall);
	if (stream->error == -ETIMEDOUT)
		sp_conn_give_up(stream->worker, stream->pd);
	return stream->error;
}

/* Send what other threads have left. */
static int
flush_outq(struct spate_stream *stream)
{
	struct sp_link *link, *next;
	int error = 0;

	if (stream->flushing)
		return 0;
	stream->flushing = true;
	link = sp_stack_reverse(sp_stack_pop_all(&stream->pd->outq));
	for (; link != NULL; link = next) {
		struct sp_out *out = sp_container_of(link, struct sp_out, link);

		next = link->next;
		if (error == 0)
			error = send_all(stream, out->data, out->size);
		sp_fetch_sub(
		    &stream->pd->out_bytes, (uint32_t)out->size, relaxed);
		free(out);
	}
	stream->flushing = false;
	return error;
}

/* A wait for reading is also ended by a push onto outq. */
ssize_t
spate_stream_read(struct spate_stream *stream, void *buf, size_t size)
{
	uint32_t ms = options_of(stream)->body_timeout_ms;
	struct sp_poll_desc *pd = stream->pd;
	ssize_t n;
	int error;

	if (size == 0)
		return -EINVAL; /* or it would look like the end */
	if (stream->ended)
		return 0;
	n = sp_conn_try_recv(stream->worker, pd, buf, size);
	/* Without a limit it is not the one that was there before, either. */
	if (n == -EAGAIN)
		sp_poll_set_deadline(pd, SP_POLL_READ,
		    ms != 0 ? sp_tick_in(ms) : (sp_tick)SP_DEADLINE_NONE);
	while (n == -EAGAIN) {
		error = flush_outq(stream);
		if (error == 0)
			error = sp_poll_wait(stream->worker, pd, SP_POLL_READ);
		if (error != 0)
			return error;
		n = sp_conn_try_recv(stream->worker, pd, buf, size);
	}
	if (n < 0)
		return n;
	stream->ended = n == 0;
	stream->drained = (size_t)n < size
	    && !(sp_load(&pd->info, relaxed) & SP_POLL_HANGUP);
	return n;
}

int
spate_stream_write(struct spate_stream *stream, const void *data, size_t size)
{
	int error = flush_outq(stream);

	if (error != 0)
		return error;
	return send_all(stream, data, size);
}

spate_handle
spate_stream_handle(const struct spate_stream *stream)
{
	return sp_poll_desc_handle(stream->pd);
}

uint32_t
spate_stream_shard(const struct spate_stream *stream)
{
	return sp_handle_shard(stream->pd->index);
}

void **
spate_stream_data(struct spate_stream *stream)
{
	return &stream->pd->proto;
}

/* ---------------------------------------------------------------- turns */

static bool
must_end(struct spate_stream *stream)
{
	int error = sp_netpoll_check_err(stream->pd, SP_POLL_READ);

	if (error == -ETIMEDOUT)
		sp_count(&stream->worker->counters.timeouts_idle, 1);
	sp_poll_take_drain(stream->pd);
	return error != 0
	    || sp_load(&stream->worker->engine->draining, relaxed);
}

/* => Returns false: close. */
static bool
turn(struct spate_stream *stream)
{
	uint32_t ms = options_of(stream)->idle_timeout_ms;

	bool look = !sp_stack_empty(&stream->pd->outq);

	if (must_end(stream) || flush_outq(stream) != 0)
		return false;
	stream->drained = false;
	for (int calls = 0; !stream->drained; calls++, look = true) {
		/* It may be for outq alone: a call would be for nothing. */
		if (look && sp_conn_is_silent(stream->pd))
			break;
		if (calls == TURN_CALLS) {
			sp_count(&stream->worker->counters.yields, 1);
			/* It is not silent, and nobody waits for it. */
			sp_poll_set_deadline(
			    stream->pd, SP_POLL_READ, SP_DEADLINE_NONE);
			return true;
		}
		stream->drained = false;
		if (stream->service->handler(stream, stream->service->arg) != 0
		    || stream->ended)
			return false;
	}
	stream->drained = true;
	sp_poll_set_deadline(stream->pd, SP_POLL_READ,
	    ms == 0 ? SP_DEADLINE_NONE
		    : sp_tick_deadline(stream->worker->now, ms));
	return true;
}

static void
end_stream(struct spate_stream *stream)
{
	struct sp_stream_service *service = stream->service;
	struct sp_poll_desc *pd = stream->pd;

	flush_outq(stream);
	if (service->closed != NULL)
		service->closed(pd->proto, service->arg);
	pd->proto = NULL;
	sp_count(&stream->worker->counters.closed, 1);
	sp_shard_close(sp_conn_shard(stream->worker, pd), pd);
}

void
sp_stream_run(struct sp_worker *worker, struct sp_task *task)
{
	struct sp_poll_desc *pd
	    = sp_container_of(task, struct sp_poll_desc, task);
	struct spate_stream stream = {
		.worker = worker,
		.pd = pd,
		.service = sp_container_of(
		    task->service, struct sp_stream_service, service),
	};

	worker->current->pd = pd;
	do {
		bool goes_on;

		sp_store(&worker->handler, "a stream", relaxed);
		goes_on = turn(&stream);
		sp_store(&worker->handler, NULL, relaxed);
		if (!goes_on) {
			worker->current->pd = NULL;
			end_stream(&stream);
			return;
		}
		if (!stream.drained) {
			worker->current->pd = NULL;
			sp_shard_run(sp_conn_shard(worker, pd), pd);
			return;
		}
	} while (!sp_poll_park(pd));
	worker->current->pd = NULL;
}

/* --------------------------------------------------- from other threads */

static bool
is_stream(const struct sp_poll_desc *pd)
{
	return pd->task.service->run == sp_stream_run;
}

/* Inside an RCU section. */
static int
push_out(const struct spate_server *server, struct sp_poll_desc *pd,
    struct sp_shard *shard, const void *data, size_t size)
{
	uintptr_t woken[SP_POLL_MODES];
	struct sp_out *out;

	if (sp_load(&pd->out_bytes, relaxed) + size
	    > server->options.max_outq) {
		sp_fetch_add(&shard->outq_full, 1, relaxed);
		return -EAGAIN;
	}
	out = malloc(sizeof(*out) + size);
	if (out == NULL)
		return -ENOMEM;
	out->size = size;
	memcpy(out->data, data, size);
	sp_fetch_add(&pd->out_bytes, (uint32_t)size, relaxed);
	sp_stack_push(&pd->outq, &out->link); /* FLAG3 */
	if (sp_load(&pd->info, seq_cst) & SP_POLL_CLOSING) {
		/* Freed with the descriptor, if the owner has not sent it. */
		return -ESTALE;
	}
	sp_poll_kick(pd, 0, woken); /* FLAG4 */
	sp_run_woken_all(pd, shard, woken);
	return 0;
}

int
spate_send(struct spate_server *server, spate_handle handle, const void *data,
    size_t size)
{
	struct sp_shard *shard;
	struct sp_poll_desc *pd;
	int error = -ESTALE;

	if (server == NULL || server->engine == NULL)
		return -ESTALE;
	sp_rcu_enter();
	pd = sp_engine_find(server->engine, handle, &shard);
	if (pd != NULL)
		error = is_stream(pd)
		    ? push_out(server, pd, shard, data, size)
		    : -ENOTSUP;
	sp_rcu_exit();
	return error;
}

int
spate_close(struct spate_server *server, spate_handle handle)
{
	uintptr_t woken[SP_POLL_MODES];
	struct sp_shard *shard;
	struct sp_poll_desc *pd;
	int error = -ESTALE;

	if (server == NULL || server->engine == NULL)
		return -ESTALE;
	sp_rcu_enter();
	pd = sp_engine_find(server->engine, handle, &shard);
	if (pd != NULL && sp_poll_unblock(pd, woken)) {
		sp_run_woken_all(pd, shard, woken);
		error = 0;
	}
	sp_rcu_exit();
	return error;
}

/* ---------------------------------------------------- by a shard's poller */

struct broadcast {
	struct sp_msg msg;
	struct spate_server *server;
	spate_stream_fn *handler;
	size_t size;
	char data[];
};

static void
broadcast_to(struct sp_poll_desc *pd, void *arg)
{
	struct broadcast *cast = arg;
	const struct sp_stream_service *service;

	if (!is_stream(pd))
		return;
	service = sp_container_of(
	    pd->task.service, struct sp_stream_service, service);
	if (service->server == cast->server
	    && service->handler == cast->handler)
		push_out(cast->server, pd,
		    cast->server->engine->shards[sp_handle_shard(pd->index)],
		    cast->data, cast->size);
}

static void
broadcast_in(
    struct sp_shard *shard, struct sp_worker *worker, struct sp_msg *msg)
{
	struct broadcast *cast = sp_container_of(msg, struct broadcast, msg);

	(void)worker;
	sp_poll_cache_each(&shard->cache, broadcast_to, cast);
	free(cast);
}

int
spate_broadcast(struct spate_server *server, spate_stream_fn *handler,
    const void *data, size_t size)
{
	struct sp_engine *engine = server != NULL ? server->engine : NULL;

	if (engine == NULL)
		return 0;
	for (uint32_t i = 0; i < engine->shard_count; i++) {
		struct broadcast *cast = malloc(sizeof(*cast) + size);

		if (cast == NULL)
			return -ENOMEM;
		cast->msg.fn = broadcast_in;
		cast->server = server;
		cast->handler = handler;
		cast->size = size;
		memcpy(cast->data, data, size);
		sp_shard_post(engine->shards[i], &cast->msg);
	}
	return 0;
}

int
spate_set_deadline(
    struct spate_server *server, spate_handle handle, uint32_t ms)
{
	sp_tick when = ms == 0 ? (sp_tick)SP_DEADLINE_NONE : sp_tick_in(ms);
	struct sp_shard *shard;
	struct sp_poll_desc *pd;
	int error = -ESTALE;

	if (server == NULL || server->engine == NULL)
		return -ESTALE;
	sp_rcu_enter();
	pd = sp_engine_find(server->engine, handle, &shard);
	if (pd != NULL) {
		sp_poll_set_deadline(pd, SP_POLL_READ, when);
		sp_poll_set_deadline(pd, SP_POLL_WRITE, when);
		error = ms == 0 ? 0 : sp_shard_rearm(shard, pd);
	}
	sp_rcu_exit();
	return error;
}
