/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The body of an answer: what came with the head, then what the socket
 * gives; and the fields in front of it.
 */

#include "framework/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COLLECT_FIRST 4096

void
sp_upstream_body_begin(struct spate_upstream *up)
{
	const struct sp_http_head *head = &up->answer.head;

	up->state = SP_UPSTREAM_ANSWERED;
	up->ends = (uint8_t)sp_http_answer_ends(&up->answer, up->to_head);
	up->left = head->content_length;
	if (up->ends == SP_HTTP_ENDS_BY_CHUNK)
		sp_http_chunked_init(&up->chunked, UINT64_MAX);
	if (up->ends == SP_HTTP_ENDS_AT_ONCE
	    || (up->ends == SP_HTTP_ENDS_BY_LENGTH && up->left == 0))
		up->state = SP_UPSTREAM_WHOLE;
}

/* From the socket; 0 is the end of the connection. */
static ssize_t
receive(struct spate_upstream *up, void *buf, size_t size)
{
	sp_tick deadline = up->deadline;

	/* A stream that never makes us wait has a deadline all the same. */
	if (deadline != SP_DEADLINE_NONE
	    && !sp_tick_after(deadline, sp_tick_of(sp_now_ns())))
		return -ETIMEDOUT;
	return sp_upstream_receive(up, buf, size);
}

/* Bytes as they are: first from the buffer, then into the caller's. */
static ssize_t
read_plain(struct spate_upstream *up, void *buf, size_t size)
{
	size_t have = up->end - up->start;

	if (have == 0)
		return receive(up, buf, size);
	if (have > size)
		have = size;
	memcpy(buf, up->buffer + up->start, have);
	up->start += (uint32_t)have;
	return (ssize_t)have;
}

static ssize_t
read_fixed(struct spate_upstream *up, void *buf, size_t size)
{
	ssize_t n = read_plain(
	    up, buf, size < up->left ? size : (size_t)up->left);

	if (n <= 0)
		return n < 0 ? n : -ECONNRESET;
	up->left -= (uint64_t)n;
	if (up->left == 0)
		up->state = SP_UPSTREAM_WHOLE;
	return n;
}

/*
 * TCP tells a reset once, and if a send was told, a read finds an end as after
 * the last byte.
 */
static ssize_t
read_rest(struct spate_upstream *up, void *buf, size_t size)
{
	ssize_t n = read_plain(up, buf, size);

	if (n == 0 && up->reset)
		return -ECONNRESET;
	if (n == 0)
		up->state = SP_UPSTREAM_WHOLE;
	return n;
}

/* More of a chunked body, behind the head, whose fields are still wanted. */
static int
refill(struct spate_upstream *up)
{
	ssize_t n;

	up->start = up->end = up->answer.head.size;
	n = receive(up, up->buffer + up->end, up->capacity - up->end);
	if (n <= 0)
		return n < 0 ? (int)n : -ECONNRESET;
	up->end += (uint32_t)n;
	return 0;
}

static ssize_t
read_chunked(struct spate_upstream *up, void *buf, size_t size)
{
	for (;;) {
		size_t have = up->end - up->start, used = 0, n = 0;
		const char *data = NULL;
		int event, error;

		event = sp_http_chunked_feed(&up->chunked,
		    up->buffer + up->start, have < size ? have : size, &used,
		    &data, &n);
		up->start += (uint32_t)used;
		switch (event) {
		case SP_HTTP_CHUNKED_DATA:
			memcpy(buf, data, n);
			return (ssize_t)n;
		case SP_HTTP_CHUNKED_TRAILER:
			break;
		case SP_HTTP_CHUNKED_DONE:
			up->state = SP_UPSTREAM_WHOLE;
			return 0;
		case SP_HTTP_CHUNKED_MORE:
			error = up->start == up->end ? refill(up) : 0;
			if (error != 0)
				return error;
			break;
		default:
			return -EBADMSG;
		}
	}
}

ssize_t
spate_upstream_read(struct spate_upstream *up, void *buf, size_t size)
{
	ssize_t n;

	if (up->error != 0)
		return up->error;
	if (up->state == SP_UPSTREAM_WHOLE)
		return 0;
	if (up->state != SP_UPSTREAM_ANSWERED || size == 0)
		return -EINVAL;
	if (up->ends == SP_HTTP_ENDS_BY_LENGTH)
		n = read_fixed(up, buf, size);
	else if (up->ends == SP_HTTP_ENDS_BY_CHUNK)
		n = read_chunked(up, buf, size);
	else
		n = read_rest(up, buf, size);
	if (n == -EAGAIN && sp_upstream_is_early(up))
		return n;
	return n < 0 ? sp_upstream_fail(up, (int)n) : n;
}

/* All of it is in the buffer, and on loan from there. */
static bool
lend_buffered(struct spate_upstream *up, struct spate_str *body)
{
	if (up->ends != SP_HTTP_ENDS_BY_LENGTH
	    || up->end - up->start < up->left)
		return false;
	*body = (struct spate_str){ up->buffer + up->start, (size_t)up->left };
	up->start += (uint32_t)up->left;
	up->left = 0;
	up->state = SP_UPSTREAM_WHOLE;
	return true;
}

/* One byte more than max is asked for, to tell that there is more. */
static int
collect(struct spate_upstream *up, uint64_t max, struct spate_str *body)
{
	size_t capacity = COLLECT_FIRST, size = 0;
	ssize_t n = 1;

	if (up->ends == SP_HTTP_ENDS_BY_LENGTH)
		capacity = (size_t)up->left + 1;
	while (n > 0) {
		char *memory = realloc(up->collected, capacity);

		if (memory == NULL)
			return sp_upstream_fail(up, -ENOMEM);
		up->collected = memory;
		n = spate_upstream_read(up, memory + size, capacity - size);
		if (n < 0)
			return (int)n;
		size += (size_t)n;
		if (size > max)
			return sp_upstream_fail(up, -E2BIG);
		if (size == capacity)
			capacity *= 2;
	}
	*body = (struct spate_str){ up->collected, size };
	return 0;
}

int
spate_upstream_body(
    struct spate_upstream *up, uint64_t max, struct spate_str *body)
{
	*body = (struct spate_str){ "", 0 };
	if (up->error != 0)
		return up->error;
	if (up->state == SP_UPSTREAM_WHOLE)
		return 0;
	if (up->state != SP_UPSTREAM_ANSWERED || up->collected != NULL)
		return -EINVAL;
	if (up->ends == SP_HTTP_ENDS_BY_LENGTH && up->left > max)
		return sp_upstream_fail(up, -E2BIG);
	if (lend_buffered(up, body))
		return 0;
	return collect(up, max, body);
}

/* --------------------------------------------------------------- fields */

static struct spate_str
text_at(const struct spate_upstream *up, uint32_t offset, uint32_t size)
{
	return (struct spate_str){ up->buffer + offset, size };
}

struct spate_str
spate_upstream_header(const struct spate_upstream *up, const char *name)
{
	const struct sp_http_field *field = NULL;

	if (up->state >= SP_UPSTREAM_ANSWERED)
		field = sp_http_head_find(
		    &up->answer.head, up->buffer, name, strlen(name));
	if (field == NULL)
		return (struct spate_str){ NULL, 0 };
	return text_at(up, field->value, field->value_size);
}

int
spate_upstream_header_at(const struct spate_upstream *up, size_t index,
    struct spate_str *name, struct spate_str *value)
{
	const struct sp_http_field *field;

	if (up->state < SP_UPSTREAM_ANSWERED
	    || index >= up->answer.head.nfields)
		return -ENOENT;
	field = &up->answer.head.fields[index];
	*name = text_at(up, field->name, field->name_size);
	*value = text_at(up, field->value, field->value_size);
	return 0;
}

int64_t
spate_upstream_size(const struct spate_upstream *up)
{
	if (up->state < SP_UPSTREAM_ANSWERED
	    || !(up->answer.head.flags & SP_HTTP_HAS_LENGTH))
		return -1;
	return (int64_t)up->answer.head.content_length;
}
