/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_LOG_H
#define SPATE_FRAMEWORK_LOG_H

/*
 * Log: lines that any thread has to say, and one thread that writes them. Who
 * says one never waits, neither for the file nor for another. Workers, who
 * say most, have a ring each (spsc_ring.h), whose lines are filled and read
 * where they are; all other threads share two queues (bounded_queue.h):
 *
 *     worker ------------ its ring -----------.
 *     worker ------------ its ring ----------- \
 *                                               ,--> writer ----> file
 *     any other thread --- said ---------------'        |
 *          ^                                            |
 *          `--------------- free <---------------------'
 *
 * SLOT and PUBLISH carry a line to the writer, ROOM and EMPTY back; a ring that
 * is new comes by a stack's PUSH. Without a free line what is to be said is
 * dropped, and counted: of a worker with the counters of its shard.
 *
 *     a line is      whose                 until
 *     ------------   -------------------   --------------------------------
 *     free           who says the next     filled; then put or pushed
 *     said           the writer's          it is text; then taken or freed
 *
 * The writer goes over all of them in rounds: of what was there when a round
 * began, the oldest line first. So lines are in the order of their stamps but
 * for those that were said while a round was written. When it has written
 * something it rests a moment, in which nobody needs to wake it, and lines
 * gather; when it finds nothing it sleeps until it is woken.
 *
 *   edge   release side      acquire side       what crosses
 *   ----   ---------------   ----------------   -----------------------------
 *   WORD   sp_log_wake()     sleep_if_empty()   nothing but that it was woken
 *
 *          who says it                      writer
 *   IDLE1  put, push (SLOT, PUBLISH)  IDLE3  set its bit (idle.h)
 *   IDLE2  load the set               IDLE4  look for a line
 *
 * A pipe that nobody reads is waited for by the writer alone, and in
 * sp_log_stop() not for ever. What cannot be written is lost, and counted.
 */

#include "framework/peer.h"
#include "framework/text.h"
#include "shards/bounded_queue.h"
#include "shards/handle.h"
#include "shards/idle.h"
#include "shards/mpsc_stack.h"
#include "shards/spsc_ring.h"

#include <pthread.h>
#include <spate.h>

#define SP_LOG_MESSAGE 512

/* A line at its longest: each byte of its text escaped, and the rest of it. */
#define SP_LOG_LINE (SP_LOG_MESSAGE * 6 + 768)

#define SP_LOG_QUEUE_MAX (UINT32_C(1) << 20)

/* A longer X-Request-Id is as good as none. */
#define SP_REQUEST_ID 64

/* An answer, as the access log has it. Both pointers are to constant text. */
struct sp_access {
	const char *method, *route;
	int status; /* 0: the client left before there was one */
	uint32_t shard;
	uint64_t bytes;
	uint64_t queue_us, run_us, parked_us, blocked_us;
	sp_handle conn;
	uint64_t req;               /* which one on it, from 1 on */
	char peer[SP_PEER_SIZE];    /* "": not of the internet */
	struct spate_trace trace;   /* its trace_id is "": of none */
	uint64_t span;              /* what we call our part of that */
	char request_id[SP_REQUEST_ID + 1]; /* "": none that is fit */
};

struct sp_log_line {
	uint64_t time_ns; /* since 1970 */
	enum spate_log_level level;
	bool is_access;
	union {
		struct sp_access access; /* if it is that */
		char message[SP_LOG_MESSAGE];
	};
};

/* The lines of one worker. */
struct sp_log_ring {
	struct sp_link link;          /* of the log */
	struct sp_log *log;           /* constant */
	SP_ATOMIC(uint64_t) *dropped; /* constant; the worker's to count */
	struct sp_log_line *lines;    /* constant; owned */
	struct sp_spsc_ring ring;
	uint64_t left; /* the writer's: to be written in this round */
};

struct sp_log {
	/* Constant. */
	int fd; /* owned; -1: all is lost */
	enum spate_log_format format;
	uint64_t size; /* of each ring, and of the queues */
	struct sp_log_line *memory;

	SP_ALIGN_APART struct sp_queue free;
	SP_ALIGN_APART struct sp_queue said;
	SP_ALIGN_APART struct sp_idle idle;
	SP_ATOMIC(uint32_t) wake_word;
	SP_ATOMIC(uint32_t) stopping;
	struct sp_mpsc_stack added;  /* rings that the writer has not seen */
	SP_ATOMIC(uint64_t) dropped; /* no line was free; not of workers */
	SP_ALIGN_APART SP_ATOMIC(uint64_t) written; /* the writer's, */
	SP_ATOMIC(uint64_t) lost;                   /* and so is this */

	/* The writer's. */
	struct sp_link *rings;
	struct sp_log_line *first; /* popped from said, and not yet written */
	uint64_t left;             /* of said in this round, after that */
	bool given_up;             /* nobody has read until the end */

	bool begun; /* who begins and stops it */
	pthread_t thread;
};

/*
 * sp_log_new: that writes to a copy of fd, which may be closed or become
 * something else, with room for this many lines of each worker, and of all
 * other threads together, up to a power of two.
 * sp_log_begin: its writer, which has the rights of the thread that calls.
 *
 * => Both return 0 or -errno; if sp_log_new() fails, *out is NULL. An fd that
 *    is not open is no error: what is said is lost, and counted.
 */
int sp_log_new(
    struct sp_log **out, int fd, enum spate_log_format format, uint32_t lines);
int sp_log_begin(struct sp_log *log);

/*
 * sp_log_ring_new: what one worker says goes through it, and what there is no
 * room for is counted in *dropped, which only that worker writes.
 *
 * => Returns NULL: no memory; or log is NULL. It can do without.
 * => It is the log's, until sp_log_free().
 */
struct sp_log_ring *sp_log_ring_new(
    struct sp_log *log, SP_ATOMIC(uint64_t) *dropped);

/*
 * sp_log_stop: write what was said, and end the writer. After that nobody may
 * say anything; the counts can be read until sp_log_free(). NULL is allowed.
 */
void sp_log_stop(struct sp_log *log);
void sp_log_free(struct sp_log *log);

/*
 * sp_log_message: for options.log, with the log for its argument.
 * sp_log_say: likewise, by a worker that has that ring, or NULL.
 * sp_log_access: likewise, an answer.
 *
 * Context: any thread until sp_log_stop(). Wait-free with a ring, else
 * lock-free.
 */
void sp_log_message(void *arg, enum spate_log_level level, const char *message);
void sp_log_say(struct sp_log *log, struct sp_log_ring *ring,
    enum spate_log_level level, const char *message);
void sp_log_access(struct sp_log *log, struct sp_log_ring *ring,
    const struct sp_access *access);

/*
 * sp_log_wake: wake the writer, if it sleeps. sp_log_writer: its thread, with
 * the log for its argument; log_writer.c.
 */
void sp_log_wake(struct sp_log *log);
void *sp_log_writer(void *arg);

/* sp_log_put: a line as text, with its end. log_line.c. */
void sp_log_put(struct sp_text *text, enum spate_log_format format,
    const struct sp_log_line *line);

/* sp_log_put_access: its fields in logfmt, as part of a line. */
void sp_log_put_access(struct sp_text *text, const struct sp_access *access);

/*
 * sp_log_level_name: "debug" and so on. sp_log_level_parse: the level of that
 * name, whatever its case; or -1.
 */
const char *sp_log_level_name(enum spate_log_level level);
int sp_log_level_parse(const char *name, size_t size);

#endif /* SPATE_FRAMEWORK_LOG_H */
