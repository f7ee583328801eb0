/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_RECORDING_H
#define SPATE_FRAMEWORK_RECORDING_H

/*
 * Recording: what the flight recorders of all workers have, copied at one
 * moment, for whoever tells it to others. docs/stats.md says what the events
 * mean and in which form they are told.
 *
 *     worker 0    ..run..   sleep   ...run...|      copied: records, and
 *     worker 1      park     .run.  ...run...|      what goes on at now
 *                 ^ from                     ^ now
 *
 * Times are cycles; sp_recording_ns() makes of them what time_ns in /stats
 * is. A position is in cycles since the engine was started.
 */

#include "framework/json_out.h"
#include "framework/server.h"

struct sp_track {
	struct sp_worker *worker;
	struct sp_record *records; /* oldest first; since without flags */
	size_t count;
	uint32_t requests;   /* of its counter, before the first record */
	bool counted;        /* that is known */
	const char *going;   /* the event that goes on at now, or NULL */
	uint64_t since;      /* of that */
	const char *handler; /* that runs in it, by name, or NULL */
};

struct sp_recording {
	struct sp_engine *engine;
	uint64_t from, now; /* what is older or younger is left out */
	uint64_t now_ns;
	struct sp_track *tracks;
	size_t count;
};

/*
 * sp_recording_begin: of this moment, from an earlier one in cycles on, which
 * may be changed until sp_recording_copy().
 */
void sp_recording_begin(
    struct sp_recording *recording, struct sp_engine *engine, uint64_t from);

/*
 * sp_recording_copy: the last records of each worker, at most so many.
 *
 * => Returns 0, and it is to be freed; or -ENOMEM.
 */
int sp_recording_copy(struct sp_recording *recording, size_t most);
void sp_recording_free(struct sp_recording *recording);

/* sp_recording_ns: a time in cycles. */
uint64_t sp_recording_ns(const struct sp_recording *recording, uint64_t cycles);

#define SP_RECORDING_NAME 32

/* What is recorded as one thing is told as one event, or as two. */
struct sp_told {
	const char *name;
	const char *key;      /* of its argument; NULL: it has none */
	uint64_t when, since; /* since is 0: it takes no time */
	uint64_t value;
	const char *text; /* instead of value, or NULL; may be this: */
	char conn[SP_RECORDING_NAME];
};

#define SP_TOLD_MAX 2

/* sp_recording_tell: returns how many events a record is. Any thread. */
unsigned
sp_recording_tell(struct sp_told told[SP_TOLD_MAX], const struct sp_record *);

/* sp_told_argument: as JSON, or null. */
void sp_told_argument(struct sp_json *json, const struct sp_told *told);

/*
 * sp_recording_put: the member name, an array of the last events, in order of
 * time; see /debug/events.
 *
 * => Returns the position behind the last, or after if there was none.
 * => If there is no memory the text overflows.
 */
uint64_t sp_recording_put(struct sp_json *json, const char *name,
    struct sp_engine *engine, size_t most, uint64_t after);

/*
 * sp_recording_put_name: of a connection, or a task. Async-signal-safe.
 * sp_recording_name: the same, as a string.
 */
void sp_recording_put_name(struct sp_text *text, sp_handle handle);
void sp_recording_name(char out[SP_RECORDING_NAME], sp_handle handle);

/*
 * sp_recording_line: the last events of one worker in a line, the newest
 * last. Async-signal-safe.
 */
void sp_recording_line(
    struct sp_text *text, struct sp_worker *worker, unsigned most);

int sp_events_handler(struct spate_req *req, void *arg);
int sp_trace_handler(struct spate_req *req, void *arg);

#endif /* SPATE_FRAMEWORK_RECORDING_H */
