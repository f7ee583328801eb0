/* SPDX-License-Identifier: BSD-2-Clause */

#include "perf/bench/response.h"

#include <string.h>
#include <strings.h>

void
bench_response_init(struct bench_response *response)
{
	memset(response, 0, offsetof(struct bench_response, line));
}

/* A response begins: forget the one before, but not what was asked. */
static void
begin(struct bench_response *response)
{
	response->left = 0;
	response->status = 0;
	response->chunked = false;
	response->has_length = false;
	response->closes = false;
}

static bool
parse_number(const char *text, size_t size, unsigned base, uint64_t *out)
{
	uint64_t value = 0;
	size_t digits = 0;

	for (; digits < size; digits++) {
		char c = text[digits];
		unsigned digit;

		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if (base == 16 && (c | 32) >= 'a' && (c | 32) <= 'f')
			digit = (unsigned)((c | 32) - 'a' + 10);
		else
			break;
		if (value > (UINT64_MAX >> 8))
			return false;
		value = value * base + digit;
	}
	*out = value;
	return digits > 0;
}

static bool
has_name(const char *line, size_t size, const char *name, size_t name_size,
    const char **value, size_t *value_size)
{
	if (size <= name_size || line[name_size] != ':'
	    || strncasecmp(line, name, name_size) != 0)
		return false;
	*value = line + name_size + 1;
	*value_size = size - name_size - 1;
	while (*value_size > 0 && (**value == ' ' || **value == '\t')) {
		(*value)++;
		(*value_size)--;
	}
	return true;
}

#define HAS_NAME(name) has_name(line, size, name, sizeof(name) - 1, &value, &n)

static bool
take_header(struct bench_response *response, const char *line, size_t size)
{
	const char *value;
	size_t n;

	switch (size > 0 ? line[0] | 32 : 0) {
	case 'c':
		if (HAS_NAME("Content-Length")) {
			response->has_length = true;
			return parse_number(value, n, 10, &response->left);
		}
		if (HAS_NAME("Connection") && n >= 5
		    && strncasecmp(value, "close", 5) == 0)
			response->closes = true;
		return true;
	case 't':
		if (HAS_NAME("Transfer-Encoding") && n >= 7
		    && strncasecmp(value + n - 7, "chunked", 7) == 0)
			response->chunked = true;
		return true;
	default:
		return true;
	}
}

static bool
take_status(struct bench_response *response, const char *line, size_t size)
{
	uint64_t status;

	if (size < 12 || memcmp(line, "HTTP/1.", 7) != 0
	    || !parse_number(line + 9, 3, 10, &status) || status < 100)
		return false;
	begin(response);
	response->status = (uint16_t)status;
	response->closes = line[7] == '0';
	response->state = BENCH_HEADER;
	return true;
}

/* The blank line after the headers: what follows? */
static enum bench_progress
end_head(struct bench_response *response)
{
	uint16_t status = response->status;

	response->state = BENCH_STATUS;
	if (status < 200)
		return BENCH_MORE;
	if (response->to_head || status == 204 || status == 304)
		return BENCH_DONE;
	if (response->chunked) {
		response->state = BENCH_SIZE;
		return BENCH_MORE;
	}
	if (!response->has_length) {
		response->closes = true;
		response->state = BENCH_REST;
		return BENCH_MORE;
	}
	if (response->left == 0)
		return BENCH_DONE;
	response->state = BENCH_BODY;
	return BENCH_MORE;
}

static enum bench_progress
take_line(struct bench_response *response, const char *line, size_t size)
{
	if (size > 0 && line[size - 1] == '\r')
		size--;
	switch (response->state) {
	case BENCH_STATUS:
		return take_status(response, line, size) ? BENCH_MORE
							 : BENCH_BAD;
	case BENCH_HEADER:
		if (size == 0)
			return end_head(response);
		return take_header(response, line, size) ? BENCH_MORE
							 : BENCH_BAD;
	case BENCH_SIZE:
		if (!parse_number(line, size, 16, &response->left))
			return BENCH_BAD;
		response->state = response->left > 0 ? BENCH_CHUNK
						     : BENCH_TRAILER;
		return BENCH_MORE;
	case BENCH_CHUNK_END:
		response->state = BENCH_SIZE;
		return size == 0 ? BENCH_MORE : BENCH_BAD;
	case BENCH_TRAILER:
		if (size > 0)
			return BENCH_MORE;
		response->state = BENCH_STATUS;
		return BENCH_DONE;
	default:
		return BENCH_BAD;
	}
}

/* => Returns how much of the data is of the line, its newline included. */
static size_t
gather_line(struct bench_response *response, const char *data, size_t size,
    enum bench_progress *progress)
{
	const char *newline = memchr(data, '\n', size);
	size_t used = newline != NULL ? (size_t)(newline - data) + 1 : size;
	size_t part = newline != NULL ? used - 1 : used;
	size_t room = BENCH_LINE_MAX - response->line_size;

	*progress = BENCH_MORE;
	if (newline != NULL && response->line_size == 0) {
		*progress = take_line(response, data, part);
		return used;
	}
	memcpy(response->line + response->line_size, data,
	    part < room ? part : room);
	response->line_size += (uint16_t)(part < room ? part : room);
	if (newline != NULL) {
		size = response->line_size;
		response->line_size = 0;
		*progress = take_line(response, response->line, size);
	}
	return used;
}

/* => Returns how much of the data is of the body. */
static size_t
skip_body(
    struct bench_response *response, size_t size, enum bench_progress *progress)
{
	size_t used = size < response->left ? size : (size_t)response->left;

	*progress = BENCH_MORE;
	response->left -= used;
	if (response->left > 0)
		return used;
	if (response->state == BENCH_CHUNK) {
		response->state = BENCH_CHUNK_END;
	} else {
		response->state = BENCH_STATUS;
		*progress = BENCH_DONE;
	}
	return used;
}

enum bench_progress
bench_response_feed(struct bench_response *response, const char *data,
    size_t size, size_t *used)
{
	enum bench_progress progress = BENCH_MORE;
	size_t at = 0;

	while (at < size && progress == BENCH_MORE) {
		switch (response->state) {
		case BENCH_REST:
			at = size;
			break;
		case BENCH_BODY:
		case BENCH_CHUNK:
			at += skip_body(response, size - at, &progress);
			break;
		default:
			at += gather_line(
			    response, data + at, size - at, &progress);
			break;
		}
	}
	*used = at;
	return progress;
}

bool
bench_response_end(const struct bench_response *response)
{
	return response->state == BENCH_REST;
}
