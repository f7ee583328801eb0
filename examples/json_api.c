/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * JSON in and out, by Jansson.
 *
 *     json_api
 *     curl -d '{"numbers":[1,2,3.5]}' http://127.0.0.1:8080/sum
 *     curl -d '{"numbers":[1,' http://127.0.0.1:8080/sum
 */

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <spate.h>
#include <stdlib.h>
#include <string.h>

/*
 * Jansson calls itself for each bracket, up to 2,048 deep. A fiber's usual
 * 64 KiB are not enough for that, and whoever sends them would end us.
 */
#define STACK (1024 * 1024)

/* Takes the value away, in any case. */
static int
respond_json(struct spate_req *req, int status, json_t *value)
{
	char *text = value != NULL ? json_dumps(value, JSON_COMPACT) : NULL;
	int error = -ENOMEM;

	if (text != NULL)
		error = spate_respond(
		    req, status, "application/json", text, strlen(text));
	free(text);
	json_decref(value);
	return error;
}

static int
sum_of(const json_t *numbers, double *sum)
{
	json_t *number;
	size_t i;

	if (!json_is_array(numbers))
		return -EINVAL;
	json_array_foreach(numbers, i, number)
	{
		if (!json_is_number(number))
			return -EINVAL;
		*sum += json_number_value(number);
	}
	/* JSON has no way to write what is more than a double can be. */
	return isfinite(*sum) ? 0 : -ERANGE;
}

static int
sum(struct spate_req *req, void *arg)
{
	struct spate_str body;
	json_error_t where;
	json_t *root;
	double total = 0;
	int error = spate_body(req, &body);

	(void)arg;
	if (error != 0)
		return error;
	root = json_loadb(body.data, body.size, JSON_REJECT_DUPLICATES, &where);
	if (root == NULL)
		return spate_error(req, 400,
		    spate_printf(req, "line %d: %s", where.line, where.text));
	error = sum_of(json_object_get(root, "numbers"), &total);
	json_decref(root);
	if (error != 0)
		return spate_bad_value(req, "member", "numbers", error);
	return respond_json(req, 200, json_pack("{s:f}", "sum", total));
}

int
main(int argc, char **argv)
{
	struct spate_options options = spate_options_default();
	struct spate_server *server;

	options.stack_size = STACK;
	server = spate_server_new(&options);
	spate_route(server, "POST", "/sum", sum, NULL);
	return spate_main(server, argc, argv);
}
