/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/e2e/handlers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 5000
#define LONG_MS 600000

static int
hello(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_respond(req, 200, "text/plain", "hello", 5);
}

static int
echo(struct spate_req *req, void *arg)
{
	char piece[PIECE];
	ssize_t n = spate_body_read(req, piece, sizeof(piece));
	int error;

	(void)arg;
	if (n < 0)
		return (int)n;
	error = spate_begin(req, 200, "text/plain", spate_body_size(req));
	while (error == 0 && n > 0) {
		error = spate_write(req, piece, (size_t)n);
		if (error == 0)
			n = spate_body_read(req, piece, sizeof(piece));
	}
	return error != 0 ? error : (int)n;
}

static int
collect(struct spate_req *req, void *arg)
{
	struct spate_str body;
	int error = spate_body(req, &body);

	(void)arg;
	if (error != 0)
		return error;
	return spate_respond(req, 200, "text/plain", body.data, body.size);
}

static int
ignore(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_respond(req, 200, "text/plain", "ignored", 7);
}

static size_t
number(struct spate_req *req)
{
	struct spate_str text = spate_param(req, "n");
	char copy[24] = "";

	if (text.size < sizeof(copy))
		memcpy(copy, text.data, text.size);
	return strtoul(copy, NULL, 10);
}

static int
of_size(struct spate_req *req, void *arg)
{
	size_t size = number(req);
	char *body = malloc(size + 1);
	int error;

	(void)arg;
	if (body == NULL)
		return -ENOMEM;
	memset(body, 'x', size);
	error = spate_respond(req, 200, "text/plain", body, size);
	free(body);
	return error;
}

static int
in_chunks(struct spate_req *req, void *arg)
{
	size_t count = number(req);
	char *body = malloc(count + 1);
	int error;

	(void)arg;
	if (body == NULL)
		return -ENOMEM;
	memset(body, 'y', count);
	error = spate_begin(req, 200, "text/plain", -1);
	for (size_t i = 0; i < count && error == 0; i++)
		error = spate_write(req, body, i + 1);
	free(body);
	return error;
}

void
handlers_make(struct site *site)
{
	site_make(site);
	spate_route(site->server, "GET", "/hello", hello, NULL);
	spate_route(site->server, "*", "/echo", echo, NULL);
	spate_route(site->server, "*", "/collect", collect, NULL);
	spate_route(site->server, "*", "/ignore", ignore, NULL);
	spate_route(site->server, "GET", "/size/:n", of_size, NULL);
	spate_route(site->server, "GET", "/chunks/:n", in_chunks, NULL);
}

bool
handlers_start(struct site *site)
{
	site_new(site);
	handlers_make(site);
	return site_start(site);
}

bool
handlers_arrive(struct site *site, struct client *client)
{
	*client = (struct client) { .fd = -1 };
	return handlers_start(site) && client_open(client, site->port);
}

void
handlers_leave(struct site *site, struct client *client)
{
	client_close(client);
	EXPECT_EQ(site_stop(site), 0);
}

int
handlers_sleep(struct spate_req *req, void *arg)
{
	struct handlers_seen *seen = arg;
	uint64_t ms = LONG_MS;
	int error = spate_query_u64(req, "ms", &ms);

	(void)error; /* not given */
	seen->sleeper = spate_req_handle(req);
	seen->begun++;
	error = spate_sleep((uint32_t)ms);
	seen->last_error = error;
	seen->ended++;
	return error != 0 ? error : spate_text(req, 200, "slept");
}
