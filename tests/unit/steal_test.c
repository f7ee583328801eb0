/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Help between workers. A service whose messages say how long they take:
 *
 *     'f'   nothing
 *     's'   5 ms of CPU
 *     'h'   hogs the CPU until a message 'g' has been handled
 *     'r'   as 'h', when another task lies in the rest of its list, put there
 *           while the shard's poller sleeps; that task does what 'g' does
 *     'w'   tells its shard
 *     'l'   releases the hogs, and ends when its shard is asleep, is to end,
 *           and has nothing else
 */

#include "shards/steal.h"
#include "tests/echo.h"
#include "tests/harness.h"

#include "alloc/check.h"

#include <errno.h>
#include <unistd.h>

#define SLOW_NS (5 * SP_NS_PER_MS)

static SP_ATOMIC(int) hogs, released;

static void
release_hogs(struct sp_worker *worker, struct sp_task *task)
{
	(void)worker;
	(void)task;
	sp_store(&released, 1, seq_cst);
}

static void
hog(void)
{
	sp_fetch_add(&hogs, 1, seq_cst);
	while (!sp_load(&released, seq_cst))
		;
}

/* What a list leaves here is seen to by nobody but who looks for it later. */
static void
hog_with_rest(struct sp_worker *worker, struct sp_wake *wake)
{
	static const struct sp_service service = { .run = release_hogs };
	static struct sp_poll_desc pd;

	pd.task.service = &service;
	while (sp_load(&wake->sig, seq_cst) != SP_WAKE_BLOCKED)
		;
	EXPECT(sp_load(&worker->rest, relaxed) == NULL);
	sp_store(&worker->rest, &pd.task, release);
	hog();
}

static void
obey(struct sp_worker *worker, struct sp_poll_desc *pd, char *byte)
{
	uint64_t start = sp_now_ns();

	switch (*byte) {
	case 's':
		while (sp_now_ns() - start < SLOW_NS)
			;
		break;
	case 'h':
		hog();
		break;
	case 'r':
		hog_with_rest(worker, &echo_shard(worker, pd)->wake);
		break;
	case 'g':
		sp_store(&released, 1, seq_cst);
		break;
	case 'l':
		sp_store(&released, 1, seq_cst);
		while (sp_load(&echo_shard(worker, pd)->load, seq_cst) != 1
		       || !sp_load(&echo_shard(worker, pd)->stopping, seq_cst)
		       || sp_load(&echo_shard(worker, pd)->wake.sig, seq_cst)
			      != SP_WAKE_BLOCKED)
			;
		break;
	case 'w':
		*byte = (char)echo_shard(worker, pd)->id;
		break;
	default:
		break;
	}
}

static void
run(struct sp_worker *worker, struct sp_task *task)
{
	struct sp_poll_desc *pd = echo_desc(task);
	char byte;

	for (;;) {
		ssize_t n;

		if (sp_load(&pd->info, acquire) & SP_POLL_ATTENTION)
			break;
		n = recv(pd->fd, &byte, 1, 0);
		if (n == 1) {
			obey(worker, pd, &byte);
			if (send(pd->fd, &byte, 1, MSG_NOSIGNAL) != 1)
				break;
		} else if (n == 0 || errno != EAGAIN) {
			break;
		} else if (sp_poll_park(pd)) {
			return;
		}
	}
	echo_close(worker, pd);
}

static const struct sp_service obedient = { .run = run, .name = "obedient" };

static char
tell(int fd, char byte)
{
	char answer = 0;

	EXPECT_EQ(send(fd, &byte, 1, MSG_NOSIGNAL), 1);
	EXPECT_EQ(recv(fd, &answer, 1, 0), 1);
	return answer;
}

/* No assertion on time: it goes on until both have been seen. */
TEST(a_slow_handler_does_not_keep_its_list)
{
	enum { CLIENTS = 64 };
	struct sp_engine_options options = echo_options(1, 2);
	struct echo_server server;
	int client[CLIENTS];
	char byte;

	echo_start(&server, &options, &obedient);
	for (int i = 0; i < CLIENTS; i++)
		client[i] = echo_connect(&server);
	do {
		for (int i = 0; i < CLIENTS; i++)
			EXPECT_EQ(send(client[i], i == 0 ? "s" : "f", 1,
				      MSG_NOSIGNAL),
			    1);
		for (int i = 0; i < CLIENTS; i++)
			EXPECT_EQ(recv(client[i], &byte, 1, 0), 1);
	} while (ECHO_SUM(server.engine, ready_published) == 0
		 || ECHO_SUM(server.engine, stolen) == 0);
	for (int i = 0; i < CLIENTS; i++)
		close(client[i]);
	echo_stop(&server);
}

/* Two connections of the same shard. */
static void
connect_two(struct echo_server *server, int two[2])
{
	int spare;

	two[0] = echo_connect(server);
	for (;;) {
		two[1] = echo_connect(server);
		if (tell(two[0], 'w') == tell(two[1], 'w'))
			return;
		/* Keeps that shard fuller, so the next goes elsewhere. */
		spare = two[1];
		two[1] = echo_connect(server);
		if (tell(two[0], 'w') == tell(two[1], 'w')) {
			close(spare);
			return;
		}
		close(spare);
		close(two[1]);
	}
}

/* Returns when a hog has come to its end, which takes a second thread. */
static void
hog_and_release(struct echo_server *server)
{
	int two[2], before = sp_load(&hogs, seq_cst);
	char byte;

	connect_two(server, two);
	sp_store(&released, 0, seq_cst);
	EXPECT_EQ(send(two[0], "h", 1, MSG_NOSIGNAL), 1);
	ECHO_UNTIL(sp_load(&hogs, seq_cst) > before);
	tell(two[1], 'g');
	EXPECT_EQ(recv(two[0], &byte, 1, 0), 1);
	close(two[0]);
	close(two[1]);
}

TEST(a_spare_takes_over_from_a_hog)
{
	struct sp_engine_options options = echo_options(1, 1);
	struct echo_server server;

	options.spares = 1;
	echo_start(&server, &options, &obedient);
	hog_and_release(&server);
	/* It may have been of use before the watcher has counted it. */
	ECHO_UNTIL(
	    sp_load(&server.engine->shards[0]->worker_count, acquire) == 2);
	/* And again, with the spare that is there already. */
	for (int i = 0; i < 20; i++)
		hog_and_release(&server);
	EXPECT_EQ(sp_load(&server.engine->shards[0]->worker_count, acquire), 2);
	echo_stop(&server);
}

TEST(another_shard_polls_for_one_that_is_stuck)
{
	struct sp_engine_options options = echo_options(2, 1);
	struct echo_server server;

	echo_start(&server, &options, &obedient);
	for (int i = 0; i < 20; i++)
		hog_and_release(&server);
	EXPECT(ECHO_SUM(server.engine, helped_polls) >= 20);
	EXPECT(ECHO_SUM(server.engine, stolen) >= 20);
	echo_stop(&server);
}

TEST(a_sibling_polls_while_the_other_is_in_a_handler)
{
	struct sp_engine_options options = echo_options(1, 2);
	struct echo_server server;

	echo_start(&server, &options, &obedient);
	for (int i = 0; i < 20; i++)
		hog_and_release(&server);
	echo_stop(&server);
}

/* A rest that came when the sibling had looked for one, and slept. */
TEST(a_sibling_that_sleeps_is_woken_for_a_rest)
{
	struct sp_engine_options options = echo_options(1, 2);
	struct echo_server server;
	int client;

	options.sweep_ms = 600000; /* or a timer would end that sleep */
	echo_start(&server, &options, &obedient);
	client = echo_connect(&server);
	for (int i = 0; i < 20; i++) {
		sp_store(&released, 0, seq_cst);
		EXPECT_EQ(tell(client, 'r'), 'r');
	}
	EXPECT_EQ(ECHO_SUM(server.engine, stolen), 20);
	close(client);
	echo_stop(&server);
}

TEST(a_stop_still_has_spares_for_a_hog)
{
	struct sp_engine_options options = echo_options(1, 1);
	struct echo_server server;
	int two[2], before = sp_load(&hogs, seq_cst);

	options.spares = 1;
	echo_start(&server, &options, &obedient);
	connect_two(&server, two);
	sp_store(&released, 0, seq_cst);
	EXPECT_EQ(send(two[0], "h", 1, MSG_NOSIGNAL), 1);
	ECHO_UNTIL(sp_load(&hogs, seq_cst) > before);
	EXPECT_EQ(send(two[1], "g", 1, MSG_NOSIGNAL), 1);
	EXPECT_EQ(shutdown(two[0], SHUT_WR), 0);
	EXPECT_EQ(shutdown(two[1], SHUT_WR), 0);
	sp_engine_stop(server.engine);
	EXPECT(sp_load(&released, seq_cst));
	close(two[0]);
	close(two[1]);
	echo_account(&server);
}

/* The last to leave a shard that sleeps is a worker of another one. */
TEST(a_thief_that_closes_the_last_connection_ends_its_shard)
{
	struct sp_engine_options options = echo_options(2, 1);
	struct echo_server server;
	int two[2], before = sp_load(&hogs, seq_cst);
	char byte;

	options.sweep_ms = 600000; /* or a timer would end that sleep */
	echo_start(&server, &options, &obedient);
	connect_two(&server, two);
	sp_store(&released, 0, seq_cst);
	EXPECT_EQ(send(two[0], "h", 1, MSG_NOSIGNAL), 1);
	ECHO_UNTIL(sp_load(&hogs, seq_cst) > before);
	EXPECT_EQ(send(two[1], "l", 1, MSG_NOSIGNAL), 1);
	EXPECT_EQ(shutdown(two[1], SHUT_WR), 0);
	EXPECT_EQ(recv(two[0], &byte, 1, 0), 1);
	close(two[0]);
	sp_engine_stop(server.engine);
	close(two[1]);
	echo_account(&server);
}
