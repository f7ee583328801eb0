/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The load tool's reader of responses: where each ends, in whatever pieces
 * it comes.
 */

#include "perf/bench/response.h"
#include "tests/harness.h"

#include <string.h>

static struct bench_response response;

struct seen {
	int responses, last_status, closing;
	bool bad;
};

/* Feeds the text in pieces of that size. */
static struct seen
feed(const char *text, size_t piece)
{
	struct seen seen = { 0 };
	size_t size = strlen(text), at = 0, used;

	while (at < size && !seen.bad) {
		size_t part = size - at < piece ? size - at : piece;
		enum bench_progress progress = bench_response_feed(
		    &response, text + at, part, &used);

		at += used;
		if (progress == BENCH_DONE) {
			seen.responses++;
			seen.last_status = response.status;
			seen.closing += response.closes;
		}
		seen.bad = progress == BENCH_BAD;
	}
	return seen;
}

static const struct {
	const char *text;
	int responses, last_status, closing;
} cases[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 1, 200, 0 },
	{ "HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n"
	  "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx",
	    2, 404, 0 },
	{ "HTTP/1.1 200 OK\nContent-Length: 2\n\nab", 1, 200, 0 },
	{ "HTTP/1.1 204 No Content\r\n\r\n"
	  "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
	    2, 304, 0 },
	{ "HTTP/1.1 100 Continue\r\n\r\n"
	  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
	    1, 200, 0 },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "4\r\nabcd\r\nA;name=value\r\n0123456789\r\n0\r\n\r\n"
	  "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
	    2, 201, 0 },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
	  "1\r\n\n\r\n0\r\nTrailer: here\r\n\r\n",
	    1, 200, 0 },
	{ "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
	    1, 200, 1 },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 1, 200, 1 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\r\n\r\nx"
	  "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
	    2, 500, 0 },
};

TEST(responses_are_told_apart_in_pieces_of_any_size)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t piece = 1; piece <= strlen(cases[i].text);
		     piece++) {
			struct seen seen;

			bench_response_init(&response);
			seen = feed(cases[i].text, piece);
			EXPECT(!seen.bad);
			EXPECT_EQ(seen.responses, cases[i].responses);
			EXPECT_EQ(seen.last_status, cases[i].last_status);
			EXPECT_EQ(seen.closing, cases[i].closing);
		}
	}
}

TEST(a_body_without_a_length_ends_with_the_connection)
{
	bench_response_init(&response);
	EXPECT(!bench_response_end(&response));
	EXPECT_EQ(feed("HTTP/1.1 200 OK\r\n\r\nsome", 5).responses, 0);
	EXPECT(bench_response_end(&response));
	EXPECT(response.closes);
}

TEST(a_connection_that_breaks_within_a_response_is_no_end)
{
	bench_response_init(&response);
	feed("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome", 100);
	EXPECT(!bench_response_end(&response));
}

TEST(an_answer_to_head_has_no_body)
{
	bench_response_init(&response);
	response.to_head = true;
	EXPECT_EQ(feed("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n"
		       "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n",
		      7)
		      .responses,
	    2);
}

TEST(what_is_not_http_is_refused)
{
	const char *const bad[] = {
		"SSH-2.0-OpenSSH_9.2\r\n",
		"HTTP/2 200\r\n",
		"HTTP/1.1 abc\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: many\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "1\r\nab\r\n"),
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (size_t piece = 1; piece < 64; piece++) {
			bench_response_init(&response);
			EXPECT(feed(bad[i], piece).bad);
		}
	}
}

TEST(a_line_longer_than_what_is_kept_is_passed_over)
{
	char text[4096] = "HTTP/1.1 200 OK\r\nX-Long: ";
	size_t size = strlen(text);

	memset(text + size, 'x', 3000);
	strcpy(text + size + 3000, "\r\nContent-Length: 2\r\n\r\nab");
	for (size_t piece = 1; piece < 200; piece++) {
		bench_response_init(&response);
		EXPECT_EQ(feed(text, piece).responses, 1);
	}
}
