/* SPDX-License-Identifier: BSD-2-Clause */

/* GET /debug/events: the last events of all workers, in order of time. */

#include "framework/recording.h"
#include "framework/request.h"
#include "framework/stats.h"

#include <errno.h>
#include <stdlib.h>

#define EVENTS 50
#define EVENTS_MAX 1000

struct row {
	struct sp_told told;
	const struct sp_worker *worker;
};

static int
compare(const void *a, const void *b)
{
	const struct row *first = a, *second = b;

	return (first->told.when > second->told.when)
	       - (first->told.when < second->told.when);
}

/* Of one worker's what is younger than after, and ends before now. */
static size_t
add_rows(struct row *rows, size_t count, const struct sp_recording *recording,
    const struct sp_track *track)
{
	for (size_t i = 0; i < track->count; i++) {
		struct sp_told told[SP_TOLD_MAX];
		unsigned n = sp_recording_tell(told, &track->records[i]);

		for (unsigned k = 0; k < n; k++) {
			if (told[k].when >= recording->now)
				continue;
			rows[count].worker = track->worker;
			rows[count++].told = told[k];
		}
	}
	return count;
}

static void
put_row(struct sp_json *json, const struct sp_recording *recording,
    const struct row *row)
{
	const struct sp_told *told = &row->told;

	sp_json_array(json);
	sp_json_u64(json, sp_recording_ns(recording, told->when));
	sp_json_u64(json, row->worker->shard->id);
	sp_json_u64(json, row->worker->number);
	sp_json_string(json, told->name, strlen(told->name));
	sp_told_argument(json, told);
	sp_json_u64(json,
	    told->since != 0 ? sp_cycles_to_ns(told->when - told->since) : 0);
	sp_json_end(json);
}

static uint64_t
put_rows(struct sp_json *json, const struct sp_recording *recording,
    struct row *rows, size_t count, size_t most, uint64_t after)
{
	size_t first = count > most ? count - most : 0;

	if (count == 0)
		return after;
	qsort(rows, count, sizeof(*rows), compare);
	for (size_t i = first; i < count; i++) {
		/* A name of a connection is in the row: it was moved. */
		if (rows[i].told.text != NULL && rows[i].told.conn[0] != '\0')
			rows[i].told.text = rows[i].told.conn;
		put_row(json, recording, &rows[i]);
	}
	return rows[count - 1].told.when + 1
	       - recording->engine->started_cycles;
}

uint64_t
sp_recording_put(struct sp_json *json, const char *name,
    struct sp_engine *engine, size_t most, uint64_t after)
{
	struct sp_recording recording;
	size_t records = 0, count = 0;
	struct row *rows = NULL;

	sp_json_key(json, name);
	sp_json_array(json);
	sp_recording_begin(&recording, engine, engine->started_cycles + after);
	if (sp_recording_copy(&recording, most) != 0) {
		json->text->overflow = true;
		sp_json_end(json);
		return after;
	}
	for (size_t i = 0; i < recording.count; i++)
		records += recording.tracks[i].count;
	rows = malloc((records + 1) * SP_TOLD_MAX * sizeof(*rows));
	for (size_t i = 0; i < recording.count && rows != NULL; i++)
		count = add_rows(rows, count, &recording, &recording.tracks[i]);
	if (rows != NULL)
		after = put_rows(json, &recording, rows, count, most, after);
	else
		json->text->overflow = true;
	sp_json_end(json);
	free(rows);
	sp_recording_free(&recording);
	return after;
}

struct wanted {
	uint64_t most, after;
};

static void
render(struct sp_text *text, struct spate_server *server, void *arg)
{
	struct sp_engine *engine = server->engine;
	const struct wanted *wanted = arg;
	struct sp_json json;
	uint64_t next;

	sp_json_init(&json, text);
	sp_json_object(&json);
	sp_json_key(&json, "time_ns");
	sp_json_u64(&json, sp_now_ns() - engine->started_ns);
	next = sp_recording_put(
	    &json, "events", engine, wanted->most, wanted->after);
	sp_json_key(&json, "next");
	sp_json_u64(&json, next);
	sp_json_end(&json);
	sp_text_char(text, '\n');
}

int
sp_events_handler(struct spate_req *req, void *arg)
{
	struct wanted wanted = { .most = EVENTS };
	int error = spate_query_u64(req, "n", &wanted.most);

	(void)arg;
	if (error == -ENOENT || error == 0)
		error = spate_query_u64(req, "after", &wanted.after);
	if (error == -ENOENT)
		error = 0;
	/* Nothing is later than that, nor would it be in a hundred years. */
	if (wanted.after > UINT64_MAX / 2)
		wanted.after = UINT64_MAX / 2;
	if (error == 0 && (wanted.most == 0 || wanted.most > EVENTS_MAX))
		error = -ERANGE;
	if (error != 0)
		return error;
	return sp_render_answer(req, "application/json", render, &wanted);
}
