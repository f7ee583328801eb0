/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * HTTP on a Unix socket, as behind a proxy on the same machine. The socket's
 * file is made at the start and removed at the end; after a crash it is
 * still there, and has to be removed by hand.
 *
 *     unix_socket
 *     curl --unix-socket /tmp/spate-example.sock http://localhost/
 */

#include <spate.h>

static int
who(struct spate_req *req, void *arg)
{
	struct spate_str host = spate_host(req);

	(void)arg;
	return spate_text(req, 200, "%.*s by shard %u\n", (int)host.size,
	    host.data != NULL ? host.data : "", spate_shard(req));
}

int
main(int argc, char **argv)
{
	struct spate_server *server = spate_server_new(NULL);

	/* --listen and SPATE_LISTEN replace the first HTTP address. */
	spate_listen(server, "unix:/tmp/spate-example.sock");
	spate_route(server, "GET", "/", who, NULL);
	return spate_main(server, argc, argv);
}
