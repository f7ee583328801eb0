/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Asking another server from a handler. The handler waits for the answer,
 * and its worker does other things; a client that leaves ends the wait. Here
 * the other server is this one. If the request has a traceparent, so has what
 * the handler asks for it.
 *
 *     fetch
 *     curl http://127.0.0.1:8080/shout/hello      HELLO!
 */

#include <ctype.h>
#include <errno.h>
#include <spate.h>
#include <string.h>

#define BODY_MAX 4096
#define WAIT_MS 2000

static struct spate_server *server;

static int
word(struct spate_req *req, void *arg)
{
	struct spate_str text = spate_param(req, "word");

	(void)arg;
	if (text.data == NULL)
		return -EINVAL;
	return spate_respond(req, 200, "text/plain", text.data, text.size);
}

static int
answer_shouted(struct spate_req *req, struct spate_str text)
{
	char *loud = spate_printf(req, "%.*s!\n", (int)text.size, text.data);

	if (loud == NULL)
		return -ENOMEM;
	for (char *at = loud; *at != '\0'; at++)
		*at = (char)toupper((unsigned char)*at);
	return spate_respond(req, 200, "text/plain", loud, strlen(loud));
}

static int
shout(struct spate_req *req, void *arg)
{
	struct spate_str text = spate_param(req, "word");
	struct spate_upstream *up;
	struct spate_call call;
	char *url;
	int status, error;

	(void)arg;
	url = spate_printf(req, "http://127.0.0.1:%u/word/%.*s",
	    spate_server_port(server), (int)text.size, text.data);
	if (url == NULL)
		return -ENOMEM;
	call = spate_call_default("GET", url);
	call.timeout_ms = WAIT_MS;
	status = spate_fetch(&call, &up);
	if (status < 0)
		return spate_error(req, 502, spate_strerror(status));
	error = spate_upstream_body(up, BODY_MAX, &text);
	if (error == 0 && status == 200)
		error = answer_shouted(req, text);
	else
		error = spate_error(req, 502, "the other server says no");
	spate_upstream_close(up);
	return error;
}

int
main(int argc, char **argv)
{
	server = spate_server_new(NULL);
	spate_route(server, "GET", "/word/:word", word, NULL);
	spate_route(server, "GET", "/shout/:word", shout, NULL);
	return spate_main(server, argc, argv);
}
