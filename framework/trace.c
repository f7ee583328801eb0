/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * GET /debug/trace: a recording in the Trace Event Format of Chromium, which
 * chrome://tracing and Perfetto load.
 *
 * A worker is a thread there, and what takes time a pair of B and E, one
 * after the other as on a stack. Records are in the order in which things
 * ended, so what happened within a run lies in front of it, and is put
 * between its begin and its end here.
 */

#include "framework/recording.h"
#include "framework/request.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define TRACE_MS 500
#define TRACE_MAX_MS 60000

/* A piece of the answer, and what one event may take of it. */
#define PIECE (32 * 1024)
#define EVENT_MAX 1024
#define HANDLER_MAX 128

struct trace {
	struct spate_req *req;
	const struct sp_recording *recording;
	const struct sp_track *track; /* that is being told */
	uint64_t pid;
	struct sp_text text;
	struct sp_json json;
	int error; /* the client has gone; the rest is left out */
};

static void
send_piece(struct trace *trace, size_t room)
{
	struct sp_text *text = &trace->text;

	if (text->capacity - text->size >= room)
		return;
	if (trace->error == 0)
		trace->error = spate_write(trace->req, text->data, text->size);
	text->size = 0;
}

static void
put_string(struct trace *trace, const char *key, const char *value)
{
	sp_json_key(&trace->json, key);
	sp_json_string(&trace->json, value, strlen(value));
}

static void
put_number(struct trace *trace, const char *key, uint64_t value)
{
	sp_json_key(&trace->json, key);
	sp_json_u64(&trace->json, value);
}

static uint64_t
thread_of(const struct sp_worker *worker)
{
	return (uint64_t)worker->shard->id * SP_WORKERS_MAX + worker->number
	       + 1;
}

/* An event as far as all have it; its end is for the caller. */
static void
begin_event(struct trace *trace, const char *name, const char *phase)
{
	send_piece(trace, EVENT_MAX);
	sp_json_object(&trace->json);
	put_string(trace, "name", name);
	put_string(trace, "ph", phase);
	put_number(trace, "pid", trace->pid);
	put_number(trace, "tid", thread_of(trace->track->worker));
}

static void
begin_timed(
    struct trace *trace, const char *name, const char *phase, uint64_t cycles)
{
	const struct sp_recording *recording = trace->recording;

	begin_event(trace, name, phase);
	if (cycles < recording->from)
		cycles = recording->from;
	if (cycles > recording->now)
		cycles = recording->now;
	sp_json_key(&trace->json, "ts");
	sp_json_micros(&trace->json, sp_recording_ns(recording, cycles));
}

static void
put_argument(struct trace *trace, const struct sp_told *told)
{
	if (told->key == NULL)
		return;
	sp_json_key(&trace->json, "args");
	sp_json_object(&trace->json);
	sp_json_key(&trace->json, told->key);
	sp_told_argument(&trace->json, told);
	sp_json_end(&trace->json);
}

static void
put_begin(struct trace *trace, const struct sp_told *told)
{
	begin_timed(trace, told->name, "B", told->since);
	put_argument(trace, told);
	sp_json_end(&trace->json);
}

static void
put_instant(struct trace *trace, const struct sp_told *told)
{
	begin_timed(trace, told->name, "i", told->when);
	put_string(trace, "s", "t");
	put_argument(trace, told);
	sp_json_end(&trace->json);
}

static bool
takes_time(const struct sp_record *record)
{
	return record->since != 0;
}

/* Those of a range that came before a moment, or all but those. */
static size_t
put_instants(struct trace *trace, size_t first, size_t end, uint64_t before)
{
	const struct sp_record *records = trace->track->records;

	for (; first < end && records[first].when < before; first++) {
		struct sp_told told[SP_TOLD_MAX];

		if (sp_recording_tell(told, &records[first]) != 0)
			put_instant(trace, &told[0]);
	}
	return first;
}

/* The end of a run tells what was counted in it, if that is known. */
static void
put_end(struct trace *trace, const struct sp_told *told,
    const struct sp_record *record, const uint32_t *requests)
{
	begin_timed(trace, told->name, "E", told->when);
	if (record->kind == SP_RECORD_RUN || record->kind == SP_RECORD_WAIT) {
		sp_json_key(&trace->json, "args");
		sp_json_object(&trace->json);
		if (requests != NULL)
			put_number(trace, "requests",
			    (uint32_t)(record->number - *requests));
		sp_json_key(&trace->json, "waits");
		sp_json_bool(&trace->json, record->kind == SP_RECORD_WAIT);
		sp_json_end(&trace->json);
	}
	sp_json_end(&trace->json);
}

/* What goes on when it is asked for ends with that. */
static void
put_going(struct trace *trace, size_t first)
{
	const struct sp_track *track = trace->track;

	first = put_instants(trace, first, track->count, track->since);
	begin_timed(trace, track->going, "B", track->since);
	if (track->handler != NULL) {
		sp_json_key(&trace->json, "args");
		sp_json_object(&trace->json);
		sp_json_key(&trace->json, "handler");
		sp_json_string(&trace->json, track->handler,
		    strnlen(track->handler, HANDLER_MAX));
		sp_json_end(&trace->json);
	}
	sp_json_end(&trace->json);
	put_instants(trace, first, track->count, UINT64_MAX);
	begin_timed(trace, track->going, "E", trace->recording->now);
	sp_json_end(&trace->json);
}

static void
put_track(struct trace *trace)
{
	const struct sp_track *track = trace->track;
	uint32_t requests = track->requests;
	bool counted = track->counted;
	size_t first = 0; /* what happened since the last end */

	for (size_t i = 0; i < track->count; i++) {
		const struct sp_record *record = &track->records[i];
		struct sp_told told[SP_TOLD_MAX];
		unsigned count;

		if (!takes_time(record))
			continue;
		count = sp_recording_tell(told, record);
		if (count == 0)
			continue;
		first = put_instants(trace, first, i, told[0].since);
		put_begin(trace, &told[0]);
		put_instants(trace, first, i, UINT64_MAX);
		put_end(trace, &told[0], record, counted ? &requests : NULL);
		if (count == 2)
			put_instant(trace, &told[1]);
		first = i + 1;
		if (record->kind == SP_RECORD_RUN
		    || record->kind == SP_RECORD_WAIT) {
			requests = record->number;
			counted = true;
		}
	}
	if (track->going != NULL)
		put_going(trace, first);
	else
		put_instants(trace, first, track->count, UINT64_MAX);
}

/* How a viewer is to name the process, or a thread. */
static void
put_name(struct trace *trace, const char *what, const char *name)
{
	begin_event(trace, what, "M");
	sp_json_key(&trace->json, "args");
	sp_json_object(&trace->json);
	put_string(trace, "name", name);
	sp_json_end(&trace->json);
	sp_json_end(&trace->json);
}

static void
put_tracks(struct trace *trace)
{
	const struct sp_recording *recording = trace->recording;

	sp_json_object(&trace->json);
	put_string(trace, "displayTimeUnit", "ns");
	sp_json_key(&trace->json, "traceEvents");
	sp_json_array(&trace->json);
	for (size_t i = 0; i < recording->count && trace->error == 0; i++) {
		char name[SP_WORKER_NAME];

		trace->track = &recording->tracks[i];
		if (i == 0)
			put_name(trace, "process_name", "spate");
		sp_worker_name(trace->track->worker, name);
		put_name(trace, "thread_name", name);
		put_track(trace);
	}
	sp_json_end(&trace->json);
	sp_json_end(&trace->json);
	sp_text_char(&trace->text, '\n');
}

static int
answer(struct spate_req *req, const struct sp_recording *recording)
{
	char *memory = malloc(PIECE);
	struct trace trace = {
		.req = req, .recording = recording, .pid = (uint64_t)getpid()
	};

	if (memory == NULL)
		return -ENOMEM;
	spate_add_header(req, "Cache-Control", "no-store");
	trace.error = spate_begin(req, 200, "application/json", -1);
	sp_text_init(&trace.text, memory, PIECE);
	sp_json_init(&trace.json, &trace.text);
	if (trace.error == 0)
		put_tracks(&trace);
	send_piece(&trace, PIECE + 1);
	free(memory);
	return trace.error;
}

int
sp_trace_handler(struct spate_req *req, void *arg)
{
	struct sp_recording recording;
	uint64_t ms = TRACE_MS, window;
	int error = spate_query_u64(req, "ms", &ms);

	(void)arg;
	if (error == 0 && (ms == 0 || ms > TRACE_MAX_MS))
		error = -ERANGE;
	if (error != 0 && error != -ENOENT)
		return error;
	window = sp_ns_to_cycles(ms * SP_NS_PER_MS);
	sp_recording_begin(&recording, req->worker->engine, 0);
	if (recording.now > window)
		recording.from = recording.now - window;
	error = sp_recording_copy(&recording, SP_RECORDS_MAX);
	if (error != 0)
		return error;
	error = answer(req, &recording);
	sp_recording_free(&recording);
	return error;
}
