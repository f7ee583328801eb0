/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The chunked decoder: the vectors in one piece, in two everywhere, and byte
 * by byte; then its bounds.
 */

#include "framework/http_chunked.h"

#include "tests/harness.h"
#include "tests/http_chunked_check.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LIMIT 1000

struct good {
	const char *name;
	const char *input;
	const char *data;
	const char *trailer;
	size_t rest; /* bytes of input that are of the next message */
};

struct bad {
	const char *name;
	const char *input;
	size_t size;
	int status;
};

#define A_ "1\r\na\r\n"
#define END_ "0\r\n\r\n"

static const struct good good[] = {
	{ "nothing", END_, "", "", 0 },
	{ "one chunk", "5\r\nhello\r\n" END_, "hello", "", 0 },
	{ "two chunks", "5\r\nhello\r\n6\r\n world\r\n" END_, "hello world", "",
	    0 },
	{ "many chunks", A_ A_ A_ A_ A_ END_, "aaaaa", "", 0 },
	{ "hex, small", "a\r\n0123456789\r\n" END_, "0123456789", "", 0 },
	{ "hex, capital", "B\r\n0123456789a\r\n" END_, "0123456789a", "", 0 },
	{ "two digits", "10\r\n0123456789abcdef\r\n" END_, "0123456789abcdef",
	    "", 0 },
	{ "leading zeros", "0005\r\nhello\r\n" END_, "hello", "", 0 },
	{ "16 digits", "0000000000000001\r\na\r\n" END_, "a", "", 0 },
	{ "many zeros at the end", "0000\r\n\r\n", "", "", 0 },
	{ "line ends in data", "4\r\n\r\n\r\n\r\n" END_, "\r\n\r\n", "", 0 },
	{ "what looks like an end", "5\r\n0\r\n\r\n\r\n" END_, "0\r\n\r\n", "",
	    0 },
	{ "bytes behind", END_ "GET / HTTP/1.1", "", "", 14 },
	{ "line end behind", A_ END_ "\r\n", "a", "", 2 },

	{ "extension", "1;a\r\na\r\n" END_, "a", "", 0 },
	{ "extension with a value", "1;a=b\r\na\r\n" END_, "a", "", 0 },
	{ "extension with text", "1;a=\"b c\"\r\na\r\n" END_, "a", "", 0 },
	{ "extension with empty text", "1;a=\"\"\r\na\r\n" END_, "a", "", 0 },
	{ "extension with escapes", "1;a=\"\\\"\\\\\t\x80\"\r\na\r\n" END_, "a",
	    "", 0 },
	{ "text with ';' and '='", "1;a=\";=,\"\r\na\r\n" END_, "a", "", 0 },
	{ "extensions", "1;a;b=c;d=\"e\";f\r\na\r\n" END_, "a", "", 0 },
	{ "blanks in an extension", "1 ;\ta =\t b \t; c ;d\r\na\r\n" END_, "a",
	    "", 0 },
	{ "blanks behind text", "1;a= \"b\" ;c\r\na\r\n" END_, "a", "", 0 },
	{ "extension at the end", "0;a=b\r\n\r\n", "", "", 0 },

	{ "trailer", "0\r\nA: b\r\n\r\n", "", "A: b\r\n", 0 },
	{ "trailers", A_ "0\r\nA: b\r\nC:d\r\n\r\nX", "a", "A: b\r\nC:d\r\n",
	    1 },
	{ "trailer without a value", "0\r\nA:\r\n\r\n", "", "A:\r\n", 0 },
	{ "trailer with blanks", "0\r\nA: \t b c\t \r\n\r\n", "",
	    "A: \t b c\t \r\n", 0 },
	{ "trailer above 0x7f", "0\r\nA: \x80\xff\r\n\r\n", "",
	    "A: \x80\xff\r\n", 0 },
	{ "nearly forbidden", "0\r\nhos: a\r\nhosts: b\r\ntea: c\r\n\r\n", "",
	    "hos: a\r\nhosts: b\r\ntea: c\r\n", 0 },
	{ "forbidden as a part", "0\r\nx-host: a\r\ncontent-lengt: b\r\n\r\n",
	    "", "x-host: a\r\ncontent-lengt: b\r\n", 0 },
	{ "a name longer than all",
	    "0\r\nif-unmodified-since-when-and-where-and-why: a\r\n\r\n", "",
	    "if-unmodified-since-when-and-where-and-why: a\r\n", 0 },
	{ "trailer with colons", "0\r\nA:b:c\r\n\r\n", "", "A:b:c\r\n", 0 },
};

#define BAD(name, status, input)                                               \
	{                                                                      \
		name, input, sizeof(input) - 1, status                         \
	}
#define BAD_SIZE(name, size) BAD(name, 400, size "\r\na\r\n" END_)
#define BAD_TRAILER(name, line) BAD(name, 400, A_ "0\r\n" line "\r\n\r\n")

static const struct bad bad[] = {
	BAD_SIZE("no size", ""),
	BAD_SIZE("plus", "+1"),
	BAD_SIZE("minus", "-1"),
	BAD_SIZE("0x", "0x1"),
	BAD_SIZE("no digit", "g"),
	BAD_SIZE("junk behind a digit", "1g"),
	BAD_SIZE("blank in front", " 1"),
	BAD_SIZE("tab in front", "\t1"),
	BAD_SIZE("blank behind", "1 "),
	BAD_SIZE("blank inside", "1 1"),
	BAD_SIZE("underscore", "1_1"),
	BAD_SIZE("comma", "1,"),
	BAD_SIZE("NUL", "1\0"),
	BAD_SIZE("17 digits", "00000000000000001"),
	BAD_SIZE("2^63", "8000000000000000"),
	BAD_SIZE("2^64 - 1", "ffffffffffffffff"),
	BAD_SIZE("2^64 + 1", "10000000000000001"),
	BAD("blank line in front", 400, "\r\n1\r\na\r\n" END_),
	BAD("bare LF behind a size", 400, "1\na\r\n" END_),
	BAD("bare CR behind a size", 400, "1\ra\r\n" END_),
	BAD("CR CR LF behind a size", 400, "1\r\r\na\r\n" END_),
	BAD("largest size", 413, "7fffffffffffffff\r\na"),
	BAD("one above the limit", 413, "3e9\r\na"),
	BAD("above the limit in an extension line", 413, "3e9;a=b\r\na"),
	BAD("above the limit in the second chunk", 413, A_ "3e8\r\n"),

	BAD_SIZE("extension without a name", "1;"),
	BAD_SIZE("two semicolons", "1;;a"),
	BAD_SIZE("extension without a value", "1;a="),
	BAD_SIZE("value without a name", "1;=b"),
	BAD_SIZE("two equal signs", "1;a==b"),
	BAD_SIZE("blank at the end of a size", "1\t "),
	BAD_SIZE("blank between names", "1;a b"),
	BAD_SIZE("blank between values", "1;a=b c"),
	BAD_SIZE("'=' behind a value and a blank", "1;a=b =c"),
	BAD_SIZE("blank behind text", "1;a=\"b\" "),
	BAD_SIZE("blank at the end", "1;a "),
	BAD_SIZE("tab at the end", "1;a\t"),
	BAD_SIZE("open text", "1;a=\"b"),
	BAD_SIZE("token behind text", "1;a=\"b\"c"),
	BAD_SIZE("text behind a token", "1;a=b\"c\""),
	BAD_SIZE("name in quotes", "1;\"a\""),
	BAD_SIZE("no token in a name", "1;a(b"),
	BAD_SIZE("no token in a value", "1;a=b,c"),
	BAD_SIZE("NUL in text", "1;a=\"\0\""),
	BAD_SIZE("DEL in text", "1;a=\"\177\""),
	BAD_SIZE("escaped control", "1;a=\"\\\001\""),
	BAD_SIZE("above 0x7f in a name", "1;\x80"),
	BAD("bare LF in an extension", 400, "1;a\na\r\n" END_),
	BAD("bare LF in text", 400, "1;a=\"\n\"\r\na\r\n" END_),
	BAD("CR LF in text", 400, "1;a=\"\r\n\"\r\na\r\n" END_),
	BAD("bare CR in an extension", 400, "1;a\rb\r\na\r\n" END_),
	BAD("extension hides a chunk", 400, "1;a\rX\na\r\n" END_),

	BAD("data too long", 400, "1\r\nab\r\n" END_),
	BAD("data too short", 400, "2\r\na\r\n" END_),
	BAD("bare LF behind data", 400, "1\r\na\n" END_),
	BAD("bare CR behind data", 400, "1\r\na\r" END_),
	BAD("nothing behind data", 400, "1\r\na" END_),
	BAD("size behind data", 400, "1\r\na1\r\na\r\n" END_),

	BAD("bare LF at the end", 400, "0\r\n\n"),
	BAD("bare CR at the end", 400, "0\r\n\rX"),
	BAD("request in place of the end", 400, "0\r\nGET / HTTP/1.1\r\n\r\n"),
	BAD_TRAILER("no name", ": a"),
	BAD_TRAILER("no colon", "abc"),
	BAD_TRAILER("blank before the colon", "A : b"),
	BAD_TRAILER("blank in front", " A: b"),
	BAD_TRAILER("fold", "A: b\r\n c"),
	BAD_TRAILER("NUL in a name", "A\0: b"),
	BAD_TRAILER("NUL in a value", "A: \0"),
	BAD_TRAILER("bare LF in a value", "A: b\nC: d"),
	BAD_TRAILER("bare CR in a value", "A: b\rC: d"),
	BAD_TRAILER("above 0x7f in a name", "\x80: b"),
	BAD_TRAILER("NUL where a forbidden name ends", "host\0: b"),
	BAD_TRAILER("Content-Length", "Content-Length: 1"),
	BAD_TRAILER("Transfer-Encoding", "TRANSFER-encoding: chunked"),
	BAD_TRAILER("Host", "host: a"),
	BAD_TRAILER("TE", "A: b\r\nTE: c"),
	BAD_TRAILER("Trailer", "Trailer:"),
	BAD_TRAILER("Connection", "Connection: close"),
	BAD_TRAILER("Authorization", "Authorization: a"),
	BAD_TRAILER("Cookie", "Cookie: a"),
	BAD_TRAILER("Content-Type", "content-type: a/b"),
	BAD_TRAILER("the longest", "If-Unmodified-Since: a"),
	BAD_TRAILER("the last", "WWW-Authenticate: a"),
};

static void
expect(bool holds, const char *vector, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "\"%s\":\n", vector);
	test_fail(__FILE__, __LINE__, what);
}

static bool
is_text(const char *got, size_t size, const char *want)
{
	return size == strlen(want) && memcmp(got, want, size) == 0;
}

TEST(good_bodies_come_out)
{
	for (unsigned i = 0; i < COUNT(good); i++) {
		size_t size = strlen(good[i].input);
		struct chunked_result result = chunked_decode(
		    good[i].input, size, size, 1, LIMIT);

		expect(
		    result.complaint == NULL, good[i].name, result.complaint);
		expect(result.verdict == SP_HTTP_CHUNKED_DONE, good[i].name,
		    "DONE");
		expect(result.used == size - good[i].rest, good[i].name,
		    "bytes used");
		expect(is_text(result.data, result.data_size, good[i].data),
		    good[i].name, "data");
		expect(is_text(result.trailer, result.trailer_size,
			   good[i].trailer),
		    good[i].name, "trailer");
		chunked_result_free(&result);
	}
}

TEST(bad_bodies_are_refused)
{
	for (unsigned i = 0; i < COUNT(bad); i++) {
		struct chunked_result result = chunked_decode(
		    bad[i].input, bad[i].size, bad[i].size, 1, LIMIT);

		expect(result.complaint == NULL, bad[i].name, result.complaint);
		expect(
		    result.verdict == -bad[i].status, bad[i].name, "refused");
		chunked_result_free(&result);
	}
}

/* In two pieces at every place, and in pieces of the same size. */
static void
check_pieces(const char *name, const char *input, size_t size)
{
	struct chunked_result whole = chunked_decode(
	    input, size, size, 1, LIMIT);

	for (size_t cut = 0; cut <= size; cut++) {
		struct chunked_result parts = chunked_decode(
		    input, size, cut, size + 1, LIMIT);

		expect(parts.complaint == NULL && chunked_same(&whole, &parts),
		    name, "in two pieces the same");
		chunked_result_free(&parts);
		parts = chunked_decode(
		    input, size, cut % 7, 1 + cut % 3, LIMIT);
		expect(parts.complaint == NULL && chunked_same(&whole, &parts),
		    name, "in small pieces the same");
		chunked_result_free(&parts);
	}
	chunked_result_free(&whole);
}

TEST(pieces_make_no_difference)
{
	for (unsigned i = 0; i < COUNT(good); i++)
		check_pieces(
		    good[i].name, good[i].input, strlen(good[i].input));
	for (unsigned i = 0; i < COUNT(bad); i++)
		check_pieces(bad[i].name, bad[i].input, bad[i].size);
}

TEST(a_body_that_is_cut_off_is_never_done)
{
	for (unsigned i = 0; i < COUNT(good); i++) {
		size_t size = strlen(good[i].input) - good[i].rest;

		for (size_t part = 0; part < size; part++) {
			struct chunked_result result = chunked_decode(
			    good[i].input, part, part, 1, LIMIT);

			expect(result.verdict == SP_HTTP_CHUNKED_MORE,
			    good[i].name, "MORE");
			chunked_result_free(&result);
		}
	}
}

static int
feed(struct sp_http_chunked *chunked, const char *text, size_t *used)
{
	const char *data;
	size_t data_size;

	return sp_http_chunked_feed(
	    chunked, text, strlen(text), used, &data, &data_size);
}

TEST(an_end_stays_an_end_and_an_error_an_error)
{
	struct sp_http_chunked chunked;
	size_t used;

	sp_http_chunked_init(&chunked, LIMIT);
	EXPECT_EQ(feed(&chunked, END_ END_, &used), SP_HTTP_CHUNKED_DONE);
	EXPECT_EQ(used, 5);
	EXPECT_EQ(feed(&chunked, END_, &used), SP_HTTP_CHUNKED_DONE);
	EXPECT_EQ(used, 0);

	for (int i = 0; i < 3; i++) {
		static const char *const input[] = { "x", "fff\r\n",
			"0\r\n1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:\r\n"
			"9:\r\n10:\r\n11:\r\n12:\r\n13:\r\n14:\r\n15:\r\n"
			"16:\r\n17:\r\n18:\r\n19:\r\n20:\r\n21:\r\n22:\r\n"
			"23:\r\n24:\r\n25:\r\n26:\r\n27:\r\n28:\r\n29:\r\n"
			"30:\r\n31:\r\n32:\r\n33:\r\n" };
		static const int want[] = { -400, -413, -431 };

		sp_http_chunked_init(&chunked, LIMIT);
		EXPECT_EQ(feed(&chunked, input[i], &used), want[i]);
		EXPECT_EQ(feed(&chunked, END_, &used), want[i]);
		EXPECT_EQ(used, 0);
	}
}

TEST(the_limit_is_of_the_whole_body)
{
	struct chunked_result result;
	const char *input = A_ A_ A_ END_;

	result = chunked_decode(input, strlen(input), 1, 1, 3);
	EXPECT_EQ(result.verdict, SP_HTTP_CHUNKED_DONE);
	chunked_result_free(&result);
	result = chunked_decode(input, strlen(input), 1, 1, 2);
	EXPECT_EQ(result.verdict, -413);
	EXPECT_EQ(result.data_size, 2);
	chunked_result_free(&result);
	result = chunked_decode(END_, strlen(END_), 1, 1, 0);
	EXPECT_EQ(result.verdict, SP_HTTP_CHUNKED_DONE);
	chunked_result_free(&result);
	result = chunked_decode(
	    "7fffffffffffffff\r\nab", 20, 20, 1, UINT64_MAX);
	EXPECT_EQ(result.verdict, SP_HTTP_CHUNKED_MORE);
	EXPECT_EQ(result.data_size, 2);
	chunked_result_free(&result);
}

TEST(the_limit_can_be_set_later)
{
	struct sp_http_chunked chunked;
	size_t used;

	sp_http_chunked_init(&chunked, UINT64_MAX);
	feed(&chunked, "1", &used);
	EXPECT_EQ(sp_http_chunked_limit(&chunked, 2), 0);
	EXPECT_EQ(feed(&chunked, "0\r\n", &used), -413);

	sp_http_chunked_init(&chunked, UINT64_MAX);
	feed(&chunked, "3;a", &used);
	EXPECT_EQ(sp_http_chunked_limit(&chunked, 2), -413);
	EXPECT_EQ(sp_http_chunked_limit(&chunked, 3), 0);
	EXPECT_EQ(feed(&chunked, "\r\nabc", &used), SP_HTTP_CHUNKED_DATA);
	feed(&chunked, "\r\n", &used);
	EXPECT_EQ(feed(&chunked, "1\r\n", &used), -413);
}

/* => Returns the verdict on chunks with so many bytes behind each ';'. */
static int
decode_extensions(unsigned chunks, size_t bytes)
{
	struct sp_http_chunked chunked;
	char name[256];
	size_t used;
	int verdict = 0;

	memset(name, 'a', sizeof(name));
	name[bytes] = '\0';
	sp_http_chunked_init(&chunked, LIMIT);
	while (chunks-- > 0 && verdict >= 0) {
		feed(&chunked, "1;", &used);
		verdict = feed(&chunked, name, &used);
		if (verdict < 0)
			return verdict;
		EXPECT_EQ(feed(&chunked, "\r\na", &used), SP_HTTP_CHUNKED_DATA);
		verdict = feed(&chunked, "\r\n", &used);
	}
	return verdict;
}

TEST(extensions_are_bounded_over_all_chunks)
{
	EXPECT_EQ(decode_extensions(64, 255), SP_HTTP_CHUNKED_MORE);
	EXPECT_EQ(decode_extensions(128, 128), SP_HTTP_CHUNKED_MORE);
	EXPECT_EQ(decode_extensions(129, 128), -400);
}

/* => Returns the verdict on a trailer of so many bytes, in so many fields. */
static int
decode_trailer(unsigned fields, size_t bytes)
{
	static char input[2 * SP_HTTP_TRAILER_BYTES];
	size_t size = (size_t)sprintf(input, "0\r\n");
	struct chunked_result result;

	for (unsigned i = 1; i < fields; i++)
		size += (size_t)sprintf(input + size, "A:\r\n");
	size += (size_t)sprintf(input + size, "A:");
	while (size < 3 + bytes - 2)
		input[size++] = 'b';
	size += (size_t)sprintf(input + size, "\r\n\r\n");
	result = chunked_decode(input, size, size, 1, LIMIT);
	EXPECT(result.complaint == NULL);
	EXPECT(result.verdict < 0 || result.trailer_size == bytes);
	chunked_result_free(&result);
	return result.verdict;
}

TEST(trailers_are_bounded)
{
	EXPECT_EQ(
	    decode_trailer(1, SP_HTTP_TRAILER_BYTES), SP_HTTP_CHUNKED_DONE);
	EXPECT_EQ(decode_trailer(1, SP_HTTP_TRAILER_BYTES + 1), -431);
	EXPECT_EQ(
	    decode_trailer(32, SP_HTTP_TRAILER_BYTES), SP_HTTP_CHUNKED_DONE);
	EXPECT_EQ(decode_trailer(33, 400), -431);
}

TEST(a_trailer_is_split_into_fields)
{
	const char *text = "A: b\r\nCd:\t e f \r\nG:\r\nH: i:j\r\n";
	struct sp_http_field fields[SP_HTTP_TRAILER_FIELDS];

	EXPECT_EQ(sp_http_trailer_split(text, strlen(text), fields), 4);
	EXPECT(is_text(text + fields[0].name, fields[0].name_size, "A"));
	EXPECT(is_text(text + fields[0].value, fields[0].value_size, "b"));
	EXPECT(is_text(text + fields[1].name, fields[1].name_size, "Cd"));
	EXPECT(is_text(text + fields[1].value, fields[1].value_size, "e f"));
	EXPECT(is_text(text + fields[2].value, fields[2].value_size, ""));
	EXPECT(is_text(text + fields[3].value, fields[3].value_size, "i:j"));
	EXPECT_EQ(sp_http_trailer_split(text, 0, fields), 0);
	EXPECT_EQ(sp_http_trailer_split(text, 5, fields), 0);
	EXPECT_EQ(sp_http_trailer_split(text, 6, fields), 1);
	EXPECT_ABORT(sp_http_trailer_split(text, 8193, fields));
}

/*
 * Goal: pieces make no difference to what nobody thought of.
 * Method: vectors with a few bytes changed, cut at random.
 */
TEST(mutants_are_the_same_in_pieces)
{
	uint64_t random = test_seed();
	unsigned rounds = test_rounds(20000);

	while (rounds-- > 0) {
		unsigned i = (unsigned)(test_random(&random)
					% (COUNT(good) + COUNT(bad)));
		const char *from = i < COUNT(good) ? good[i].input
						   : bad[i - COUNT(good)].input;
		size_t size = i < COUNT(good) ? strlen(from)
					      : bad[i - COUNT(good)].size;
		char input[128];

		memcpy(input, from, size);
		for (unsigned n = test_random(&random) % 3 + 1; n > 0; n--)
			input[test_random(&random) % size] =
			    "\r\n;=\"\\: 0159af\0\177"[test_random(&random)
						       % 16];
		check_pieces("mutant", input, size);
	}
}
