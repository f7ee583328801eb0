/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/traceparent.h"

#include "framework/request.h"
#include "shards/clock.h"

#include <errno.h>
#include <strings.h>
#include <sys/random.h>

#define TRACEPARENT "traceparent"
#define TRACESTATE "tracestate"

#define VERSION 2
#define TRACE_ID 32
#define PARENT_ID 16
#define FLAGS 2
#define SIZE (VERSION + 1 + TRACE_ID + 1 + PARENT_ID + 1 + FLAGS)

#define SAMPLED 1

/* As much of tracestate as everybody has to pass on. */
#define STATE_MAX 512

/* => Returns how many are not 0; -1: one is no digit in lower case. */
static int
count_digits(const char *at, size_t size)
{
	int count = 0;

	for (size_t i = 0; i < size; i++) {
		if (!(at[i] >= '0' && at[i] <= '9')
		    && !(at[i] >= 'a' && at[i] <= 'f'))
			return -1;
		count += at[i] != '0';
	}
	return count;
}

/* Of the last digit of the flags, the lowest bit. */
static bool
is_sampled(char digit)
{
	return ((digit <= '9' ? digit - '0' : digit - 'a' + 10) & SAMPLED) != 0;
}

int
sp_traceparent_parse(struct spate_trace *trace, const char *value, size_t size)
{
	const char *id, *parent, *flags;

	if (size < SIZE)
		return -EINVAL;
	id = value + VERSION + 1;
	parent = id + TRACE_ID + 1;
	flags = parent + PARENT_ID + 1;
	if (id[-1] != '-' || parent[-1] != '-' || flags[-1] != '-'
	    || count_digits(value, VERSION) < 0
	    || count_digits(id, TRACE_ID) <= 0
	    || count_digits(parent, PARENT_ID) <= 0
	    || count_digits(flags, FLAGS) < 0
	    || memcmp(value, "ff", VERSION) == 0)
		return -EINVAL;
	if (size > SIZE
	    && (memcmp(value, "00", VERSION) == 0 || value[SIZE] != '-'))
		return -EINVAL;
	memset(trace, 0, sizeof(*trace));
	memcpy(trace->trace_id, id, TRACE_ID);
	memcpy(trace->parent_id, parent, PARENT_ID);
	trace->sampled = is_sampled(flags[FLAGS - 1]);
	return 0;
}

static bool
is_named(struct spate_str name, const char *text)
{
	return name.size == strlen(text)
	       && strncasecmp(name.data, text, name.size) == 0;
}

struct spate_str
sp_only_field(const struct spate_req *req, const char *wanted)
{
	const struct spate_str none = { NULL, 0 };
	struct spate_str name, value, found = none;

	for (size_t i = 0; spate_header_at(req, i, &name, &value) == 0; i++) {
		if (!is_named(name, wanted))
			continue;
		if (found.data != NULL)
			return none;
		found = value;
	}
	return found;
}

int
spate_trace(const struct spate_req *req, struct spate_trace *trace)
{
	struct spate_str found = sp_only_field(req, TRACEPARENT);

	if (found.data == NULL
	    || sp_traceparent_parse(trace, found.data, found.size) != 0)
		return -ENOENT;
	return 0;
}

/*
 * Workers of several servers may be in one trace, so a worker's own sequence
 * would not do. Without chance to be had, the time is the best there is.
 */
static uint64_t
new_span(void)
{
	uint64_t id = 0;

	if (getrandom(&id, sizeof(id), GRND_NONBLOCK) != sizeof(id))
		id = sp_cycles();
	return id != 0 ? id : 1;
}

uint64_t
sp_traceparent_span(struct spate_req *req)
{
	struct sp_req_more *more = sp_req_more(req);

	if (more == NULL)
		return new_span();
	if (more->span == 0)
		more->span = new_span();
	return more->span;
}

void
sp_traceparent_put_id(struct sp_text *text, uint64_t id)
{
	static const char digits[] = "0123456789abcdef";

	for (int shift = 60; shift >= 0; shift -= 4)
		sp_text_char(text, digits[id >> shift & 15]);
}

void
sp_traceparent_put(
    struct sp_text *text, const struct spate_trace *trace, uint64_t span)
{
	sp_text_string(text, "00-");
	sp_text_bytes(text, trace->trace_id, TRACE_ID);
	sp_text_char(text, '-');
	sp_traceparent_put_id(text, span);
	sp_text_string(text, trace->sampled ? "-01" : "-00");
}

/*
 * A list in several fields stays in them, in their order. One that is too
 * long is left out as a whole: part of it could be taken for all.
 */
static void
pass_state(struct sp_text *text, const struct spate_req *req)
{
	struct spate_str name, value;
	size_t size = 0;

	for (size_t i = 0; spate_header_at(req, i, &name, &value) == 0; i++)
		size += is_named(name, TRACESTATE) ? value.size : 0;
	if (size > STATE_MAX)
		return;
	for (size_t i = 0; spate_header_at(req, i, &name, &value) == 0; i++) {
		if (!is_named(name, TRACESTATE) || value.size == 0)
			continue;
		sp_text_string(text, TRACESTATE ": ");
		sp_text_bytes(text, value.data, value.size);
		sp_text_string(text, "\r\n");
	}
}

void
sp_traceparent_pass(struct sp_text *text, struct spate_req *req)
{
	struct spate_trace trace;

	if (spate_trace(req, &trace) != 0)
		return;
	sp_text_string(text, TRACEPARENT ": ");
	sp_traceparent_put(text, &trace, sp_traceparent_span(req));
	sp_text_string(text, "\r\n");
	pass_state(text, req);
}
