/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What a line of the log looks like. Nothing gets in unescaped: a line is one
 * line, and a value one value, whatever is said.
 */

#include "framework/json_out.h"
#include "framework/log.h"
#include "framework/recording.h"
#include "framework/traceparent.h"
#include "shards/clock.h"

#include <stdio.h>
#include <strings.h>
#include <time.h>

#define TIME_SIZE 32

/* Of an answer, in this order, and under these names. */
#define ACCESS_NUMBERS(X)                                                      \
	X(status)                                                              \
	X(bytes)                                                               \
	X(queue_us) X(run_us) X(parked_us) X(blocked_us) X(shard) X(req)

static const char *const level_names[] = { "debug", "info", "warning",
	"error" };

const char *
sp_log_level_name(enum spate_log_level level)
{
	return level_names[level];
}

int
sp_log_level_parse(const char *name, size_t size)
{
	for (int i = SPATE_LOG_DEBUG; i <= SPATE_LOG_ERROR; i++) {
		if (strlen(level_names[i]) == size
		    && strncasecmp(level_names[i], name, size) == 0)
			return i;
	}
	return -1;
}

static void
format_time(char out[TIME_SIZE], uint64_t ns)
{
	uint64_t ms = ns / SP_NS_PER_MS;
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	size_t size;

	gmtime_r(&seconds, &tm);
	size = strftime(out, TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + size, TIME_SIZE - size, ".%03uZ", (unsigned)(ms % 1000));
}

/* --------------------------------------------------------------- logfmt */

static bool
is_bare(const char *value)
{
	if (*value == '\0')
		return false;
	for (; *value != '\0'; value++) {
		if (*value <= ' ' || *value > '~' || *value == '"'
		    || *value == '=' || *value == '\\')
			return false;
	}
	return true;
}

static void
put_string(struct sp_text *text, const char *key, const char *value)
{
	sp_text_string(text, key);
	if (is_bare(value)) {
		sp_text_string(text, value);
		return;
	}
	sp_text_char(text, '"');
	sp_text_json(text, value, strlen(value));
	sp_text_char(text, '"');
}

static void
put_u64(struct sp_text *text, const char *key, uint64_t value)
{
	sp_text_string(text, key);
	sp_text_u64(text, value);
}

/* Those of its texts that there are, each as key and value. */
static void
each_text(const struct sp_access *access, void *out,
    void (*put)(void *out, const char *key, const char *value))
{
	char conn[SP_RECORDING_NAME], span[SP_TRACEPARENT_ID + 1];
	struct sp_text text;

	sp_recording_name(conn, access->conn);
	put(out, "conn", conn);
	if (access->peer[0] != '\0')
		put(out, "peer", access->peer);
	if (access->request_id[0] != '\0')
		put(out, "request_id", access->request_id);
	if (access->trace.trace_id[0] == '\0')
		return;
	put(out, "trace_id", access->trace.trace_id);
	sp_text_init(&text, span, SP_TRACEPARENT_ID);
	sp_traceparent_put_id(&text, access->span);
	span[text.size] = '\0';
	put(out, "span_id", span);
	put(out, "parent_id", access->trace.parent_id);
}

static void
logfmt_text(void *out, const char *key, const char *value)
{
	struct sp_text *text = out;

	sp_text_char(text, ' ');
	sp_text_string(text, key);
	put_string(text, "=", value);
}

/* A pattern may be longer than a line: then its beginning has to do. */
static const char *
cut(char memory[SP_LOG_MESSAGE], const char *route)
{
	if (strnlen(route, SP_LOG_MESSAGE) < SP_LOG_MESSAGE)
		return route;
	memcpy(memory, route, SP_LOG_MESSAGE - 1);
	memory[SP_LOG_MESSAGE - 1] = '\0';
	return memory;
}

void
sp_log_put_access(struct sp_text *text, const struct sp_access *access)
{
	char memory[SP_LOG_MESSAGE];

	put_string(text, "method=", access->method);
	put_string(text, " route=", cut(memory, access->route));
#define X(name) put_u64(text, " " #name "=", (uint64_t)access->name);
	ACCESS_NUMBERS(X)
#undef X
	each_text(access, text, logfmt_text);
}

/* What it says, to a reader. */
static const char *
message_of(const struct sp_log_line *line)
{
	return line->is_access ? "request" : line->message;
}

static void
put_logfmt(struct sp_text *text, const struct sp_log_line *line)
{
	char time[TIME_SIZE];

	format_time(time, line->time_ns);
	put_string(text, "time=", time);
	put_string(text, " level=", level_names[line->level]);
	put_string(text, " msg=", message_of(line));
	if (line->is_access) {
		sp_text_char(text, ' ');
		sp_log_put_access(text, &line->access);
	}
}

/* ----------------------------------------------------------------- JSON */

static void
json_text(void *out, const char *key, const char *value)
{
	sp_json_put_string(out, key, value);
}

static void
json_access(struct sp_json *json, const struct sp_access *access)
{
	char memory[SP_LOG_MESSAGE];

	sp_json_put_string(json, "method", access->method);
	sp_json_put_string(json, "route", cut(memory, access->route));
#define X(name) sp_json_put(json, #name, (uint64_t)access->name);
	ACCESS_NUMBERS(X)
#undef X
	each_text(access, json, json_text);
}

static void
put_json(struct sp_text *text, const struct sp_log_line *line)
{
	char time[TIME_SIZE];
	struct sp_json json;

	format_time(time, line->time_ns);
	sp_json_init(&json, text);
	sp_json_object(&json);
	sp_json_put_string(&json, "time", time);
	sp_json_put_string(&json, "level", level_names[line->level]);
	sp_json_put_string(&json, "msg", message_of(line));
	if (line->is_access)
		json_access(&json, &line->access);
	sp_json_end(&json);
}

void
sp_log_put(struct sp_text *text, enum spate_log_format format,
    const struct sp_log_line *line)
{
	if (format == SPATE_LOG_JSON)
		put_json(text, line);
	else
		put_logfmt(text, line);
	sp_text_char(text, '\n');
}
