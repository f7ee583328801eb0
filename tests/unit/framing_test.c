/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Framing: the rules of RFC 9110 and 9112, one function for each, over every
 * method, status, version, kind of body and wish to keep the connection.
 * The rules are not the table: each says what must or must not be, and they
 * know nothing of how it is decided.
 */

#include "framework/framing.h"

#include "tests/harness.h"

#include <stdio.h>

struct response {
	enum sp_http_method method;
	int status, minor;
	enum sp_http_body body;
	bool keep_alive;
	struct sp_http_framing sent;
};

/* 9110, 9.3.2; 15.2; 15.3.5; 15.3.6; 15.4.5; 9.3.6: who has no content. */
static bool
may_have_content(const struct response *r)
{
	if (r->method == SP_HTTP_HEAD)
		return false;
	if (r->method == SP_HTTP_CONNECT && r->status / 100 == 2)
		return false;
	return r->status / 100 != 1 && r->status != 204 && r->status != 205
	       && r->status != 304;
}

static bool
content_is_sent_exactly_if_allowed_and_offered(const struct response *r)
{
	return r->sent.send_body
	       == (may_have_content(r) && r->body != SP_HTTP_BODY_NONE);
}

/* 9110, 8.6: not in 1xx, 204 and 2xx to CONNECT. */
static bool
no_length_where_forbidden(const struct response *r)
{
	bool forbidden = r->status / 100 == 1 || r->status == 204
			 || (r->method == SP_HTTP_CONNECT
			     && r->status / 100 == 2);

	return !forbidden || !r->sent.send_content_length;
}

/* 9112, 6.1: not in 1xx, 204, 2xx to CONNECT, nor to HTTP/1.0. */
static bool
no_chunks_where_forbidden(const struct response *r)
{
	bool forbidden = r->status / 100 == 1 || r->status == 204
			 || (r->method == SP_HTTP_CONNECT
			     && r->status / 100 == 2)
			 || r->minor == 0;

	return !forbidden || !r->sent.send_chunked;
}

/* 9112, 6.2: not both. */
static bool
never_length_and_chunks(const struct response *r)
{
	return !r->sent.send_content_length || !r->sent.send_chunked;
}

/* 9110, 8.6: to HEAD and in 304, only the length that GET or 200 would have. */
static bool
a_length_without_content_is_that_of_the_content(const struct response *r)
{
	bool about_other = r->method == SP_HTTP_HEAD || r->status == 304;

	if (!about_other || !r->sent.send_content_length)
		return true;
	if (r->status == 205)
		return r->sent.length_is_zero;
	return r->body == SP_HTTP_BODY_FIXED && !r->sent.length_is_zero
	       && r->status != 304;
}

/* What a client of 9112, 6.3 does with the head that it gets. */
static bool
the_client_finds_the_end(const struct response *r)
{
	const struct sp_http_framing *s = &r->sent;

	if (r->method == SP_HTTP_HEAD || r->status / 100 == 1
	    || r->status == 204 || r->status == 304)
		return !s->send_body; /* rule 1: ends with the head */
	if (r->method == SP_HTTP_CONNECT && r->status / 100 == 2)
		return !s->send_body; /* rule 2: a tunnel */
	if (s->send_chunked)
		return s->send_body && r->minor >= 1; /* rule 4 */
	if (s->send_content_length)                   /* rule 6 */
		return s->length_is_zero != s->send_body;
	return s->close; /* rule 8: until the connection closes */
}

/* 9110, 15.3.6: 205 says that there is nothing. */
static bool
reset_content_is_empty(const struct response *r)
{
	if (r->status != 205 || r->method == SP_HTTP_CONNECT)
		return true;
	return r->sent.send_content_length && r->sent.length_is_zero;
}

/* 9112, 9.3 and 9.6; an interim response or a tunnel is not the last. */
static bool
it_closes_only_if_it_must(const struct response *r)
{
	bool last = r->status / 100 != 1
		    && !(r->method == SP_HTTP_CONNECT && r->status / 100 == 2);
	bool until_close = r->sent.send_body && !r->sent.send_chunked
			   && !r->sent.send_content_length;

	return r->sent.close == (last && (!r->keep_alive || until_close));
}

/* A body whose size is known is never chunked or ended by the close. */
static bool
a_known_size_is_sent(const struct response *r)
{
	if (r->body == SP_HTTP_BODY_STREAMED || !may_have_content(r))
		return true;
	return r->sent.send_content_length
	       && r->sent.length_is_zero == (r->body == SP_HTTP_BODY_NONE);
}

static const struct {
	const char *name;
	bool (*holds)(const struct response *r);
} rules[] = {
#define RULE(name)                                                             \
	{                                                                      \
#name, name                                                    \
	}
	RULE(content_is_sent_exactly_if_allowed_and_offered),
	RULE(no_length_where_forbidden),
	RULE(no_chunks_where_forbidden),
	RULE(never_length_and_chunks),
	RULE(a_length_without_content_is_that_of_the_content),
	RULE(the_client_finds_the_end),
	RULE(reset_content_is_empty),
	RULE(it_closes_only_if_it_must),
	RULE(a_known_size_is_sent),
};

static void
check(const struct response *r)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].holds(r))
			continue;
		printf("%s: method %d status %d HTTP/1.%d body %d keep %d\n",
		    rules[i].name, r->method, r->status, r->minor, r->body,
		    r->keep_alive);
		EXPECT(!"the rule holds");
	}
}

static int
check_status(int status)
{
	int checked = 0;

	for (int m = 0; m < SP_HTTP_METHODS; m++) {
		for (int rest = 0; rest < 3 * SP_HTTP_BODY_KINDS * 2; rest++) {
			struct response r = {
				.method = (enum sp_http_method)m,
				.status = status,
				.minor = rest % 3,
				.body = (enum sp_http_body)(
				    rest / 3 % SP_HTTP_BODY_KINDS),
				.keep_alive = rest / 3 / SP_HTTP_BODY_KINDS
					      != 0,
			};

			r.sent = sp_http_framing(
			    r.method, r.status, r.minor, r.body, r.keep_alive);
			check(&r);
			checked++;
		}
	}
	return checked;
}

TEST(every_response_obeys_every_rule)
{
	int checked = 0;

	for (int status = 100; status <= 599; status++)
		checked += check_status(status);
	EXPECT_EQ(checked, 500 * SP_HTTP_METHODS * 3 * 3 * 2);
}

TEST(the_usual_responses)
{
	struct sp_http_framing sent;

	sent = sp_http_framing(SP_HTTP_GET, 200, 1, SP_HTTP_BODY_FIXED, true);
	EXPECT(sent.send_content_length && sent.send_body && !sent.close);
	sent = sp_http_framing(
	    SP_HTTP_GET, 200, 1, SP_HTTP_BODY_STREAMED, true);
	EXPECT(sent.send_chunked && sent.send_body && !sent.close);
	sent = sp_http_framing(
	    SP_HTTP_GET, 200, 0, SP_HTTP_BODY_STREAMED, true);
	EXPECT(!sent.send_chunked && sent.send_body && sent.close);
	sent = sp_http_framing(SP_HTTP_POST, 302, 1, SP_HTTP_BODY_NONE, true);
	EXPECT(sent.send_content_length && sent.length_is_zero);
	sent = sp_http_framing(
	    SP_HTTP_OPTIONS, 204, 1, SP_HTTP_BODY_STREAMED, true);
	EXPECT(!sent.send_chunked && !sent.send_body && !sent.close);
}
