/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Heads of answers: what is taken and what is refused, and that it makes no
 * difference in which pieces they come.
 */

#include "framework/http_answer.h"

#include "tests/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP SP_HTTP_KEEP_ALIVE
#define LENGTH SP_HTTP_HAS_LENGTH
#define CHUNKED SP_HTTP_CHUNKED

static const struct sp_http_limits limits = SP_HTTP_LIMITS_DEFAULT;
static struct sp_http_answer answer;

/* From a block of its own size, so that a read beyond it is caught. */
static int
parse(const char *text, size_t size, const struct sp_http_limits *by)
{
	char *copy = malloc(size + (size == 0));
	int result;

	memcpy(copy, text, size);
	result = sp_http_answer_parse(&answer, copy, size, by);
	free(copy);
	return result;
}

static const struct {
	const char *text;
	int status, flags;
	uint64_t length;
	enum sp_http_ends ends;
} taken[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", 200, KEEP | LENGTH, 3,
	    SP_HTTP_ENDS_BY_LENGTH },
	{ "HTTP/1.1 200 \r\ncontent-length:0\r\n\r\n", 200, KEEP | LENGTH, 0,
	    SP_HTTP_ENDS_BY_LENGTH },
	{ "HTTP/1.1 200\r\nA: b\r\n\r\n", 200, KEEP, 0, SP_HTTP_ENDS_BY_CLOSE },
	{ "HTTP/1.0 404 Not \xC3\xA4 Found\r\n\r\n", 404, 0, 0,
	    SP_HTTP_ENDS_BY_CLOSE },
	{ "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
	  "Content-Length: 9223372036854775807\r\n\r\n",
	    200, KEEP | LENGTH, INT64_MAX, SP_HTTP_ENDS_BY_LENGTH },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding:\tChunked \r\n\r\n", 200,
	    KEEP | CHUNKED, 0, SP_HTTP_ENDS_BY_CHUNK },
	{ "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nX:\r\n\r\n", 200, 0, 0,
	    SP_HTTP_ENDS_BY_CLOSE },
	{ "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", 204, KEEP | LENGTH, 5,
	    SP_HTTP_ENDS_AT_ONCE },
	{ "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
	    304, KEEP | CHUNKED, 0, SP_HTTP_ENDS_AT_ONCE },
	{ "HTTP/1.1 100 Continue\r\n\r\n", 100, KEEP, 0, SP_HTTP_ENDS_AT_ONCE },
	{ "HTTP/1.1 599 \r\nExpect: anything\r\nHost: a b\r\n\r\n", 599, KEEP,
	    0, SP_HTTP_ENDS_BY_CLOSE },
};

TEST(what_is_right_is_taken_once_it_is_whole)
{
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		const char *text = taken[i].text;
		size_t size = strlen(text);

		for (size_t part = 0; part < size; part++)
			EXPECT_EQ(parse(text, part, &limits), 0);
		EXPECT_EQ(parse(text, size, &limits), (int)size);
		EXPECT_EQ(answer.status, taken[i].status);
		EXPECT_EQ(answer.head.flags, taken[i].flags);
		EXPECT_EQ(answer.head.size, size);
		EXPECT_EQ((intmax_t)answer.head.content_length,
		    (intmax_t)taken[i].length);
		EXPECT_EQ(sp_http_answer_ends(&answer, false), taken[i].ends);
		EXPECT_EQ(
		    sp_http_answer_ends(&answer, true), SP_HTTP_ENDS_AT_ONCE);
	}
}

static const char *const refused[] = {
	"HTTP/2.0 200 OK\r\n\r\n",
	"HTTP/1.2 200 OK\r\n\r\n",
	"http/1.1 200 OK\r\n\r\n",
	"\r\nHTTP/1.1 200 OK\r\n\r\n",
	"ICY 200 OK\r\n\r\n",
	"HTTP/1.1  200 OK\r\n\r\n",
	"HTTP/1.1 20 OK\r\n\r\n",
	"HTTP/1.1 099 OK\r\n\r\n",
	"HTTP/1.1 600 OK\r\n\r\n",
	"HTTP/1.1 2000 OK\r\n\r\n",
	"HTTP/1.1 200OK\r\n\r\n",
	"HTTP/1.1 200\tOK\r\n\r\n",
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
	"HTTP/1.1 200 OK\n\n",
	"HTTP/1.1 200 O\x01K\r\n\r\n",
	"HTTP/1.1 200 O\rK\r\n\r\n",
	"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
	"HTTP/1.1 200 OK\r\nA : c\r\n\r\n",
	"HTTP/1.1 200 OK\r\n: c\r\n\r\n",
	"HTTP/1.1 200 OK\r\nA\r\n\r\n",
	"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
	"HTTP/1.1 200 OK\r\nA: b\nB: c\r\n\r\n",
	"HTTP/1.1 200 OK\r\nA: b\rB: c\r\n\r\n",
	"HTTP/1.1 200 OK\r\nA: \x7f\r\n\r\n",
	"HTTP/1.1 200 OK\r\n\rX",
	"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
	"Transfer-Encoding: chunked\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	"Transfer-Encoding: chunked\r\n\r\n",
	"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
};

/* A part is undecided or refused; once it is refused it stays so. */
TEST(what_is_wrong_is_refused_however_it_comes)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const char *text = refused[i];
		size_t size = strlen(text);
		int verdict = 0;

		for (size_t part = 0; part <= size; part++) {
			int now = parse(text, part, &limits);

			EXPECT(now == 0 ? verdict == 0 : now == -EBADMSG);
			verdict = now;
		}
		if (verdict != -EBADMSG)
			fprintf(stderr, "taken: %s\n", text);
		EXPECT_EQ(verdict, -EBADMSG);
		EXPECT(answer.head.error != NULL);
	}
}

TEST(fields_and_the_reason_are_where_they_say)
{
	static const char text[] = "HTTP/1.1 200 All is well \r\n"
				   "A:\r\nSet-Cookie: \t a=b; c \t\r\n\r\nbody";
	const struct sp_http_field *field;

	EXPECT_EQ(
	    sp_http_answer_parse(&answer, text, sizeof(text) - 1, &limits),
	    (int)sizeof(text) - 5);
	EXPECT_EQ(answer.reason_size, 12);
	EXPECT(memcmp(text + answer.reason, "All is well ", 12) == 0);
	EXPECT_EQ(answer.head.nfields, 2);
	EXPECT_EQ(answer.head.fields[0].value_size, 0);
	field = sp_http_head_find(&answer.head, text, "set-cookie", 10);
	EXPECT(field != NULL && field->value_size == 6
	       && memcmp(text + field->value, "a=b; c", 6) == 0);
}

TEST(limits_are_kept)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nA: b\r\nB: c\r\n\r\n";
	struct sp_http_limits few = limits;
	size_t size = sizeof(text) - 1;

	few.fields = 2;
	EXPECT_EQ(parse(text, size, &few), (int)size);
	few.fields = 1;
	EXPECT_EQ(parse(text, size, &few), -EBADMSG);
	few = limits;
	few.head_bytes = (uint32_t)size;
	EXPECT_EQ(parse(text, size, &few), (int)size);
	EXPECT_EQ(parse(text, size - 1, &few), 0);
	few.head_bytes--;
	EXPECT_EQ(parse(text, size - 1, &few), -EBADMSG);
	EXPECT_EQ(parse(text, size, &few), -EBADMSG);
}
