/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The engine under everything at once.
 *
 * Goal. Find a byte that is lost, doubled or out of place, a connection that
 * is never closed or closed twice, and a worker that nobody wakes.
 *
 * Method. The ready ring has one slot, a list has one task, every list wakes
 * a helper: so what happens once in a while to a server happens all the time
 * here. With timers, deadlines are looked at each millisecond; without, no
 * timer wakes a shard, which would hide that somebody forgot to.
 *
 * Clients send what a generator says, compare what comes back, and close
 * when they please. Meddlers find connections by handle and kick them, move
 * their deadlines or close them. At the end all that was opened has been
 * closed, and every descriptor is free. Nothing sleeps; a worker that is not
 * woken shows as a test that does not end.
 *
 * A failure prints SPATE_SEED. SPATE_ROUNDS asks for more.
 */

#include "tests/echo.h"
#include "tests/harness.h"

#include "alloc/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 3000
#define CLIENTS 2  /* threads */
#define SOCKETS 16 /* of each */
#define MEDDLERS 2
#define INDEXES 256 /* that a meddler tries, in each shard */

/* Of a test, for its service. */
static SP_ATOMIC(int) meddled; /* connections may end at any time */
static uint64_t seed;

static _Thread_local uint64_t own_random;

static uint64_t
roll(uint64_t sides)
{
	if (own_random == 0)
		own_random = seed ^ (uintptr_t)&own_random;
	return test_random(&own_random) % sides;
}

/* -------------------------------------------------------------- service */

static void
throw_away(struct sp_poll_desc *pd)
{
	struct sp_link *link = sp_stack_pop_all(&pd->outq);

	while (link != NULL) {
		struct sp_link *next = link->next;

		free(link);
		link = next;
	}
}

static int
send_all(struct sp_worker *worker, struct sp_poll_desc *pd, const char *data,
    size_t size)
{
	while (size != 0) {
		int error = sp_poll_reset(pd, SP_POLL_WRITE);
		ssize_t n;

		if (error == -ETIMEDOUT) {
			sp_poll_set_deadline(
			    pd, SP_POLL_WRITE, SP_DEADLINE_NONE);
			continue;
		}
		if (error != 0)
			return error;
		throw_away(pd);
		n = send(pd->fd, data, size, MSG_NOSIGNAL);
		if (n >= 0) {
			data += n;
			size -= (size_t)n;
			continue;
		}
		if (errno != EAGAIN)
			return -errno;
		if (!(pd->interest & SP_WATCH_WRITE)) {
			pd->interest |= SP_WATCH_WRITE;
			sp_netpoll_modify(&echo_shard(worker, pd)->np, pd->fd,
			    sp_poll_desc_handle(pd), pd->interest);
		}
		error = sp_poll_wait(worker, pd, SP_POLL_WRITE);
		if (error != 0 && error != -ETIMEDOUT)
			return error;
	}
	return 0;
}

/* Whether to go on after nothing could be read. */
enum next { PARKED, AGAIN, END };

static enum next
wait_for_more(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	int error;

	if (roll(2) != 0)
		return sp_poll_park(pd) ? PARKED : AGAIN;
	error = sp_poll_wait(worker, pd, SP_POLL_READ);
	return error == 0 || error == -ETIMEDOUT ? AGAIN : END;
}

static void
run(struct sp_worker *worker, struct sp_task *task)
{
	struct sp_poll_desc *pd = echo_desc(task);
	char buffer[CHUNK];

	/* Lists of one task each. */
	worker->service_cycles = UINT64_C(1) << 50;
	for (;;) {
		int error = sp_poll_reset(pd, SP_POLL_READ);
		enum next next;
		ssize_t n;

		if (error == -ETIMEDOUT && roll(8) != 0) {
			sp_poll_set_deadline(
			    pd, SP_POLL_READ, SP_DEADLINE_NONE);
			continue;
		}
		if (error != 0
		    || (sp_load(&pd->info, acquire) & SP_POLL_ATTENTION))
			break;
		throw_away(pd);
		n = recv(pd->fd, buffer, sizeof(buffer), 0);
		if (n > 0 && send_all(worker, pd, buffer, (size_t)n) == 0)
			continue;
		if (n >= 0 || errno != EAGAIN)
			break;
		next = wait_for_more(worker, pd);
		if (next == PARKED)
			return;
		if (next == END)
			break;
	}
	echo_close(worker, pd);
}

static const struct sp_service service = { .run = run, .name = "stressed" };

/* -------------------------------------------------------------- clients */

struct stream {
	int fd;             /* -1: none */
	uint64_t sent, got; /* bytes */
	uint64_t key;
};

struct client {
	struct echo_server *server;
	uint64_t random;
	unsigned rounds;
	SP_ATOMIC(int) * stop; /* or NULL */
	uint64_t bytes, opened, cut;
	struct stream stream[SOCKETS];
};

static char
byte_at(const struct stream *stream, uint64_t offset)
{
	return (char)((offset * 2654435761u ^ stream->key) >> 7);
}

static void
open_stream(struct client *client, struct stream *stream)
{
	const struct echo_server *server = client->server;
	int fd = socket(
	    server->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	SP_CHECK(fd >= 0);
	if (connect(fd, (const struct sockaddr *)&server->address, server->size)
	    != 0) {
		/* Nobody listens any more. */
		close(fd);
		return;
	}
	*stream = (struct stream){
		.fd = fd,
		.key = test_random(&client->random),
	};
	client->opened++;
}

static void
close_stream(struct client *client, struct stream *stream)
{
	const struct linger at_once = { .l_onoff = 1 };

	if (test_random(&client->random) % 4 == 0)
		setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &at_once,
		    sizeof(at_once));
	close(stream->fd);
	stream->fd = -1;
}

/* The server has closed it. It may only do so if there are meddlers. */
static void
cut(struct client *client, struct stream *stream)
{
	EXPECT(sp_load(&meddled, relaxed));
	client->cut++;
	close(stream->fd);
	stream->fd = -1;
}

static void
send_some(struct client *client, struct stream *stream)
{
	char buffer[CHUNK];
	size_t size = 1 + test_random(&client->random) % sizeof(buffer);

	for (size_t i = 0; i < size; i++)
		buffer[i] = byte_at(stream, stream->sent + i);
	if (send(stream->fd, buffer, size, MSG_NOSIGNAL) != (ssize_t)size)
		cut(client, stream);
	else
		stream->sent += size;
}

static void
receive_all(struct client *client, struct stream *stream)
{
	char buffer[CHUNK];

	while (stream->got < stream->sent) {
		ssize_t n = recv(stream->fd, buffer, sizeof(buffer), 0);

		if (n <= 0) {
			cut(client, stream);
			return;
		}
		for (ssize_t i = 0; i < n; i++) {
			if (buffer[i] == byte_at(stream, stream->got + i))
				continue;
			EXPECT(!"a byte that was never sent");
			return;
		}
		stream->got += (uint64_t)n;
		client->bytes += (uint64_t)n;
	}
}

static void *
be_client(void *arg)
{
	struct client *client = arg;

	for (int i = 0; i < SOCKETS; i++)
		client->stream[i].fd = -1;
	for (unsigned round = 0; round < client->rounds; round++) {
		if (client->stop != NULL && sp_load(client->stop, relaxed))
			break;
		for (int i = 0; i < SOCKETS; i++) {
			struct stream *stream = &client->stream[i];

			if (stream->fd < 0)
				open_stream(client, stream);
			if (stream->fd >= 0)
				send_some(client, stream);
		}
		for (int i = 0; i < SOCKETS; i++) {
			struct stream *stream = &client->stream[i];
			uint64_t fate = test_random(&client->random) % 16;

			if (stream->fd >= 0 && fate != 0)
				receive_all(client, stream);
			if (stream->fd >= 0 && fate <= 1)
				close_stream(client, stream);
		}
	}
	for (int i = 0; i < SOCKETS; i++) {
		if (client->stream[i].fd >= 0)
			close_stream(client, &client->stream[i]);
	}
	return NULL;
}

/* ------------------------------------------------------------- meddlers */

struct meddler {
	struct echo_server *server;
	uint64_t random;
	bool timers;
	SP_ATOMIC(int) stop;
	uint64_t found, closed;
};

static void
meddle_with(
    struct meddler *meddler, struct sp_shard *shard, struct sp_poll_desc *pd)
{
	uintptr_t woken[SP_POLL_MODES] = { SP_SLOT_NIL, SP_SLOT_NIL };
	enum sp_poll_mode mode = test_random(&meddler->random) % SP_POLL_MODES;
	uint64_t what = test_random(&meddler->random) % 256;
	sp_tick now = sp_tick_of(sp_now_ns());
	struct sp_link *link;

	if (what == 0) {
		meddler->closed += sp_poll_unblock(pd, woken);
	} else if (what < 64 && meddler->timers) {
		sp_poll_set_deadline(
		    pd, mode, sp_tick_deadline(now, (uint32_t)(what % 4)));
		if (what % 8 == 0)
			sp_shard_rearm(shard, pd);
	} else if (what < 96) {
		sp_poll_set_deadline(pd, mode, SP_DEADLINE_NONE);
	} else if (what < 160) {
		link = malloc(sizeof(*link) + 32);
		SP_CHECK(link != NULL);
		sp_stack_push(&pd->outq, link);
		sp_poll_kick(pd, 0, woken);
	} else {
		sp_poll_kick(pd, 0, woken);
	}
	sp_run_woken_all(pd, shard, woken);
}

static void *
be_meddler(void *arg)
{
	struct meddler *meddler = arg;
	struct sp_engine *engine = meddler->server->engine;

	while (!sp_load(&meddler->stop, relaxed)) {
		uint32_t id = (uint32_t)(test_random(&meddler->random)
					 % engine->shard_count);
		uint32_t index = (uint32_t)(test_random(&meddler->random)
					    % INDEXES);
		struct sp_slab *slab = &engine->shards[id]->cache.slab;
		struct sp_poll_desc *pd;
		struct sp_shard *shard;

		sp_rcu_enter();
		pd = sp_slab_at(sp_slab_dir(slab), index);
		if (pd != NULL)
			pd = sp_engine_find(engine,
			    sp_handle_make(
				sp_load(&pd->gen, relaxed), id, index),
			    &shard);
		if (pd != NULL) {
			meddler->found++;
			meddle_with(meddler, shard, pd);
		}
		sp_rcu_exit();
		if (test_random(&meddler->random) % 8 == 0)
			sched_yield();
	}
	return NULL;
}

/* ---------------------------------------------------------------- tests */

struct plan {
	uint32_t shards, workers, spares;
	unsigned rounds;
	int meddlers;
	bool timers; /* deadlines move; else nothing rescues who sleeps */
	bool local;  /* Unix sockets, so that no CPU is near */
	bool cancel; /* while the clients are at it */
};

static struct sp_engine_options
tight_options(const struct plan *plan)
{
	struct sp_engine_options options = echo_options(
	    plan->shards, plan->workers);

	options.spares = plan->spares;
	options.sweep_ms = plan->timers ? 1 : 600000;
	options.ring_size = 2;
	options.wake_us = 0;
	options.max_fibers = 64;
	return options;
}

static void
join_clients(const struct plan *plan, struct echo_server *server,
    pthread_t *threads, SP_ATOMIC(int) * stop)
{
	if (plan->cancel) {
		/* Until they are well under way. */
		ECHO_UNTIL(ECHO_SUM(server->engine, accepted) > 100);
		sp_engine_cancel(server->engine);
		sp_engine_stop(server->engine);
		sp_store(stop, 1, relaxed);
	}
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(threads[i], NULL);
}

static void
play(const struct plan *plan)
{
	struct sp_engine_options options = tight_options(plan);
	pthread_t client_thread[CLIENTS], meddler_thread[MEDDLERS];
	static struct client clients[CLIENTS];
	struct meddler meddlers[MEDDLERS];
	struct echo_server server;
	SP_ATOMIC(int) stop = 0;
	uint64_t bytes = 0, found = 0;

	seed = test_seed();
	sp_store(&meddled, plan->meddlers != 0 || plan->cancel, relaxed);
	if (plan->local)
		echo_start_local(&server, &options, &service);
	else
		echo_start(&server, &options, &service);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){
			.server = &server,
			.random = seed + 2 * (uint64_t)i,
			.rounds = test_rounds(plan->rounds),
			.stop = plan->cancel ? &stop : NULL,
		};
		SP_CHECK(pthread_create(
			     &client_thread[i], NULL, be_client, &clients[i])
			 == 0);
	}
	for (int i = 0; i < plan->meddlers; i++) {
		meddlers[i] = (struct meddler){
			.server = &server,
			.random = seed + 100 + 2 * (uint64_t)i,
			.timers = plan->timers,
		};
		SP_CHECK(pthread_create(
			     &meddler_thread[i], NULL, be_meddler, &meddlers[i])
			 == 0);
	}
	join_clients(plan, &server, client_thread, &stop);
	for (int i = 0; i < plan->meddlers; i++) {
		sp_store(&meddlers[i].stop, 1, relaxed);
		pthread_join(meddler_thread[i], NULL);
		found += meddlers[i].found;
	}
	for (int i = 0; i < CLIENTS; i++)
		bytes += clients[i].bytes;
	EXPECT(bytes > 0);
	EXPECT(plan->meddlers == 0 || plan->cancel || found > 0);
	EXPECT(ECHO_SUM(server.engine, ready_published) > 0);
	EXPECT(ECHO_SUM(server.engine, ring_full) > 0);
	EXPECT(ECHO_SUM(server.engine, fiber_waits) > 0);
	if (plan->local)
		EXPECT(ECHO_SUM(server.engine, handed_off) > 0);
	server.late = plan->meddlers != 0;
	if (!plan->cancel) {
		echo_stop(&server);
		return;
	}
	echo_account(&server);
}

TEST(every_byte_comes_back)
{
	play(&(struct plan){
	    .shards = 2, .workers = 4, .spares = 1, .rounds = 1500 });
}

TEST(every_byte_comes_back_from_one_worker)
{
	play(&(struct plan){ .shards = 1, .workers = 1, .rounds = 1500 });
}

TEST(meddlers_cut_connections_and_nothing_else)
{
	play(&(struct plan){ .shards = 2,
	    .workers = 4,
	    .spares = 1,
	    .rounds = 1500,
	    .meddlers = MEDDLERS });
}

TEST(meddlers_move_deadlines)
{
	play(&(struct plan){ .shards = 2,
	    .workers = 4,
	    .spares = 1,
	    .rounds = 1500,
	    .meddlers = MEDDLERS,
	    .timers = true });
}

TEST(connections_are_handed_over)
{
	play(&(struct plan){ .shards = 4,
	    .workers = 2,
	    .rounds = 1500,
	    .meddlers = 1,
	    .local = true });
}

TEST(an_engine_stops_under_load)
{
	for (int i = 0; i < 10; i++)
		play(&(struct plan){ .shards = 2,
		    .workers = 4,
		    .spares = 1,
		    .rounds = 1000000,
		    .cancel = true });
}

TEST(an_engine_stops_under_load_and_meddlers)
{
	for (int i = 0; i < 10; i++)
		play(&(struct plan){ .shards = 4,
		    .workers = 1,
		    .spares = 1,
		    .rounds = 1000000,
		    .meddlers = MEDDLERS,
		    .timers = i % 2 != 0,
		    .local = true,
		    .cancel = true });
}
