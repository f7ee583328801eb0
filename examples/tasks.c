/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A library that must be used by one thread at a time, behind a channel: one
 * task takes orders from all handlers, has each done by a thread of the pool,
 * as the library blocks, and sends the result back by a channel of the
 * order's own. While it is busy, others wait in the queue, and a client that
 * does not want to wait any more is forgotten.
 *
 *     tasks
 *     curl 'http://127.0.0.1:8080/square?n=12'
 */

#include <errno.h>
#include <spate.h>
#include <stdlib.h>
#include <time.h>

#define QUEUE 100
#define PATIENCE_MS 5000

/* Of the task from the moment that it was sent. */
struct order {
	uint64_t n;
	struct spate_channel *reply;
};

static struct spate_channel *orders;

static void
forget(void *item)
{
	struct order *order = item;

	spate_channel_release(order->reply);
	free(order);
}

/* Stands for the library. */
static void
square(void *arg)
{
	const struct timespec slow = { .tv_nsec = 2 * 1000 * 1000 };
	struct order *order = arg;

	nanosleep(&slow, NULL);
	order->n *= order->n;
}

/* Until the server stops, and then the wait ends with -ECANCELED. */
static void
take_orders(void *arg)
{
	void *item;

	(void)arg;
	while (spate_channel_receive(orders, &item, 0) == 0) {
		struct order *order = item;

		if (spate_offload(square, order, 0) == 0)
			spate_channel_try_send(
			    order->reply, (void *)(uintptr_t)order->n);
		spate_channel_close(order->reply);
		forget(order);
	}
}

static int
send_order(uint64_t n, struct spate_channel *reply)
{
	struct order *order = malloc(sizeof(*order));
	int error;

	if (order == NULL)
		return -ENOMEM;
	*order = (struct order){ n, reply };
	spate_channel_hold(reply);
	error = spate_channel_send(orders, order, PATIENCE_MS);
	if (error != 0)
		forget(order);
	return error;
}

static int
ask(struct spate_req *req, void *arg)
{
	struct spate_channel *reply;
	void *result = NULL;
	uint64_t n;
	int error = spate_query_u64(req, "n", &n);

	(void)arg;
	if (error == 0)
		error = spate_channel_new(&reply, 1, 1, NULL);
	if (error != 0)
		return error;
	error = send_order(n, reply);
	if (error == 0)
		error = spate_channel_receive(reply, &result, PATIENCE_MS);
	spate_channel_release(reply);
	if (error == -ETIMEDOUT || error == -EPIPE)
		return spate_error(req, 503, "too many orders");
	if (error != 0)
		return error;
	return spate_text(
	    req, 200, "%llu\n", (unsigned long long)(uintptr_t)result);
}

static void
begin(void *arg, struct spate_server *server)
{
	(void)arg;
	spate_spawn(server, take_orders, NULL, SPATE_BACKGROUND);
}

int
main(int argc, char **argv)
{
	struct spate_options options = spate_options_default();
	struct spate_server *server;
	int code;

	if (spate_channel_new(&orders, QUEUE, 1000, forget) != 0)
		return 1;
	options.started = begin;
	server = spate_server_new(&options);
	spate_route(server, "GET", "/square", ask, NULL);
	code = spate_main(server, argc, argv);
	spate_channel_release(orders);
	return code;
}
