/* SPDX-License-Identifier: BSD-2-Clause */

/* Handlers that call other servers, and what those answer. */

#include "tests/e2e/client.h"
#include "tests/e2e/relay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------- answers */

TEST(bodies_of_every_framing_come_whole)
{
	static const struct relay_script scripts[] = {
		{ "HTTP/1.1 200 OK\r\n\r\naaaaa", 1 },
		{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n"
		  "\r\nHTTP/1.1 201 Made\r\nContent-Length: 2\r\n\r\nbb",
		    1 },
		{ "HTTP/1.0 404 No\r\nContent-Length: 1\r\n\r\nc", 1 },
		{ "HTTP/1.1 204 No\r\nContent-Length: 7\r\n\r\n", 1 },
	};

	site_new(&relay_front);
	if (relay_start(scripts, 4)) {
		relay_to_path("/size/1");
		relay_answers(200, 'x', 1);
		relay_to_path("/size/0");
		relay_answers(200, 'x', 0);
		relay_to_path("/size/20000000");
		relay_answers(200, 'x', 20000000);
		relay_to_path("/chunks/1000");
		relay_answers(200, 'y', 500500);
		relay_to_script(&scripts[0]);
		relay_answers(200, 'a', 5);
		relay_to_script(&scripts[1]);
		relay_answers(201, 'b', 2);
		relay_to_script(&scripts[2]);
		relay_answers(404, 'c', 1);
		relay_to_script(&scripts[3]);
		relay_answers(204, 'd', 0);
		EXPECT_EQ(SITE_COUNT(&relay_front, upstream_errors), 0);
	}
	relay_stop();
}

TEST(head_has_no_body)
{
	site_new(&relay_front);
	if (relay_start(NULL, 0)) {
		relay_call.method = "HEAD";
		relay_to_path("/size/50");
		relay_answers(200, 'x', 0);
		relay_answers(200, 'x', 0);
	}
	relay_stop();
}

TEST(bodies_are_sent_in_one_piece_and_in_many)
{
	char *large = calloc(1, 900000);

	site_new(&relay_front);
	if (relay_start(NULL, 0)) {
		relay_call.method = "POST";
		relay_to_path("/echo");
		relay_answers(200, '\0', 0);
		relay_call.body = large;
		relay_call.body_size = 100;
		relay_answers(200, '\0', 100);
		relay_call.body_size = 900000;
		relay_to_path("/collect");
		relay_answers(200, '\0', 900000);
		relay_call.body = NULL;
		relay_call.body_size = 100000;
		relay_answers(200, '\0', 100000);
		relay_call.body_size = -1;
		relay_answers(200, '\0', 100000);
		relay_call.body_size = 200000;
		relay_fails(-EINVAL);
		relay_call.body_size = 99999;
		relay_fails(-EMSGSIZE);
	}
	relay_stop();
	free(large);
}

/* ------------------------------------------------------ what goes wrong */

TEST(what_is_no_answer_is_an_error)
{
	static const struct relay_script scripts[] = {
		{ "SSH-2.0-OpenSSH\r\n", 1 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", 1 },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		    1 },
		{ "", 1 },
	};

	site_new(&relay_front);
	if (relay_start(scripts, 4)) {
		relay_to_script(&scripts[0]);
		relay_fails(-EBADMSG);
		relay_to_script(&scripts[1]);
		relay_fails(-ECONNRESET);
		relay_to_script(&scripts[2]);
		relay_fails(-EBADMSG);
		relay_to_script(&scripts[3]);
		relay_fails(-ECONNRESET);
		relay_to_path("/size/1000");
		relay_body_max = 999;
		relay_fails(-E2BIG);
		relay_to_path("/chunks/100");
		relay_fails(-E2BIG);
		snprintf(relay_url, sizeof(relay_url),
		    "http://unix:@spate-nobody:/");
		relay_fails(-ECONNREFUSED);
		EXPECT_EQ(SITE_COUNT(&relay_front, upstream_errors), 7);
		EXPECT(site_left(&relay_back));
	}
	relay_stop();
}

TEST(urls_and_fields_are_checked)
{
	static const char *const wrong[] = { "", "http://", "https://1.2.3.4/",
		"http://-name/", "http://*:1/", "http://:1/",
		"http://1.2.3.4:x/", "http://1.2.3.4/a b",
		"http://1.2.3.4/\r\nA: b", "http://1.2.3.4/#a",
		"http://u@1.2.3.4/", "http://[::1/", "http://[::g]/",
		"http://unix:", "http://unix:/a:b", "http://1.2.3.4/%",
		"http://1.2.3.4/%4", "http://1.2.3.4/?%4x" };
	static const struct spate_field fields[] = { { "A", "b\nc" },
		{ "A b", "c" }, { "content-length", "1" }, { "Host", "a" } };

	site_new(&relay_front);
	if (relay_start(NULL, 0)) {
		for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
			snprintf(relay_url, sizeof(relay_url), "%s", wrong[i]);
			relay_fails(-EINVAL);
		}
		relay_to_path("?query");
		EXPECT_EQ(
		    once(relay_front.port, GET_CLOSE("/relay"), NULL, 0), 404);
		relay_to_path("/hello");
		relay_call.field_count = 1;
		for (int i = 0; i < 3; i++) {
			relay_call.fields = &fields[i];
			relay_fails(-EINVAL);
		}
		relay_call.fields = &fields[3];
		EXPECT_EQ(
		    once(relay_front.port, GET_CLOSE("/relay"), NULL, 0), 200);
		relay_call.method = "CONNECT";
		relay_fails(-EINVAL);
	}
	relay_stop();
}

TEST(who_never_answers_is_given_up_in_time)
{
	static const struct relay_script scripts[] = { { NULL, 9 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", 9 } };

	site_new(&relay_front);
	if (relay_start(scripts, 2)) {
		relay_call.timeout_ms = 20;
		relay_to_script(&scripts[0]);
		relay_fails(-ETIMEDOUT);
		relay_to_script(&scripts[1]);
		relay_fails(-ETIMEDOUT);
		relay_call.timeout_ms = 0;
		relay_call.deadline_ms = 20;
		relay_fails(-ETIMEDOUT);
		EXPECT(site_left(&relay_back));
	}
	relay_stop();
}
