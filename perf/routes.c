/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A server with as many routes as the environment's ROUTES says, half of them
 * with a parameter. perf/growth asks for some of them.
 *
 *     /plaintext
 *     /api/thing-0/list
 *     /api/thing-1/:id
 *     /api/thing-2/list and so on
 */

#include <spate.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static int
plaintext(struct spate_req *req, void *arg)
{
	static const char text[] = "Hello, World!";

	(void)arg;
	return spate_respond(req, 200, "text/plain", text, sizeof(text) - 1);
}

int
main(int argc, char **argv)
{
	const char *asked = getenv("ROUTES");
	long count = asked != NULL ? strtol(asked, NULL, 10) : 0;
	struct spate_server *server = spate_server_new(NULL);
	char path[64];

	if (server == NULL)
		return EX_OSERR;
	spate_route(server, "GET", "/plaintext", plaintext, NULL);
	for (long i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/api/thing-%ld/%s", i,
		    i % 2 == 0 ? "list" : ":id");
		spate_route(server, "GET", path, plaintext, NULL);
	}
	return spate_main(server, argc, argv);
}
