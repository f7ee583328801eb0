/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Connections that are served far from where their packets arrive, and move
 * there once another has left room: all of one client, then all of another,
 * each on a CPU of its own.
 */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

#include <sched.h>
#include <stdio.h>

#define CLIENTS 32
#define ROUNDS 64

static struct site site;
static struct client clients[CLIENTS];
static spate_handle handles[CLIENTS];

/*
 * Go to the number-th CPU that we may use.
 *
 * => Returns false if there is none, or if the kernel does not let us.
 */
static bool
go_to_cpu(const cpu_set_t *all, int number)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, all) || number-- != 0)
			continue;
		CPU_SET(cpu, &one);
		return sched_setaffinity(0, sizeof(one), &one) == 0;
	}
	return false;
}

static int
answer(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_text(req, 200, "here");
}

/* The handle of each, by the number that it asks with. */
static int
keep_handle(struct spate_req *req, void *arg)
{
	uint64_t i = 0;

	(void)arg;
	SP_CHECK(spate_param_u64(req, "number", &i) == 0 && i < CLIENTS);
	handles[i] = spate_req_handle(req);
	return spate_text(req, 200, "here");
}

static void
ask_all(const char *path)
{
	char request[128];

	for (int i = 0; i < CLIENTS; i++) {
		struct response got;

		snprintf(request, sizeof(request),
		    "GET %s%d HTTP/1.1\r\nHost: a\r\n\r\n", path, i);
		EXPECT_EQ(client_ask(&clients[i], request, &got), 0);
		EXPECT(response_is(&got, "here"));
		response_free(&got);
	}
}

/* => Returns false: this machine has one CPU, and nothing is near or far. */
static bool
arrive_in_turn(cpu_set_t *all)
{
	bool two = sched_getaffinity(0, sizeof(*all), all) == 0
	    && CPU_COUNT(all) > 1;

	site_new(&site);
	site_make(&site);
	spate_route(site.server, "GET", "/hello/:number", answer, NULL);
	spate_route(site.server, "GET", "/keep/:number", keep_handle, NULL);
	if (!site_start(&site))
		return false;
	for (int i = 0; two && i < CLIENTS; i++) {
		two = go_to_cpu(all, i >= CLIENTS / 2);
		EXPECT(client_open(&clients[i], site.port));
		AWAIT(site_connections(&site) == i + 1);
	}
	return two;
}

static void
leave(const cpu_set_t *all)
{
	for (int i = 0; i < CLIENTS; i++)
		client_close(&clients[i]);
	EXPECT(site_left(&site));
	site_stop(&site);
	sched_setaffinity(0, sizeof(*all), all);
}

TEST(those_that_are_away_move_when_there_is_room)
{
	cpu_set_t all;
	uint64_t away;

	for (int i = 0; i < CLIENTS; i++)
		clients[i].fd = -1;
	if (arrive_in_turn(&all)) {
		for (int i = 0; i < ROUNDS; i++)
			ask_all("/hello/");
		/* By now: one counts as here before its shard has it. */
		away = SITE_COUNT(&site, placed_away);
		printf("%u of %d were away\n", (unsigned)away, CLIENTS);
		EXPECT(away > 0);
		EXPECT(SITE_REACHES(&site, moved, away / 2));
		EXPECT(SITE_COUNT(&site, moved) <= away);
		EXPECT_EQ(SITE_COUNT(&site, accepted), CLIENTS);
		EXPECT_EQ(SITE_COUNT(&site, closed), 0);
		EXPECT_EQ(site_connections(&site), CLIENTS);
	}
	leave(&all);
}

TEST(whose_handle_is_known_stays)
{
	cpu_set_t all;

	for (int i = 0; i < CLIENTS; i++)
		clients[i].fd = -1;
	if (arrive_in_turn(&all)) {
		for (int i = 0; i < 4; i++)
			ask_all("/keep/");
		EXPECT_EQ(SITE_COUNT(&site, moved), 0);
		for (int i = 0; i < CLIENTS; i++)
			EXPECT_EQ(spate_close(site.server, handles[i]), 0);
		for (int i = 0; i < CLIENTS; i++)
			EXPECT(client_at_end(&clients[i]));
	}
	leave(&all);
}
