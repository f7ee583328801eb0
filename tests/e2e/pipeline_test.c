/* SPDX-License-Identifier: BSD-2-Clause */

/* T13: pipelines whose requests take long, each in its own way. */

#include "tests/e2e/handlers.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_FLIGHT 16
#define CLIENTS 8

/* ---------------------------------------------------------------- the limit */

static void
say_hello_times(struct client *client, int count)
{
	char all[64 * 64];
	size_t size = 0;

	for (int i = 0; i < count; i++)
		size += (size_t)snprintf(
		    all + size, sizeof(all) - size, GET("/size/%d"), i);
	EXPECT(client_send(client, all, size));
}

static void
expect_sizes(struct client *client, int count)
{
	for (int i = 0; i < count; i++) {
		struct response answer;

		EXPECT_EQ(client_read(client, &answer), 0);
		EXPECT_EQ(answer.size, i);
		response_free(&answer);
	}
}

TEST(sixteen_requests_are_one_turn)
{
	struct site site;
	struct client client = { .fd = -1 };

	if (handlers_start(&site) && client_open(&client, site.port)) {
		say_hello_times(&client, IN_FLIGHT);
		expect_sizes(&client, IN_FLIGHT);
		EXPECT_EQ(SITE_COUNT(&site, limited_pipeline), 0);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(more_than_may_be_in_flight_wait_for_their_turn)
{
	struct site site;
	struct client client = { .fd = -1 };

	site_new(&site);
	site.options.max_pipelined = 4;
	handlers_make(&site);
	if (site_start(&site) && client_open(&client, site.port)) {
		say_hello_times(&client, 10);
		expect_sizes(&client, 10);
		/* After the fourth and after the eighth. */
		EXPECT_EQ(SITE_COUNT(&site, limited_pipeline), 2);
		EXPECT_EQ(SITE_COUNT(&site, requests), 10);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

static atomic_bool holds, may_go;

static int
holding(struct spate_req *req, void *arg)
{
	(void)arg;
	atomic_store(&holds, true);
	while (!atomic_load(&may_go))
		usleep(1000);
	return spate_text(req, 200, "held");
}

/* => Returns how much went into the kernel's queues. */
static size_t
fill_queues(struct client *client, const char *text, size_t size)
{
	size_t sent = 0;
	ssize_t n;

	do {
		n = send(client->fd, text + sent, size - sent,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
	} while (n > 0 && sent < size);
	return sent;
}

/*
 * Goal: who always has more, and may have as many in flight as he likes, lets
 * others have their turn.
 * Method: the only worker is kept from reading until the kernel holds more than
 * a turn's worth of requests; of a Unix socket, which has them where they are
 * read, while TCP may have a part still under way.
 */
TEST(a_turn_ends_after_so_many_bytes)
{
	enum { SIZE = 8192, COUNT = 128, ALL = SIZE * COUNT };
	static char all[ALL];
	static const char head[] = "GET /size/1 HTTP/1.1\r\nHost: a\r\nX: ";
	struct site site;
	struct client firehose = { .fd = -1 }, other = { .fd = -1 };
	char path[] = "/tmp/spate-test-XXXXXX", name[64], address[80];
	struct response answer;
	int room = ALL;
	size_t sent;

	EXPECT(mkdtemp(path) != NULL);
	snprintf(name, sizeof(name), "%s/socket", path);
	snprintf(address, sizeof(address), "unix:%s", name);
	memset(all, 'x', ALL);
	for (int i = 0; i < COUNT; i++) {
		memcpy(all + i * SIZE, head, strlen(head));
		memcpy(all + (i + 1) * SIZE - 4, "\r\n\r\n", 4);
	}
	site_new(&site);
	site.options.shards = 1;
	site.options.spares = 0;
	site.options.max_pipelined = 100000;
	handlers_make(&site);
	spate_route(site.server, "GET", "/hold", holding, NULL);
	EXPECT_EQ(spate_listen(site.server, "127.0.0.1:0"), 0);
	EXPECT_EQ(spate_listen(site.server, address), 0);
	atomic_store(&holds, false);
	atomic_store(&may_go, false);
	if (site_start(&site) && client_open_unix(&firehose, name)
	    && client_open(&other, site.port)) {
		client_say(&other, GET("/hold"));
		AWAIT(atomic_load(&holds));
		setsockopt(firehose.fd, SOL_SOCKET, SO_SNDBUF, &room,
		    sizeof(room));
		sent = fill_queues(&firehose, all, ALL);
		EXPECT(sent > 300000);
		atomic_store(&may_go, true);
		EXPECT(client_send(&firehose, all + sent, ALL - sent));
		for (int i = 0; i < COUNT; i++) {
			EXPECT_EQ(client_read(&firehose, &answer), 0);
			response_free(&answer);
		}
		EXPECT(SITE_COUNT(&site, yields) != 0);
		EXPECT_EQ(SITE_COUNT(&site, limited_pipeline), 0);
	}
	client_close(&firehose);
	client_close(&other);
	EXPECT_EQ(site_stop(&site), 0);
	EXPECT_EQ(rmdir(path), 0);
}

/* ------------------------------------------------------------ all at a time */

/* What was promised and is not answered yet, of all connections. */
static struct {
	pthread_mutex_t lock;
	struct {
		struct spate_deferral deferral;
		size_t size;
	} entries[CLIENTS];
	int count, most;
	bool stop;
} waiting = { .lock = PTHREAD_MUTEX_INITIALIZER };

static size_t
size_of(struct spate_req *req)
{
	uint64_t n = 0;

	EXPECT_EQ(spate_param_u64(req, "n", &n), 0);
	return (size_t)n;
}

/* Another thread answers, when it likes. */
static int
later(struct spate_req *req, void *arg)
{
	struct spate_deferral deferral = spate_defer(req);

	(void)arg;
	EXPECT(deferral.number != 0);
	pthread_mutex_lock(&waiting.lock);
	EXPECT(waiting.count < CLIENTS);
	waiting.entries[waiting.count].deferral = deferral;
	waiting.entries[waiting.count++].size = size_of(req);
	if (waiting.count > waiting.most)
		waiting.most = waiting.count;
	pthread_mutex_unlock(&waiting.lock);
	return spate_wait(req, 0);
}

static int
after_a_while(struct spate_req *req, void *arg)
{
	size_t size = size_of(req);
	static const char text[4096];
	int error = spate_sleep((uint32_t)(size % 4));

	(void)arg;
	if (error == 0)
		error = spate_begin(req, 200, NULL, -1);
	for (; error == 0 && size > sizeof(text); size -= sizeof(text))
		error = spate_write(req, text, sizeof(text));
	return error != 0 ? error : spate_write(req, text, size);
}

/*
 * Answers one of those that wait, whichever, but mostly only when there are
 * several to choose from.
 */
static bool
answer_any(struct spate_server *server, uint64_t *seed)
{
	static const char text[100 * 1000];
	struct spate_deferral deferral = { 0, 0 };
	size_t size = 0;
	bool stop;

	pthread_mutex_lock(&waiting.lock);
	stop = waiting.stop;
	if (waiting.count > 2
	    || (waiting.count > 0 && test_random(seed) % 64 == 0)) {
		int i = (int)(test_random(seed) % (unsigned)waiting.count);

		deferral = waiting.entries[i].deferral;
		size = waiting.entries[i].size;
		waiting.entries[i] = waiting.entries[--waiting.count];
	}
	pthread_mutex_unlock(&waiting.lock);
	if (deferral.number != 0)
		EXPECT_EQ(
		    spate_answer(server, deferral, 200, NULL, text, size), 0);
	return !stop;
}

static void *
answer_all(void *arg)
{
	uint64_t seed = test_seed();
	unsigned looks = 0;

	while (answer_any(arg, &seed))
		site_look(&looks);
	return NULL;
}

/* The i-th request of a client: its kind, and how large its answer is. */
static size_t
size_wanted(int client, int i)
{
	static const size_t sizes[] = { 0, 1, 100, 4095, 20000, 99999 };

	return sizes[(i * 5 + client) % 6];
}

static size_t
put_request(char *at, size_t room, int client, int i)
{
	static const char *const kinds[] = { "later", "sleep", "size" };

	return (size_t)snprintf(at, room,
	    "GET /%s/%zu HTTP/1.1\r\nHost: a\r\n\r\n", kinds[(client + i) % 3],
	    size_wanted(client, i));
}

/*
 * Goal: answers leave in the order of the requests, whole, however long each
 * of them takes and whatever happens on other connections.
 * Method: sixteen requests at once on each of eight connections: some are
 * answered by another thread, in no order; some sleep and stream; some are
 * answered on the spot. No answer has the size of its neighbours.
 */
static void
ask_all(struct site *site)
{
	struct client clients[CLIENTS];
	char all[IN_FLIGHT * 64];
	int opened = 0;

	while (opened < CLIENTS && client_open(&clients[opened], site->port)) {
		size_t size = 0;

		for (int i = 0; i < IN_FLIGHT; i++)
			size += put_request(
			    all + size, sizeof(all) - size, opened, i);
		client_send(&clients[opened++], all, size);
	}
	EXPECT_EQ(opened, CLIENTS);
	for (int i = 0; i < IN_FLIGHT; i++) {
		for (int c = 0; c < opened; c++) {
			struct response answer;

			EXPECT_EQ(client_read(&clients[c], &answer), 0);
			EXPECT_EQ(answer.status, 200);
			EXPECT_EQ(answer.size, size_wanted(c, i));
			response_free(&answer);
		}
	}
	while (opened > 0)
		client_close(&clients[--opened]);
}

TEST(sixteen_in_flight_of_every_kind_are_answered_in_order)
{
	struct site site;
	pthread_t thread;

	site_new(&site);
	handlers_make(&site);
	spate_route(site.server, "GET", "/later/:n", later, NULL);
	spate_route(site.server, "GET", "/sleep/:n", after_a_while, NULL);
	if (site_start(&site)
	    && pthread_create(&thread, NULL, answer_all, site.server) == 0) {
		for (unsigned i = 0; i < test_rounds(5); i++)
			ask_all(&site);
		pthread_mutex_lock(&waiting.lock);
		waiting.stop = true;
		EXPECT_EQ(waiting.count, 0);
		EXPECT(waiting.most > 1);
		pthread_mutex_unlock(&waiting.lock);
		pthread_join(thread, NULL);
	}
	EXPECT_EQ(site_stop(&site), 0);
}
