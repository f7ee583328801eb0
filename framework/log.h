/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_LOG_H
#define SPATE_FRAMEWORK_LOG_H

/*
 * Log: lines that any thread has to say, and one thread that writes them. Who
 * says one never waits, neither for the file nor for another:
 *
 *                 pop            push             pop         write
 *     free lines ----> any thread ----> said lines ----> writer ----> file
 *         ^                                                |
 *         `------------------------------------------------'
 *                               push
 *
 * Both are bounded queues (bounded_queue.h), whose PUBLISH and EMPTY carry a
 * line from one side to the other and back. Without a free line what is to be
 * said is dropped, and counted.
 *
 *   edge   release side      acquire side       what crosses
 *   ----   ---------------   ----------------   -----------------------------
 *   WORD   wake()            sleep_if_empty()   nothing but that it was woken
 *
 *          who says it                      writer
 *   IDLE1  push (PUBLISH)            IDLE3  set its bit (idle.h)
 *   IDLE2  load the set              IDLE4  look for a line
 *
 * A pipe that nobody reads is waited for by the writer alone, and in
 * sp_log_stop() not for ever. What cannot be written is lost, and counted.
 */

#include "framework/text.h"
#include "shards/bounded_queue.h"
#include "shards/idle.h"

#include <pthread.h>
#include <spate.h>

#define SP_LOG_MESSAGE 512
#define SP_LOG_QUEUE_MAX (UINT32_C(1) << 20)

/* An answer, as the access log has it. Both texts are constant. */
struct sp_access {
	const char *method, *route;
	int status; /* 0: the client left before there was one */
	uint32_t shard;
	uint64_t bytes;
	uint64_t queue_us, run_us, parked_us, blocked_us;
};

struct sp_log_line {
	uint64_t time_ms; /* since 1970 */
	enum spate_log_level level;
	bool is_access;
	struct sp_access access; /* if it is that */
	char message[SP_LOG_MESSAGE];
};

struct sp_log {
	/* Constant. */
	int fd; /* owned; -1: all is lost */
	enum spate_log_format format;
	struct sp_log_line *memory;

	SP_ALIGN_APART struct sp_queue free;
	SP_ALIGN_APART struct sp_queue said;
	SP_ALIGN_APART struct sp_idle idle;
	SP_ATOMIC(uint32_t) wake_word;
	SP_ATOMIC(uint32_t) stopping;
	SP_ATOMIC(uint64_t) dropped;                /* no line was free */
	SP_ALIGN_APART SP_ATOMIC(uint64_t) written; /* the writer's, */
	SP_ATOMIC(uint64_t) lost;                   /* and so is this */

	bool begun;    /* who begins and stops it */
	bool given_up; /* the writer's: nobody has read until the end */
	pthread_t thread;
};

/*
 * sp_log_new: that writes to a copy of fd, which may be closed or become
 * something else, with room for this many lines, up to a power of two.
 * sp_log_begin: its writer, which has the rights of the thread that calls.
 *
 * => Both return 0 or -errno; if sp_log_new() does, *out is NULL. An fd that
 *    is not open is no error: what is said is lost, and counted.
 */
int sp_log_new(
    struct sp_log **out, int fd, enum spate_log_format format, uint32_t lines);
int sp_log_begin(struct sp_log *log);

/*
 * sp_log_stop: write what was said, and end the writer. After that nobody may
 * say anything; the counts can be read until sp_log_free(). NULL is allowed.
 */
void sp_log_stop(struct sp_log *log);
void sp_log_free(struct sp_log *log);

/*
 * sp_log_message: for options.log, with the log for its argument.
 * sp_log_access: likewise, an answer.
 *
 * Context: any thread until sp_log_stop(). Lock-free.
 */
void sp_log_message(void *arg, enum spate_log_level level, const char *message);
void sp_log_access(struct sp_log *log, const struct sp_access *access);

/* sp_log_put: a line as text, with its end. log_line.c. */
void sp_log_put(struct sp_text *text, enum spate_log_format format,
    const struct sp_log_line *line);

/* sp_log_put_access: its fields in logfmt, as part of a line. */
void sp_log_put_access(struct sp_text *text, const struct sp_access *access);

/* sp_log_level_name: "debug" and so on. */
const char *sp_log_level_name(enum spate_log_level level);

#endif /* SPATE_FRAMEWORK_LOG_H */
