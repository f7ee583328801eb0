/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The trace of a request, and of what its handler asks of others. The server
 * here asks itself, and proxy_test.c goes through the demo.
 *
 *     /of          what spate_trace() says
 *     /seen        the fields of W3C Trace Context, as they came
 *     /call/HOW    what /seen says to a request of the handler's own
 */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ID "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"
#define TRACE "00-" ID "-" PARENT "-01"
#define OTHER "00-11111111111111111111111111111111-2222222222222222-00"
#define ASK(path, fields) "GET " path " HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define FIELD(value) "traceparent: " value "\r\n"

/* What follows ID in a request that was made: "-", 16 digits, the flags. */
#define REST 20

static struct site site;
static struct client client;

static int
of(struct spate_req *req, void *arg)
{
	struct spate_trace trace;
	int error = spate_trace(req, &trace);

	(void)arg;
	if (error != 0)
		return spate_text(req, 200, "%d", error);
	return spate_text(req, 200, "%s %s %d", trace.trace_id, trace.parent_id,
	    trace.sampled);
}

static int
seen(struct spate_req *req, void *arg)
{
	struct spate_str name, value;
	char text[4096];
	int size = 0;

	(void)arg;
	for (size_t i = 0; spate_header_at(req, i, &name, &value) == 0; i++) {
		if (strncasecmp(name.data, "trace", 5) == 0)
			size += snprintf(text + size,
			    sizeof(text) - (size_t)size, "%.*s=%.*s\n",
			    (int)name.size, name.data, (int)value.size,
			    value.data);
	}
	return spate_respond(req, 200, "text/plain", text, (size_t)size);
}

static int
call(struct spate_req *req, void *arg)
{
	static const struct spate_field own = { "Traceparent", OTHER };
	struct spate_str how = spate_param(req, "how"), body;
	char url[64];
	struct spate_call made = spate_call_default("GET", url);
	struct spate_upstream *up;
	int status;

	(void)arg;
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/seen",
	    spate_server_port(site.server));
	made.untraced = how.data[0] == 'u';
	made.fields = &own;
	made.field_count = how.data[0] == 'o';
	status = spate_fetch(&made, &up);
	if (status == 200 && spate_upstream_body(up, 4096, &body) == 0)
		spate_respond(req, 200, "text/plain", body.data, body.size);
	else
		spate_text(req, 502, "%d", status);
	spate_upstream_close(up);
	return 0;
}

static bool
start(void)
{
	site_new(&site);
	site_make(&site);
	spate_route(site.server, "GET", "/of", of, NULL);
	spate_route(site.server, "GET", "/seen", seen, NULL);
	spate_route(site.server, "GET", "/call/:how", call, NULL);
	client.fd = -1;
	return site_start(&site) && client_open(&client, site.port);
}

static void
stop(void)
{
	client_close(&client);
	EXPECT_EQ(site_stop(&site), 0);
}

TEST(a_handler_is_told)
{
	char none[16];

	snprintf(none, sizeof(none), "%d", -ENOENT);
	if (start()) {
		client_expect(
		    &client, ASK("/of", FIELD(TRACE)), 200, ID " " PARENT " 1");
		client_expect(&client,
		    ASK("/of", "TraceParent:\t" OTHER "\r\n"), 200,
		    "11111111111111111111111111111111 2222222222222222 0");
		client_expect(&client, ASK("/of", ""), 200, none);
		client_expect(&client, ASK("/of", FIELD("")), 200, none);
		client_expect(
		    &client, ASK("/of", FIELD(TRACE "-00")), 200, none);
		client_expect(&client,
		    ASK("/of", FIELD(TRACE) "A: b\r\n" FIELD(TRACE)), 200,
		    none);
		client_expect(
		    &client, ASK("/of", FIELD("") FIELD(TRACE)), 200, none);
	}
	stop();
}

/* The body of the answer without its parent-id, which is not PARENT. */
static void
expect_child(const char *request, const char *state)
{
	static const char head[] = "traceparent=00-" ID;
	const size_t end = sizeof(head) - 1 + REST;
	struct response answer;

	EXPECT_EQ(client_ask(&client, request, &answer), 0);
	EXPECT_EQ(answer.status, 200);
	EXPECT(answer.size > end);
	if (answer.size > end) {
		const char *rest = answer.body + sizeof(head) - 1;

		EXPECT(memcmp(answer.body, head, sizeof(head) - 1) == 0);
		EXPECT(memcmp(rest, "-" PARENT, 17) != 0);
		EXPECT_EQ(strspn(rest + 1, "0123456789abcdef"), 16);
		EXPECT(memcmp(rest + 17, "-01", 3) == 0);
		EXPECT_EQ(answer.size - end, strlen(state));
		EXPECT(memcmp(answer.body + end, state, strlen(state)) == 0);
	}
	response_free(&answer);
}

TEST(what_a_handler_asks_is_of_its_trace)
{
	if (start()) {
		expect_child(ASK("/call/so", FIELD(TRACE)), "\n");
		expect_child(
		    ASK("/call/so",
			"tracestate: a=1, b=2\r\n" FIELD(
			    TRACE) "tracestate:\r\nTracestate: c@d=3\r\n"),
		    "\ntracestate=a=1, b=2\ntracestate=c@d=3\n");
		client_expect(&client, ASK("/call/so", ""), 200, "");
		client_expect(
		    &client, ASK("/call/so", "tracestate: a=1\r\n"), 200, "");
		client_expect(&client,
		    ASK("/call/so",
			FIELD("00-" ID "-" PARENT) "tracestate: a=1\r\n"),
		    200, "");
		client_expect(&client,
		    ASK("/call/so",
			FIELD(TRACE) FIELD(OTHER) "tracestate: a=1\r\n"),
		    200, "");
	}
	stop();
}

TEST(a_call_may_be_of_another_trace_or_of_none)
{
	if (start()) {
		client_expect(&client,
		    ASK("/call/untraced", FIELD(TRACE) "tracestate: a=1\r\n"),
		    200, "");
		client_expect(&client,
		    ASK("/call/own", FIELD(TRACE) "tracestate: a=1\r\n"), 200,
		    "Traceparent=" OTHER "\n");
	}
	stop();
}

/* In two fields, of which the second has size - 300 bytes. */
static void
expect_state(int size, bool passes)
{
	char request[2048], state[2048];
	char value[301];

	memset(value, 'x', 300);
	value[300] = '\0';
	snprintf(request, sizeof(request),
	    ASK("/call/so",
		FIELD(TRACE) "tracestate: %s\r\ntracestate: %.*s\r\n"),
	    value, size - 300, value);
	snprintf(state, sizeof(state), "\ntracestate=%s\ntracestate=%.*s\n",
	    value, size - 300, value);
	expect_child(request, passes ? state : "\n");
}

TEST(a_tracestate_over_512_bytes_is_left_out)
{
	if (start()) {
		expect_state(512, true);
		expect_state(513, false);
	}
	stop();
}
