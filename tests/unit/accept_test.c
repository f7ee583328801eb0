/* SPDX-License-Identifier: BSD-2-Clause */

/* Accepting: what happens at the limits. */

#include "shards/accept.h"
#include "tests/echo.h"
#include "tests/harness.h"

#include "alloc/check.h"
#include "shards/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define FDS 64
#define CLIENTS 4

/* Take every descriptor that is left below FDS. */
static int
take_all(int *taken)
{
	int count = 0;

	while (count < FDS) {
		int fd = fcntl(0, F_DUPFD_CLOEXEC, 0);

		if (fd < 0)
			break;
		taken[count++] = fd;
	}
	SP_CHECK(errno == EMFILE);
	return count;
}

/*
 * The first in the queue learns of it each time that the listener has
 * rested, and nobody spins meanwhile: an error for each client, and no more.
 */
static void
expect_refusals(struct echo_server *server, const int *client)
{
	for (int i = 0; i < CLIENTS; i++)
		EXPECT(echo_at_end(client[i]));
	EXPECT_EQ(ECHO_SUM(server->engine, accepted), 0);
	EXPECT_EQ(ECHO_SUM(server->engine, accept_errors_emfile), CLIENTS);
	EXPECT_EQ(ECHO_SUM(server->engine, accept_errors_other), 0);
}

/*
 * With two shards, one may get as a descriptor what the other has just given
 * up as its reserve. So there it is only known that all get an answer once
 * there are descriptors again.
 */
static void
run_out(uint32_t shards)
{
	struct sp_engine_options options = echo_options(shards, 1);
	struct echo_server server;
	struct rlimit before, low;
	int taken[FDS], count, client[CLIENTS];

	echo_start(&server, &options, &echo_task_service);
	for (int i = 0; i < CLIENTS; i++)
		client[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SP_CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	low = before;
	low.rlim_cur = FDS;
	SP_CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
	count = take_all(taken);

	for (int i = 0; i < CLIENTS; i++) {
		SP_CHECK(connect(client[i], (struct sockaddr *)&server.address,
			     server.size)
			 == 0);
	}
	if (shards == 1)
		expect_refusals(&server, client);
	else
		ECHO_UNTIL(ECHO_SUM(server.engine, accept_errors_emfile) != 0);
	while (count > 0)
		close(taken[--count]);
	SP_CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	for (int i = 0; shards != 1 && i < CLIENTS; i++) {
		char byte = 'x';

		/* Refused or, by now, served; but not forgotten. */
		send(client[i], &byte, 1, MSG_NOSIGNAL);
		EXPECT(
		    recv(client[i], &byte, 1, 0) >= 0 || errno == ECONNRESET);
	}
	for (int i = 0; i < CLIENTS; i++)
		close(client[i]);
	for (int i = 0; i < CLIENTS; i++) {
		client[i] = echo_connect(&server);
		EXPECT(echo_once(client[i], "hello", 5));
		close(client[i]);
	}
	ECHO_UNTIL(sp_load(&server.engine->reserve_fd, relaxed) >= 0);
	echo_stop(&server);
}

TEST(without_descriptors_clients_are_told_and_nobody_spins)
{
	run_out(1);
}

/*
 * Without a reserve there is nothing to tell a client with, and it waits in
 * the queue. A listener that did not rest would find it there again and again,
 * some hundred times in a millisecond. A rest begins with the turn, and so is
 * shorter for who is kept from the CPU in between; three are not as short as
 * one.
 */
TEST(without_a_reserve_a_listener_rests_as_well)
{
	enum { ERRORS = 4 };
	struct sp_engine_options options = echo_options(1, 1);
	struct echo_server server;
	struct rlimit before, low;
	int taken[FDS], count, client;
	uint64_t begin, took_ms;

	echo_start(&server, &options, &echo_task_service);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	close(sp_xchg(&server.engine->reserve_fd, -1, relaxed));
	SP_CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	low = before;
	low.rlim_cur = FDS;
	SP_CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
	count = take_all(taken);

	begin = sp_now_ns();
	SP_CHECK(
	    connect(client, (struct sockaddr *)&server.address, server.size)
	    == 0);
	ECHO_UNTIL(ECHO_SUM(server.engine, accept_errors_emfile) >= ERRORS);
	took_ms = (sp_now_ns() - begin) / SP_NS_PER_MS;
	EXPECT(took_ms >= SP_ACCEPT_REST_MS);

	while (count > 0)
		close(taken[--count]);
	SP_CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	EXPECT(echo_once(client, "hello", 5));
	close(client);
	ECHO_UNTIL(sp_load(&server.engine->reserve_fd, relaxed) >= 0);
	echo_stop(&server);
}

TEST(the_shards_share_one_reserve)
{
	run_out(2);
}

static bool
answers(int fd, int timeout_ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	return poll(&pollfd, 1, timeout_ms) == 1;
}

TEST(there_are_never_more_than_max_connections)
{
	enum { MOST = 4 };
	struct sp_engine_options options = echo_options(1, 1);
	struct echo_server server;
	int client[MOST + 1];
	char byte;

	options.max_connections = MOST;
	echo_start(&server, &options, &echo_task_service);
	for (int i = 0; i < MOST; i++) {
		client[i] = echo_connect(&server);
		EXPECT(echo_once(client[i], "hello", 5));
	}
	client[MOST] = echo_connect(&server);
	EXPECT_EQ(send(client[MOST], "x", 1, MSG_NOSIGNAL), 1);
	ECHO_UNTIL(ECHO_SUM(server.engine, limited) != 0);
	EXPECT_EQ(sp_load(&server.engine->connections, relaxed), MOST);
	EXPECT(!answers(client[MOST], 0));

	/* It waits in the kernel's queue, and is next. */
	close(client[0]);
	EXPECT(answers(client[MOST], -1));
	EXPECT_EQ(recv(client[MOST], &byte, 1, 0), 1);
	for (int i = 1; i <= MOST; i++)
		close(client[i]);
	echo_stop(&server);
}

TEST(a_listener_that_rests_stops_like_any_other)
{
	struct sp_engine_options options = echo_options(2, 1);
	struct echo_server server;
	int client[3];

	options.max_connections = 1;
	echo_start(&server, &options, &echo_task_service);
	for (int i = 0; i < 3; i++)
		client[i] = echo_connect(&server);
	ECHO_UNTIL(ECHO_SUM(server.engine, limited) != 0);
	echo_stop(&server);
	for (int i = 0; i < 3; i++)
		close(client[i]);
}

TEST(connections_without_delay_and_without_inheritance)
{
	struct sp_engine_options options = echo_options(1, 1);
	struct echo_server server;
	struct sp_poll_desc *pd;
	struct sp_shard *shard;
	int client;

	echo_start(&server, &options, &echo_task_service);
	client = echo_connect(&server);
	EXPECT(echo_once(client, "hello", 5));
	sp_rcu_enter();
	pd = sp_engine_find(server.engine, sp_handle_make(1, 0, 0), &shard);
	EXPECT(pd != NULL);
	if (pd != NULL) {
		int on = 0;
		socklen_t size = sizeof(on);

		EXPECT(fcntl(pd->fd, F_GETFD) & FD_CLOEXEC);
		EXPECT(fcntl(pd->fd, F_GETFL) & O_NONBLOCK);
		EXPECT_EQ(
		    getsockopt(pd->fd, IPPROTO_TCP, TCP_NODELAY, &on, &size),
		    0);
		EXPECT(on != 0);
	}
	sp_rcu_exit();
	close(client);
	echo_stop(&server);
}

TEST(a_socket_for_each_shard_and_each_may_accept)
{
	struct sp_engine_options options = echo_options(4, 1);
	struct echo_server server;

	echo_start(&server, &options, &echo_task_service);
	for (uint32_t i = 0; i < 4; i++) {
		struct sp_shard *shard = server.engine->shards[i];

		EXPECT_EQ(shard->listener_count, 1);
		for (uint32_t j = 0; j < i; j++)
			EXPECT(shard->listeners[0]->fd
			       != server.engine->shards[j]->listeners[0]->fd);
	}
	echo_stop(&server);
}

/*
 * The client is accepted by a shard that has not heard of the drain, for one
 * that has closed all it had. By hand: neither has been started.
 */
TEST(what_is_handed_over_to_a_drained_shard_is_closed)
{
	struct sp_engine_options options = echo_options(2, 1);
	struct echo_server server = { .size = sizeof(sa_family_t) };
	struct sp_shard **shards;
	struct sp_worker *worker;
	int client;

	SP_CHECK(sp_engine_new(&server.engine, &options) == 0);
	shards = server.engine->shards;
	/* Any name: the kernel makes one up. */
	server.address.ss_family = AF_UNIX;
	SP_CHECK(sp_engine_listen(server.engine, &server.address, server.size,
		     16, &echo_task_service)
		 == 0);
	server.size = sizeof(server.address);
	SP_CHECK(getsockname(shards[0]->listeners[0]->fd,
		     (struct sockaddr *)&server.address, &server.size)
		 == 0);
	worker = sp_worker_new(shards[0], 0, SP_WORKER_PRIMARY);
	for (int i = 0; i < 8; i++)
		SP_CHECK(sp_shard_enter(shards[0]));
	client = echo_connect(&server);

	sp_engine_drain(server.engine);
	sp_shard_messages(shards[1], worker);
	sp_accept(shards[0]->listeners[0], worker);
	EXPECT_EQ(sp_load(&worker->counters.handed_off, relaxed), 1);
	EXPECT_EQ(sp_load(&shards[0]->placed[0], relaxed), 0);
	EXPECT_EQ(sp_load(&shards[0]->placed[1], relaxed), 1);
	EXPECT_EQ(sp_load(&shards[1]->load, relaxed), 1);
	sp_shard_messages(shards[1], worker);
	EXPECT_EQ(sp_load(&shards[1]->load, relaxed), 0);
	EXPECT_EQ(sp_load(&worker->counters.accepted, relaxed), 0);
	EXPECT(echo_at_end(client));

	close(client);
	sp_shard_messages(shards[0], worker);
	for (int i = 0; i < 8; i++)
		sp_shard_leave(shards[0]);
	sp_worker_free(worker);
	echo_account(&server);
}

/* A connection on its way from one shard to the other, and its peer. */
struct move {
	struct sp_engine *engine;
	struct sp_worker *worker;
	sp_handle before;
	int fd[2];
};

/* By hand: no shard has been started. It has left; it has not arrived. */
static void
begin_move(struct move *move)
{
	struct sp_engine_options options = echo_options(2, 1);
	struct sp_poll_desc *pd;
	struct sp_shard *from;

	SP_CHECK(sp_engine_new(&move->engine, &options) == 0);
	from = move->engine->shards[0];
	move->worker = sp_worker_new(from, 0, SP_WORKER_PRIMARY);
	SP_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, move->fd)
		 == 0);
	SP_CHECK(sp_token_try(&move->engine->shards[1]->token, 0));
	SP_CHECK(sp_shard_enter(from));
	SP_CHECK(sp_shard_open(from, move->fd[0], &echo_task_service,
		     SP_WATCH_READ, &pd)
		 == 0);
	SP_CHECK(sp_slot_unpark(&pd->slot[SP_POLL_READ]));
	pd->near = 1;
	pd->born = 7;
	pd->requests = 9;
	move->before = sp_poll_desc_handle(pd);
	EXPECT(sp_accept_move(move->worker, pd));
	EXPECT_EQ(sp_load(&from->load, relaxed), 0);
	EXPECT_EQ(sp_load(&move->engine->shards[1]->load, relaxed), 1);
	EXPECT_EQ(sp_load(&move->engine->connections, relaxed), 1);
	EXPECT(sp_poll_cache_find(&from->cache, move->before) == NULL);
}

/* => Returns what an event makes run where it went, or NULL. */
static struct sp_poll_desc *
arrive(struct move *move)
{
	struct sp_task_list ready;

	sp_task_list_init(&ready);
	sp_shard_messages(move->engine->shards[1], move->worker);
	sp_netpoll(move->engine->shards[1], move->worker, 0, &ready);
	return ready.count == 0
		   ? NULL
		   : sp_container_of(ready.head, struct sp_poll_desc, task);
}

static void
end_move(struct move *move)
{
	close(move->fd[1]);
	sp_token_drop(&move->engine->shards[1]->token);
	sp_worker_free(move->worker);
	sp_engine_free(move->engine);
}

TEST(what_came_while_it_moved_is_reported_where_it_went)
{
	struct sp_poll_desc *pd;
	struct move move;

	begin_move(&move);
	EXPECT_EQ(write(move.fd[1], "x", 1), 1);
	pd = arrive(&move);
	SP_CHECK(pd != NULL);
	EXPECT_EQ(pd->fd, move.fd[0]);
	EXPECT_EQ(pd->born, 7);
	EXPECT_EQ(pd->requests, 9);
	EXPECT_EQ(sp_poll_info(pd), 0);
	EXPECT_EQ(sp_load(&move.worker->counters.moved, relaxed), 1);
	EXPECT_EQ(sp_load(&move.worker->counters.accepted, relaxed), 0);
	sp_shard_close(move.engine->shards[1], pd);
	end_move(&move);
}

/* Its last answer may be on its way, so it cannot just be closed. */
TEST(what_moves_to_a_drained_shard_is_told)
{
	struct sp_poll_desc *pd;
	struct sp_link *link;
	struct move move;

	begin_move(&move);
	sp_store(&move.engine->draining, 1, seq_cst);
	EXPECT(arrive(&move) == NULL);
	link = sp_stack_pop_all(&move.engine->shards[1]->runq);
	SP_CHECK(link != NULL && link->next == NULL);
	pd = sp_container_of(link, struct sp_poll_desc, link);
	EXPECT_EQ(sp_poll_info(pd), SP_POLL_DRAIN);
	sp_shard_close(move.engine->shards[1], pd);
	end_move(&move);
}

TEST(what_moves_to_a_cancelled_shard_is_closed)
{
	struct move move;

	begin_move(&move);
	sp_store(&move.engine->draining, 1, seq_cst);
	sp_store(&move.engine->cancelling, 1, seq_cst);
	EXPECT(arrive(&move) == NULL);
	EXPECT(echo_at_end(move.fd[1]));
	EXPECT_EQ(sp_load(&move.engine->shards[1]->load, relaxed), 0);
	EXPECT_EQ(sp_load(&move.worker->counters.closed, relaxed), 1);
	end_move(&move);
}
