/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * T12: how the end of an answer is told, on the wire. framing_test.c has the
 * rules of the RFCs and all of the table; this is whether it is obeyed, for
 * every way to give an answer. Behind each request goes another one, whose
 * answer would be garbled by a byte too many or too few.
 */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BODY "twelve bytes"
#define BODY_SIZE (sizeof(BODY) - 1)
#define MARKER "the next answer"

enum way { EMPTY, RESPOND, BEGIN, STREAM, WAYS };

/* How the request says it: the version, and whether to keep the connection. */
static const struct {
	int minor;
	bool keep;
	const char *field;
} versions[] = {
	{ 1, true, "" },
	{ 1, false, "Connection: close\r\n" },
	{ 0, false, "" },
	{ 0, true, "Connection: keep-alive\r\n" },
};

#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

struct sent {
	const char *method;
	int status;
	enum way way;
	int version;
};

static struct site site;

static int
answers(struct spate_req *req, void *arg)
{
	uint64_t status = 0, way = 0;
	int error;

	(void)arg;
	EXPECT_EQ(spate_param_u64(req, "status", &status), 0);
	EXPECT_EQ(spate_param_u64(req, "way", &way), 0);
	switch (way) {
	case EMPTY:
		return spate_respond(req, (int)status, NULL, NULL, 0);
	case RESPOND:
		return spate_respond(
		    req, (int)status, "text/x", BODY, BODY_SIZE);
	default:
		error = spate_begin(req, (int)status, "text/x",
		    way == BEGIN ? (int64_t)BODY_SIZE : -1);
		if (error == 0)
			error = spate_write(req, BODY, 5);
		if (error == 0)
			error = spate_write(req, &BODY[5], BODY_SIZE - 5);
		return error;
	}
}

static int
marks(struct spate_req *req, void *arg)
{
	(void)arg;
	return spate_text(req, 200, MARKER);
}

/* ------------------------------------------------------------ what is due */

static bool
is_head(const struct sent *sent)
{
	return strcmp(sent->method, "HEAD") == 0;
}

static bool
has_body(const struct sent *sent)
{
	return !is_head(sent) && sent->status != 204 && sent->status != 205
	       && sent->status != 304 && sent->way != EMPTY;
}

/* RFC 9110, 8.6: none in 204 and 304; to HEAD what GET would get. */
static const char *
length_due(const struct sent *sent)
{
	if (sent->status == 204 || sent->status == 304)
		return NULL;
	if (sent->status == 205 || sent->way == EMPTY)
		return "0";
	return sent->way == STREAM ? NULL : "12";
}

static bool
chunks_due(const struct sent *sent)
{
	return has_body(sent) && sent->way == STREAM
	       && versions[sent->version].minor == 1;
}

static bool
keep_due(const struct sent *sent)
{
	return versions[sent->version].keep
	       && (!has_body(sent) || sent->way != STREAM || chunks_due(sent));
}

static bool
is_as_due(const struct sent *sent, const struct response *answer)
{
	const char *length = response_field(answer, "Content-Length");
	const char *due = length_due(sent);
	const char *connection = response_field(answer, "Connection");
	const char *said = !keep_due(sent)                      ? "close"
			   : versions[sent->version].minor == 0 ? "keep-alive"
								: NULL;

	return answer->status == sent->status
	       && answer->chunked == chunks_due(sent)
	       && (due == NULL ? length == NULL
			       : length != NULL && strcmp(length, due) == 0)
	       && (said == NULL
		       ? connection == NULL
		       : connection != NULL && strcmp(connection, said) == 0)
	       && answer->size == (has_body(sent) ? BODY_SIZE : 0)
	       && memcmp(answer->body, BODY, answer->size) == 0;
}

/* ----------------------------------------------------------------- asking */

static bool
marker_follows(struct client *client)
{
	struct response answer;
	bool follows = client_read(client, &answer) == 0
		       && response_is(&answer, MARKER);

	response_free(&answer);
	return follows;
}

/* => Returns whether all was as it has to be. */
static bool
ask_one(struct client *client, const struct sent *sent)
{
	char request[300];
	struct response answer = { .head = NULL };
	bool right;

	snprintf(request, sizeof(request),
	    "%s /%d/%d HTTP/1.%d\r\nHost: a\r\n%s\r\n%s", sent->method,
	    sent->status, sent->way, versions[sent->version].minor,
	    versions[sent->version].field,
	    keep_due(sent) ? GET("/marker") : "");
	if (client->fd < 0 && !client_open(client, site.port))
		return false;
	client_say(client, request);
	right = (is_head(sent) ? client_read_head(client, &answer)
			       : client_read(client, &answer))
		    == 0
		&& is_as_due(sent, &answer)
		&& (keep_due(sent) ? marker_follows(client)
				   : client_at_end(client));
	response_free(&answer);
	if (!right || !keep_due(sent))
		client_close(client);
	return right;
}

static void
try_one(struct client *client, const struct sent *sent)
{
	bool right = ask_one(client, sent);

	if (!right)
		printf("%s, status %d, way %d, HTTP/1.%d, \"%s\"\n",
		    sent->method, sent->status, sent->way,
		    versions[sent->version].minor,
		    versions[sent->version].field);
	EXPECT(right);
}

static bool
start(void)
{
	site_new(&site);
	site_make(&site);
	spate_route(site.server, "*", "/:status/:way", answers, NULL);
	spate_route(site.server, "GET", "/marker", marks, NULL);
	return site_start(&site);
}

TEST(every_status_ends_where_its_head_says)
{
	struct client client = { .fd = -1 };

	if (start()) {
		for (int status = 200; status < 600; status++) {
			for (int way = 0; way < 2 * WAYS; way++) {
				struct sent sent = {
					.method = way < WAYS ? "GET" : "HEAD",
					.status = status,
					.way = (enum way)(way % WAYS),
				};

				try_one(&client, &sent);
			}
		}
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(every_method_and_version_ends_where_its_head_says)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT",
		"DELETE", "OPTIONS", "PATCH" };
	static const int statuses[] = { 200, 204, 205, 206, 301, 304, 404,
		500 };
	const size_t count = sizeof(methods) / sizeof(methods[0])
			     * (sizeof(statuses) / sizeof(statuses[0])) * WAYS
			     * VERSIONS;
	struct client client = { .fd = -1 };

	if (start()) {
		for (size_t i = 0; i < count; i++) {
			struct sent sent = {
				.version = (int)(i % VERSIONS),
				.way = (enum way)(i / VERSIONS % WAYS),
				.status = statuses[i / VERSIONS / WAYS % 8],
				.method = methods[i / VERSIONS / WAYS / 8],
			};

			try_one(&client, &sent);
		}
	}
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

/* All the fields that there may be, and a body of the size that is asked. */
static int
with_fields_and_body(struct spate_req *req, void *arg)
{
	static const char body[16384] = "b";
	uint64_t size = 0;
	char value[101];

	(void)arg;
	memset(value, 'v', 100);
	value[100] = '\0';
	while (spate_add_header(req, "X-Field", value) == 0)
		;
	EXPECT_EQ(spate_query_u64(req, "n", &size), 0);
	EXPECT_EQ(spate_respond(req, 200, NULL, body, (size_t)size), 0);
	return 0;
}

TEST(all_fields_fit_whatever_heads_of_requests_may_be)
{
	const uint32_t heads[] = { 256, 8192, 16384, 64000 };
	struct client client;
	char request[64];

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		site_new(&site);
		site.options.max_head = heads[i];
		site.options.server_timing = true;
		site_make(&site);
		spate_route(
		    site.server, "GET", "/", with_fields_and_body, NULL);
		client = (struct client){ .fd = -1 };
		if (site_start(&site) && client_open(&client, site.port)) {
			for (unsigned n = 0; n <= 16384; n += 1024) {
				snprintf(request, sizeof(request),
				    "GET /?n=%u HTTP/1.1\r\nHost: a\r\n\r\n",
				    n);
				client_expect(&client, request, 200, NULL);
			}
		}
		client_close(&client);
		EXPECT_EQ(site_stop(&site), 0);
	}
}
