/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The head parser: the vectors, on every build of it that this CPU can run,
 * in one piece and in all others; then limits, lookups, and mutations.
 */

#include "framework/http_head.h"

#include "tests/harness.h"
#include "tests/http_check.h"
#include "tests/unit/http_head_vectors.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MUTANTS 200000

static const struct sp_http_limits limits = SP_HTTP_LIMITS_DEFAULT;

/* What is wrong with a vector is said with its name. */
static void
expect(bool holds, enum sp_http_scan scan, const char *vector, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s, \"%s\":\n", sp_http_scan_name(scan), vector);
	test_fail(__FILE__, __LINE__, what);
}

#define EACH_SCAN(scan)                                                        \
	for (enum sp_http_scan scan = 0; scan < SP_HTTP_SCANS; scan++)         \
		if (sp_http_scan_available(scan))

static bool
is_text(const char *buf, uint16_t at, uint16_t size, const char *want)
{
	return strlen(want) == size && memcmp(buf + at, want, size) == 0;
}

static void
check_good(enum sp_http_scan scan, const struct http_good *good,
    const struct sp_http_head *head)
{
	const char *buf = good->input, *line = buf;
	const bool query = strcmp(good->query, "-") != 0;
	const bool host = strcmp(good->host, "-") != 0;
	const unsigned flags = good->flags | (query ? SP_HTTP_HAS_QUERY : 0u)
			       | (host ? SP_HTTP_HAS_HOST : 0u);

	while (*line == '\r')
		line += 2;
	expect(head->size == strlen(buf), scan, good->name, "size");
	expect(strncmp(sp_http_method_name(head->method), line,
		   strlen(sp_http_method_name(head->method)))
		   == 0,
	    scan, good->name, "method");
	expect(head->minor == (strstr(line, " HTTP/1.1\r\n") != NULL), scan,
	    good->name, "minor");
	expect(head->flags == flags, scan, good->name, "flags");
	expect(is_text(buf, head->path, head->path_size, good->path), scan,
	    good->name, "path");
	expect(is_text(buf, head->query, head->query_size,
		   query ? good->query : ""),
	    scan, good->name, "query");
	expect(is_text(buf, head->host, head->authority_size,
		   host ? good->host : ""),
	    scan, good->name, "host");
	expect(head->content_length == good->length, scan, good->name,
	    "content_length");
	expect(buf[head->target - 1] == ' '
		   && buf[head->target + head->target_size] == ' ',
	    scan, good->name, "target");
}

TEST(good_heads_are_read)
{
	struct sp_http_head head;

	EACH_SCAN(scan)
	for (unsigned i = 0; i < COUNT(http_good); i++) {
		const char *input = http_good[i].input;
		int verdict = http_parse(scan, &head, input, strlen(input),
		    strlen(input), i, &limits);

		expect(verdict == (int)strlen(input), scan, http_good[i].name,
		    verdict < 0 ? head.error : "complete");
		if (verdict > 0)
			check_good(scan, &http_good[i], &head);
	}
}

TEST(bad_heads_are_refused)
{
	struct sp_http_head head;

	EACH_SCAN(scan)
	for (unsigned i = 0; i < COUNT(http_bad); i++) {
		int verdict = http_parse(scan, &head, http_bad[i].input,
		    http_bad[i].size, http_bad[i].size, i, &limits);

		expect(verdict == -http_bad[i].status, scan, http_bad[i].name,
		    verdict < 0 ? head.error : "refused");
		expect(head.error != NULL, scan, http_bad[i].name, "error");
	}
}

TEST(a_part_gets_the_verdict_of_the_whole_or_none)
{
	const char *complaint;

	for (unsigned i = 0; i < COUNT(http_good); i++) {
		size_t size = strlen(http_good[i].input);

		for (size_t part = 0; part <= size; part++) {
			complaint = http_head_disagreement(
			    http_good[i].input, size, part, &limits);
			expect(
			    complaint == NULL, 0, http_good[i].name, complaint);
		}
	}
	for (unsigned i = 0; i < COUNT(http_bad); i++) {
		for (size_t part = 0; part <= http_bad[i].size; part++) {
			complaint = http_head_disagreement(
			    http_bad[i].input, http_bad[i].size, part, &limits);
			expect(
			    complaint == NULL, 0, http_bad[i].name, complaint);
		}
	}
}

/* => Returns the verdict on an input that arrives in pieces of a size. */
static int
parse_by_pieces(enum sp_http_scan scan, const char *input, size_t size,
    size_t piece, unsigned *attempts)
{
	struct sp_http_progress progress = { 0 };
	struct sp_http_head head;
	int verdict = 0;

	*attempts = 0;
	for (size_t have = 0; have < size && verdict == 0;) {
		have = have + piece < size ? have + piece : size;
		if (sp_http_head_worth_parsing(
			&progress, input, have, &limits)) {
			++*attempts;
			verdict = http_parse(scan, &head, input, size, have,
			    (unsigned)have, &limits);
		}
	}
	return verdict;
}

TEST(byte_by_byte_a_head_gets_the_same_verdict)
{
	unsigned attempts;
	int verdict;

	EACH_SCAN(scan)
	{
		for (unsigned i = 0; i < COUNT(http_good); i++) {
			const char *input = http_good[i].input;

			for (size_t piece = 1; piece < 5; piece++) {
				verdict = parse_by_pieces(scan, input,
				    strlen(input), piece, &attempts);
				expect(verdict == (int)strlen(input), scan,
				    http_good[i].name, "pieces");
			}
		}
	}
}

TEST(byte_by_byte_a_bad_head_is_refused_at_its_end)
{
	char input[512];
	unsigned attempts;
	int verdict;

	/* What is refused for its first bytes need not be looked at then. */
	EACH_SCAN(scan)
	{
		for (unsigned i = 0; i < COUNT(http_bad); i++) {
			memcpy(input, http_bad[i].input, http_bad[i].size);
			memcpy(input + http_bad[i].size, "\r\n\r\n", 4);
			verdict = parse_by_pieces(
			    scan, input, http_bad[i].size + 4, 1, &attempts);
			expect(verdict == -http_bad[i].status, scan,
			    http_bad[i].name, "pieces");
		}
	}
}

TEST(byte_by_byte_attempts_are_few)
{
	static char input[SP_HTTP_HEAD_MAX];
	size_t size = 0;
	unsigned attempts;

	size += (size_t)snprintf(input, sizeof(input), GET_ HOST_);
	while (size < 15000)
		size += (size_t)snprintf(input + size, sizeof(input) - size,
		    "Name: %04zu567890123456789012345678901234567890"
		    "12345678901234567890123456789012345678901234567890"
		    "12345678901234567890123456789012345678901234567890"
		    "1234567890\r\n",
		    size % 10000);
	size += (size_t)snprintf(input + size, sizeof(input) - size, END_);
	EXPECT_EQ(
	    parse_by_pieces(SP_HTTP_SCAN_PORTABLE, input, size, 1, &attempts),
	    (intmax_t)size);
	EXPECT(attempts <= 17);
}

TEST(progress_starts_again_with_new_bytes_alone)
{
	struct sp_http_progress progress = { 0 };
	const char *input = GET_ HOST_ END_;

	EXPECT(sp_http_head_worth_parsing(&progress, input, 20, &limits));
	EXPECT(!sp_http_head_worth_parsing(&progress, input, 20, &limits));
	EXPECT(!sp_http_head_worth_parsing(&progress, input, 25, &limits));
	EXPECT(!sp_http_head_worth_parsing(&progress, input, 26, &limits));
	EXPECT(sp_http_head_worth_parsing(&progress, input, 27, &limits));
}

TEST(nothing_but_an_empty_line_looks_like_an_end)
{
	static const struct {
		const char *input;
		bool end;
	} table[] = {
		{ "aaaaaaaaaa\r\n\r\n", true },
		{ "aaaaaaaaaa\n\n", true },
		{ "aaaaaaaaaa\n\r\n", true },
		{ "aaaaaaaaaa\r\n", false },
		{ "aaaaaaaaaa\nb\n", false },
		{ "aaaaaaaaaa\r\nb\n", false },
		{ "aaaaaaaaaa\r\r\n", false },
		{ "aaaaaaaaaa\r\n\r", false },
	};

	for (unsigned i = 0; i < COUNT(table); i++) {
		struct sp_http_progress progress = { 0 };
		const char *input = table[i].input;

		EXPECT(
		    sp_http_head_worth_parsing(&progress, input, 10, &limits));
		EXPECT_EQ(sp_http_head_worth_parsing(
			      &progress, input, strlen(input), &limits),
		    table[i].end);
	}
}

TEST(the_byte_limit_counts_as_an_end)
{
	const struct sp_http_limits small = { 100, 100, 100 };
	struct sp_http_progress progress = { 0 };
	static char input[200];

	memset(input, 'A', sizeof(input));
	EXPECT(sp_http_head_worth_parsing(&progress, input, 90, &small));
	EXPECT(!sp_http_head_worth_parsing(&progress, input, 99, &small));
	EXPECT(sp_http_head_worth_parsing(&progress, input, 100, &small));
}

/* A request with a path and a value of 'a's, and so many fields. */
static size_t
make_request(char *to, size_t path, unsigned fields, size_t value)
{
	char *p = to;

	p += sprintf(p, "GET /");
	memset(p, 'a', path - 1);
	p += path - 1;
	p += sprintf(p, " HTTP/1.1\r\n" HOST_);
	for (unsigned i = 1; i < fields; i++) {
		p += sprintf(p, "N%u: ", i);
		memset(p, 'a', value);
		p += value;
		p += sprintf(p, END_);
	}
	p += sprintf(p, END_);
	return (size_t)(p - to);
}

static void
expect_verdict(const char *input, size_t size, int want,
    const struct sp_http_limits *those)
{
	struct sp_http_head head;

	EACH_SCAN(scan)
	EXPECT_EQ(http_parse(scan, &head, input, size, size, 0, those), want);
	for (size_t part = 0; part < 200; part++)
		EXPECT(http_head_disagreement(
			   input, size, size * part / 200, those)
		       == NULL);
}

TEST(a_long_target_is_414)
{
	static char input[SP_HTTP_HEAD_MAX + 1];
	size_t size = make_request(input, 8192, 1, 0);

	expect_verdict(input, size, (int)size, &limits);
	size = make_request(input, 8193, 1, 0);
	expect_verdict(input, size, -414, &limits);
	expect_verdict(input, 4 + 8193, -414, &limits);
	expect_verdict(input, 4 + 8192, 0, &limits);

	/* The byte that is one too many wins over what it is. */
	input[4 + 8192] = '%';
	expect_verdict(input, size, -414, &limits);
	input[4 + 8192] = '\001';
	expect_verdict(input, size, -414, &limits);
	input[4 + 8191] = '\001';
	expect_verdict(input, size, -400, &limits);
	input[4 + 8191] = '%';
	expect_verdict(input, size, -400, &limits);
	memcpy(input + 4 + 8191, "%41", 3);
	expect_verdict(input, size, -414, &limits);
	memcpy(input + 4 + 8190, "?b ", 3);
	expect_verdict(input, size, -400, &limits);
}

TEST(many_fields_are_431)
{
	static char input[SP_HTTP_HEAD_MAX + 1];
	const struct sp_http_limits few = { 16384, 3, 8192 };
	const struct sp_http_limits none = { 16384, 0, 8192 };
	const struct sp_http_limits more = { 16384, 1000, 8192 };
	size_t size = make_request(input, 1, 100, 1);

	expect_verdict(input, size, (int)size, &limits);
	expect_verdict(input, size, (int)size, &more);
	expect_verdict(input, size, -431, &few);
	expect_verdict(input, size, -431, &none);
	size = make_request(input, 1, 101, 1);
	expect_verdict(input, size, -431, &limits);
	expect_verdict(input, size, -431, &more);
	size = make_request(input, 1, 3, 1);
	expect_verdict(input, size, (int)size, &few);
}

TEST(a_large_head_is_431)
{
	static char input[SP_HTTP_HEAD_MAX + 4096];
	struct sp_http_limits some = { 0, 100, 8192 };
	size_t size = make_request(input, 1, 20, 800);

	for (some.head_bytes = (uint32_t)size - 60; some.head_bytes < size;
	     some.head_bytes++)
		expect_verdict(input, size, -431, &some);
	expect_verdict(input, size, (int)size, &some);
	some.head_bytes = (uint32_t)size + 1;
	expect_verdict(input, size, (int)size, &some);

	/* No limit is above what an offset can hold. */
	some.head_bytes = UINT32_MAX;
	size = make_request(input, 1, 100, 650);
	expect_verdict(input, size, (int)size, &some);
	size = make_request(input, 1, 100, 670);
	EXPECT(size > SP_HTTP_HEAD_MAX);
	expect_verdict(input, size, -431, &some);
	expect_verdict(input, SP_HTTP_HEAD_MAX, -431, &some);
}

/* What a byte may be part of, said once more and in other words. */
static bool
is_token(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
	       || (c >= 'a' && c <= 'z')
	       || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
is_host(int c)
{
	return (is_token(c) || c == '(' || c == ')' || c == ',' || c == ';'
		   || c == '=')
	       && c != '#' && c != '%' && c != '^' && c != '`' && c != '|';
}

static bool
is_value(int c)
{
	return c == '\t' || (c >= ' ' && c != 0x7f);
}

static bool
is_target(int c)
{
	return c > ' ' && c < 0x7f && c != '#' && c != '%';
}

TEST(every_byte_in_every_place)
{
	static const struct {
		const char *before;
		bool (*may)(int c);
		const char *after;
	} places[] = {
		{ GET_ HOST_ "A", is_token, ": b\r\n\r\n" },
		{ GET_ HOST_ "A: b", is_value, "c\r\n\r\n" },
		{ "GET /a", is_target, " HTTP/1.1\r\n" HOST_ END_ },
		{ GET_ "Host: a", is_host, "b\r\n\r\n" },
	};
	char fill[40], input[256];
	struct sp_http_head head;

	memset(fill, 'a', sizeof(fill));
	EACH_SCAN(scan)
	for (unsigned place = 0; place < COUNT(places); place++)
		for (int run = 0; run < (int)sizeof(fill); run++)
			for (int c = 0; c < 256; c++) {
				int at = sprintf(input, "%s%.*s",
				    places[place].before, run, fill);
				int verdict, size;

				input[at] = (char)c;
				size = at + 1
				       + sprintf(input + at + 1, "%s",
					   places[place].after);
				/* A colon ends a name or a host. */
				if (c == ':' && place != 1 && place != 2)
					continue;
				verdict = http_parse(scan, &head, input,
				    (size_t)size, (size_t)size, (unsigned)run,
				    &limits);
				EXPECT_EQ(verdict,
				    places[place].may(c) ? size : -400);
			}
}

TEST(fields_are_found_in_any_case)
{
	const char *buf = GET_ HOST_ "Accept: b\r\nX:  c d \r\naCCEPT: e\r\n"
				     "Accept-: f\r\nAccept:\r\n\r\n";
	struct sp_http_head head;
	const struct sp_http_field *field;

	EACH_SCAN(scan)
	{
		EXPECT(http_parse(scan, &head, buf, strlen(buf), strlen(buf), 0,
			   &limits)
		       > 0);
		EXPECT_EQ(head.nfields, 6);
		field = sp_http_head_find(&head, buf, "ACCEPT", 6);
		EXPECT(field == &head.fields[1]);
		EXPECT(is_text(buf, field->name, field->name_size, "Accept"));
		EXPECT(is_text(buf, field->value, field->value_size, "b"));
		field = sp_http_head_find_next(&head, buf, field);
		EXPECT(field == &head.fields[3]);
		EXPECT(is_text(buf, field->value, field->value_size, "e"));
		field = sp_http_head_find_next(&head, buf, field);
		EXPECT(field == &head.fields[5]);
		EXPECT(is_text(buf, field->value, field->value_size, ""));
		EXPECT(sp_http_head_find_next(&head, buf, field) == NULL);
		field = sp_http_head_find(&head, buf, "x", 1);
		EXPECT(is_text(buf, field->value, field->value_size, "c d"));
		EXPECT(sp_http_head_find(&head, buf, "y", 1) == NULL);
		EXPECT(sp_http_head_find(&head, buf, "accept", 5) == NULL);
	}
}

TEST(the_host_is_told_from_its_port)
{
	struct sp_http_head head;
	const char *buf = GET_ "Host: [::1]:80\r\n\r\n";

	EACH_SCAN(scan)
	{
		EXPECT(http_parse(scan, &head, buf, strlen(buf), strlen(buf), 0,
			   &limits)
		       > 0);
		EXPECT(is_text(buf, head.host, head.host_size, "[::1]"));
	}
}

TEST(what_follows_a_head_is_left_alone)
{
	const char *buf = GET_ HOST_ END_ "\001\002\r\n\r\n";
	struct sp_http_head head;

	EACH_SCAN(scan)
	EXPECT_EQ(
	    http_parse(scan, &head, buf, strlen(buf), strlen(buf), 0, &limits),
	    (intmax_t)strlen(GET_ HOST_ END_));
}

TEST(the_best_build_is_one_of_them)
{
	char *buf = http_padded(http_good[0].input, strlen(http_good[0].input),
	    strlen(http_good[0].input), 0);
	struct sp_http_head head;

	EXPECT_EQ(sp_http_head_parse(
		      &head, buf, strlen(http_good[0].input), &limits, NULL),
	    (intmax_t)strlen(http_good[0].input));
	free(buf);
	EXPECT(sp_http_scan_available(SP_HTTP_SCAN_PORTABLE));
	EXPECT(!sp_http_scan_available(SP_HTTP_SCANS));
	EXPECT_ABORT(
	    sp_http_head_parse_by(SP_HTTP_SCANS, &head, "", 0, &limits, NULL));
	EXPECT(strcmp(sp_http_method_name(SP_HTTP_PATCH), "PATCH") == 0);
}

/* No CPU has all of them: SSE4.2 and NEON are of two. */
TEST(each_build_of_the_parser_has_a_name)
{
	unsigned absent = 0;

	EXPECT(
	    strcmp(sp_http_scan_name(SP_HTTP_SCAN_PORTABLE), "portable") == 0);
	for (enum sp_http_scan scan = 0; scan < SP_HTTP_SCANS; scan++) {
		if (strcmp(sp_http_scan_name(scan), "absent") != 0)
			continue;
		EXPECT(!sp_http_scan_available(scan));
		absent++;
	}
	EXPECT(absent > 0);
}

/*
 * Goal: the builds agree on what nobody thought of.
 * Method: vectors with a few bytes changed, dropped or doubled.
 */
static size_t
mutate(char *input, size_t size, size_t most, uint64_t *random)
{
	static const char dear[] = "\r\n\r\n \t:::%?#/,*\0\177\200[]1ae-";
	unsigned changes = 1 + test_random(random) % 3;

	while (changes-- > 0 && size > 1) {
		size_t at = test_random(random) % size;
		size_t run = 1 + test_random(random) % 40;
		char c = dear[test_random(random) % (sizeof(dear) - 1)];

		if (run > size - at)
			run = size - at;
		switch (test_random(random) % 5) {
		case 0:
			input[at] = c;
			break;
		case 1:
			input[at] = (char)test_random(random);
			break;
		case 2:
			memmove(input + at, input + at + run, size - at - run);
			size -= run;
			break;
		default:
			if (size + run > most)
				break;
			memmove(input + at + run, input + at, size - at);
			size += run;
			if (run == 1)
				input[at] = c;
		}
	}
	return size;
}

TEST(mutants_divide_nobody)
{
	uint64_t random = test_seed();
	unsigned rounds = test_rounds(MUTANTS);

	while (rounds-- > 0) {
		unsigned i = (unsigned)(test_random(&random)
					% (COUNT(http_good) + COUNT(http_bad)));
		const char *from = i < COUNT(http_good)
				       ? http_good[i].input
				       : http_bad[i - COUNT(http_good)].input;
		size_t size = i < COUNT(http_good)
				  ? strlen(from)
				  : http_bad[i - COUNT(http_good)].size;
		const char *complaint;
		char input[512];

		memcpy(input, from, size);
		size = mutate(input, size, sizeof(input), &random);
		complaint = http_head_disagreement(
		    input, size, test_random(&random) % (size + 1), &limits);
		if (complaint != NULL) {
			fprintf(stderr, "%.*s\n", (int)size, input);
			test_fail(__FILE__, __LINE__, complaint);
			return;
		}
	}
}
