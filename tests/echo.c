/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/echo.h"

#include "alloc/check.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK 2048

uint32_t echo_deadline_ms;

struct sp_poll_desc *
echo_desc(struct sp_task *task)
{
	return sp_container_of(task, struct sp_poll_desc, task);
}

struct sp_shard *
echo_shard(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	return worker->engine->shards[sp_handle_shard(pd->index)];
}

void
echo_close(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	sp_count(&worker->counters.closed, 1);
	sp_shard_close(echo_shard(worker, pd), pd);
}

/* Returns 0, or why the connection is of no more use. */
static int
send_all(struct sp_worker *worker, struct sp_poll_desc *pd, const char *data,
    size_t size)
{
	while (size != 0) {
		ssize_t n;
		int error = sp_poll_reset(pd, SP_POLL_WRITE);

		if (error != 0)
			return error;
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
		if (error != 0)
			return error;
	}
	return 0;
}

/* Throw away what other threads have sent; they only kick. */
static void
empty_outq(struct sp_poll_desc *pd)
{
	struct sp_link *link = sp_stack_pop_all(&pd->outq);

	while (link != NULL) {
		struct sp_link *next = link->next;

		free(link);
		link = next;
	}
}

static void
run_task(struct sp_worker *worker, struct sp_task *task)
{
	struct sp_poll_desc *pd = echo_desc(task);
	char buffer[CHUNK];

	for (;;) {
		uint32_t info = sp_load(&pd->info, acquire);
		ssize_t n;

		if (sp_netpoll_check_err(pd, SP_POLL_READ) != 0
		    || (info & SP_POLL_ATTENTION))
			break;
		empty_outq(pd);
		n = recv(pd->fd, buffer, sizeof(buffer), 0);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		if (n > 0 && send_all(worker, pd, buffer, (size_t)n) != 0)
			break;
		if (n == (ssize_t)sizeof(buffer)
		    || (n > 0 && (info & SP_POLL_HANGUP)))
			continue;
		if (sp_poll_park(pd))
			return;
	}
	echo_close(worker, pd);
}

static void
run_fiber(struct sp_worker *worker, struct sp_task *task)
{
	struct sp_poll_desc *pd = echo_desc(task);
	char buffer[CHUNK];

	for (;;) {
		ssize_t n;

		if (sp_poll_reset(pd, SP_POLL_READ) != 0)
			break;
		empty_outq(pd);
		n = recv(pd->fd, buffer, sizeof(buffer), 0);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		if (n > 0) {
			if (send_all(worker, pd, buffer, (size_t)n) != 0)
				break;
			continue;
		}
		if (echo_deadline_ms != 0)
			sp_poll_set_deadline(pd, SP_POLL_READ,
			    sp_tick_deadline(
				sp_tick_of(sp_now_ns()), echo_deadline_ms));
		if (sp_poll_wait(worker, pd, SP_POLL_READ) != 0)
			break;
	}
	if (sp_netpoll_check_err(pd, SP_POLL_READ) == -ETIMEDOUT)
		sp_count(&worker->counters.timeouts_idle, 1);
	echo_close(worker, pd);
}

const struct sp_service echo_task_service = {
	.run = run_task,
	.name = "echo",
};
const struct sp_service echo_fiber_service = {
	.run = run_fiber,
	.name = "echo, waiting",
};
const struct sp_service echo_hurried_service = {
	.run = run_fiber,
	.name = "echo, waiting for no one",
	.opening_ms = 10,
};

/* --------------------------------------------------------------- server */

struct sp_engine_options
echo_options(uint32_t shards, uint32_t workers)
{
	struct sp_engine_options options = sp_engine_options_default();

	options.shards = shards;
	options.workers = workers;
	options.spares = 0;
	options.sweep_ms = 5;
	options.max_fibers = 1024;
	options.ring_size = 64;
	return options;
}

static void
start(struct echo_server *server, const struct sp_engine_options *options,
    const struct sp_service *service)
{
	SP_CHECK(sp_engine_new(&server->engine, options) == 0);
	SP_CHECK(sp_engine_listen(server->engine, &server->address,
		     server->size, 1024, service)
		 == 0);
	SP_CHECK(sp_engine_start(server->engine) == 0);
}

void
echo_start(struct echo_server *server, const struct sp_engine_options *options,
    const struct sp_service *service)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&server->address;

	memset(server, 0, sizeof(*server));
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->size = sizeof(*in);
	start(server, options, service);
	SP_CHECK(in->sin_port != 0);
}

void
echo_start_local(struct echo_server *server,
    const struct sp_engine_options *options, const struct sp_service *service)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&server->address;
	int n;

	memset(server, 0, sizeof(*server));
	un->sun_family = AF_UNIX;
	n = snprintf(un->sun_path + 1, sizeof(un->sun_path) - 1,
	    "spate-echo-%ld", (long)getpid());
	server->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1
				   + (size_t)n);
	start(server, options, service);
}

uint64_t
echo_sum(struct sp_engine *engine, size_t offset)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < engine->shard_count; i++) {
		struct sp_shard *shard = engine->shards[i];
		uint32_t workers = sp_load(&shard->worker_count, acquire);

		for (uint32_t j = 0; j < workers; j++) {
			struct sp_worker *worker = sp_load(
			    &shard->workers[j], acquire);
			char *counters = (char *)&worker->counters;
			SP_ATOMIC(
			    uint64_t) *counter = (void *)(counters + offset);

			sum += sp_load(counter, relaxed);
		}
	}
	return sum;
}

static void
forget_nothing(struct sp_poll_desc *pd, void *arg)
{
	(void)pd;
	(void)arg;
}

void
echo_account(struct echo_server *server)
{
	struct sp_engine *engine = server->engine;

	EXPECT_EQ(ECHO_SUM(engine, accepted), ECHO_SUM(engine, closed));
	EXPECT_EQ(sp_load(&engine->connections, relaxed), 0);
	for (uint32_t i = 0; i < engine->shard_count; i++) {
		struct sp_poll_cache *cache = &engine->shards[i]->cache;
		struct sp_slab_stats stats;

		/* One batch may be on its way, and one not yet begun. */
		for (int turn = 0; turn < 3; turn++) {
			sp_rcu_barrier();
			sp_poll_cache_reclaim(cache, forget_nothing, NULL);
		}
		sp_slab_stats_get(&cache->slab, &stats);
		EXPECT_EQ(stats.in_use, 0);
		EXPECT_EQ(sp_load(&engine->shards[i]->load, relaxed), 0);
		EXPECT_EQ(sp_load(&engine->shards[i]->outgoing, relaxed), 0);
		EXPECT(engine->shards[i]->overflow.count == 0);
		EXPECT(sp_stack_empty(&engine->shards[i]->inbox));
		EXPECT(sp_stack_empty(&engine->shards[i]->runq));
		EXPECT_EQ(sp_ready_ring_depth(&engine->shards[i]->ring), 0);
	}
	sp_engine_free(engine);
}

void
echo_stop(struct echo_server *server)
{
	sp_engine_cancel(server->engine);
	sp_engine_stop(server->engine);
	echo_account(server);
}

/* --------------------------------------------------------------- client */

int
echo_connect(const struct echo_server *server)
{
	int fd = socket(
	    server->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	SP_CHECK(fd >= 0);
	SP_CHECK(
	    connect(fd, (const struct sockaddr *)&server->address, server->size)
	    == 0);
	return fd;
}

bool
echo_once(int fd, const void *message, size_t size)
{
	const char *data = message;
	char buffer[CHUNK];
	size_t sent = 0, got = 0;

	while (got < size) {
		ssize_t n;

		if (sent < size) {
			size_t most = size - sent;

			n = send(fd, data + sent,
			    most < 3 * CHUNK ? most : 3 * CHUNK, MSG_NOSIGNAL);
			if (n < 0)
				return false;
			sent += (size_t)n;
		}
		while (got < sent) {
			n = recv(fd, buffer, sizeof(buffer), 0);
			if (n <= 0)
				return false;
			if (memcmp(buffer, data + got, (size_t)n) != 0)
				return false;
			got += (size_t)n;
		}
	}
	return true;
}

bool
echo_at_end(int fd)
{
	char buffer[CHUNK];
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0)
		;
	return n == 0 || errno == ECONNRESET;
}
