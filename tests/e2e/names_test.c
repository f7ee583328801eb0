/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Names in the URLs of other servers. What getaddrinfo() says is made up
 * here, so nothing is asked of the system's servers:
 *
 *     good.test     127.0.0.1
 *     second.test   ::1, where nobody listens, and then 127.0.0.1
 *     dead.test     ::1
 *     none.test     there is no such name
 *     dumb.test     nobody could say
 *     slow.test     127.0.0.1, once the gate is open
 */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct site site;
static char url[512];
static _Atomic int asked, gate, last_status;

/* ------------------------------------------------------------ the system */

struct answer {
	struct addrinfo info;
	struct sockaddr_storage address;
};

static struct addrinfo *
one(int family, struct addrinfo *next)
{
	struct answer *answer = calloc(1, sizeof(*answer));
	struct sockaddr_in *in = (struct sockaddr_in *)&answer->address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&answer->address;

	answer->info.ai_family = family;
	answer->info.ai_addr = (struct sockaddr *)&answer->address;
	answer->info.ai_next = next;
	answer->address.ss_family = (sa_family_t)family;
	if (family == AF_INET6) {
		in6->sin6_addr = in6addr_loopback;
		answer->info.ai_addrlen = sizeof(*in6);
	} else {
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		answer->info.ai_addrlen = sizeof(*in);
	}
	return &answer->info;
}

int __wrap_getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **res);
void __wrap_freeaddrinfo(struct addrinfo *res);

int
__wrap_getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **res)
{
	EXPECT(service == NULL && hints->ai_socktype == SOCK_STREAM);
	EXPECT(sp_worker_self() == NULL);
	asked++;
	*res = NULL;
	if (strcmp(node, "slow.test") == 0)
		AWAIT(gate != 0);
	if (strcasecmp(node, "good.test") == 0
	    || strcmp(node, "slow.test") == 0)
		*res = one(AF_INET, NULL);
	else if (strcmp(node, "second.test") == 0)
		*res = one(AF_INET6, one(AF_INET, NULL));
	else if (strcmp(node, "dead.test") == 0)
		*res = one(AF_INET6, NULL);
	else if (strcmp(node, "dumb.test") == 0)
		return EAI_AGAIN;
	else if (strcmp(node, "refused.test") == 0)
		return EAI_FAIL;
	else if (strcmp(node, "broken.test") == 0)
		return EAI_SYSTEM;
	return *res != NULL ? 0 : EAI_NONAME;
}

void
__wrap_freeaddrinfo(struct addrinfo *res)
{
	while (res != NULL) {
		struct addrinfo *next = res->ai_next;

		free(res);
		res = next;
	}
}

/* -------------------------------------------------------------- the site */

static int
answers(struct spate_req *req, void *arg)
{
	struct spate_str host = spate_header(req, "Host");

	(void)arg;
	return spate_respond(req, 200, "text/plain", host.data, host.size);
}

/* Asks this same server. */
static int
asks(struct spate_req *req, void *arg)
{
	struct spate_call call = spate_call_default("GET", url);
	struct spate_upstream *up;
	struct spate_str body;
	int status = spate_fetch(&call, &up);

	(void)arg;
	last_status = status;
	if (status == -ECANCELED)
		return status;
	if (status < 0)
		return spate_text(req, 502, "%d", status);
	status = spate_upstream_body(up, 1000, &body);
	if (status == 0)
		status = spate_respond(req, 200, NULL, body.data, body.size);
	spate_upstream_close(up);
	return status;
}

static bool
start(uint32_t cache_ms)
{
	asked = gate = last_status = 0;
	site_new(&site);
	site.options.shards = 1;
	site.options.spares = 0; /* each has a cache and connections */
	site.options.name_cache_ms = cache_ms;
	site_make(&site);
	spate_route(site.server, "GET", "/", answers, NULL);
	spate_route(site.server, "GET", "/ask", asks, NULL);
	spate_route(site.server, "GET", "/late", asks, NULL);
	spate_route_deadline(site.server, "GET", "/late", 20);
	return site_start(&site);
}

static void
name(const char *host)
{
	snprintf(url, sizeof(url), "http://%s:%u/", host, site.port);
}

static void
expect(struct client *client, const char *host)
{
	char wanted[300];

	name(host);
	snprintf(wanted, sizeof(wanted), "%s:%u", host, site.port);
	client_expect(client, GET("/ask"), 200, wanted);
}

static void
expect_error(struct client *client, const char *host, int error)
{
	char wanted[16];

	name(host);
	snprintf(wanted, sizeof(wanted), "%d", error);
	client_expect(client, GET("/ask"), 502, wanted);
}

TEST(a_name_is_looked_up_once)
{
	struct client client = { .fd = -1 };

	if (start(3600000) && client_open(&client, site.port)) {
		for (int i = 0; i < 5; i++)
			expect(&client, "good.test");
		expect(&client, "GOOD.test");
		EXPECT_EQ(asked, 1);
		EXPECT_EQ(SITE_COUNT(&site, lookups), 1);
		EXPECT_EQ(SITE_COUNT(&site, upstream_connects), 1);
		expect_error(&client, "none.test", -EHOSTUNREACH);
		expect_error(&client, "none.test", -EHOSTUNREACH);
		EXPECT_EQ(asked, 2);
		expect_error(&client, "dumb.test", -EAGAIN);
		expect_error(&client, "dumb.test", -EAGAIN);
		EXPECT_EQ(asked, 4);
		EXPECT_EQ(SITE_COUNT(&site, lookup_errors), 3);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

/* What is wrong here, or with a server of names, says nothing of the name. */
TEST(a_failure_is_not_taken_for_a_name_that_is_none)
{
	struct client client = { .fd = -1 };

	if (start(3600000) && client_open(&client, site.port)) {
		expect_error(&client, "refused.test", -EAGAIN);
		expect_error(&client, "refused.test", -EAGAIN);
		expect_error(&client, "broken.test", -EAGAIN);
		expect_error(&client, "broken.test", -EAGAIN);
		EXPECT_EQ(asked, 4);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(without_a_cache_it_is_looked_up_each_time)
{
	struct client client = { .fd = -1 };

	if (start(0) && client_open(&client, site.port)) {
		for (int i = 0; i < 5; i++)
			expect(&client, "good.test");
		EXPECT_EQ(asked, 5);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(more_names_than_are_remembered_are_found_all_the_same)
{
	struct client client = { .fd = -1 };

	if (start(3600000) && client_open(&client, site.port)) {
		for (int i = 0; i < 200; i++) {
			char host[32];

			snprintf(host, sizeof(host), "n%d.test", i % 100);
			expect_error(&client, host, -EHOSTUNREACH);
		}
		expect(&client, "good.test");
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(addresses_are_tried_one_after_the_other)
{
	struct client client = { .fd = -1 };

	if (start(3600000) && client_open(&client, site.port)) {
		expect(&client, "second.test");
		EXPECT_EQ(SITE_COUNT(&site, upstream_connects), 2);
		expect(&client, "second.test");
		EXPECT_EQ(SITE_COUNT(&site, upstream_connects), 2);
		EXPECT_EQ(SITE_COUNT(&site, upstream_reused), 1);
		name("dead.test");
		client_expect(&client, GET("/ask"), 502, NULL);
		EXPECT_EQ(last_status, -ECONNREFUSED);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_look_up_keeps_neither_the_shard_nor_who_gives_up)
{
	struct client client = { .fd = -1 }, other = { .fd = -1 };
	struct response answer = { 0 };

	if (start(3600000) && client_open(&client, site.port)
	    && client_open(&other, site.port)) {
		name("slow.test");
		client_expect(&client, GET("/late"), 502, NULL);
		EXPECT_EQ(last_status, -ETIMEDOUT);
		client_say(&client, GET("/ask"));
		AWAIT(asked == 2);
		client_expect(&other, GET("/"), 200, "a");
		client_close(&client);
		AWAIT(last_status == -ECANCELED);
		client_say(&other, GET("/ask"));
		AWAIT(asked == 3);
		gate = 1;
		EXPECT_EQ(client_read(&other, &answer), 0);
		EXPECT_EQ(answer.status, 200);
		response_free(&answer);
	}
	client_close(&client);
	client_close(&other);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(what_is_no_name_is_refused)
{
	static const char *const bad[] = { "-a.test", "a..test", ".test",
		"a b.test", "a_b.test:0", "a.test:65536", "a.test:", "ä.test",
		"[good.test]", "a@good.test", "1.2.3", "0x7f.1", "a.1",
		"good.test." };
	char long_name[300] = "";
	struct client client = { .fd = -1 };

	memset(long_name, 'a', 254);
	if (start(3600000) && client_open(&client, site.port)) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			snprintf(url, sizeof(url), "http://%s/", bad[i]);
			client_expect(&client, GET("/ask"), 502, "-22");
		}
		snprintf(url, sizeof(url), "http://%s/", long_name);
		client_expect(&client, GET("/ask"), 502, "-22");
		EXPECT_EQ(asked, 0);
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}
