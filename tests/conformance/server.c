/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The service that the vectors are sent to. Its answers tell what the server
 * made of a request. servers/node.js and the proxies' backend do the same.
 *
 *     *    /echo       the body, in pieces as it comes
 *     *    /whole      the body, once all of it has come; at most 1 MiB
 *     *    /stream     the same, in an answer of a size not told before
 *     POST /ignore     "ignored", without a look at the body
 *     GET  /plaintext  "Hello, World!"
 *     GET  /users/:id  the id, without escapes
 *     GET  /host       the host that the request is for
 */

#include <errno.h>
#include <spate.h>

#define PIECE 4096
#define TYPE "application/octet-stream"

static int
echo(struct spate_req *req, void *arg)
{
	char piece[PIECE];
	/* A first piece before the answer: a bad body still gets its 400. */
	ssize_t n = spate_body_read(req, piece, sizeof(piece));
	int error;

	(void)arg;
	if (n < 0)
		return (int)n;
	error = spate_begin(req, 200, TYPE, spate_body_size(req));
	while (error == 0 && n > 0) {
		error = spate_write(req, piece, (size_t)n);
		if (error == 0)
			error = spate_flush(req);
		if (error == 0)
			n = spate_body_read(req, piece, sizeof(piece));
	}
	return error != 0 ? error : (int)n;
}

static int
whole(struct spate_req *req, void *arg)
{
	struct spate_str body;
	int error = spate_body(req, &body);

	(void)arg;
	if (error != 0)
		return error;
	return spate_respond(req, 200, TYPE, body.data, body.size);
}

static int
stream(struct spate_req *req, void *arg)
{
	struct spate_str body;
	int error = spate_body(req, &body);

	(void)arg;
	if (error == 0)
		error = spate_begin(req, 200, TYPE, -1);
	return error != 0 ? error : spate_write(req, body.data, body.size);
}

static int
say(struct spate_req *req, void *arg)
{
	return spate_text(req, 200, "%s", (const char *)arg);
}

static int
user(struct spate_req *req, void *arg)
{
	struct spate_str id = spate_param(req, "id");

	(void)arg;
	if (id.data == NULL)
		return -EINVAL;
	return spate_respond(req, 200, TYPE, id.data, id.size);
}

static int
host(struct spate_req *req, void *arg)
{
	struct spate_str text = spate_host(req);

	(void)arg;
	return spate_respond(req, 200, TYPE, text.data, text.size);
}

int
main(int argc, char **argv)
{
	static char hello[] = "Hello, World!", ignored[] = "ignored";
	struct spate_server *server = spate_server_new(NULL);

	spate_route(server, "*", "/echo", echo, NULL);
	spate_route(server, "*", "/whole", whole, NULL);
	spate_route(server, "*", "/stream", stream, NULL);
	spate_route(server, "POST", "/ignore", say, ignored);
	spate_route(server, "GET", "/plaintext", say, hello);
	spate_route(server, "GET", "/users/:id", user, NULL);
	spate_route(server, "GET", "/host", host, NULL);
	return spate_main(server, argc, argv);
}
