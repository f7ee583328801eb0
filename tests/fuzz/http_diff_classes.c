/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/fuzz/http_diff_classes.h"
#include "tests/fuzz/http_diff_text.h"

#include <ctype.h>
#include <string.h>

#define TOKENS "[!#$%&'*+.^_`|~0-9A-Za-z-]+"

/* The lines behind the request line, or those of the trailer. */
static struct view_text
field_lines(const struct diff *diff)
{
	if (diff->in_body)
		return diff_trailer(diff);
	return (struct view_text){ diff->input, diff_head_size(diff) };
}

/* ------------------------------------------------- where Spate is stricter */

static bool
holds_BARE_CR(const struct diff *diff)
{
	for (size_t i = 0; i + 1 < diff_head_size(diff); i++)
		if (diff->input[i] == '\r' && diff->input[i + 1] != '\n')
			return true;
	return false;
}

static bool
holds_BARE_LF(const struct diff *diff)
{
	for (size_t i = 0; i < diff_head_size(diff); i++)
		if (diff->input[i] == '\n'
		    && (i == 0 || diff->input[i - 1] != '\r'))
			return true;
	return false;
}

static bool
holds_BLANK_LINES(const struct diff *diff)
{
	return diff_is_like(diff->input, diff->size < 10 ? diff->size : 10,
	    "^(\r\n)*(\r[^\n]|\n)|^(\r\n){5}");
}

static bool
holds_FOLD(const struct diff *diff)
{
	struct view_text text = field_lines(diff);

	for (size_t i = 0; i + 1 < text.size; i++)
		if (text.at[i] == '\n'
		    && (text.at[i + 1] == ' ' || text.at[i + 1] == '\t'))
			return true;
	return false;
}

static bool
holds_NO_NAME(const struct diff *diff)
{
	struct view_text text = field_lines(diff);

	if (diff->in_body && text.size != 0 && *text.at == ':')
		return true;
	for (size_t i = 0; i + 1 < text.size; i++)
		if (text.at[i] == '\n' && text.at[i + 1] == ':')
			return true;
	return false;
}

static bool
holds_METHOD(const struct diff *diff)
{
	return !diff_is_like(diff->view.method.at, diff->view.method.size,
	    "^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|TRACE)$");
}

/* From the method to the end of its line. */
static struct view_text
request_line(const struct diff *diff)
{
	struct view_text line = diff->view.method;
	const char *end = diff->input + diff->size, *lf;

	if (line.at == NULL)
		return line;
	lf = memchr(line.at, '\n', (size_t)(end - line.at));
	line.size = (size_t)((lf != NULL ? lf + 1 : end) - line.at);
	return line;
}

static bool
holds_REQUEST_LINE(const struct diff *diff)
{
	struct view_text line = request_line(diff);

	return line.at == NULL
	       || !diff_is_like(line.at, line.size,
		   "^[A-Z-]+ [^ \t\r\n]+ HTTP/[0-9]\\.[0-9]\r\n$");
}

static bool
holds_VERSION(const struct diff *diff)
{
	return diff->view.version_done
	       && (diff->view.major != 1 || diff->view.minor > 1);
}

static bool
holds_PREFACE(const struct diff *diff)
{
	return diff_is_text(diff->view.method, "PRI");
}

static bool
holds_TARGET_BYTE(const struct diff *diff)
{
	struct view_text line = request_line(diff);
	const char *at = line.at;

	if (at == NULL || memchr(at, '#', line.size) != NULL)
		return at != NULL;
	while ((at = memchr(at, '%', line.size - (size_t)(at - line.at)))) {
		if (line.at + line.size - at < 3
		    || !isxdigit((unsigned char)at[1])
		    || !isxdigit((unsigned char)at[2]))
			return true;
		at++;
	}
	return false;
}

static bool
holds_TARGET_FORM(const struct diff *diff)
{
	struct view_text url = diff->view.url;
	const char *host, *end;

	if (url.at == NULL || url.size == 0)
		return false;
	if (diff_is_text(url, "*"))
		return !diff_is_text(diff->view.method, "OPTIONS");
	if (!diff_is_like(url.at, url.size, "^[hH][tT][tT][pP][sS]?://"))
		return url.at[0] != '/';
	host = strchr(url.at, '/') + 2;
	for (end = host; end < url.at + url.size; end++)
		if (*end == '/' || *end == '?')
			break;
	return host == end || *host == ':'
	       || !diff_is_authority(host, (size_t)(end - host))
	       || diff_is_like(host, (size_t)(end - host), ":[0-9]{5,}$");
}

static bool
holds_NO_HOST(const struct diff *diff)
{
	return diff->view.head_done && diff_find(diff, "host", 0) == NULL;
}

static bool
holds_BAD_HOST(const struct diff *diff)
{
	const struct view_text *host = diff_find(diff, "host", 0);

	/* llhttp leaves out a value that is empty, and blanks behind one. */
	if (host == NULL || host->at == NULL)
		return false;
	return !diff_is_like(host->at, host->size, "^[^ \t]+[ \t]*$")
	       || *host->at == ':'
	       || !diff_is_authority(host->at, strcspn(host->at, " \t\r\n"))
	       || diff_is_like(host->at, host->size, ":[0-9]{5,}[ \t]*$");
}

static bool
holds_SECOND_HOST(const struct diff *diff)
{
	return diff_find(diff, "host", 1) != NULL;
}

static bool
holds_LENGTH(const struct diff *diff)
{
	const struct view_text *length = diff_find(diff, "content-length", 0);

	return length != NULL
	       && diff_is_like(
		   length->at, length->size, "^0*[0-9]{19,}[ \t]*$");
}

static bool
holds_CODING(const struct diff *diff)
{
	const struct view_text *coding;
	unsigned n = 0;

	while ((coding = diff_find(diff, "transfer-encoding", n++)) != NULL)
		if (n > 1
		    || (coding->size != 0
			&& !diff_is_like(coding->at, coding->size,
			    "^[cC][hH][uU][nN][kK][eE][dD][ \t]*$"))
		    || coding->size == 0)
			return true;
	return false;
}

static bool
holds_CODING_1_0(const struct diff *diff)
{
	return diff->view.minor == 0
	       && diff_find(diff, "transfer-encoding", 0) != NULL;
}

static bool
holds_EXPECT(const struct diff *diff)
{
	const struct view_text *expect;
	unsigned n = 0;

	while ((expect = diff_find(diff, "expect", n++)) != NULL)
		if (!diff_is_like(expect->at, expect->size,
			"^100-[cC][oO][nN][tT][iI][nN][uU][eE][ \t]*$"))
			return true;
	return false;
}

static bool
holds_LIMITS(const struct diff *diff)
{
	return diff_head_size(diff) >= 16384 || diff->view.nfields > 100
	       || request_line(diff).size > 8192;
}

/* ------------------------------------------------------------- chunked body */

static bool
is_large_size(struct view_text digits, struct view_text rest)
{
	(void)rest;
	return digits.size >= 16;
}

static bool
holds_CHUNK_SIZE(const struct diff *diff)
{
	return diff_any_size_line(diff, is_large_size);
}

static bool
is_bad_ext(struct view_text digits, struct view_text rest)
{
	(void)digits;
	return !diff_is_like(rest.at, rest.size,
		   "^([ \t]*;[ \t]*" TOKENS "([ \t]*=[ \t]*(" TOKENS
		   "|\"([^\"\\\\\x01-\x08\x0a-\x1f\x7f]"
		   "|\\\\[^\x01-\x08\x0a-\x1f\x7f])*\"))?)*$")
	       || rest.size > 16000;
}

static bool
holds_CHUNK_EXT(const struct diff *diff)
{
	return diff_any_size_line(diff, is_bad_ext);
}

static bool
holds_CHUNK_LF(const struct diff *diff)
{
	struct view_text text = diff_trailer(diff);

	for (size_t i = 0; i < text.size; i++)
		if (text.at[i] == '\n' && (i == 0 || text.at[i - 1] != '\r'))
			return true;
	return false;
}

static bool
holds_TRAILER_NAME(const struct diff *diff)
{
	static const char names[] =
	    "^(age|authorization|cache-control|connection|content-encoding|"
	    "content-length|content-range|content-type|cookie|date|expect|"
	    "expires|forwarded|host|if-match|if-modified-since|"
	    "if-none-match|if-range|if-unmodified-since|keep-alive|"
	    "max-forwards|pragma|proxy-authorization|proxy-connection|range|"
	    "set-cookie|te|trailer|transfer-encoding|upgrade|vary|"
	    "www-authenticate)$";
	char name[32];

	for (unsigned i = diff->view.nheads;
	     i <= diff->view.nfields && i < LLHTTP_VIEW_FIELDS; i++) {
		size_t size = diff->view.names[i].size;

		if (size == 0 || size >= sizeof(name))
			continue;
		for (size_t k = 0; k < size; k++)
			name[k] = (char)tolower(
			    (unsigned char)diff->view.names[i].at[k]);
		if (diff_is_like(name, size, names))
			return true;
	}
	return false;
}

static bool
holds_TRAILER_LIMITS(const struct diff *diff)
{
	return diff->view.nfields - diff->view.nheads > 32
	       || diff->size - diff->head.size > 8192;
}

/* ------------------------------------------------ where llhttp is stricter */

/* Whether there is more around the value than one space in front of it. */
static bool
has_blanks(const struct diff *diff, const char *name)
{
	const struct sp_http_head *head = &diff->head;
	const struct sp_http_field *field = sp_http_head_find(
	    head, diff->input, name, strlen(name));

	for (; field != NULL;
	     field = sp_http_head_find_next(head, diff->input, field)) {
		size_t before = (size_t)field->value - field->name
				- field->name_size - 1;
		const char *value = diff->input + field->value;

		if (before > 1 || (before == 1 && value[-1] == '\t')
		    || value[field->value_size] != '\r')
			return true;
	}
	return false;
}

static bool
holds_BLANK_TAB(const struct diff *diff)
{
	return diff->in_body
	       && (has_blanks(diff, "content-length")
		   || has_blanks(diff, "transfer-encoding"));
}

static bool
is_blank_ext(struct view_text digits, struct view_text rest)
{
	(void)digits;
	return rest.size != 0
	       && (memchr(rest.at, ' ', rest.size) != NULL
		   || memchr(rest.at, '\t', rest.size) != NULL);
}

static bool
holds_EXT_BLANK(const struct diff *diff)
{
	return diff->in_body && diff_any_size_line(diff, is_blank_ext);
}

static bool
is_second_ext(struct view_text digits, struct view_text rest)
{
	const char *value = rest.size != 0 ? memchr(rest.at, '=', rest.size)
					   : NULL;

	(void)digits;
	return value != NULL
	       && memchr(value, ';', rest.size - (size_t)(value - rest.at))
		      != NULL;
}

static bool
holds_EXT_SECOND(const struct diff *diff)
{
	return diff->in_body && diff_any_size_line(diff, is_second_ext);
}

static bool
is_quoted_ext(struct view_text digits, struct view_text rest)
{
	(void)digits;
	return rest.size != 0 && memchr(rest.at, '"', rest.size) != NULL;
}

static bool
holds_EXT_QUOTED(const struct diff *diff)
{
	return diff->in_body && diff_any_size_line(diff, is_quoted_ext);
}

static bool
holds_URL_BYTE(const struct diff *diff)
{
	return diff->in_body && (diff->head.flags & SP_HTTP_ABSOLUTE);
}

/* ----------------------------------------------- where they read otherwise */

static bool
holds_UPGRADE(const struct diff *diff)
{
	return diff->in_body && (diff->head.flags & SP_HTTP_UPGRADE)
	       && diff->view.end == diff->head.size && holds_BLANK_TAB(diff);
}

/* ------------------------------------------------------------------- table */

enum stricter { SPATE, LLHTTP, NEITHER };

/* The errors of our parser that a class can explain, with bars between. */
static const char *const errors[DIFF_CLASS_COUNT] = {
	[DIFF_BARE_CR] = "CR without LF|bad byte in a value|malformed version"
			 "|field without a colon|bad byte in the target"
			 "|malformed method|bad byte in the name of a field",
	[DIFF_BARE_LF] = "bad byte in a value|malformed version"
			 "|field without a colon|bad byte in the target",
	[DIFF_BLANK_LINES] = "too many blank lines|malformed method"
			     "|CR without LF",
	[DIFF_FOLD] = "folded field|malformed Content-Length|malformed Host"
		      "|malformed Transfer-Encoding|unknown expectation|chunk",
	[DIFF_NO_NAME] = "field without a name|chunk",
	[DIFF_METHOD] = "unknown method|CONNECT is not supported"
			"|malformed method",
	[DIFF_REQUEST_LINE] = "malformed version|bad byte in the target"
			      "|malformed target|malformed method",
	[DIFF_VERSION] = "unsupported version",
	[DIFF_PREFACE] = "the preface of HTTP/2",
	[DIFF_TARGET_BYTE] = "bad byte in the target|bad '%' in the target",
	[DIFF_TARGET_FORM] = "malformed target|malformed authority"
			     "|'*' without OPTIONS",
	[DIFF_NO_HOST] = "no Host",
	[DIFF_BAD_HOST] = "malformed Host",
	[DIFF_SECOND_HOST] = "second Host",
	[DIFF_LENGTH] = "malformed Content-Length",
	[DIFF_CODING] = "malformed Transfer-Encoding|unknown transfer coding"
			"|Transfer-Encoding without an end",
	[DIFF_CODING_1_0] = "Transfer-Encoding on HTTP/1.0",
	[DIFF_EXPECT] = "unknown expectation",
	[DIFF_LIMITS] = "too many fields|the head is too large|long target",
	[DIFF_UPGRADE] = "chunk",
	[DIFF_CHUNK_SIZE] = "chunk",
	[DIFF_CHUNK_EXT] = "chunk",
	[DIFF_CHUNK_LF] = "chunk",
	[DIFF_TRAILER_NAME] = "chunk",
	[DIFF_TRAILER_LIMITS] = "chunk",
};

static const struct {
	const char *name;
	enum stricter stricter;
	bool (*holds)(const struct diff *diff);
} classes[DIFF_CLASS_COUNT] = {
#define CLASS(name, stricter, why) { #name, stricter, holds_##name },
	DIFF_CLASSES
#undef CLASS
};

static bool
is_among(const char *error, const char *list)
{
	const size_t size = strlen(error);
	const char *at = list;

	if (list == NULL)
		return false;

	while ((at = strstr(at, error)) != NULL) {
		if ((at == list || at[-1] == '|')
		    && (at[size] == '\0' || at[size] == '|'))
			return true;
		at++;
	}
	return false;
}

const char *
diff_explain(const struct diff *diff)
{
	enum stricter stricter = diff->verdict == VIEW_REFUSED        ? SPATE
				 : diff->view.verdict == VIEW_REFUSED ? LLHTTP
								      : NEITHER;

	for (int i = 0; i < DIFF_CLASS_COUNT; i++) {
		if (classes[i].stricter != stricter
		    && classes[i].stricter != NEITHER)
			continue;
		if (stricter == SPATE && !is_among(diff->error, errors[i]))
			continue;
		if (classes[i].holds(diff))
			return classes[i].name;
	}
	return NULL;
}
