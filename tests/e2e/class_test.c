/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Classes of routes: heavy handlers, limits, deadlines; and handlers that
 * keep their worker though they have none.
 */

#include "framework/view.h"
#include "tests/e2e/handlers.h"

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONG_MS 600000
#define LATE_MS 20
#define MANY 100

static struct site site;
static struct handlers_seen seen;
static _Atomic int gate, around;

static int
tells_thread(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_text(req, 200, "%d", sp_worker_self()->heavy);
}

static int
reads(struct spate_req *req, void *arg)
{
	struct spate_str body;
	int error = spate_body(req, &body);

	(void)arg;
	seen.last_error = error;
	if (error != 0)
		return error;
	return spate_respond(req, 200, NULL, body.data, body.size);
}

static int
keeps_its_worker(struct spate_req *req, void *arg)
{
	(void)arg;
	AWAIT(site_logged(&site, "the handler of /stall has kept"));
	return spate_text(req, 200, "stalled");
}

static int
waits_at_the_gate(struct spate_req *req, void *arg)
{
	(void)arg;
	seen.begun++;
	AWAIT(gate != 0);
	seen.ended++;
	return spate_text(req, 200, "gone through");
}

static bool
wants_heavy(struct spate_req *req, void *arg)
{
	struct spate_str way = spate_param(req, "way");

	EXPECT(arg == &site);
	return way.size == 5 && memcmp(way.data, "heavy", 5) == 0;
}

static int
counts(struct spate_req *req, void *arg)
{
	(void)req;
	(void)arg;
	around++;
	return 0;
}

static void
counts_after(struct spate_req *req, int status, void *arg)
{
	(void)req;
	(void)arg;
	EXPECT_EQ(status, 200);
	around += 100;
}

/* ------------------------------------------------- waits with a deadline */

static void
stands_at_the_gate(void *arg)
{
	(void)arg;
	seen.begun++;
	AWAIT(gate != 0);
}

/* Keeps the one thread of the pool. */
static int
holds(struct spate_req *req, void *arg)
{
	int error = spate_offload(stands_at_the_gate, NULL, 0);

	(void)arg;
	return error != 0 ? error : spate_text(req, 200, "held");
}

/* A server that never answers; the kernel accepts for it. */
static int
ask_a_mute(struct spate_req *req)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct spate_upstream *up;
	struct spate_call call;
	char url[64];
	int status;

	(void)req;
	EXPECT_EQ(bind(fd, (struct sockaddr *)&address, size), 0);
	EXPECT_EQ(listen(fd, 1), 0);
	getsockname(fd, (struct sockaddr *)&address, &size);
	snprintf(
	    url, sizeof(url), "http://127.0.0.1:%u/", ntohs(address.sin_port));
	call = spate_call_default("GET", url);
	status = spate_fetch(&call, &up);
	spate_upstream_close(up);
	close(fd);
	return status;
}

static int
watch_a_pipe(void)
{
	struct spate_fd *fd;
	int ends[2], error;

	EXPECT_EQ(pipe(ends), 0);
	EXPECT_EQ(spate_fd_open(&fd, ends[0], SPATE_FD_LEVEL), 0);
	error = spate_fd_wait(fd, SPATE_FD_READ, 0);
	spate_fd_close(fd);
	close(ends[0]);
	close(ends[1]);
	return error;
}

static void
nothing(void *arg)
{
	(void)arg;
}

/* Each wait there is, without a limit of its own. */
static int
waits(struct spate_req *req, void *arg)
{
	struct spate_str what = spate_param(req, "what");
	int error = 0;

	(void)arg;
	switch (what.data[0]) {
	case 'o':
		error = spate_offload(nothing, NULL, 0);
		break;
	case 'u':
		error = ask_a_mute(req);
		break;
	case 'f':
		error = watch_a_pipe();
		break;
	case 'd':
		spate_defer(req);
		error = spate_wait(req, 0);
		break;
	case 'e':
		error = spate_events_begin(req);
		while (error == 0)
			error = spate_events_wait(req, LONG_MS);
		break;
	default:
		break;
	}
	seen.last_error = error;
	return error;
}

/* ----------------------------------------------------------------- tests */

static bool
start(uint32_t stall_ms)
{
	struct spate_group *group;
	static const char *const late[] = { "/late", "/late/:what" };

	seen = (struct handlers_seen) { 0 };
	gate = around = 0;
	site_new(&site);
	site.options.stall_ms = stall_ms;
	site.options.drain_timeout_ms = 50;
	site.options.offload_threads = 1;
	site_make(&site);
	group = spate_group(site.server, NULL, "/around");
	spate_group_use(group, counts, counts_after, NULL);
	spate_group_route(group, "GET", "/:way", tells_thread, &site);
	EXPECT_EQ(
	    spate_route_heavy(site.server, "GET", "/around/:way", wants_heavy),
	    0);
	spate_route(site.server, "GET", "/", tells_thread, NULL);
	spate_route(site.server, "GET", "/heavy", tells_thread, NULL);
	spate_route(site.server, "POST", "/heavy", reads, NULL);
	spate_route(site.server, "GET", "/heavy/gate", waits_at_the_gate, NULL);
	spate_route(site.server, "GET", "/heavy/sleep", handlers_sleep, &seen);
	spate_route_heavy(site.server, "GET", "/heavy", NULL);
	spate_route_heavy(site.server, "POST", "/heavy", NULL);
	spate_route_heavy(site.server, "GET", "/heavy/gate", NULL);
	spate_route_heavy(site.server, "GET", "/heavy/sleep", NULL);
	spate_route(site.server, "GET", "/late", handlers_sleep, &seen);
	spate_route(site.server, "POST", "/late", reads, NULL);
	spate_route(site.server, "GET", "/late/:what", waits, NULL);
	spate_route_deadline(site.server, "POST", "/late", LATE_MS);
	for (int i = 0; i < 2; i++)
		spate_route_deadline(site.server, "GET", late[i], LATE_MS);
	spate_route(site.server, "GET", "/hold", holds, NULL);
	spate_route(site.server, "GET", "/few", handlers_sleep, &seen);
	spate_route_limit(site.server, "GET", "/few", 2);
	spate_route(site.server, "GET", "/stall", keeps_its_worker, NULL);
	return site_start(&site);
}

TEST(a_class_is_for_a_route_that_there_is)
{
	site_new(&site);
	site_make(&site);
	spate_route(site.server, "GET", "/", handlers_sleep, &seen);
	EXPECT_EQ(spate_route_limit(site.server, "GET", "/", 1), 0);
	EXPECT_EQ(spate_route_limit(site.server, "POST", "/", 1), -ENOENT);
	EXPECT_EQ(spate_server_start(site.server), -ENOENT);
	spate_server_free(site.server);
}

TEST(a_deadline_is_at_most_a_day)
{
	site_new(&site);
	site_make(&site);
	spate_route(site.server, "GET", "/", handlers_sleep, &seen);
	EXPECT_EQ(
	    spate_route_deadline(site.server, "GET", "/", 86400001), -EINVAL);
	spate_server_free(site.server);
}

TEST(heavy_handlers_have_a_thread_of_their_own)
{
	struct client client = { .fd = -1 };
	struct response answer;

	if (start(20) && client_open(&client, site.port)) {
		for (int i = 0; i < 50; i++) {
			client_expect(&client, GET("/"), 200, "0");
			client_expect(&client, GET("/heavy"), 200, "1");
			client_expect(&client,
			    "POST /heavy HTTP/1.1\r\nHost: a\r\n"
			    "Content-Length: 4\r\n\r\nbody",
			    200, "body");
		}
		client_say(&client, GET("/heavy") GET("/") GET("/heavy"));
		for (int i = 0; i < 3; i++) {
			EXPECT_EQ(client_read(&client, &answer), 0);
			EXPECT_EQ(answer.status, 200);
			response_free(&answer);
		}
		EXPECT_EQ(SITE_COUNT(&site, requests), 153);
		/* What follows a heavy request may run with it. */
		EXPECT(SITE_COUNT(&site, handed_heavy) >= 101);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

/* What a route has, once it has recorded so many requests. */
static struct sp_route_sum
recorded(const char *pattern, uint64_t count)
{
	const struct spate_server *server = site.server;
	struct sp_route_sum sum = { 0 };
	uint32_t number = 0;

	while (strcmp(server->patterns[number].text, pattern) != 0)
		number++;
	while (sum.latency.count < count) {
		sched_yield();
		sp_view_route(&sum, server->engine, number);
	}
	return sum;
}

TEST(a_heavy_request_is_ready_when_it_is_handed_over)
{
	struct client client = { .fd = -1 };
	uint64_t start_cycles = sp_cycles(), queue;

	if (start(20) && client_open(&client, site.port)) {
		client_expect(&client, GET("/heavy"), 200, "1");
		queue = recorded("/heavy", 1).phase[SP_PHASE_QUEUE];
		EXPECT(queue > 0 && queue < sp_cycles() - start_cycles);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_request_may_be_heavy_or_not_and_middleware_runs_once)
{
	struct client client = { .fd = -1 };

	if (start(20) && client_open(&client, site.port)) {
		client_expect(&client, GET("/around/light"), 200, "0");
		EXPECT_EQ(around, 101);
		client_expect(&client, GET("/around/heavy"), 200, "1");
		EXPECT_EQ(around, 202);
		EXPECT_EQ(SITE_COUNT(&site, requests), 2);
		EXPECT_EQ(SITE_COUNT(&site, handed_heavy), 1);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(light_requests_do_not_wait_for_a_heavy_one)
{
	struct client heavy = { .fd = -1 }, light = { .fd = -1 };
	struct response answer = { 0 };

	if (start(20) && client_open(&heavy, site.port)) {
		client_say(&heavy, GET("/heavy/gate"));
		AWAIT(seen.begun == 1);
		for (int i = 0; i < 20; i++) {
			if (client_open(&light, site.port))
				client_expect(&light, GET("/"), 200, "0");
			client_close(&light);
		}
		EXPECT_EQ(seen.ended, 0);
		gate = 1;
		EXPECT_EQ(client_read(&heavy, &answer), 0);
		EXPECT(response_is(&answer, "gone through"));
		response_free(&answer);
		EXPECT(!site_logged(&site, "the handler of /heavy/gate"));
	}
	client_close(&heavy);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(clients_leave_while_they_wait_for_the_heavy_worker)
{
	static struct client clients[MANY];
	int opened = 0;

	if (start(20)) {
		for (; opened < MANY; opened++) {
			if (!client_open(&clients[opened], site.port))
				break;
			client_say(&clients[opened], GET("/heavy/gate"));
		}
		AWAIT(SITE_COUNT(&site, handed_heavy) == (uint64_t)opened);
		for (int i = 0; i < opened; i += 2)
			client_reset(&clients[i]);
		gate = 1;
		for (int i = 1; i < opened; i += 2) {
			struct response answer = { 0 };

			EXPECT_EQ(client_read(&clients[i], &answer), 0);
			EXPECT(response_is(&answer, "gone through"));
			response_free(&answer);
			client_close(&clients[i]);
		}
		EXPECT(site_left(&site));
	}
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_heavy_handler_may_wait_and_a_stop_ends_that)
{
	struct client client[2] = { { .fd = -1 }, { .fd = -1 } };

	if (start(20) && client_open(&client[0], site.port)
	    && client_open(&client[1], site.port)) {
		client_say(&client[0], GET("/heavy/sleep"));
		AWAIT(seen.begun == 1);
		client_expect(
		    &client[1], GET("/heavy/sleep?ms=5"), 200, "slept");
		client_expect(&client[1], GET("/heavy"), 200, "1");
	}
	EXPECT_EQ(site_stop(&site), -ETIMEDOUT);
	EXPECT_EQ(seen.ended, 2);
	EXPECT_EQ(seen.last_error, -ECANCELED);
	for (int i = 0; i < 2; i++)
		client_close(&client[i]);
}

TEST(waits_end_at_the_deadline_of_their_route)
{
	struct client client = { .fd = -1 };

	if (start(20) && client_open(&client, site.port)) {
		client_expect(&client, GET("/late?ms=0"), 200, "slept");
		client_expect(&client, GET("/late"), 503, NULL);
		EXPECT_EQ(seen.last_error, -ETIMEDOUT);
	}
	client_close(&client);
	if (client_open(&client, site.port)) {
		client_expect(&client,
		    "POST /late HTTP/1.1\r\nHost: a\r\n"
		    "Content-Length: 9\r\n\r\nbody",
		    503, NULL);
		EXPECT_EQ(seen.last_error, -ETIMEDOUT);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_route), 2);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(each_kind_of_wait_ends_at_the_deadline)
{
	static const char *const requests[] = {
		GET("/late/upstream"),
		GET("/late/fd"),
		GET("/late/deferred"),
		GET("/late/offload"),
	};
	struct client client = { .fd = -1 }, holder = { .fd = -1 };
	struct response answer = { 0 };

	if (start(0) && client_open(&holder, site.port)) {
		client_say(&holder, GET("/hold"));
		AWAIT(seen.begun == 1);
		for (int i = 0; i < 4; i++) {
			seen.last_error = 0;
			if (client_open(&client, site.port))
				client_expect(&client, requests[i], 503, NULL);
			EXPECT_EQ(seen.last_error, -ETIMEDOUT);
			client_close(&client);
		}
		if (client_open(&client, site.port)) {
			seen.last_error = 0;
			client_say(&client, GET("/late/events"));
			EXPECT_EQ(client_read_head(&client, &answer), 0);
			AWAIT(seen.last_error == -ETIMEDOUT);
			response_free(&answer);
		}
		client_close(&client);
		EXPECT_EQ(SITE_COUNT(&site, timeouts_route), 5);
		gate = 1;
		EXPECT_EQ(client_read(&holder, &answer), 0);
		EXPECT(response_is(&answer, "held"));
		response_free(&answer);
	}
	client_close(&holder);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(more_than_may_be_in_flight_are_refused)
{
	struct client client[3] = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 } };

	if (start(20) && client_open(&client[0], site.port)
	    && client_open(&client[1], site.port)
	    && client_open(&client[2], site.port)) {
		client_say(&client[0], GET("/few"));
		client_say(&client[1], GET("/few"));
		AWAIT(seen.begun == 2);
		client_expect(&client[2], GET("/few"), 503, NULL);
		EXPECT_EQ(SITE_COUNT(&site, refused_busy), 1);
		EXPECT_EQ(SITE_COUNT(&site, refused_in_flight), 1);
		client_close(&client[0]);
		AWAIT(seen.ended == 1);
		AWAIT(site_connections(&site) == 2);
		client_expect(&client[2], GET("/few?ms=1"), 200, "slept");
	}
	for (int i = 0; i < 3; i++)
		client_close(&client[i]);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_handler_that_keeps_its_worker_is_named)
{
	struct client client = { .fd = -1 };

	if (start(20) && client_open(&client, site.port)) {
		client_expect(&client, GET("/stall"), 200, "stalled");
		EXPECT_EQ(sp_load(&site.server->engine->stalls, relaxed), 1);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}
