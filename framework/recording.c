/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/recording.h"

#include <errno.h>
#include <stdlib.h>

#define LINE_EVENTS 32

/* ------------------------------------------------------------------ copy */

static bool
is_of_a_run(const struct sp_record *record)
{
	return record->kind == SP_RECORD_RUN || record->kind == SP_RECORD_WAIT;
}

/* Whether this can only have come when what began at began had ended. */
static bool
ends(const struct sp_record *record, uint64_t began)
{
	if (record->kind == SP_RECORD_CLOSE
	    || record->kind == SP_RECORD_BREAK_SENT)
		return false;
	if (is_of_a_run(record))
		return (record->since & ~SP_RECORD_RESUMED) >= began;
	return record->when > began;
}

/*
 * What goes on at now, by what was seen before the copy: a sleep, or a run
 * that no record has ended.
 */
static void
find_going(struct sp_track *track, uint64_t now, uint64_t began,
    uint64_t asleep, bool polls)
{
	bool resumed = (began & SP_RECORD_RESUMED) != 0;
	bool awake = asleep == 0;

	began &= ~SP_RECORD_RESUMED;
	for (size_t i = track->count; i-- > 0;) {
		if (!awake && track->records[i].when > asleep)
			awake = true;
		if (began != 0 && ends(&track->records[i], began))
			began = 0;
	}
	if (!awake && asleep < now) {
		track->going = polls ? "sleep" : "park";
		track->since = asleep;
	} else if (asleep == 0 && began != 0 && began < now) {
		track->going = resumed ? "resume" : "run";
		track->since = began;
	}
}

/* Leave out what is not of the time asked for. */
static void
keep_window(struct sp_track *track, uint64_t from, uint64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < track->count; i++) {
		struct sp_record *record = &track->records[i];
		uint64_t since = record->since & ~SP_RECORD_RESUMED;

		if (record->when < from) {
			track->counted |= is_of_a_run(record);
			if (is_of_a_run(record))
				track->requests = record->number;
			continue;
		}
		/* Of those that are too young only their beginning is here. */
		if ((since != 0 ? since : record->when) < now)
			track->records[kept++] = *record;
	}
	track->count = kept;
}

static int
take_track(struct sp_track *track, const struct sp_recording *recording,
    struct sp_worker *worker, size_t most)
{
	uint64_t began = sp_recorder_began(&worker->recorder);
	uint64_t asleep = sp_load(&worker->asleep_since, relaxed);
	uint32_t owner = sp_load(&worker->shard->token.owner, relaxed);
	size_t size = worker->recorder.slots != NULL
			  ? (size_t)worker->recorder.mask + 1
			  : 1;
	struct sp_record *records;

	if (most > size)
		most = size;
	*track = (struct sp_track){ .worker = worker,
		.handler = sp_load(&worker->handler, relaxed) };
	track->records = malloc(most * sizeof(*track->records));
	if (track->records == NULL)
		return -ENOMEM;
	track->count = sp_recorder_copy(
	    &worker->recorder, track->records, most);
	/* With none lost, the counter began at 0. */
	track->counted = sp_load(&worker->recorder.head, relaxed) < size;
	if (worker->recorder.slots != NULL)
		find_going(track, recording->now, began, asleep,
		    owner == worker->number + 1);
	keep_window(track, recording->from, recording->now);
	/* What was left out need not be kept until all has been told. */
	records = realloc(track->records,
	    (track->count != 0 ? track->count : 1) * sizeof(*records));
	if (records != NULL)
		track->records = records;
	return 0;
}

static uint32_t
workers_of(struct sp_shard *shard)
{
	return sp_load(&shard->worker_count, acquire);
}

void
sp_recording_begin(
    struct sp_recording *recording, struct sp_engine *engine, uint64_t from)
{
	*recording = (struct sp_recording){ .engine = engine, .from = from };
	recording->now = sp_cycles();
	recording->now_ns = sp_now_ns() - engine->started_ns;
}

int
sp_recording_copy(struct sp_recording *recording, size_t most)
{
	struct sp_engine *engine = recording->engine;
	size_t workers = (size_t)engine->shard_count * SP_WORKERS_MAX;
	int error = 0;

	recording->tracks = malloc(workers * sizeof(*recording->tracks));
	if (recording->tracks == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < engine->shard_count && error == 0; i++) {
		struct sp_shard *shard = engine->shards[i];

		for (uint32_t j = 0; j < workers_of(shard) && error == 0; j++) {
			struct sp_worker *worker = sp_load(
			    &shard->workers[j], acquire);

			if (worker == NULL)
				continue;
			error = take_track(&recording->tracks[recording->count],
			    recording, worker, most);
			recording->count += error == 0;
		}
	}
	if (error != 0)
		sp_recording_free(recording);
	return error;
}

void
sp_recording_free(struct sp_recording *recording)
{
	for (size_t i = 0; i < recording->count; i++)
		free(recording->tracks[i].records);
	free(recording->tracks);
	recording->tracks = NULL;
	recording->count = 0;
}

/*
 * By the two clocks as of now: cycles are known to a few in a million, which
 * is milliseconds after hours.
 */
uint64_t
sp_recording_ns(const struct sp_recording *recording, uint64_t cycles)
{
	uint64_t ago = 0;

	if (cycles < recording->now)
		ago = sp_cycles_to_ns(recording->now - cycles);
	return ago < recording->now_ns ? recording->now_ns - ago : 0;
}

/* ------------------------------------------------------------------ tell */

static const char *const names[SP_RECORD_KINDS] = {
#define X(kind, probe, name) name,
	SP_RECORDS(X)
#undef X
};

static const char *const wakes[SP_RECORD_WAKES] = { "io", "break", "timer",
	"spurious" };

void
sp_recording_put_name(struct sp_text *text, sp_handle handle)
{
	sp_text_u64(text, sp_handle_shard(handle));
	sp_text_char(text, '.');
	sp_text_u64(text, sp_handle_index(handle));
	sp_text_char(text, '.');
	sp_text_u64(text, sp_handle_gen(handle));
}

void
sp_recording_name(char out[SP_RECORDING_NAME], sp_handle handle)
{
	struct sp_text text;

	sp_text_init(&text, out, SP_RECORDING_NAME - 1);
	sp_recording_put_name(&text, handle);
	out[text.size] = '\0';
}

static void
tell_connection(struct sp_told *told, sp_handle handle)
{
	if (handle == 0)
		return;
	sp_recording_name(told->conn, handle);
	told->key = "conn";
	told->text = told->conn;
}

static unsigned
tell_poll(struct sp_told told[SP_TOLD_MAX], const struct sp_record *record)
{
	unsigned count = 0;

	if (record->since != 0) {
		told[count] = (struct sp_told){ .name = "sleep",
			.key = "wake",
			.when = record->when,
			.since = record->since,
			.text = wakes[record->what % SP_RECORD_WAKES] };
		count++;
	}
	if (record->number != 0) {
		told[count] = (struct sp_told){ .name = "ready",
			.key = "events",
			.when = record->when,
			.value = record->number };
		count++;
	}
	return count;
}

unsigned
sp_recording_tell(
    struct sp_told told[SP_TOLD_MAX], const struct sp_record *record)
{
	if (record->kind >= SP_RECORD_KINDS)
		return 0;
	if (record->kind == SP_RECORD_POLL)
		return tell_poll(told, record);
	told[0] = (struct sp_told){ .name = names[record->kind],
		.when = record->when,
		.since = record->since & ~SP_RECORD_RESUMED,
		.value = record->number };
	if (is_of_a_run(record) && (record->since & SP_RECORD_RESUMED))
		told[0].name = "resume";
	switch (record->kind) {
	case SP_RECORD_PUBLISH:
	case SP_RECORD_STEAL:
		told[0].key = "tasks";
		break;
	case SP_RECORD_BREAK_SENT:
		told[0].key = "shard";
		break;
	case SP_RECORD_PARK:
	case SP_RECORD_BREAK_SEEN:
		break;
	default:
		tell_connection(&told[0], record->what);
	}
	return 1;
}

void
sp_told_argument(struct sp_json *json, const struct sp_told *told)
{
	if (told->key == NULL)
		sp_json_null(json);
	else if (told->text != NULL)
		sp_json_string(json, told->text, strlen(told->text));
	else
		sp_json_u64(json, told->value);
}

/* ------------------------------------------------------------- as a line */

static void
put_us(struct sp_text *text, uint64_t cycles)
{
	sp_text_u64(text, cycles / sp_cycles_per_us());
	sp_text_string(text, " us");
}

static void
put_told(struct sp_text *text, const struct sp_told *told, uint64_t now)
{
	sp_text_char(text, '-');
	put_us(text, now > told->when ? now - told->when : 0);
	sp_text_char(text, ' ');
	sp_text_string(text, told->name);
	if (told->key != NULL) {
		sp_text_char(text, ' ');
		if (told->text != NULL)
			sp_text_string(text, told->text);
		else
			sp_text_u64(text, told->value);
	}
	if (told->since != 0) {
		sp_text_string(text, " for ");
		put_us(text, told->when - told->since);
	}
	sp_text_string(text, ", ");
}

void
sp_recording_line(struct sp_text *text, struct sp_worker *worker, unsigned most)
{
	struct sp_record records[LINE_EVENTS];
	struct sp_track track = { .worker = worker, .records = records };
	uint64_t began = sp_recorder_began(&worker->recorder);
	uint64_t asleep = sp_load(&worker->asleep_since, relaxed);
	uint64_t now = sp_cycles();
	struct sp_told told[SP_TOLD_MAX];

	track.count = sp_recorder_copy(&worker->recorder, records,
	    most < LINE_EVENTS ? most : LINE_EVENTS);
	find_going(&track, now, began, asleep,
	    sp_load(&worker->shard->token.owner, relaxed)
		== worker->number + 1);
	for (size_t i = 0; i < track.count; i++) {
		unsigned count = sp_recording_tell(told, &records[i]);

		for (unsigned k = 0; k < count; k++)
			put_told(text, &told[k], now);
	}
	if (track.going == NULL) {
		sp_text_string(text, "and now looks for something to do");
		return;
	}
	sp_text_string(text, "and now ");
	sp_text_string(text, track.going);
	sp_text_string(text, " for ");
	put_us(text, now - track.since);
}
