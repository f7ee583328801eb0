/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Server-sent events, as the HTML standard has them:
 *
 *     id: 7\n
 *     event: tick\n
 *     data: first line\n
 *     data: second line\n
 *     \n
 *
 * Each event is one chunk, and is sent at once.
 */

#include "framework/request.h"
#include "framework/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_EVENT 1024

/* What a field has besides its value; the longest is "event: " and "\n". */
#define FIELD_MAX 8

int
spate_events_begin(struct spate_req *req)
{
	int error = spate_add_header(req, "Cache-Control", "no-store");

	/* Some proxies gather an answer before they pass it on. */
	if (error == 0)
		error = spate_add_header(req, "X-Accel-Buffering", "no");
	if (error == 0)
		error = spate_begin(req, 200, "text/event-stream", -1);
	return error != 0 ? error : spate_flush(req);
}

/* Why there is no point in another event, or 0. */
static int
check_stream(struct spate_req *req)
{
	if (req->answer != SP_ANSWER_BEGUN)
		return -EINVAL;
	if (sp_req_promised(req))
		return -EBUSY;
	if (req->error != 0)
		return req->error;
	if (!req->out_body)
		return -ECANCELED;
	if (sp_load(&req->worker->engine->draining, relaxed))
		return -ESHUTDOWN;
	return 0;
}

static int
send_now(struct spate_req *req, const char *data, size_t size)
{
	int error = spate_write(req, data, size);

	return error != 0 ? error : spate_flush(req);
}

static bool
is_one_line(const char *text)
{
	return text[strcspn(text, "\r\n")] == '\0';
}

static void
put_field(
    struct sp_text *text, const char *name, const char *value, size_t size)
{
	sp_text_string(text, name);
	sp_text_string(text, ": ");
	sp_text_bytes(text, value, size);
	sp_text_char(text, '\n');
}

/* A line ends with CR LF, LF or CR, all of which a browser takes for one. */
static const char *
end_of_line(const char *at, const char *end)
{
	while (at < end && *at != '\n' && *at != '\r')
		at++;
	return at;
}

static void
put_data(struct sp_text *text, const char *data, size_t size)
{
	const char *end = data + size;

	for (;;) {
		const char *line_end = end_of_line(data, end);

		put_field(text, "data", data, (size_t)(line_end - data));
		if (line_end == end)
			return;
		data = line_end + 1;
		if (*line_end == '\r' && data < end && *data == '\n')
			data++;
	}
}

static size_t
count_lines(const char *data, size_t size)
{
	size_t lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n' || data[i] == '\r';
	return lines;
}

int
spate_event(struct spate_req *req, const char *id, const char *event,
    const char *data, size_t size)
{
	char small[SMALL_EVENT], *memory = small;
	size_t most = size + count_lines(data, size) * FIELD_MAX + 1;
	struct sp_text text;
	int error = check_stream(req);

	if (error != 0)
		return error;
	if ((id != NULL && !is_one_line(id))
	    || (event != NULL && !is_one_line(event)))
		return -EINVAL;
	most += id != NULL ? strlen(id) + FIELD_MAX : 0;
	most += event != NULL ? strlen(event) + FIELD_MAX : 0;
	if (most > sizeof(small))
		memory = malloc(most);
	if (memory == NULL)
		return -ENOMEM;
	sp_text_init(&text, memory, most);
	if (id != NULL)
		put_field(&text, "id", id, strlen(id));
	if (event != NULL)
		put_field(&text, "event", event, strlen(event));
	put_data(&text, data, size);
	sp_text_char(&text, '\n');
	error = send_now(req, text.data, text.size);
	if (memory != small)
		free(memory);
	return error;
}

int
spate_events_retry(struct spate_req *req, uint32_t ms)
{
	char memory[64];
	struct sp_text text;
	int error = check_stream(req);

	if (error != 0)
		return error;
	sp_text_init(&text, memory, sizeof(memory));
	sp_text_string(&text, "retry: ");
	sp_text_u64(&text, ms);
	sp_text_string(&text, "\n\n");
	return send_now(req, text.data, text.size);
}

/* => Returns 0: the time is over. */
static int
wait_quietly(struct spate_req *req, uint32_t ms)
{
	int error = 0;

	sp_req_wait_until(req, sp_tick_in(ms));
	while (error == 0)
		error = sp_req_wait(req, true);
	sp_req_wait_end(req);
	if (error == -ETIMEDOUT && !sp_fiber_is_late(req->worker->current))
		return 0;
	return error;
}

int
spate_events_wait(struct spate_req *req, uint32_t ms)
{
	uint32_t comment_ms = req->server->options.events_comment_ms;
	int error = check_stream(req);

	while (error == 0 && comment_ms != 0 && ms > comment_ms) {
		error = wait_quietly(req, comment_ms);
		if (error == 0)
			error = send_now(req, ":\n\n", 3);
		ms -= comment_ms;
	}
	if (error == 0 && ms != 0)
		error = wait_quietly(req, ms);
	return error != 0 ? error : check_stream(req);
}

struct spate_str
spate_last_event_id(const struct spate_req *req)
{
	return spate_header(req, "Last-Event-ID");
}
