/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A form, and a cookie that remembers what was put in.
 *
 *     forms_cookies
 *     curl -i -d 'name=Ann&age=30' http://127.0.0.1:8080/
 *     curl -b 'name=Ann' http://127.0.0.1:8080/
 *     curl -d 'name=Ann&age=old' http://127.0.0.1:8080/
 */

#include <inttypes.h>
#include <spate.h>

#define A_DAY (24 * 60 * 60)

/* A cookie from somebody else's hand may hold anything; this is text. */
static int
greet(struct spate_req *req, void *arg)
{
	struct spate_str name = spate_cookie(req, "name");

	(void)arg;
	if (name.data == NULL)
		return spate_text(req, 200, "Who are you?\n");
	return spate_text(
	    req, 200, "Hello again, %.*s!\n", (int)name.size, name.data);
}

/* What is missing or malformed the client is told by returning the error. */
static int
remember(struct spate_req *req, void *arg)
{
	struct spate_cookie_options options = spate_cookie_options_default();
	struct spate_str name;
	const char *value;
	uint64_t age;
	int error = spate_form_str(req, "name", &name);

	(void)arg;
	if (error == 0)
		error = spate_form_u64(req, "age", &age);
	if (error != 0)
		return error;
	value = spate_strndup(req, name.data, name.size);
	options.max_age = A_DAY;
	options.same_site = SPATE_SAME_SITE_STRICT;
	if (value == NULL
	    || spate_set_cookie(req, "name", value, &options) != 0)
		return spate_error(req, 400, "no such name, please");
	return spate_text(req, 200, "%s, aged %" PRIu64 "\n", value, age);
}

int
main(int argc, char **argv)
{
	struct spate_server *server = spate_server_new(NULL);

	spate_route(server, "GET", "/", greet, NULL);
	spate_route(server, "POST", "/", remember, NULL);
	return spate_main(server, argc, argv);
}
