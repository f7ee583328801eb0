/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_TOOLS_TOP_H
#define SPATE_FRAMEWORK_TOOLS_TOP_H

/*
 * spate-top: /stats of a running server, in a terminal.
 *
 *     top.c          flags, keys, and the loop
 *     top_fetch.c    an answer of /stats, over TCP or a Unix socket
 *     top_figures.c  what has come between two answers
 *     top_draw.c     lines of text
 *
 * All of it is of one thread, and of this program alone.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ------------------------------------------------------------------ fetch */

/* Where /stats is. */
struct sp_top_place {
	char host[256]; /* or the path of a Unix socket */
	char port[8];   /* empty: a Unix socket */
	char prefix[256];
};

/*
 * sp_top_place: ADDRESS, as in "127.0.0.1:8080", "[::1]:8080",
 * "unix:/run/my.sock" or "http://127.0.0.1:8080/inside".
 *
 * => Returns false: it is none of these.
 */
bool sp_top_place(struct sp_top_place *place, const char *address);

/*
 * sp_top_fetch: one answer, with its histograms, within five seconds.
 *
 * => Returns an object with schema 1, which the caller owns.
 * => Returns NULL, and what is wrong; *protocol: there was an answer, but
 *    none of /stats.
 */
json_t *sp_top_fetch(const struct sp_top_place *place, char *wrong,
    size_t wrong_size, bool *protocol);

/* ---------------------------------------------------------------- figures */

#define SP_TOP_NAME 48
#define SP_TOP_NO_TIME UINT64_MAX /* a quantile of nothing */

enum { SP_TOP_QUEUE, SP_TOP_RUN, SP_TOP_PARKED, SP_TOP_BLOCKED, SP_TOP_PHASES };
enum { SP_TOP_IO, SP_TOP_BREAK, SP_TOP_TIMER, SP_TOP_SPURIOUS, SP_TOP_WAKES };

struct sp_top_shard {
	uint64_t id, cpu, workers, connections, depth, memory, p99_ns;
	double busy, requests, stolen, breaks, wakes[SP_TOP_WAKES];
};

struct sp_top_route {
	char name[SP_TOP_NAME], methods[SP_TOP_NAME];
	uint64_t number, total, p50_ns, p99_ns, mean_ns;
	double requests, part[SP_TOP_PHASES]; /* of the mean, 0 to 1 */
};

/* Threads for what blocks. */
struct sp_top_pool {
	const char *name; /* constant */
	uint64_t threads, queued, total_refused, wait_ns;
	double begun, refused;
};

enum { SP_TOP_OFFLOAD, SP_TOP_BLOCKING, SP_TOP_POOLS };

struct sp_top_figures {
	char version[SP_TOP_NAME], state[SP_TOP_NAME];
	uint64_t pid, uptime_s, p50_ns, p99_ns, p999_ns, resident, descriptors;
	uint64_t connections, total;
	double seconds, requests, errors, cpu;
	struct sp_top_shard *shards;
	size_t shard_count;
	struct sp_top_route *routes; /* those that were ever asked for */
	size_t route_count;
	struct sp_top_pool pools[SP_TOP_POOLS];
};

/*
 * sp_top_figures: of two answers of one process; before may be the same one,
 * and then nothing has happened between.
 *
 * => Returns false: no memory. Else the caller owns what is in it.
 * => sp_top_same_process() returns whether there is something to compare.
 */
bool sp_top_figures(
    struct sp_top_figures *figures, const json_t *before, const json_t *now);
void sp_top_figures_free(struct sp_top_figures *figures);
bool sp_top_same_process(const json_t *before, const json_t *now);

/* ------------------------------------------------------------------- draw */

/* Keys that routes are sorted by; 0 as the program has added them. */
#define SP_TOP_SORTS "rpmtn"

/*
 * sp_top_draw: lines of at most `width` columns, and no more than `height`
 * of them; 0: without end. bright: with the terminal's codes.
 */
struct sp_top_view {
	unsigned width, height;
	bool bright;
	char sort;        /* one of SP_TOP_SORTS */
	const char *note; /* a line of its own, or NULL */
};

void sp_top_draw(
    FILE *out, struct sp_top_figures *figures, const struct sp_top_view *view);

#endif /* SPATE_FRAMEWORK_TOOLS_TOP_H */
