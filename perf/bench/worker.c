/* SPDX-License-Identifier: BSD-2-Clause */

/* Deciding when: the closed loop, the open loop, slow ones, the end. */

#include "perf/bench/worker.h"

#include "perf/bench/limits.h"
#include "shards/slice.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>

#define EVENTS 256

/*
 * Open loop: who shares a CPU with what it measures should send when it is
 * due, and not when a server that computes has had its turn.
 */
#define SLICE_US 100

uint64_t
bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * BENCH_NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Above 0, and at most 1. */
static double
uniform(struct bench_worker *worker)
{
	uint64_t x = worker->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	worker->random = x;
	return (double)((x >> 11) + 1) * 0x1p-53;
}

static unsigned
pick_path(struct bench_worker *worker)
{
	const struct bench_options *options = worker->options;
	double left;

	if (options->path_count == 1)
		return 0;
	left = uniform(worker) * options->weights;
	for (unsigned i = 0; i < options->path_count; i++) {
		left -= options->paths[i].weight;
		if (left <= 0 && options->paths[i].weight > 0)
			return i;
	}
	/* Rounding has left something over: any that is in the mix. */
	for (unsigned i = 0;; i++) {
		if (options->paths[i].weight > 0)
			return i;
	}
}

/* Dedicated ones first, in the order of their paths, then the rest. */
static void
assign(const struct bench_options *options, struct bench_conn *conn,
    unsigned index)
{
	unsigned load, dedicated = 0;

	conn->fd = -1;
	conn->source = index;
	conn->quota = UINT64_MAX / 2;
	for (unsigned i = 0; i < options->path_count; i++) {
		dedicated += options->paths[i].dedicated;
		if (index < dedicated) {
			conn->kind = BENCH_DEDICATED;
			conn->path = i;
			return;
		}
	}
	if (index >= options->connections) {
		conn->kind = index - options->connections < options->slow
				 ? BENCH_SLOW
				 : BENCH_HALF_OPEN;
		conn->path = conn->kind == BENCH_SLOW ? options->slow_path : 0;
		return;
	}
	conn->kind = BENCH_LOAD;
	if (options->requests > 0) {
		load = options->connections - dedicated;
		conn->quota = options->requests / load;
		if (index - dedicated < options->requests % load)
			conn->quota++;
	}
}

int
bench_worker_init(struct bench_worker *worker,
    const struct bench_options *options, unsigned number)
{
	unsigned all = options->connections + options->slow
		       + options->half_open;
	size_t longest = 0;

	worker->options = options;
	worker->number = number;
	worker->random = (options->seed + number) * UINT64_C(0x9E3779B97F4A7C15)
			 | 1;
	worker->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (worker->epoll < 0)
		return -errno;
	worker->conn_count = (all - number + options->threads - 1)
			     / options->threads;
	for (unsigned i = 0; i < options->path_count; i++) {
		if (options->paths[i].request_size > longest)
			longest = options->paths[i].request_size;
	}
	worker->conns = calloc(worker->conn_count, sizeof(*worker->conns));
	worker->idle = calloc(worker->conn_count, sizeof(*worker->idle));
	worker->tallies = calloc(options->path_count, sizeof(*worker->tallies));
	worker->in = malloc(BENCH_IN_SIZE);
	worker->out = malloc(longest * options->depth);
	if (worker->conns == NULL || worker->idle == NULL
	    || worker->tallies == NULL || worker->in == NULL
	    || worker->out == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < options->path_count; i++)
		bench_histogram_init(&worker->tallies[i].latency);
	bench_histogram_init(&worker->behind);
	for (unsigned i = 0; i < worker->conn_count; i++) {
		struct bench_conn *conn = &worker->conns[i];

		assign(options, conn, number + i * options->threads);
		if (conn->kind == BENCH_LOAD)
			worker->quota_left += conn->quota;
		conn->flights = calloc(options->depth, sizeof(*conn->flights));
		if (conn->flights == NULL)
			return -ENOMEM;
	}
	return 0;
}

/*
 * Without epoll_pwait2() (Linux before 5.11, valgrind) a wait is up to a
 * millisecond too long: too short a one would spin.
 */
static int
wait_ns(struct bench_worker *worker, struct epoll_event *events, uint64_t ns)
{
	struct timespec timeout = { (time_t)(ns / BENCH_NS_PER_S),
		(long)(ns % BENCH_NS_PER_S) };
	uint64_t ms = (ns + 999999) / 1000000;
	int count;

	if (!worker->lacks_pwait2) {
		count = epoll_pwait2(
		    worker->epoll, events, EVENTS, &timeout, NULL);
		if (count >= 0 || errno != ENOSYS)
			return count;
		worker->lacks_pwait2 = true;
	}
	return epoll_wait(
	    worker->epoll, events, EVENTS, ms < INT_MAX ? (int)ms : INT_MAX);
}

static void
wait_for_events(struct bench_worker *worker, uint64_t until_ns)
{
	struct epoll_event events[EVENTS];
	uint64_t now = bench_now_ns();
	bool sleeps = until_ns > now && !worker->options->spin;
	int count = wait_ns(worker, events, sleeps ? until_ns - now : 0);

	for (int i = 0; i < count; i++)
		bench_conn_event(worker, events[i].data.ptr, events[i].events);
}

void
bench_worker_connect(struct bench_worker *worker)
{
	uint64_t end = bench_now_ns() + BENCH_CONNECT_NS;

	for (unsigned i = 0; i < worker->conn_count; i++) {
		bench_conn_open(worker, &worker->conns[i]);
		/* The server's backlog is finite. */
		while (worker->connecting >= EVENTS && bench_now_ns() < end)
			wait_for_events(worker, end);
	}
	while (worker->connecting > 0 && bench_now_ns() < end)
		wait_for_events(worker, end);
}

static void
list_idle(struct bench_worker *worker, struct bench_conn *conn)
{
	unsigned at = (worker->idle_first + worker->idle_count)
		      % worker->conn_count;

	if (conn->is_idle_listed || conn->rest_size > 0
	    || conn->in_flight == worker->options->depth)
		return;
	conn->is_idle_listed = true;
	worker->idle[at] = (unsigned)(conn - worker->conns);
	worker->idle_count++;
}

/* The one that has been idle longest, or NULL. */
static struct bench_conn *
take_idle(struct bench_worker *worker)
{
	while (worker->idle_count > 0) {
		struct bench_conn *conn =
		    &worker->conns[worker->idle[worker->idle_first]];

		worker->idle_first = (worker->idle_first + 1)
				     % worker->conn_count;
		worker->idle_count--;
		conn->is_idle_listed = false;
		/* It may have been lost since it was listed. */
		if (conn->state == BENCH_OPEN)
			return conn;
	}
	return NULL;
}

void
bench_worker_ready(struct bench_worker *worker, struct bench_conn *conn)
{
	const struct bench_options *options = worker->options;
	unsigned paths[BENCH_DEPTH_MAX], count = options->depth;
	uint64_t now;

	if (!worker->is_started || conn->state != BENCH_OPEN)
		return;
	if (conn->kind == BENCH_LOAD && options->rate > 0) {
		list_idle(worker, conn);
		return;
	}
	now = bench_now_ns();
	if (conn->in_flight > 0 || conn->rest_size > 0 || now >= worker->end_ns)
		return;
	if (conn->kind == BENCH_DEDICATED) {
		bench_conn_send(worker, conn, &conn->path, 1, now);
		return;
	}
	if (options->close)
		count = 1;
	if (count > conn->quota)
		count = (unsigned)conn->quota;
	for (unsigned i = 0; i < count; i++)
		paths[i] = pick_path(worker);
	if (count > 0)
		bench_conn_send(worker, conn, paths, count, now);
}

void
bench_worker_answered(struct bench_worker *worker, struct bench_conn *conn,
    const struct bench_flight *flight, uint64_t now_ns)
{
	struct bench_tally *tally = &worker->tallies[flight->path];
	bool is_open_loop = conn->kind == BENCH_LOAD
			    && worker->options->rate > 0;
	uint64_t at = is_open_loop ? flight->start_ns : now_ns;

	worker->counts.total_answered++;
	worker->last_answer_ns = now_ns;
	if (at < worker->count_from_ns || at >= worker->end_ns)
		return;
	tally->answered++;
	conn->answered++;
	if (conn->response.status < 200 || conn->response.status > 299)
		tally->not_2xx++;
	bench_histogram_record(&tally->latency, now_ns - flight->start_ns);
}

static void
next_due(struct bench_worker *worker)
{
	const struct bench_options *options = worker->options;
	double mean = BENCH_NS_PER_S * (double)options->threads / options->rate;

	if (worker->next_due_ns >= worker->count_from_ns)
		worker->counts.due++;
	worker->next_due_ns += (uint64_t)(options->poisson
					      ? -log(uniform(worker)) * mean
					      : mean);
}

/* Sends what is due, as far as connections are idle. */
static void
send_due(struct bench_worker *worker, uint64_t now)
{
	while (worker->next_due_ns <= now
	       && worker->next_due_ns < worker->end_ns) {
		struct bench_conn *conn = take_idle(worker);
		unsigned path;

		if (conn == NULL)
			return;
		path = pick_path(worker);
		if (worker->next_due_ns >= worker->count_from_ns)
			bench_histogram_record(&worker->behind,
			    bench_now_ns() - worker->next_due_ns);
		bench_conn_send(worker, conn, &path, 1, worker->next_due_ns);
		if (conn->state == BENCH_OPEN)
			list_idle(worker, conn);
		next_due(worker);
	}
}

/* What is not answered has waited at least until now: that counts too. */
static void
count_late(struct bench_worker *worker)
{
	uint64_t now = bench_now_ns();

	for (unsigned i = 0; i < worker->conn_count; i++) {
		struct bench_conn *conn = &worker->conns[i];

		if (conn->kind != BENCH_LOAD)
			continue;
		for (unsigned j = 0; j < conn->in_flight; j++) {
			const struct bench_flight *flight =
			    &conn->flights[(conn->first + j)
					   % worker->options->depth];

			if (flight->start_ns < worker->count_from_ns)
				continue;
			worker->counts.late++;
			bench_histogram_record(
			    &worker->tallies[flight->path].latency,
			    now - flight->start_ns);
		}
	}
	while (worker->next_due_ns < worker->end_ns) {
		uint64_t due = worker->next_due_ns;
		unsigned path = pick_path(worker);

		next_due(worker);
		if (due < worker->count_from_ns)
			continue;
		worker->counts.late++;
		bench_histogram_record(
		    &worker->tallies[path].latency, now - due);
	}
}

/* --requests: each of them was answered. */
static bool
is_done(const struct bench_worker *worker)
{
	return worker->quota_left == 0 && worker->in_flight == 0;
}

/* --requests: nobody is there, or nobody answers any more. */
static bool
gives_up(const struct bench_worker *worker, uint64_t now)
{
	const struct bench_counts *counts = &worker->counts;

	return (counts->connects == 0 && counts->connect_errors > 0)
	       || now >= worker->last_answer_ns + BENCH_STILL_NS;
}

static bool
is_over(const struct bench_worker *worker, uint64_t now)
{
	const struct bench_options *options = worker->options;

	if (options->requests > 0 && (is_done(worker) || gives_up(worker, now)))
		return true;
	if (now < worker->end_ns)
		return false;
	if (options->rate == 0 || now >= worker->end_ns + options->drain_ns)
		return true;
	return worker->next_due_ns >= worker->end_ns && worker->in_flight == 0;
}

static void
step_slow_ones(struct bench_worker *worker)
{
	size_t bytes = worker->options->slow_bytes / BENCH_SLOW_STEPS;

	for (unsigned i = 0; i < worker->conn_count; i++) {
		struct bench_conn *conn = &worker->conns[i];

		if (conn->kind == BENCH_SLOW)
			bench_conn_slow_step(
			    worker, conn, bytes > 0 ? bytes : 1);
	}
	worker->slow_ns += BENCH_NS_PER_S / BENCH_SLOW_STEPS;
}

static void
reopen_closed_ones(struct bench_worker *worker, uint64_t now)
{
	for (unsigned i = 0; i < worker->conn_count; i++) {
		struct bench_conn *conn = &worker->conns[i];

		if (conn->state == BENCH_CLOSED && conn->retry_ns != 0
		    && conn->retry_ns <= now) {
			conn->retry_ns = 0;
			worker->closed--;
			bench_conn_open(worker, conn);
		}
	}
	worker->reopen_ns = now + BENCH_RETRY_NS;
}

static uint64_t
next_event(const struct bench_worker *worker, uint64_t now)
{
	const struct bench_options *options = worker->options;
	uint64_t until = worker->end_ns;

	if (now >= until)
		until += options->drain_ns;
	if (now < worker->count_from_ns)
		until = worker->count_from_ns;
	if (options->rate > 0 && worker->idle_count > 0
	    && worker->next_due_ns < worker->end_ns
	    && worker->next_due_ns < until)
		until = worker->next_due_ns;
	if (options->slow > 0 && worker->slow_ns < until)
		until = worker->slow_ns;
	if (worker->closed > 0 && worker->reopen_ns < until)
		until = worker->reopen_ns;
	if (options->requests > 0
	    && worker->last_answer_ns + BENCH_STILL_NS < until)
		until = worker->last_answer_ns + BENCH_STILL_NS;
	return until;
}

/* The first worker looks, when counting begins and when it has ended. */
static void
watch(struct bench_worker *worker, uint64_t now)
{
	if (worker->number > 0 || worker->watched == BENCH_WATCHED)
		return;
	if (now
	    >= (worker->watched == 0 ? worker->count_from_ns : worker->end_ns))
		bench_watch_read(
		    worker->options, &worker->watch[worker->watched++]);
}

void
bench_worker_run(struct bench_worker *worker, uint64_t start_ns)
{
	const struct bench_options *options = worker->options;
	uint64_t now;

	prctl(PR_SET_TIMERSLACK, 1UL);
	if (options->rate > 0)
		sp_slice_ask(SLICE_US);
	worker->count_from_ns = start_ns + options->warmup_ns;
	worker->end_ns = worker->count_from_ns
			 + (options->requests > 0 ? BENCH_REQUESTS_NS
						  : options->duration_ns);
	worker->next_due_ns = UINT64_MAX;
	worker->slow_ns = worker->reopen_ns = start_ns;
	worker->last_answer_ns = start_ns;
	if (options->rate > 0)
		worker->next_due_ns = start_ns
				      + (uint64_t)(BENCH_NS_PER_S
						   * worker->number
						   / options->rate);
	worker->is_started = true;
	for (unsigned i = 0; i < worker->conn_count; i++) {
		struct bench_conn *conn = &worker->conns[i];

		if (conn->kind <= BENCH_DEDICATED)
			bench_worker_ready(worker, conn);
	}
	while (now = bench_now_ns(), !is_over(worker, now)) {
		watch(worker, now);
		if (options->rate > 0)
			send_due(worker, now);
		if (options->slow > 0 && now >= worker->slow_ns)
			step_slow_ones(worker);
		if (worker->closed > 0 && now >= worker->reopen_ns)
			reopen_closed_ones(worker, now);
		wait_for_events(worker, next_event(worker, now));
	}
	watch(worker, UINT64_MAX);
	if (options->rate > 0)
		count_late(worker);
}
