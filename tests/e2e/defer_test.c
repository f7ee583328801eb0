/* SPDX-License-Identifier: BSD-2-Clause */

/* Answers that other threads give. */

#include "tests/e2e/ask.h"
#include "tests/harness.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A queue of one between the handler and the thread that answers. */
static struct spate_deferral promised;
static char promised_to[16];  /* the query of the request */
static atomic_int state;      /* 0 free, 1 being written, 2 there */
static atomic_int results[3]; /* 0, -ESTALE, all else */
static atomic_int waited;     /* what spate_wait() returned last */

static void
put_promise(const struct spate_req *req, struct spate_deferral deferral)
{
	struct spate_str query = spate_query(req);
	int free_one = 0;

	while (!atomic_compare_exchange_weak(&state, &free_one, 1)) {
		free_one = 0;
		sched_yield();
	}
	promised = deferral;
	snprintf(promised_to, sizeof(promised_to), "%.*s", (int)query.size,
	    query.data != NULL ? query.data : "");
	atomic_store(&state, 2);
}

static bool
take_promise(struct spate_deferral *deferral, char to[sizeof(promised_to)])
{
	if (atomic_load(&state) != 2)
		return false;
	*deferral = promised;
	memcpy(to, promised_to, sizeof(promised_to));
	atomic_store(&state, 0);
	return true;
}

static int
deferring(struct spate_req *req, void *arg)
{
	struct spate_deferral deferral = spate_defer(req);
	int error;

	EXPECT(deferral.number != 0);
	EXPECT_EQ(spate_defer(req).number, 0);
	put_promise(req, deferral);
	error = spate_wait(req, *(uint32_t *)arg);
	atomic_store(&waited, error == 0 ? 1 : error);
	if (error == -ETIMEDOUT)
		return spate_text(req, 504, "late\n");
	return error;
}

static uint32_t for_ever = 0, shortly = 20;

static void
reset_all(void)
{
	atomic_store(&state, 0);
	atomic_store(&waited, 0);
	for (int i = 0; i < 3; i++)
		atomic_store(&results[i], 0);
}

static struct spate_deferral
next_promise(void)
{
	struct spate_deferral deferral;
	char to[sizeof(promised_to)];

	while (!take_promise(&deferral, to))
		sched_yield();
	return deferral;
}

/*
 * Start a server whose handler waits for so long, and ask it.
 *
 * => Returns the client's socket, when *deferral has been promised.
 */
static int
ask_deferring(struct spate_server *server, uint32_t *ms, const char *request,
    struct spate_deferral *deferral)
{
	int fd;

	reset_all();
	spate_route(server, "GET", "/", deferring, ms);
	ask_start(server);
	fd = ask_connect(server);
	ask_send(fd, request, strlen(request));
	*deferral = next_promise();
	return fd;
}

TEST(another_thread_answers_once)
{
	struct spate_server *server = ask_new(NULL);
	struct spate_deferral deferral;
	int fd = ask_deferring(server, &for_ever, ASK("GET", "/"), &deferral);

	EXPECT_EQ(spate_answer(server, deferral, 99, NULL, "", 0), -EINVAL);
	EXPECT_EQ(
	    spate_answer(server, deferral, 200, "a\r\nb", "", 0), -EINVAL);
	EXPECT_EQ(
	    spate_answer(server, deferral, 201, "text/plain", "done\n", 5), 0);
	EXPECT_EQ(
	    spate_answer(server, deferral, 201, "text/plain", "again\n", 6),
	    -ESTALE);
	ask_read(fd, NULL);
	EXPECT_EQ(ask_status(), 201);
	EXPECT(ask_says("Content-Type: text/plain\r\n"));
	EXPECT(strcmp(ask_body(), "done\n") == 0);
	close(fd);
	deferral.number = 0;
	EXPECT_EQ(spate_answer(server, deferral, 200, NULL, "", 0), -ESTALE);
	ask_stop(server);
}

/* A late answer must not meet the next request of the same connection. */
TEST(a_late_answer_is_stale)
{
	const char *first = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	const char *second = ASK("GET", "/");
	struct spate_server *server = ask_new(NULL);
	struct spate_deferral late, next;
	int fd = ask_deferring(server, &shortly, first, &late);

	ask_read(fd, "late\n");
	EXPECT_EQ(ask_status(), 504);
	ask_send(fd, second, strlen(second));
	next = next_promise();
	EXPECT_EQ(spate_answer(server, late, 200, NULL, "x", 1), -ESTALE);
	if (spate_answer(server, next, 200, NULL, "second\n", 7) == 0) {
		ask_read(fd, NULL);
		EXPECT(ask_says("second\n"));
	}
	close(fd);
	ask_stop(server);
}

TEST(a_client_that_resets_ends_the_wait)
{
	const struct linger now = { .l_onoff = 1 };
	struct spate_server *server = ask_new(NULL);
	struct spate_deferral deferral;
	int fd = ask_deferring(server, &for_ever, ASK("GET", "/"), &deferral);

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	while (atomic_load(&waited) == 0)
		sched_yield();
	EXPECT_EQ(atomic_load(&waited), -ECANCELED);
	EXPECT_EQ(spate_answer(server, deferral, 200, NULL, "x", 1), -ESTALE);
	ask_stop(server);
}

static int
forgetting(struct spate_req *req, void *arg)
{
	char byte;

	(void)arg;
	put_promise(req, spate_defer(req));
	if (spate_body_size(req) != 0)
		EXPECT_EQ(spate_body_read(req, &byte, 1), -EBUSY);
	return 0;
}

static int
no_promise(struct spate_req *req, void *arg)
{
	(void)arg;
	EXPECT_EQ(spate_wait(req, 1), -EINVAL);
	return spate_text(req, 200, "ok\n");
}

TEST(a_handler_that_forgets_to_wait_gets_500)
{
	struct spate_server *server = ask_new(NULL);

	reset_all();
	spate_route(server, "*", "/", forgetting, NULL);
	spate_route(server, "GET", "/none", no_promise, NULL);
	ask_start(server);
	ask(server, ASK("GET", "/"));
	EXPECT_EQ(ask_status(), 500);
	EXPECT_EQ(
	    spate_answer(server, next_promise(), 200, NULL, "x", 1), -ESTALE);
	ask(server, ASK("GET", "/none"));
	EXPECT(ask_says("ok\n"));
	ask_stop(server);
}

static int
impatient(struct spate_req *req, void *arg)
{
	(void)arg;
	put_promise(req, spate_defer(req));
	EXPECT_EQ(spate_add_header(req, "X-By", "itself"), 0);
	return spate_text(req, 200, "mine\n");
}

TEST(a_handler_may_answer_what_it_has_promised)
{
	struct spate_server *server = ask_new(NULL);

	reset_all();
	spate_route(server, "GET", "/", impatient, NULL);
	ask_start(server);
	ask(server, ASK("GET", "/"));
	EXPECT(ask_says("X-By: itself\r\n"));
	EXPECT(ask_says("mine\n"));
	EXPECT_EQ(
	    spate_answer(server, next_promise(), 200, NULL, "x", 1), -ESTALE);
	ask_stop(server);
}

/* ----------------------------------------------------------------- stress */

struct answerer {
	struct spate_server *server;
	uint64_t seed;
	atomic_bool stop;
};

/*
 * Goal: an answer goes to the request that it was promised to, or is stale,
 * whatever the client and the clock do meanwhile.
 * Method: one thread answers with the query of the request, and at once a
 * second time; waits are so short that many end by themselves; clients read
 * the answer and go on with the next request, or reset before it. Who reads
 * checks that the query is that of its own request.
 */
static void *
answer_all(void *arg)
{
	struct answerer *answerer = arg;
	struct spate_deferral deferral;
	char to[sizeof(promised_to)];

	while (!atomic_load(&answerer->stop)) {
		int first, second;

		if (!take_promise(&deferral, to)) {
			sched_yield();
			continue;
		}
		if (test_random(&answerer->seed) % 4 == 0)
			usleep(1000);
		first = spate_answer(
		    answerer->server, deferral, 200, NULL, to, strlen(to));
		second = spate_answer(
		    answerer->server, deferral, 200, NULL, "twice\n", 6);
		EXPECT_EQ(second, -ESTALE);
		atomic_fetch_add(&results[first == 0         ? 0
					  : first == -ESTALE ? 1
							     : 2],
		    1);
	}
	return NULL;
}

static int
racing(struct spate_req *req, void *arg)
{
	int error;

	(void)arg;
	put_promise(req, spate_defer(req));
	error = spate_wait(req, 1);
	if (error == -ETIMEDOUT)
		return spate_text(req, 504, "late|");
	return error;
}

/* => Returns false: the client has had enough, and resets. */
static bool
race(int fd, unsigned number, bool stays)
{
	char request[64], own[sizeof(promised_to)];

	snprintf(own, sizeof(own), "n=%u|", number);
	snprintf(request, sizeof(request),
	    "GET /?%s HTTP/1.1\r\nHost: a\r\n\r\n", own);
	ask_send(fd, request, strlen(request));
	if (!stays)
		return false;
	ask_read(fd, "|");
	EXPECT(ask_status() == 504 ? strcmp(ask_body(), "late|") == 0
				   : strcmp(ask_body(), own) == 0);
	return true;
}

TEST(answers_race_with_clients_and_clocks)
{
	const struct linger now = { .l_onoff = 1 };
	struct spate_options options = spate_options_default();
	uint64_t seed = test_seed();
	struct answerer answerer = { .seed = seed };
	unsigned rounds = test_rounds(300), number = 0;
	pthread_t thread;

	reset_all();
	options.shards = 2;
	answerer.server = ask_new(&options);
	spate_route(answerer.server, "GET", "/", racing, NULL);
	ask_start(answerer.server);
	EXPECT_EQ(pthread_create(&thread, NULL, answer_all, &answerer), 0);
	for (unsigned i = 0; i < rounds; i++) {
		int fd = ask_connect(answerer.server);

		while (race(fd, number++, test_random(&seed) % 4 != 0))
			;
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(fd);
	}
	EXPECT_EQ(spate_server_stop(answerer.server), 0);
	atomic_store(&answerer.stop, true);
	pthread_join(thread, NULL);
	spate_server_free(answerer.server);
	EXPECT(atomic_load(&results[0]) > 0);
	EXPECT_EQ(atomic_load(&results[2]), 0);
}
