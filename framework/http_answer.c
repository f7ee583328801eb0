/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/http_answer.h"

#include "framework/http_head_rules.h"
#include "framework/http_scan.h"

#include <errno.h>

/* Of the first line, up to the status and with it. */
#define STATUS_AT 9
#define STATUS_END 12

/* Where the parser is in what has come. */
struct reader {
	struct sp_http_answer *answer;
	const char *buf;
	size_t size, at;
	int seen; /* enum sp_http_seen */
};

static int
refuse(struct sp_http_answer *answer, const char *error)
{
	answer->head.error = error;
	return -EBADMSG;
}

/*
 * From here to the end of the line, all of it text.
 *
 * => Returns 1, *end is where the CR is, and the reader behind the LF; 0:
 *    the line has not come in full; -EBADMSG.
 */
static int
read_to_end(struct reader *reader, size_t *end)
{
	size_t at = reader->at;

	while (at < reader->size && sp_http_is(reader->buf[at], SP_HTTP_VALUE))
		at++;
	if (at == reader->size)
		return 0;
	if (reader->buf[at] != '\r')
		return refuse(reader->answer, "a control in the head");
	if (at + 1 == reader->size)
		return 0;
	if (reader->buf[at + 1] != '\n')
		return refuse(reader->answer, "CR without LF");
	*end = at;
	reader->at = at + 2;
	return 1;
}

/* "HTTP/1.1 200", a byte at a time: it may end anywhere. */
static int
read_status(struct reader *reader)
{
	static const char shape[STATUS_END + 1] = "HTTP/1.# ###";
	struct sp_http_answer *answer = reader->answer;
	const char *buf = reader->buf;

	for (size_t i = 0; i < STATUS_END; i++) {
		if (i == reader->size)
			return 0;
		if (shape[i] == '#' ? !sp_http_is_digit(buf[i])
				    : buf[i] != shape[i])
			return refuse(answer, "malformed status line");
	}
	if (buf[7] > '1')
		return refuse(answer, "unsupported version");
	answer->head.minor = (uint8_t)(buf[7] - '0');
	answer->status = (uint16_t)((buf[STATUS_AT] - '0') * 100
				    + (buf[STATUS_AT + 1] - '0') * 10
				    + (buf[STATUS_AT + 2] - '0'));
	if (answer->status < 100 || answer->status > 599)
		return refuse(answer, "a status that is none");
	if (answer->status == 101)
		return refuse(answer, "an upgrade that was not asked for");
	reader->at = STATUS_END;
	return 1;
}

/* The reason, which may be missing together with the space before it. */
static int
read_reason(struct reader *reader)
{
	struct sp_http_answer *answer = reader->answer;
	size_t start = reader->at, end;
	int result = read_to_end(reader, &end);

	if (start < reader->size && reader->buf[start] != ' '
	    && reader->buf[start] != '\r')
		return refuse(answer, "malformed status");
	if (result != 1)
		return result;
	if (end != start)
		start++;
	answer->reason = (uint16_t)start;
	answer->reason_size = (uint16_t)(end - start);
	return 1;
}

/* Those that say how the answer ends, and what becomes of the connection. */
static bool
has_rule(const struct sp_http_field *field)
{
	return field->name_size == 10 || field->name_size == 14
	       || field->name_size == 17;
}

static int
read_field(struct reader *reader, struct sp_http_field *field)
{
	struct sp_http_head *head = &reader->answer->head;
	const char *buf = reader->buf;
	size_t name = reader->at, at = name, end;
	int result;

	while (at < reader->size && sp_http_is(buf[at], SP_HTTP_TOKEN))
		at++;
	if (at == reader->size)
		return 0;
	if (buf[at] != ':' || at == name) {
		sp_http_rule_stop(head, buf + name, buf + at);
		return -EBADMSG;
	}
	field->name = (uint16_t)name;
	field->name_size = (uint16_t)(at - name);
	reader->at = at + 1;
	result = read_to_end(reader, &end);
	if (result != 1)
		return result;
	for (at++; at < end && sp_http_is_blank(buf[at]); at++)
		;
	while (end > at && sp_http_is_blank(buf[end - 1]))
		end--;
	field->value = (uint16_t)at;
	field->value_size = (uint16_t)(end - at);
	if (!has_rule(field))
		return 1;
	reader->seen = sp_http_rule_field(head, buf, field, reader->seen);
	return reader->seen < 0 ? -EBADMSG : 1;
}

/* => Returns 1 at the blank line. */
static int
read_fields(struct reader *reader, uint32_t max)
{
	struct sp_http_head *head = &reader->answer->head;
	const char *buf = reader->buf;
	int result;

	for (head->nfields = 0;; head->nfields++) {
		if (reader->at == reader->size)
			return 0;
		if (buf[reader->at] == '\r') {
			if (reader->at + 1 == reader->size)
				return 0;
			if (buf[reader->at + 1] != '\n')
				return refuse(reader->answer, "CR without LF");
			reader->at += 2;
			return 1;
		}
		if (head->nfields == max || head->nfields == SP_HTTP_FIELDS_MAX)
			return refuse(reader->answer, "too many fields");
		result = read_field(reader, &head->fields[head->nfields]);
		if (result != 1)
			return result;
	}
}

int
sp_http_answer_parse(struct sp_http_answer *answer, const char *buf,
    size_t size, const struct sp_http_limits *limits)
{
	size_t max = limits->head_bytes < SP_HTTP_HEAD_MAX ? limits->head_bytes
							   : SP_HTTP_HEAD_MAX;
	struct reader reader = {
		.answer = answer,
		.buf = buf,
		.size = size < max ? size : max,
	};
	int result = read_status(&reader);

	if (result == 1)
		result = read_reason(&reader);
	if (result == 1)
		result = read_fields(&reader, limits->fields);
	if (result == 0 && size >= max)
		return refuse(answer, "a head that is too large");
	if (result != 1)
		return result;

	/* What a request must have and an answer need not. */
	reader.seen |= SP_HTTP_SEEN_HOST;
	if (sp_http_rule_end(&answer->head, reader.seen) != 0)
		return -EBADMSG;
	answer->head.size = (uint16_t)reader.at;
	return (int)reader.at;
}

enum sp_http_ends
sp_http_answer_ends(const struct sp_http_answer *answer, bool to_head)
{
	if (to_head || answer->status < 200 || answer->status == 204
	    || answer->status == 304)
		return SP_HTTP_ENDS_AT_ONCE;
	if (answer->head.flags & SP_HTTP_CHUNKED)
		return SP_HTTP_ENDS_BY_CHUNK;
	if (answer->head.flags & SP_HTTP_HAS_LENGTH)
		return SP_HTTP_ENDS_BY_LENGTH;
	return SP_HTTP_ENDS_BY_CLOSE;
}
