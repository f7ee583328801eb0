/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Server-sent events: a page that counts, without asking again. A client
 * that lost the connection goes on where it was.
 *
 *     sse
 *     curl -N http://127.0.0.1:8080/events
 *     and http://127.0.0.1:8080/ in a browser
 */

#include <errno.h>
#include <spate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char text[] =
    "<!doctype html><title>sse</title><h1 id=n>-</h1><script>\n"
    "new EventSource('/events').addEventListener('count',\n"
    "    e => document.getElementById('n').textContent = e.data)\n"
    "</script>\n";

static int
page(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_respond(
	    req, 200, "text/html; charset=utf-8", text, strlen(text));
}

static int
events(struct spate_req *req, void *arg)
{
	struct spate_str last = spate_last_event_id(req);
	unsigned count = 0;
	char number[16];
	int error;

	(void)arg;
	if (last.data != NULL) {
		const char *id = spate_strndup(req, last.data, last.size);

		if (id == NULL)
			return -ENOMEM;
		count = (unsigned)strtoul(id, NULL, 10);
	}
	error = spate_events_begin(req);
	while (error == 0) {
		int size = snprintf(number, sizeof(number), "%u", ++count);

		error = spate_event(req, number, "count", number, (size_t)size);
		if (error == 0)
			error = spate_events_wait(req, 100);
	}
	/* When the server stops, the stream is as whole as it can be. */
	return error == -ESHUTDOWN ? 0 : error;
}

int
main(int argc, char **argv)
{
	struct spate_server *server = spate_server_new(NULL);

	spate_route(server, "GET", "/", page, NULL);
	spate_route(server, "GET", "/events", events, NULL);
	return spate_main(server, argc, argv);
}
