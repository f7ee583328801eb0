/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What a handler can ask of its request: names in the path, values of the
 * query, fields of the head. They come back as JSON.
 *
 *     json_params
 *     curl 'http://127.0.0.1:8080/users/ann/posts/7?lang=de&page=2'
 *     curl 'http://127.0.0.1:8080/files/a/b.txt'
 */

#include <errno.h>
#include <spate.h>
#include <stdio.h>
#include <string.h>

/* A byte becomes six at most, as in \u001f. */
#define ESCAPED 6

static char *
put_byte(char *at, char c)
{
	if ((unsigned char)c < ' ')
		return at + sprintf(at, "\\u%04x", (unsigned char)c);
	if (c == '"' || c == '\\')
		*at++ = '\\';
	*at++ = c;
	return at;
}

/*
 * A JSON string or null, in memory of the request. The text is taken for
 * UTF-8 without looking.
 */
static const char *
json(struct spate_req *req, struct spate_str text)
{
	char *quoted, *at;

	if (text.data == NULL)
		return "null";
	at = quoted = spate_alloc(req, text.size * ESCAPED + sizeof("\"\""));
	if (quoted == NULL)
		return NULL;
	*at++ = '"';
	for (size_t i = 0; i < text.size; i++)
		at = put_byte(at, text.data[i]);
	memcpy(at, "\"", sizeof("\""));
	return quoted;
}

static int
respond(struct spate_req *req, const char *format, const char *a, const char *b,
    const char *c, unsigned long long n)
{
	size_t size;
	char *body;

	if (a == NULL || b == NULL || c == NULL)
		return -ENOMEM; /* the client gets a 500 */
	size = strlen(format) + strlen(a) + strlen(b) + strlen(c) + 20;
	body = spate_alloc(req, size);
	if (body == NULL)
		return -ENOMEM;
	size = (size_t)snprintf(body, size, format, a, b, c, n);
	return spate_respond(req, 200, "application/json", body, size);
}

static int
post(struct spate_req *req, void *arg)
{
	uint64_t page = 1;
	int error = spate_query_u64(req, "page", &page);

	(void)arg;
	if (error != 0 && error != -ENOENT)
		return error; /* the client gets a 400 */
	return respond(req,
	    "{\"user\":%s,\"post\":%s,\"lang\":%s,\"page\":%llu}\n",
	    json(req, spate_param(req, "user")),
	    json(req, spate_param(req, "post")),
	    json(req, spate_query_str(req, "lang")), page);
}

static int
file(struct spate_req *req, void *arg)
{
	(void)arg;
	return respond(req,
	    "{\"path\":%s,\"host\":%s,\"agent\":%s,\"shard\":%llu}\n",
	    json(req, spate_param(req, "path")), json(req, spate_host(req)),
	    json(req, spate_header(req, "User-Agent")), spate_shard(req));
}

int
main(int argc, char **argv)
{
	struct spate_server *server = spate_server_new(NULL);

	spate_route(server, "GET", "/users/:user/posts/:post", post, NULL);
	spate_route(server, "GET", "/files/*path", file, NULL);
	return spate_main(server, argc, argv);
}
