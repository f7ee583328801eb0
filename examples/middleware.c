/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What runs around handlers: a line in the log for every request, and a
 * group of routes that only those with the word may use.
 *
 *     middleware
 *     curl http://127.0.0.1:8080/
 *     curl http://127.0.0.1:8080/admin/door
 *     curl -H 'Authorization: Bearer sesame' http://127.0.0.1:8080/admin/door
 */

#include <spate.h>
#include <stdio.h>
#include <string.h>

#define WORD "Bearer sesame"

static void
log_request(struct spate_req *req, int status, void *arg)
{
	struct spate_str path = spate_path(req);

	(void)arg;
	fprintf(stderr, "%d %s %.*s\n", status, spate_method(req),
	    (int)path.size, path.data);
}

/* Whoever has the word is called "visitor" from here on. */
static int
check_word(struct spate_req *req, void *arg)
{
	struct spate_str word = spate_header(req, "Authorization");
	void **user = spate_req_data(req);

	(void)arg;
	if (word.size != strlen(WORD)
	    || memcmp(word.data, WORD, word.size) != 0) {
		spate_add_header(req, "WWW-Authenticate", "Bearer");
		return spate_error(req, 401, "say the word");
	}
	if (user != NULL)
		*user = spate_strdup(req, "visitor");
	return 0;
}

static int
hello(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_text(req, 200, "hello\n");
}

static int
door(struct spate_req *req, void *arg)
{
	const char *user = *spate_req_data(req);

	(void)arg;
	return spate_text(req, 200, "open, %s\n", user != NULL ? user : "?");
}

int
main(int argc, char **argv)
{
	struct spate_server *server = spate_server_new(NULL);
	struct spate_group *admin = spate_group(server, NULL, "/admin");

	spate_use(server, NULL, log_request, NULL);
	spate_route(server, "GET", "/", hello, NULL);
	spate_group_use(admin, check_word, NULL, NULL);
	spate_group_route(admin, "GET", "/door", door, NULL);
	return spate_main(server, argc, argv);
}
