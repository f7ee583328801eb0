/* SPDX-License-Identifier: BSD-2-Clause */

/* What a handler may do, what it is refused, and what it leaves undone. */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct site site;
static struct client client;

/* One route, one request for it; the site and the client are left open. */
static int
try_handler(
    spate_handler_fn *handler, const char *request, struct response *answer)
{
	int error;

	site_new(&site);
	site.options.log_level = SPATE_LOG_DEBUG;
	site_make(&site);
	EXPECT_EQ(spate_route(site.server, "*", "/", handler, NULL), 0);
	memset(answer, 0, sizeof(*answer));
	client = (struct client){ .fd = -1 };
	if (!site_start(&site) || !client_open(&client, site.port))
		return -ECONNREFUSED;
	error = client_ask(&client, request, answer);
	EXPECT_EQ(error, 0);
	return error;
}

static void
done(struct response *answer)
{
	response_free(answer);
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

/* ---------------------------------------------------------------- fields */

static int
with_fields(struct spate_req *req, void *arg)
{
	static const struct {
		const char *name, *value;
	} refused[] = {
		{ "X-A", "b\r\nX-Evil: 1" },
		{ "X-A", "b\nX-Evil: 1" },
		{ "X-A", "b\rX-Evil: 1" },
		{ "X-A\r\nX-Evil", "1" },
		{ "X-A: b\r\nX-Evil", "1" },
		{ "X A", "1" },
		{ "", "1" },
		{ "X-A", "b\x7f" },
		{ "X-A", "b\x01" },
		{ "Connection", "keep-alive" },
		{ "content-length", "5" },
		{ "TRANSFER-ENCODING", "chunked" },
		{ "Date", "now" },
		{ "Server", "x" },
	};

	(void)arg;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		EXPECT_EQ(
		    spate_add_header(req, refused[i].name, refused[i].value),
		    -EINVAL);
	EXPECT_EQ(spate_add_header(req, "X-Good", "a\tb \xC3\xA9"), 0);
	EXPECT_EQ(spate_add_header(req, "X-Empty", ""), 0);
	EXPECT_EQ(spate_add_header(req, "X-Good", "twice"), 0);
	EXPECT_EQ(
	    spate_respond(req, 200, "text/x\r\nX-Evil: 1", "", 0), -EINVAL);
	return spate_respond(req, 200, "text/x", "ok", 2);
}

TEST(no_field_can_be_smuggled_in)
{
	struct response answer;

	if (try_handler(with_fields, GET("/"), &answer) == 0) {
		EXPECT_EQ(answer.status, 200);
		EXPECT(response_is(&answer, "ok"));
		EXPECT(response_field(&answer, "X-Evil") == NULL);
		EXPECT(response_field(&answer, "X-A") == NULL);
		EXPECT(
		    strcmp(response_field(&answer, "X-Good"), "a\tb \xC3\xA9")
		    == 0);
		EXPECT(strcmp(response_field(&answer, "X-Empty"), "") == 0);
		EXPECT(strcmp(response_field(&answer, "Content-Length"), "2")
		       == 0);
	}
	done(&answer);
}

static int
with_many_fields(struct spate_req *req, void *arg)
{
	char value[101];
	int count = 0;

	(void)arg;
	memset(value, 'v', 100);
	value[100] = '\0';
	while (spate_add_header(req, "X-Field", value) == 0)
		count++;
	return spate_text(req, 200, "%d", count);
}

TEST(fields_have_a_bound)
{
	struct response answer;

	if (try_handler(with_many_fields, GET("/"), &answer) == 0) {
		EXPECT_EQ(answer.status, 200);
		EXPECT(atoi(answer.body) > 20 && atoi(answer.body) < 200);
	}
	done(&answer);
}

/* ---------------------------------------------------------------- answers */

static int
answers_twice(struct spate_req *req, void *arg)
{
	(void)arg;
	EXPECT_EQ(spate_text(req, 201, "first"), 0);
	EXPECT_EQ(spate_text(req, 200, "second"), -EALREADY);
	EXPECT_EQ(spate_respond(req, 200, NULL, "third", 5), -EALREADY);
	EXPECT_EQ(spate_begin(req, 200, NULL, -1), -EALREADY);
	EXPECT_EQ(spate_write(req, "x", 1), -EALREADY);
	EXPECT_EQ(spate_add_header(req, "X-Late", "1"), -EALREADY);
	return -EINVAL;
}

TEST(a_second_answer_is_refused)
{
	struct response answer;

	if (try_handler(answers_twice, GET("/"), &answer) == 0) {
		EXPECT_EQ(answer.status, 201);
		EXPECT(response_is(&answer, "first"));
		response_free(&answer);
		/* And the connection is in step. */
		EXPECT_EQ(client_ask(&client, GET("/"), &answer), 0);
		EXPECT_EQ(answer.status, 201);
	}
	done(&answer);
}

static int
answers_badly(struct spate_req *req, void *arg)
{
	(void)arg;
	EXPECT_EQ(spate_text(req, 99, "x"), -EINVAL);
	EXPECT_EQ(spate_text(req, 100, "x"), -EINVAL);
	EXPECT_EQ(spate_text(req, 600, "x"), -EINVAL);
	EXPECT_EQ(spate_text(req, -200, "x"), -EINVAL);
	EXPECT_EQ(spate_write(req, "x", 1), -EINVAL);
	return spate_text(req, 299, "x");
}

TEST(only_final_statuses_are_answers)
{
	struct response answer;

	if (try_handler(answers_badly, GET("/"), &answer) == 0) {
		EXPECT_EQ(answer.status, 299);
		EXPECT(response_is(&answer, "x"));
	}
	done(&answer);
}

static int
says_nothing(struct spate_req *req, void *arg)
{
	(void)req;
	(void)arg;
	return 0;
}

static int
fails(struct spate_req *req, void *arg)
{
	(void)req;
	(void)arg;
	return -ENOSPC;
}

/* An error of the handler's own, with a client that is still there. */
static int
loses_its_backend(struct spate_req *req, void *arg)
{
	(void)req;
	(void)arg;
	return -ECONNRESET;
}

static int
waits_too_long(struct spate_req *req, void *arg)
{
	(void)req;
	(void)arg;
	return -ETIMEDOUT;
}

TEST(errors_that_are_not_the_clients_are_500)
{
	struct response answer;

	if (try_handler(loses_its_backend, GET("/"), &answer) == 0)
		EXPECT_EQ(answer.status, 500);
	done(&answer);
	if (try_handler(waits_too_long, GET("/"), &answer) == 0)
		EXPECT_EQ(answer.status, 500);
	done(&answer);
}

TEST(no_answer_is_500_and_a_line_in_the_log)
{
	struct response answer;

	if (try_handler(says_nothing, GET("/"), &answer) == 0) {
		EXPECT_EQ(answer.status, 500);
		EXPECT(site_logged(&site, "the handler of / did not answer"));
	}
	done(&answer);
	if (try_handler(fails, GET("/"), &answer) == 0) {
		EXPECT_EQ(answer.status, 500);
		EXPECT(site_logged(&site, spate_strerror(-ENOSPC)));
	}
	done(&answer);
}

static int
fails_by_query(struct spate_req *req, void *arg)
{
	uint64_t value = 7;

	(void)arg;
	return spate_query_u64(req, "n", &value);
}

TEST(a_parameter_that_is_missing_is_400)
{
	struct response answer;

	if (try_handler(fails_by_query, GET("/?n=x"), &answer) == 0)
		EXPECT_EQ(answer.status, 400);
	done(&answer);
	if (try_handler(fails_by_query, GET("/?m=1"), &answer) == 0)
		EXPECT_EQ(answer.status, 400);
	done(&answer);
	if (try_handler(
		fails_by_query, GET("/?n=99999999999999999999999"), &answer)
	    == 0)
		EXPECT_EQ(answer.status, 400);
	done(&answer);
}

/* -------------------------------------------------------------- in pieces */

static int
writes_short(struct spate_req *req, void *arg)
{
	(void)arg;
	EXPECT_EQ(spate_begin(req, 200, NULL, 10), 0);
	return spate_write(req, "12345", 5);
}

TEST(a_short_answer_closes)
{
	struct response answer;

	site_new(&site);
	site_make(&site);
	spate_route(site.server, "GET", "/", writes_short, NULL);
	client.fd = -1;
	if (site_start(&site) && client_open(&client, site.port)) {
		client_say(&client, GET("/") GET("/"));
		/* The head says ten, five come, and then the end. */
		EXPECT_EQ(client_read(&client, &answer), -EPROTO);
		client_close(&client);
		EXPECT(site_left(&site));
		EXPECT(site_logged(&site, "5 bytes short"));
		EXPECT_EQ(SITE_COUNT(&site, requests), 1);
	}
	memset(&answer, 0, sizeof(answer));
	done(&answer);
}

static int
breaks_off(struct spate_req *req, void *arg)
{
	(void)arg;
	EXPECT_EQ(spate_begin(req, 200, NULL, -1), 0);
	EXPECT_EQ(spate_write(req, "12345", 5), 0);
	return -EIO;
}

static void
expect_two_heads(spate_handler_fn *handler)
{
	struct response answer;

	site_new(&site);
	site_make(&site);
	spate_route(site.server, "GET", "/", handler, NULL);
	client.fd = -1;
	if (site_start(&site) && client_open(&client, site.port)) {
		for (int i = 0; i < 2; i++) {
			client_say(
			    &client, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
			EXPECT_EQ(client_read_head(&client, &answer), 0);
			EXPECT_EQ(answer.status, 200);
			EXPECT(response_field(&answer, "Connection") == NULL);
			response_free(&answer);
		}
	}
	memset(&answer, 0, sizeof(answer));
	done(&answer);
}

/* After HEAD there is no body to be short, and the connection is kept. */
TEST(a_short_answer_to_head_is_whole)
{
	expect_two_heads(writes_short);
}

TEST(an_answer_to_head_that_breaks_off_is_whole)
{
	expect_two_heads(breaks_off);
}

static int
writes_and_waits(struct spate_req *req, void *arg)
{
	int error = spate_begin(req, 200, NULL, 10);

	if (error == 0)
		error = spate_write(req, "12345", 5);
	if (error == 0)
		error = spate_sleep(60000);
	atomic_store((atomic_int *)arg, error);
	return error;
}

/* Or else each visitor who breaks off a download could fill the log. */
TEST(no_handler_is_blamed_for_a_client_that_left)
{
	static atomic_int outcome;
	struct response answer = { 0 };
	char piece[512];

	site_new(&site);
	site_make(&site);
	spate_route(site.server, "GET", "/", writes_and_waits, &outcome);
	client.fd = -1;
	if (site_start(&site) && client_open(&client, site.port)) {
		client_say(&client, GET("/"));
		EXPECT(client_receive(&client, piece, sizeof(piece)) > 0);
		client_reset(&client);
		EXPECT(site_left(&site));
		EXPECT_EQ(atomic_load(&outcome), -ECANCELED);
		EXPECT(!site_logged(&site, "bytes short"));
	}
	done(&answer);
}

static int
writes_more(struct spate_req *req, void *arg)
{
	(void)arg;
	EXPECT_EQ(spate_begin(req, 200, NULL, 5), 0);
	EXPECT_EQ(spate_write(req, "123", 3), 0);
	EXPECT_EQ(spate_write(req, "456", 3), -EMSGSIZE);
	EXPECT_EQ(spate_write(req, "", 0), 0);
	EXPECT_EQ(spate_write(req, "45", 2), 0);
	EXPECT_EQ(spate_write(req, "6", 1), -EMSGSIZE);
	return 0;
}

TEST(more_than_announced_is_refused_and_not_sent)
{
	struct response answer;

	if (try_handler(writes_more, GET("/"), &answer) == 0) {
		EXPECT(response_is(&answer, "12345"));
		response_free(&answer);
		EXPECT_EQ(client_ask(&client, GET("/"), &answer), 0);
		EXPECT(response_is(&answer, "12345"));
	}
	done(&answer);
}

static int
writes_chunks(struct spate_req *req, void *arg)
{
	static char large[100000];
	int error;

	(void)arg;
	memset(large, 'L', sizeof(large));
	error = spate_begin(req, 200, "text/x", -1);
	if (error == 0)
		error = spate_write(req, "a", 1);
	if (error == 0)
		error = spate_write(req, large, sizeof(large));
	if (error == 0)
		error = spate_write(req, large, 9000);
	if (error == 0)
		error = spate_write(req, large, 13000);
	if (error == 0)
		error = spate_flush(req);
	if (error == 0)
		error = spate_write(req, "z", 1);
	return error;
}

TEST(chunks_of_all_sizes_arrive)
{
	struct response answer;

	if (try_handler(writes_chunks, GET("/"), &answer) == 0) {
		EXPECT(answer.chunked);
		EXPECT_EQ(answer.size, 122002);
		EXPECT(answer.body[0] == 'a' && answer.body[1] == 'L'
		       && answer.body[122001] == 'z');
		response_free(&answer);
		client_say(&client, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
		EXPECT_EQ(client_read_head(&client, &answer), 0);
		EXPECT(!answer.chunked || answer.size == 0);
		response_free(&answer);
		EXPECT_EQ(client_ask(&client, GET("/"), &answer), 0);
		EXPECT_EQ(answer.size, 122002);
	}
	done(&answer);
}

static int
begins_empty(struct spate_req *req, void *arg)
{
	uint64_t status = 200;

	(void)arg;
	spate_query_u64(req, "status", &status);
	return spate_begin(req, (int)status, NULL, -1);
}

TEST(statuses_without_a_body_have_none)
{
	struct response answer;

	if (try_handler(begins_empty, GET("/"), &answer) == 0) {
		EXPECT(answer.chunked && answer.size == 0);
		response_free(&answer);
		EXPECT_EQ(client_ask(&client, GET("/?status=204"), &answer), 0);
		EXPECT_EQ(answer.status, 204);
		EXPECT(!answer.chunked && !answer.has_length);
		response_free(&answer);
		EXPECT_EQ(client_ask(&client, GET("/?status=304"), &answer), 0);
		EXPECT_EQ(answer.status, 304);
		EXPECT(!answer.chunked);
		response_free(&answer);
		EXPECT_EQ(client_ask(&client, GET("/?status=205"), &answer), 0);
		EXPECT_EQ(answer.status, 205);
		EXPECT_EQ(answer.size, 0);
		response_free(&answer);
		EXPECT_EQ(client_ask(&client, GET("/"), &answer), 0);
		EXPECT_EQ(answer.status, 200);
	}
	done(&answer);
}

/* The head is out before the body is: a flush does not wait for more. */
static int
flushes_and_reads(struct spate_req *req, void *arg)
{
	char piece[64];
	ssize_t n;

	(void)arg;
	EXPECT_EQ(spate_begin(req, 200, NULL, -1), 0);
	EXPECT_EQ(spate_write(req, "first", 5), 0);
	EXPECT_EQ(spate_flush(req), 0);
	n = spate_body_read(req, piece, sizeof(piece));
	EXPECT_EQ(n, 2);
	return spate_write(req, "last", 4);
}

TEST(a_flush_leaves_at_once)
{
	static const char first[] = "5\r\nfirst\r\n";
	char got[sizeof(first)] = "";
	struct response answer;

	site_new(&site);
	site_make(&site);
	spate_route(site.server, "*", "/", flushes_and_reads, NULL);
	client.fd = -1;
	memset(&answer, 0, sizeof(answer));
	if (site_start(&site) && client_open(&client, site.port)) {
		client_say(&client,
		    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n");
		EXPECT_EQ(client_read_head(&client, &answer), 0);
		EXPECT_EQ(client_exactly(&client, got, sizeof(first) - 1),
		    (ssize_t)sizeof(first) - 1);
		EXPECT(strcmp(got, first) == 0);
		client_say(&client, "go");
		EXPECT_EQ(client_exactly(&client, got, 9), 9);
		EXPECT(memcmp(got, "4\r\nlast\r\n", 9) == 0);
	}
	done(&answer);
}

/* ----------------------------------------------------------------- memory */

static int
allocates(struct spate_req *req, void *arg)
{
	size_t total = 0;
	char *memory;

	(void)arg;
	while ((memory = spate_alloc(req, 1000)) != NULL) {
		memset(memory, 1, 1000);
		total += 1000;
	}
	EXPECT(spate_alloc(req, 100 * 1024 * 1024) == NULL);
	return spate_text(req, 200, "%zu", total);
}

TEST(memory_of_a_request_has_a_bound_and_comes_back)
{
	struct response answer;

	if (try_handler(allocates, GET("/"), &answer) == 0) {
		long total = atol(answer.body);

		EXPECT(total > 900 * 1024 && total <= 1100 * 1024);
		response_free(&answer);
		EXPECT_EQ(client_ask(&client, GET("/"), &answer), 0);
		EXPECT_EQ(atol(answer.body), total);
		EXPECT_EQ(SITE_COUNT(&site, limited_memory), 4);
	}
	done(&answer);
}

static int
tells(struct spate_req *req, void *arg)
{
	struct spate_str host = spate_host(req), query = spate_query(req);
	struct spate_str q = spate_query_str(req, "q");
	struct spate_str x = spate_header(req, "x-thing");
	struct spate_str path = spate_path(req);

	(void)arg;
	EXPECT(spate_param(req, "none").data == NULL);
	EXPECT(spate_header(req, "none").data == NULL);
	EXPECT(spate_shard(req) < 2);
	EXPECT(spate_req_handle(req) != 0);
	return spate_text(req, 200, "%s %.*s %.*s %.*s %.*s %.*s %lld",
	    spate_method(req), (int)host.size, host.data, (int)path.size,
	    path.data, (int)query.size, query.data, (int)q.size, q.data,
	    (int)x.size, x.data, (long long)spate_body_size(req));
}

TEST(a_handler_sees_what_was_sent)
{
	struct response answer;

	if (try_handler(tells,
		"PATCH /?q=a%20b&r HTTP/1.1\r\nX-THING:  some thing \r\n"
		"Host: h:81\r\nContent-Length: 3\r\n\r\nabc",
		&answer)
	    == 0)
		EXPECT(response_is(
		    &answer, "PATCH h:81 / q=a%20b&r a b some thing 3"));
	done(&answer);
}
