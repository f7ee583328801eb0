/* SPDX-License-Identifier: BSD-2-Clause */

#include "examples/demo/demo.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PIECE 16384
#define URL_MAX 9000
#define FIELDS_MAX 100
#define FIELDS_SIZE 8192 /* what spate_add_header() has room for */
#define FAN_MAX 1000
#define WAIT_MAX_MS 60000
#define PATIENCE_MS 30000
#define VIA "1.1 spate"

/* How long the other side may take each time; constant once it is read. */
static uint32_t patience_ms;

void
demo_upstream_begin(void)
{
	const char *text = getenv("SPATE_UPSTREAM_MS");
	unsigned long ms = text != NULL ? strtoul(text, NULL, 10) : 0;

	patience_ms = ms != 0 && ms <= WAIT_MAX_MS ? (uint32_t)ms : PATIENCE_MS;
}

/* "http://ADDRESS" and the target; a Unix path needs an end. */
static int
put_url(char *url, size_t size, const char *upstream, struct spate_str target)
{
	bool local = strncmp(upstream, "unix:", 5) == 0;
	int n = snprintf(url, size, "http://%s%s%.*s", upstream,
	    local ? ":" : "", (int)target.size, target.data);

	return n < 0 || (size_t)n >= size ? -E2BIG : 0;
}

/* ---------------------------------------------------------------- fields */

static bool
is_named(struct spate_str name, const char *text)
{
	return name.size == strlen(text)
	       && strncasecmp(name.data, text, name.size) == 0;
}

/* Whether a list with commas has this member. */
static bool
has_member(struct spate_str list, struct spate_str name)
{
	const char *at = list.data, *end = at + list.size;

	while (at < end) {
		const char *member = at;
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma != NULL ? comma : end;

		at = stop + 1;
		while (member < stop && (*member == ' ' || *member == '\t'))
			member++;
		while (member < stop && (stop[-1] == ' ' || stop[-1] == '\t'))
			stop--;
		if ((size_t)(stop - member) == name.size
		    && strncasecmp(member, name.data, name.size) == 0)
			return true;
	}
	return false;
}

/* The fields of one side, on loan from it. */
struct head {
	size_t count;
	struct spate_str name[FIELDS_MAX], value[FIELDS_MAX];
};

/*
 * Fields for one hop, by RFC 9110, 7.6.1: these, and those that any of the
 * fields Connection names. The framing is each side's own.
 */
static bool
is_for_one_hop(const struct head *head, struct spate_str name)
{
	static const char *const hop[] = { "Connection", "Keep-Alive",
		"Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
		"TE", "Trailer", "Transfer-Encoding", "Upgrade",
		"Content-Length" };

	for (size_t i = 0; i < sizeof(hop) / sizeof(hop[0]); i++) {
		if (is_named(name, hop[i]))
			return true;
	}
	for (size_t i = 0; i < head->count; i++) {
		if (is_named(head->name[i], "Connection")
		    && has_member(head->value[i], name))
			return true;
	}
	return false;
}

static char *
copy(struct spate_req *req, struct spate_str text)
{
	char *memory = spate_alloc(req, text.size + 1);

	if (memory != NULL) {
		memcpy(memory, text.data, text.size);
		memory[text.size] = '\0';
	}
	return memory;
}

/* What the call sets by itself, of this request: those would be there twice. */
static bool
is_of_the_call(struct spate_str name)
{
	return is_named(name, "Host") || is_named(name, "Expect")
	       || is_named(name, "traceparent") || is_named(name, "tracestate");
}

/* => Returns how many, or -ENOMEM. */
static int
take_fields(struct spate_req *req, struct spate_field fields[FIELDS_MAX])
{
	struct head head;
	int count = 0;

	for (head.count = 0; head.count < FIELDS_MAX; head.count++) {
		if (spate_header_at(req, head.count, &head.name[head.count],
			&head.value[head.count])
		    != 0)
			break;
	}
	for (size_t i = 0; i < head.count; i++) {
		if (is_for_one_hop(&head, head.name[i])
		    || is_of_the_call(head.name[i]))
			continue;
		fields[count].name = copy(req, head.name[i]);
		fields[count].value = copy(req, head.value[i]);
		if (fields[count].name == NULL || fields[count].value == NULL)
			return -ENOMEM;
		count++;
	}
	return count;
}

/* The type goes to spate_begin(). */
static bool
is_to_be_given(const struct head *head, size_t i)
{
	return !is_for_one_hop(head, head->name[i])
	       && !is_named(head->name[i], "Content-Type");
}

/* With what goes around a name and a value. */
static size_t
size_of(const struct head *head)
{
	size_t size = 0;

	for (size_t i = 0; i < head->count; i++) {
		if (is_to_be_given(head, i))
			size += head->name[i].size + head->value[i].size + 4;
	}
	return size;
}

/*
 * Those that the server sets itself are left to it.
 *
 * => Returns 0, -ENOMEM, or -E2BIG: there is no room for them, and none has
 *    been given.
 */
static int
give_fields(struct spate_req *req, struct spate_upstream *up)
{
	struct head head;

	for (head.count = 0; head.count < FIELDS_MAX; head.count++) {
		if (spate_upstream_header_at(up, head.count,
			&head.name[head.count], &head.value[head.count])
		    != 0)
			break;
	}
	if (size_of(&head) > FIELDS_SIZE - sizeof("Via: " VIA "\r\n"))
		return -E2BIG;
	for (size_t i = 0; i < head.count; i++) {
		const char *name, *value;

		if (!is_to_be_given(&head, i))
			continue;
		name = copy(req, head.name[i]);
		value = copy(req, head.value[i]);
		if (name == NULL || value == NULL
		    || spate_add_header(req, name, value) == -ENOMEM)
			return -ENOMEM;
	}
	return spate_add_header(req, "Via", VIA);
}

/* ----------------------------------------------------------------- proxy */

static int
refuse(struct spate_req *req, int error)
{
	if (error == -ECANCELED)
		return error;
	if (error == -E2BIG)
		return spate_text(req, 502,
		    "502 Bad Gateway: more fields than can be passed on\n");
	return spate_text(req, error == -ETIMEDOUT ? 504 : 502, "%s: %s\n",
	    error == -ETIMEDOUT ? "504 Gateway Timeout" : "502 Bad Gateway",
	    spate_strerror(error));
}

/* What is passed on, in both directions: a piece of each at a time. */
struct relay {
	struct spate_req *req;
	struct spate_upstream *up;
	size_t at, size; /* of the body's piece, what is still to be sent */
	bool all_read;   /* of the body */
	bool all_sent;   /* or the other side wants no more of it */
	bool answered;   /* the head has been passed on */
	bool all_passed;
	bool by_client; /* who is at fault, if there is a fault */
	char body[PIECE], answer[PIECE];
};

/* => Returns 0, or the first error. */
static int
read_body(struct relay *relay)
{
	ssize_t n = spate_body_read(
	    relay->req, relay->body, sizeof(relay->body));

	if (n < 0) {
		relay->by_client = true;
		return (int)n;
	}
	relay->at = 0;
	relay->size = (size_t)n;
	relay->all_read = n == 0;
	return 0;
}

/* Who wants no more of a body may have answered all the same. */
static int
send_body(struct relay *relay)
{
	ssize_t n = 0;

	if (relay->at < relay->size)
		n = spate_upstream_send(relay->up, relay->body + relay->at,
		    relay->size - relay->at);
	else if (relay->all_read)
		n = spate_upstream_end(relay->up);
	if (n == -EAGAIN)
		return 0;
	if (n == -EPIPE || n == -ECONNRESET) {
		relay->all_sent = true;
		return 0;
	}
	if (n < 0)
		return (int)n;
	if (relay->at == relay->size && relay->all_read)
		relay->all_sent = true;
	relay->at += (size_t)n;
	return 0;
}

static int
pass_head(struct relay *relay)
{
	struct spate_str type;
	const char *text;
	int status = spate_upstream_answer(relay->up), error;

	if (status <= 0)
		return status;
	type = spate_upstream_header(relay->up, "Content-Type");
	text = type.data != NULL ? copy(relay->req, type) : NULL;
	error = give_fields(relay->req, relay->up);
	if (error == -E2BIG)
		return error;
	if (error == 0)
		error = spate_begin(
		    relay->req, status, text, spate_upstream_size(relay->up));
	relay->answered = true;
	return error;
}

/* After the head has gone out, only its end tells of a fault. */
static int
pass_answer(struct relay *relay)
{
	ssize_t n;

	if (!relay->answered)
		return pass_head(relay);
	n = spate_upstream_read(
	    relay->up, relay->answer, sizeof(relay->answer));
	if (n < 0)
		return n == -EAGAIN ? 0 : (int)n;
	relay->all_passed = n == 0;
	return n != 0 ? spate_write(relay->req, relay->answer, (size_t)n) : 0;
}

/*
 * Until all of the answer has been passed on, whatever has become of the body
 * by then. Neither side is read from faster than the other one takes it.
 */
static int
pass_on(struct relay *relay)
{
	int error = 0;

	while (error == 0 && !relay->all_passed) {
		unsigned what = SPATE_ANSWER;
		int ready;

		if (!relay->all_sent)
			what |= relay->at < relay->size || relay->all_read
				    ? SPATE_ROOM
				    : SPATE_BODY;
		ready = spate_upstream_wait(relay->up, what);
		if (ready < 0)
			return ready;
		if (ready & SPATE_BODY)
			error = read_body(relay);
		if (error == 0 && (ready & (SPATE_BODY | SPATE_ROOM)) != 0)
			error = send_body(relay);
		if (error == 0 && (ready & SPATE_ANSWER))
			error = pass_answer(relay);
	}
	return error;
}

static int
call_upstream(struct spate_req *req, struct spate_call *call)
{
	struct relay *relay = spate_alloc(req, sizeof(*relay));
	int error;

	if (relay == NULL)
		return -ENOMEM;
	memset(relay, 0, offsetof(struct relay, body));
	relay->req = req;
	relay->all_read = relay->all_sent = call->body_size == 0;
	error = spate_upstream_open(call, &relay->up);
	if (error != 0)
		return refuse(req, error);
	error = pass_on(relay);
	spate_upstream_close(relay->up);
	if (error != 0 && !relay->answered && !relay->by_client)
		return refuse(req, error);
	return error;
}

/* The path behind "/proxy", with its escapes, and the query. */
static struct spate_str
target_of(struct spate_req *req)
{
	struct spate_str path = spate_path(req), query = spate_query(req);
	const char *slash = memchr(path.data + 1, '/', path.size - 1);

	if (slash == NULL)
		return (struct spate_str){ "/", 1 };
	path.size -= (size_t)(slash - path.data);
	path.data = slash;
	if (query.data != NULL)
		path.size += query.size + 1;
	return path;
}

int
demo_proxy(struct spate_req *req, void *upstream)
{
	struct spate_field fields[FIELDS_MAX + 1];
	struct spate_call call = spate_call_default(spate_method(req), NULL);
	char *url = spate_alloc(req, URL_MAX);
	int count;

	if (upstream == NULL)
		return spate_text(req, 404, "no --upstream\n");
	if (url == NULL)
		return -ENOMEM;
	count = put_url(url, URL_MAX, upstream, target_of(req));
	if (count == 0)
		count = take_fields(req, fields);
	if (count < 0)
		return count;
	fields[count++] = (struct spate_field){ "Via", VIA };
	call.url = url;
	call.timeout_ms = patience_ms;
	call.fields = fields;
	call.field_count = (size_t)count;
	call.body_size = spate_body_size(req);
	call.duplex = true;
	return call_upstream(req, &call);
}

/* ---------------------------------------------------------------- fanout */

/*
 * => Returns how many were answered by 200. An error of one does not keep
 *    the others from being asked.
 */
static uint64_t
ask_all(const struct spate_call *call, struct spate_upstream **up, uint64_t n)
{
	uint64_t right = 0;
	struct spate_str body;

	for (uint64_t i = 0; i < n; i++)
		spate_upstream_open(call, &up[i]);
	for (uint64_t i = 0; i < n; i++) {
		if (up[i] != NULL)
			spate_upstream_flush(up[i]);
	}
	for (uint64_t i = 0; i < n; i++) {
		if (up[i] == NULL)
			continue;
		right += spate_upstream_answer(up[i]) == 200
			 && spate_upstream_body(up[i], PIECE, &body) == 0;
		spate_upstream_close(up[i]);
	}
	return right;
}

int
demo_fanout(struct spate_req *req, void *upstream)
{
	struct spate_upstream **up;
	uint64_t n = 0, ms = 0, right;
	char path[64] = "/plaintext", url[256] = "";
	struct spate_call call = spate_call_default("GET", url);
	int error = spate_query_u64(req, "n", &n);

	if (upstream == NULL)
		return spate_text(req, 404, "no --upstream\n");
	if (error != 0)
		return error;
	if (n > FAN_MAX)
		return -ERANGE;
	error = spate_query_u64(req, "ms", &ms);
	if (error == 0)
		snprintf(path, sizeof(path), "/sleep?ms=%u",
		    (unsigned)(ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS));
	else if (error != -ENOENT)
		return error;
	error = put_url(url, sizeof(url), upstream,
	    (struct spate_str){ path, strlen(path) });
	up = spate_alloc(req, (n + 1) * sizeof(up[0]));
	if (error != 0 || up == NULL)
		return error != 0 ? error : -ENOMEM;
	right = ask_all(&call, up, n);
	return spate_text(req, right == n ? 200 : 502, "%llu of %llu\n",
	    (unsigned long long)right, (unsigned long long)n);
}
