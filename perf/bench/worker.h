/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_PERF_BENCH_WORKER_H
#define SPATE_PERF_BENCH_WORKER_H

/*
 * A worker is a thread with its own epoll, connections and counts; nothing
 * is shared until all have ended. conn.c moves bytes, worker.c decides when.
 *
 *     closed loop   a connection sends depth requests, waits for all the
 *                   answers, and sends again. Latency is from the send.
 *     open loop     requests become due by the clock, whether or not the
 *                   earlier ones were answered. One that finds no idle
 *                   connection stays due, and its latency is from then, so
 *                   a server that stalls pays for all it kept waiting.
 *
 *     connection    opened -> answered on connect -> requests -> lost
 *                      ^                                          |
 *                      '------------------------------------------'
 *                                after a pause, if it got nothing
 */

#include "perf/bench/histogram.h"
#include "perf/bench/options.h"
#include "perf/bench/response.h"
#include "perf/bench/watch.h"

#include <pthread.h>

#define BENCH_NS_PER_S 1000000000
#define BENCH_WATCHED 2 /* when counting begins, and when it ends */

/* A request that is not answered yet. */
struct bench_flight {
	uint64_t start_ns; /* sent, or due in the open loop */
	unsigned path;
};

enum bench_kind {
	BENCH_LOAD,      /* requests from the mix */
	BENCH_DEDICATED, /* one path, closed loop always */
	BENCH_SLOW,      /* not in the epoll; moved by the clock */
	BENCH_HALF_OPEN, /* half a request, then silence */
};

enum bench_conn_state { BENCH_CLOSED, BENCH_CONNECTING, BENCH_OPEN };

struct bench_conn {
	int fd;
	uint8_t kind;
	uint8_t state;
	bool is_idle_listed;          /* in the worker's list of idle ones */
	unsigned path;                /* of a dedicated one */
	unsigned source;              /* which source address */
	unsigned first, in_flight;    /* of the ring of flights */
	struct bench_flight *flights; /* depth of them */
	const char *rest; /* bytes of requests that a send did not take */
	size_t rest_size;
	char *rest_owned;       /* to free with it, or NULL */
	uint64_t quota;         /* requests that it may still send */
	uint64_t answered;      /* while it counted */
	uint64_t since_connect; /* answers since it was opened */
	uint64_t retry_ns;      /* closed: when to open it again */
	size_t slow_sent;       /* of a slow one's request */
	struct bench_response response;
};

/* What became of the requests for one path. */
struct bench_tally {
	struct bench_histogram latency;
	uint64_t answered; /* while it counted */
	uint64_t not_2xx;
};

struct bench_counts {
	uint64_t total_answered; /* warm-up and all */
	uint64_t bytes_in;
	uint64_t connects;
	uint64_t connect_errors;
	uint64_t io_errors;
	uint64_t closed_by_peer; /* with requests unanswered */
	uint64_t bad_responses;
	uint64_t lost; /* requests on connections that broke */
	uint64_t due;  /* open loop: became due while it counted */
	uint64_t late; /* open loop: not answered when all was over */
	uint64_t slow_answered, slow_closed;
	uint64_t half_open_closed;
};

struct bench_worker {
	const struct bench_options *options;
	unsigned number;
	int epoll;
	pthread_t thread;
	struct bench_conn *conns;
	unsigned conn_count;
	struct bench_tally *tallies;   /* for each path */
	struct bench_histogram behind; /* open loop: sent, after it was due */
	struct bench_counts counts;
	char *in;  /* what was received */
	char *out; /* requests put together */
	size_t out_size;

	bool lacks_pwait2;
	bool is_started;   /* all are connected; requests may go */
	int connect_error; /* errno of the last that could not connect, or 0 */
	unsigned connecting;
	unsigned closed;     /* connections that wait for retry_ns */
	uint64_t quota_left; /* of all connections that have one */
	uint64_t in_flight;  /* of connections with requests from the mix */
	unsigned *idle;      /* open loop: ring of connections with room */
	unsigned idle_first, idle_count;
	uint64_t random;
	uint64_t count_from_ns, end_ns, next_due_ns, slow_ns, reopen_ns;
	uint64_t last_answer_ns;                 /* or when it began */
	struct bench_watch watch[BENCH_WATCHED]; /* the first worker's */
	unsigned watched;
};

/* What a connection sends for that path: its agent's request. */
static inline char *
bench_request(const struct bench_options *options,
    const struct bench_conn *conn, unsigned path)
{
	const struct bench_path *of = &options->paths[path];

	return of->request
	       + of->request_size * (conn->source % options->agents);
}

/* worker.c */

/*
 * bench_worker_init: every threads-th of all connections, from number on.
 *
 * => Returns 0 or -errno. What is allocated lives as long as the process.
 */
int bench_worker_init(struct bench_worker *worker,
    const struct bench_options *options, unsigned number);

/* Connects, but sends nothing yet. => Returns when all are open or failed. */
void bench_worker_connect(struct bench_worker *worker);

/* Puts the load on, from start_ns on. => Returns when all is answered. */
void bench_worker_run(struct bench_worker *worker, uint64_t start_ns);

uint64_t bench_now_ns(void);

/* What conn.c tells worker.c: a connection can take requests. */
void bench_worker_ready(struct bench_worker *worker, struct bench_conn *conn);

/* What conn.c tells worker.c: an answer came. */
void bench_worker_answered(struct bench_worker *worker, struct bench_conn *conn,
    const struct bench_flight *flight, uint64_t now_ns);

/* conn.c */

void bench_conn_open(struct bench_worker *worker, struct bench_conn *conn);

/*
 * bench_conn_send: put requests on the way, in one send if it takes them.
 *
 * => The connection is open, and depth - in_flight is at least count.
 */
void bench_conn_send(struct bench_worker *worker, struct bench_conn *conn,
    const unsigned *paths, unsigned count, uint64_t start_ns);

/* Takes an event of epoll. */
void bench_conn_event(
    struct bench_worker *worker, struct bench_conn *conn, uint32_t events);

/* A step of a slow connection: at most bytes out or in. */
void bench_conn_slow_step(
    struct bench_worker *worker, struct bench_conn *conn, size_t bytes);

/* => The descriptor is closed and requests in flight are lost. */
void bench_conn_close(struct bench_worker *worker, struct bench_conn *conn);

#endif /* SPATE_PERF_BENCH_WORKER_H */
