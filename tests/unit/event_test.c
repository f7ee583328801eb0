/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Events: what a fiber waits for besides its descriptor. A client's byte
 * starts a scene in a fiber; the byte comes back when it is over.
 */

#include "shards/event.h"
#include "shards/outgoing.h"

#include "tests/echo.h"

#include <errno.h>
#include <unistd.h>

static void (*scene)(struct sp_worker *worker, struct sp_poll_desc *pd);

static void
run(struct sp_worker *worker, struct sp_task *task)
{
	struct sp_poll_desc *pd = echo_desc(task);
	char byte;

	if (recv(pd->fd, &byte, 1, 0) == 1) {
		worker->current->pd = pd;
		scene(worker, pd);
		worker->current->pd = NULL;
		EXPECT_EQ(send(pd->fd, &byte, 1, MSG_NOSIGNAL), 1);
	}
	echo_close(worker, pd);
}

static const struct sp_service service = { .run = run, .name = "scene" };

static void
play(void (*what)(struct sp_worker *, struct sp_poll_desc *))
{
	struct sp_engine_options options = echo_options(1, 1);
	struct echo_server server;
	int fd;

	scene = what;
	echo_start(&server, &options, &service);
	fd = echo_connect(&server);
	EXPECT(echo_once(fd, "x", 1));
	close(fd);
	echo_stop(&server);
}

struct waker {
	struct sp_msg msg;
	struct sp_event event;
	struct sp_poll_desc *pd;
	bool posts, kicks;
};

static void
wake(struct sp_shard *shard, struct sp_worker *worker, struct sp_msg *msg)
{
	struct waker *waker = sp_container_of(msg, struct waker, msg);
	uintptr_t woken[SP_POLL_MODES];

	(void)worker;
	if (waker->kicks) {
		sp_poll_kick(waker->pd, 0, woken);
		sp_run_woken(waker->pd, shard, woken[SP_POLL_READ]);
	}
	if (waker->posts)
		sp_event_post(&waker->event);
}

/* One wait, that ends by what the poller does meanwhile. */
static int
wait_for(struct sp_worker *worker, struct sp_poll_desc *pd, bool posts,
    bool kicks, uint32_t ms)
{
	struct waker waker = {
		.msg = { .fn = wake },
		.pd = pd,
		.posts = posts,
		.kicks = kicks,
	};

	sp_event_init(&waker.event);
	sp_shard_post(worker->shard, &waker.msg);
	return sp_event_wait(worker, &waker.event, ms);
}

static void
is_posted(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	struct sp_event event;

	sp_event_init(&event);
	sp_event_post(&event);
	EXPECT_EQ(sp_event_wait(worker, &event, 0), 0);
	EXPECT_EQ(wait_for(worker, pd, true, false, 0), 0);
}

TEST(a_post_ends_a_wait_before_and_after_it)
{
	play(is_posted);
}

static void
is_woken_twice(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	for (int i = 0; i < 100; i++) {
		EXPECT_EQ(wait_for(worker, pd, true, true, 0), 0);
		EXPECT_EQ(worker->current->credits, 0);
		EXPECT_EQ(sp_load(&worker->current->wakes, relaxed), 0);
	}
}

/* Both slots are emptied before the fiber goes on. */
TEST(a_fiber_that_is_woken_twice_goes_on_once)
{
	play(is_woken_twice);
}

static void
is_late(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	EXPECT_EQ(wait_for(worker, pd, false, true, 5), -ETIMEDOUT);
	EXPECT_EQ(wait_for(worker, pd, false, false, 5), -ETIMEDOUT);
	EXPECT_EQ(sp_sleep(worker, 1), 0);
}

TEST(a_kick_is_no_post_and_time_ends_it)
{
	play(is_late);
}

/* What the poller does while a fiber waits for whichever comes first. */
struct edges {
	struct sp_msg msg;
	struct sp_poll_desc *pd, *other;
	bool read, write, own;
};

static void
make_edges(struct sp_shard *shard, struct sp_worker *worker, struct sp_msg *msg)
{
	struct edges *edges = sp_container_of(msg, struct edges, msg);
	struct sp_task_list ready;

	(void)worker;
	sp_task_list_init(&ready);
	if (edges->read)
		sp_netpoll_ready(shard, edges->other, SP_POLLED_READ, &ready);
	if (edges->write)
		sp_netpoll_ready(shard, edges->other, SP_POLLED_WRITE, &ready);
	if (edges->own)
		sp_netpoll_ready(shard, edges->pd, SP_POLLED_READ, &ready);
	EXPECT_EQ(ready.count, 0);
}

static int
wait_any(struct sp_worker *worker, struct edges edges, bool own)
{
	struct sp_fiber *fiber = worker->current;
	sp_tick until = SP_DEADLINE_NONE;
	int result;

	edges.msg.fn = make_edges;
	if (!edges.read && !edges.write && !(edges.own && own))
		until = sp_tick_in(5);
	sp_shard_post(worker->shard, &edges.msg);
	result = sp_edge_wait_any(worker, edges.other, own, until);
	EXPECT_EQ(fiber->credits, 0);
	EXPECT_EQ(sp_load(&fiber->wakes, relaxed), 0);
	for (int mode = 0; mode < SP_POLL_MODES; mode++)
		EXPECT_EQ(sp_load(&edges.other->slot[mode], relaxed),
		    (uintptr_t)SP_SLOT_NIL);
	/* An edge of one's own stays for who reads. */
	EXPECT_EQ(sp_slot_consume(&edges.pd->slot[SP_POLL_READ]), edges.own);
	return result;
}

static void
has_any(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	struct sp_poll_desc *other;
	int ends[2];

	EXPECT_EQ(pipe(ends), 0);
	/* Nothing comes of it by itself. */
	EXPECT_EQ(sp_outgoing_register(worker, ends[0], SP_WATCH_READ, &other),
	    0);
	for (unsigned which = 0; which < 100 * 8; which++) {
		struct edges edges = {
			.pd = pd,
			.other = other,
			.read = which & 1,
			.write = which & 2,
			.own = which & 4,
		};
		bool any = edges.read || edges.write;

		if (which >= 8 && !any)
			continue;
		EXPECT_EQ(wait_any(worker, edges, false),
		    any ? 0 : -ETIMEDOUT);
		EXPECT_EQ(wait_any(worker, edges, true),
		    any || edges.own ? 0 : -ETIMEDOUT);
	}
	sp_outgoing_close(worker, other);
	close(ends[1]);
}

TEST(the_first_of_three_edges_ends_a_wait_and_each_is_accounted_for)
{
	play(has_any);
}

static void
is_shut(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	struct sp_event never;

	shutdown(pd->fd, SHUT_RD);
	sp_event_init(&never);
	EXPECT_EQ(sp_event_wait(worker, &never, 0), -ECANCELED);
	EXPECT_EQ(sp_sleep(worker, 1000), -ECANCELED);
}

TEST(the_end_of_the_client_ends_it)
{
	play(is_shut);
}

static void
is_no_shorter(struct sp_worker *worker, struct sp_poll_desc *pd)
{
	(void)pd;
	for (int i = 0; i < 20; i++) {
		uint64_t start = sp_now_ns();

		/* As after weeks without a wait. */
		if (i == 10)
			worker->timers.now -= UINT32_C(0xa0000000);
		EXPECT_EQ(sp_sleep(worker, 2), 0);
		EXPECT(sp_now_ns() - start >= 2 * SP_NS_PER_MS);
	}
}

TEST(a_wait_is_no_shorter_than_asked_for)
{
	play(is_no_shorter);
}

/* ------------------------------------------------- many that go on at once */

#define CROWD 32

static SP_ATOMIC(unsigned) waiting;
static struct sp_event gates[CROWD];
static unsigned went_on, asked_after;
static int asker;

static void
compute(uint64_t us)
{
	uint64_t until = sp_now_ns() + us * 1000;

	while (sp_now_ns() < until)
		;
}

/* A byte of 'w' waits, and then computes; any other asks who came before. */
static void
wait_or_ask(struct sp_worker *worker, struct sp_task *task)
{
	struct sp_poll_desc *pd = echo_desc(task);
	char byte;

	if (recv(pd->fd, &byte, 1, 0) != 1) {
		echo_close(worker, pd);
		return;
	}
	if (byte == 'w') {
		unsigned number = sp_load(&waiting, relaxed);

		worker->current->pd = pd;
		sp_store(&waiting, number + 1, relaxed);
		EXPECT_EQ(sp_event_wait(worker, &gates[number], 0), 0);
		worker->current->pd = NULL;
		if (went_on++ == 0)
			EXPECT_EQ(send(asker, "a", 1, MSG_NOSIGNAL), 1);
		compute(200);
	} else {
		asked_after = went_on;
	}
	EXPECT_EQ(send(pd->fd, &byte, 1, MSG_NOSIGNAL), 1);
	echo_close(worker, pd);
}

static const struct sp_service crowd = { .run = wait_or_ask, .name = "crowd" };

static void
open_gates(struct sp_shard *shard, struct sp_worker *worker, struct sp_msg *msg)
{
	(void)shard;
	(void)worker;
	(void)msg;
	for (unsigned i = 0; i < CROWD; i++)
		sp_event_post(&gates[i]);
}

TEST(who_asks_is_found_while_a_crowd_goes_on)
{
	struct sp_engine_options options = echo_options(1, 1);
	struct sp_msg open = { .fn = open_gates };
	struct echo_server server;
	int fd[CROWD];
	char byte;

	options.spares = 0;
	sp_store(&waiting, 0, relaxed);
	went_on = 0;
	echo_start(&server, &options, &crowd);
	asker = echo_connect(&server);
	for (unsigned i = 0; i < CROWD; i++) {
		sp_event_init(&gates[i]);
		fd[i] = echo_connect(&server);
		EXPECT_EQ(send(fd[i], "w", 1, MSG_NOSIGNAL), 1);
		ECHO_UNTIL(sp_load(&waiting, relaxed) == i + 1);
	}
	sp_shard_post(server.engine->shards[0], &open);
	EXPECT_EQ(recv(asker, &byte, 1, 0), 1);
	close(asker);
	for (unsigned i = 0; i < CROWD; i++) {
		EXPECT_EQ(recv(fd[i], &byte, 1, 0), 1);
		close(fd[i]);
	}
	echo_stop(&server);
	EXPECT(asked_after < CROWD);
}
