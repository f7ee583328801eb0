/* SPDX-License-Identifier: BSD-2-Clause */

/* Setting a server up: what is refused, and that its start tells of it. */

#include "framework/router_data.h"
#include "framework/server.h"
#include "tests/harness.h"

#include <errno.h>

static int
answer(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_text(req, 200, "here");
}

static int
stream(struct spate_stream *stream, void *arg)
{
	(void)stream;
	(void)arg;
	return 0;
}

/* Or strangers could choose paths that share a place in it. */
TEST(each_router_has_a_seed_that_nobody_knows)
{
	struct spate_server *one = spate_server_new(NULL);
	struct spate_server *other = spate_server_new(NULL);

	EXPECT(one->router->seed != other->router->seed);
	EXPECT(one->router->key != other->router->key);
	spate_server_free(one);
	spate_server_free(other);
}

/* A program need not look whether there is one before it comes to start it. */
TEST(without_a_server_each_call_says_so)
{
	EXPECT_EQ(spate_listen(NULL, "127.0.0.1:0"), -ENOMEM);
	EXPECT_EQ(
	    spate_listen_stream(NULL, "127.0.0.1:0", stream, NULL), -ENOMEM);
	EXPECT_EQ(spate_stream_closed(NULL, stream, NULL), -ENOENT);
	EXPECT_EQ(spate_route(NULL, "GET", "/", answer, NULL), -ENOMEM);
	EXPECT_EQ(spate_route_heavy(NULL, "GET", "/", NULL), -ENOMEM);
	EXPECT_EQ(spate_server_start(NULL), -ENOMEM);
	EXPECT_EQ(spate_server_stop(NULL), 0);
	EXPECT_EQ(spate_server_port(NULL), 0);
	EXPECT_EQ(spate_admin_port(NULL), 0);
	EXPECT_EQ(spate_server_shards(NULL), 0);
	spate_server_free(NULL);
}

TEST(before_its_start_it_has_neither_port_nor_shards)
{
	struct spate_server *server = spate_server_new(NULL);

	EXPECT_EQ(spate_listen(server, "127.0.0.1:0"), 0);
	EXPECT_EQ(spate_server_port(server), 0);
	EXPECT_EQ(spate_admin_port(server), 0);
	EXPECT_EQ(spate_server_shards(server), 0);
	EXPECT_EQ(spate_server_stop(server), 0);
	spate_server_free(server);
}

/* Of a later version, whose program runs with a library of this one. */
TEST(options_that_are_larger_than_ours_are_refused)
{
	struct spate_options options = spate_options_default();
	struct spate_server *server;

	options.size = sizeof(options) + 8;
	server = spate_server_new(&options);
	EXPECT_EQ(spate_server_start(server), -EINVAL);
	spate_server_free(server);
}

TEST(routes_have_methods_a_path_and_a_handler)
{
	static const struct {
		const char *method, *path;
		spate_handler_fn *handler;
		int error;
	} cases[] = {
		{ "GET", "/", answer, 0 },
		{ " GET  PUT ", "/", answer, 0 },
		{ "*", "/", answer, 0 },
		{ NULL, "/", answer, -EINVAL },
		{ "", "/", answer, -EINVAL },
		{ " ", "/", answer, -EINVAL },
		{ "GET LOOK", "/", answer, -EINVAL },
		{ "X", "/", answer, -EINVAL },
		{ "GET", NULL, answer, -EINVAL },
		{ "GET", "/", NULL, -EINVAL },
		{ "GET", "no-slash", answer, -EINVAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spate_server *server = spate_server_new(NULL);

		EXPECT_EQ(spate_route(server, cases[i].method, cases[i].path,
			      cases[i].handler, NULL),
		    cases[i].error);
		EXPECT_EQ(server->error, cases[i].error);
		spate_server_free(server);
	}
}

TEST(a_class_is_looked_for_by_methods_and_path)
{
	struct spate_server *server = spate_server_new(NULL);

	EXPECT_EQ(spate_route(server, "GET PUT", "/a", answer, NULL), 0);
	EXPECT_EQ(spate_route_limit(server, "PUT GET", "/a", 1), 0);
	EXPECT_EQ(spate_route_limit(server, "GET", "/a", 1), -ENOENT);
	EXPECT_EQ(spate_route_limit(server, NULL, "/a", 1), -ENOENT);
	EXPECT_EQ(spate_route_limit(server, "GET PUT", NULL, 1), -ENOENT);
	EXPECT_EQ(spate_route_heavy(server, "GET PUT", "/b", NULL), -ENOENT);
	EXPECT_EQ(
	    spate_route_deadline(server, "GET PUT", "/a", UINT32_MAX), -EINVAL);
	spate_server_free(server);
}

TEST(addresses_are_read_and_counted)
{
	static const char *const bad[] = { NULL, "", "127.0.0.1",
		"127.0.0.1:65536", "a.b:1", "[::1:80" };
	struct spate_server *server = spate_server_new(NULL);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(spate_listen(server, bad[i]), -EINVAL);
	EXPECT_EQ(
	    spate_listen_stream(server, "nowhere", stream, NULL), -EINVAL);
	for (unsigned i = 0; i < SP_LISTENERS_MAX; i++)
		EXPECT_EQ(spate_listen(server, "127.0.0.1:0"), 0);
	EXPECT_EQ(spate_listen(server, "127.0.0.1:0"), -ENOSPC);
	spate_server_free(server);
}

TEST(the_end_of_a_stream_is_its_own_services)
{
	struct spate_server *server = spate_server_new(NULL);

	EXPECT_EQ(spate_stream_closed(server, stream, NULL), -ENOENT);
	EXPECT_EQ(spate_listen_stream(server, "127.0.0.1:0", stream, NULL), 0);
	EXPECT_EQ(spate_stream_closed(server, NULL, NULL), -ENOENT);
	EXPECT_EQ(spate_stream_closed(server, stream, NULL), 0);
	spate_server_free(server);
}

TEST(it_starts_once_and_the_first_error_stays)
{
	struct spate_options options = spate_options_default();
	struct spate_server *server;

	options.shards = 1;
	options.backlog = 16;
	server = spate_server_new(&options);
	spate_route(server, "GET", "/", answer, NULL);
	EXPECT_EQ(spate_listen(server, "127.0.0.1:0"), 0);
	EXPECT_EQ(spate_server_start(server), 0);
	EXPECT_EQ(spate_server_start(server), -EALREADY);
	EXPECT(spate_server_port(server) != 0);
	EXPECT_EQ(spate_admin_port(server), 0);
	EXPECT_EQ(spate_server_shards(server), 1);
	EXPECT_EQ(spate_server_stop(server), 0);
	EXPECT_EQ(spate_server_port(server), 0);
	spate_server_free(server);

	options.workers = 0;
	server = spate_server_new(&options);
	EXPECT_EQ(spate_server_start(server), -EINVAL);
	EXPECT_EQ(spate_listen(server, ""), -EINVAL);
	EXPECT_EQ(spate_server_start(server), -EINVAL);
	spate_server_free(server);
}
