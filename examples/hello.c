/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The program in README.md and at the head of spate.h, to the byte.
 *
 *     hello
 *     curl http://127.0.0.1:8080/
 */

#include <spate.h>

static int
hello(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_text(req, 200, "Hello, World!\n");
}

int
main(int argc, char **argv)
{
	struct spate_server *server = spate_server_new(NULL);

	spate_route(server, "GET", "/", hello, NULL);
	return spate_main(server, argc, argv);
}
