/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Connections that fibers make. A client's byte starts a scene in a fiber,
 * whose other side is a listener of the test's own; the byte comes back when
 * the scene is over.
 */

#include "shards/outgoing.h"

#include "shards/event.h"
#include "tests/echo.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

static void (*scene)(struct sp_worker *worker);
static int listener;
static struct sockaddr_storage address;
static const socklen_t address_size = sizeof(struct sockaddr_in);
static struct sp_poll_desc *left_behind;

static void
run(struct sp_worker *worker, struct sp_task *task)
{
	struct sp_poll_desc *pd = echo_desc(task);
	char byte;

	if (recv(pd->fd, &byte, 1, 0) == 1) {
		worker->current->pd = pd;
		scene(worker);
		worker->current->pd = NULL;
		EXPECT_EQ(send(pd->fd, &byte, 1, MSG_NOSIGNAL), 1);
	}
	echo_close(worker, pd);
}

static const struct sp_service service = { .run = run, .name = "scene" };

static void
play(void (*what)(struct sp_worker *))
{
	struct sp_engine_options options = echo_options(1, 1);
	struct sockaddr_in *in = (struct sockaddr_in *)&address;
	socklen_t size = sizeof(address);
	struct echo_server server;
	int fd;

	scene = what;
	*in = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT_EQ(bind(listener, (struct sockaddr *)in, sizeof(*in)), 0);
	EXPECT_EQ(listen(listener, 8), 0);
	getsockname(listener, (struct sockaddr *)&address, &size);
	echo_start(&server, &options, &service);
	fd = echo_connect(&server);
	EXPECT(echo_once(fd, "x", 1));
	close(fd);
	echo_stop(&server);
	close(listener);
}

static sp_tick
soon(void)
{
	return sp_tick_deadline(sp_tick_of(sp_now_ns()), 5);
}

/* => Returns the other end. */
static int
connect_to(struct sp_worker *worker, struct sp_poll_desc **pd)
{
	EXPECT_EQ(sp_outgoing_connect(worker, &address, address_size, pd), 0);
	EXPECT_EQ(sp_outgoing_connected(worker, *pd, SP_DEADLINE_NONE), 0);
	return accept(listener, NULL, NULL);
}

static void
talks(struct sp_worker *worker)
{
	struct sp_engine *engine = worker->engine;
	struct sp_poll_desc *pd;
	char text[8] = "";
	int peer = connect_to(worker, &pd);

	EXPECT_EQ(sp_load(&engine->connections, relaxed), 1);
	EXPECT_EQ(sp_load(&worker->shard->load, relaxed), 1);
	EXPECT_EQ(sp_load(&worker->shard->outgoing, relaxed), 1);
	EXPECT_EQ(sp_outgoing_recv(worker, pd, text, 8, soon()), -ETIMEDOUT);
	EXPECT_EQ(sp_outgoing_send(worker, pd, "hello", 5, soon()), 5);
	EXPECT_EQ(recv(peer, text, 8, 0), 5);
	EXPECT_EQ(send(peer, "you", 3, 0), 3);
	EXPECT_EQ(sp_outgoing_recv(worker, pd, text, 8, 0), 3);
	close(peer);
	EXPECT_EQ(sp_outgoing_recv(worker, pd, text, 8, 0), 0);
	sp_outgoing_close(worker, pd);
	EXPECT_EQ(sp_load(&worker->shard->outgoing, relaxed), 0);
}

TEST(both_ends_talk_and_nobody_counts_it_as_accepted)
{
	play(talks);
}

static void
fills(struct sp_worker *worker)
{
	static char piece[1 << 20];
	struct sp_poll_desc *pd;
	int peer = connect_to(worker, &pd);
	ssize_t n;

	do {
		n = sp_outgoing_send(worker, pd, piece, sizeof(piece), soon());
	} while (n > 0);
	EXPECT_EQ(n, -ETIMEDOUT);
	sp_outgoing_close(worker, pd);
	close(peer);
}

TEST(who_takes_nothing_is_given_up_in_time)
{
	play(fills);
}

static void
is_refused(struct sp_worker *worker)
{
	struct sp_poll_desc *pd;
	int error;

	shutdown(listener, SHUT_RDWR);
	error = sp_outgoing_connect(worker, &address, address_size, &pd);
	if (error == 0) {
		error = sp_outgoing_connected(worker, pd, SP_DEADLINE_NONE);
		sp_outgoing_close(worker, pd);
	}
	EXPECT_EQ(error, -ECONNREFUSED);
	EXPECT_EQ(sp_load(&worker->shard->outgoing, relaxed), 0);
}

TEST(a_refusal_is_told)
{
	play(is_refused);
}

static void
keeps(struct sp_worker *worker)
{
	struct sp_poll_desc *pd, *again;
	int peer = connect_to(worker, &pd);
	sp_handle handle = sp_outgoing_park(worker, pd, 1000);
	bool gone;

	EXPECT(handle != 0);
	again = sp_outgoing_take(worker, handle, &gone);
	EXPECT(again == pd);
	/* Owned, so not to be taken, but there. */
	EXPECT(sp_outgoing_take(worker, handle, &gone) == NULL);
	EXPECT(!gone);
	handle = sp_outgoing_park(worker, pd, 1000);
	close(peer);
	EXPECT(sp_outgoing_take(worker, handle, &gone) == NULL);
	EXPECT(gone);
	EXPECT(sp_outgoing_take(worker, handle, &gone) == NULL);
	EXPECT(gone);
	peer = connect_to(worker, &pd);
	EXPECT_EQ(send(peer, "more", 4, 0), 4);
	EXPECT_EQ(sp_outgoing_park(worker, pd, 1000), 0);
	close(peer);
	EXPECT_EQ(sp_load(&worker->shard->outgoing, relaxed), 0);
}

TEST(a_kept_one_is_taken_back_or_found_to_be_gone)
{
	play(keeps);
}

static void
goes_idle(struct sp_worker *worker)
{
	struct sp_poll_desc *pd;
	int peer = connect_to(worker, &pd);
	sp_handle handle = sp_outgoing_park(worker, pd, 1);

	EXPECT(handle != 0);
	while (sp_load(&worker->shard->outgoing, relaxed) != 0)
		EXPECT_EQ(sp_sleep(worker, 1), 0);
	close(peer);
}

TEST(a_kept_one_closes_when_its_time_is_up)
{
	play(goes_idle);
}

static void
keeps_and_leaves(struct sp_worker *worker)
{
	int peer = connect_to(worker, &left_behind);

	EXPECT(sp_outgoing_park(worker, left_behind, 60000) != 0);
	EXPECT_EQ(dup2(peer, listener), listener);
	close(peer);
}

/* The engine's stop does not wait for a minute. */
TEST(a_stop_closes_what_is_kept)
{
	play(keeps_and_leaves);
}
