/* SPDX-License-Identifier: BSD-2-Clause */

/* Moving bytes: connect, send requests, receive answers, close. */

#include "perf/bench/worker.h"

#include "perf/bench/limits.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOW_RECEIVE_BUFFER 4096

void
bench_conn_close(struct bench_worker *worker, struct bench_conn *conn)
{
	if (conn->state == BENCH_CLOSED)
		return;
	if (conn->state == BENCH_CONNECTING)
		worker->connecting--;
	close(conn->fd);
	conn->fd = -1;
	conn->state = BENCH_CLOSED;
	worker->counts.lost += conn->in_flight;
	if (conn->kind == BENCH_LOAD) {
		worker->in_flight -= conn->in_flight;
		conn->quota += conn->in_flight;
		worker->quota_left += conn->in_flight;
	}
	conn->first = conn->in_flight = 0;
	free(conn->rest_owned);
	conn->rest_owned = NULL;
	conn->rest_size = 0;
}

/* Closes and opens again; after a pause if it has been of no use. */
static void
replace(struct bench_worker *worker, struct bench_conn *conn)
{
	bool was_of_use = conn->since_connect > 0;

	bench_conn_close(worker, conn);
	if (was_of_use && conn->kind != BENCH_SLOW) {
		bench_conn_open(worker, conn);
		return;
	}
	conn->retry_ns = bench_now_ns() + BENCH_RETRY_NS;
	worker->closed++;
}

static int
connect_from(const struct bench_options *options, int fd, unsigned source)
{
	const int on = 1;
	struct sockaddr_in from = { .sin_family = AF_INET };
	int error;

	if (options->sources > 0) {
		from.sin_addr.s_addr = htonl(
		    INADDR_LOOPBACK + 1 + source % options->sources);
		setsockopt(
		    fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
		if (bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0)
			return -errno;
	}
	error = connect(fd, (const struct sockaddr *)&options->address,
	    sizeof(options->address));
	return error == 0 || errno == EINPROGRESS ? 0 : -errno;
}

void
bench_conn_open(struct bench_worker *worker, struct bench_conn *conn)
{
	const int on = 1, small = SLOW_RECEIVE_BUFFER;
	struct epoll_event event = { EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		{ .ptr = conn } };
	bool is_slow = conn->kind == BENCH_SLOW;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = fd < 0 ? -errno : 0;

	conn->since_connect = 0;
	conn->slow_sent = 0;
	bench_response_init(&conn->response);
	if (fd >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (is_slow)
			setsockopt(
			    fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	}
	if (error == 0)
		error = connect_from(worker->options, fd, conn->source);
	if (error == 0 && !is_slow
	    && epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		error = -errno;
	if (error != 0) {
		if (fd >= 0)
			close(fd);
		worker->counts.connect_errors++;
		worker->connect_error = -error;
		conn->retry_ns = bench_now_ns() + BENCH_RETRY_NS;
		worker->closed++;
		return;
	}
	conn->fd = fd;
	conn->state = is_slow ? BENCH_OPEN : BENCH_CONNECTING;
	if (!is_slow)
		worker->connecting++;
}

/* Sends the rest of what was begun. => Returns false if that broke it. */
static bool
flush(struct bench_worker *worker, struct bench_conn *conn)
{
	ssize_t n;

	while (conn->rest_size > 0) {
		n = send(conn->fd, conn->rest, conn->rest_size, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0) {
			worker->counts.io_errors++;
			replace(worker, conn);
			return false;
		}
		conn->rest += n;
		conn->rest_size -= (size_t)n;
	}
	free(conn->rest_owned);
	conn->rest_owned = NULL;
	return true;
}

void
bench_conn_send(struct bench_worker *worker, struct bench_conn *conn,
    const unsigned *paths, unsigned count, uint64_t start_ns)
{
	const struct bench_options *options = worker->options;
	unsigned depth = options->depth;
	size_t size = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct bench_path *path = &options->paths[paths[i]];
		unsigned at = (conn->first + conn->in_flight++) % depth;

		conn->flights[at].start_ns = start_ns;
		conn->flights[at].path = paths[i];
		if (count > 1)
			memcpy(worker->out + size,
			    bench_request(options, conn, paths[i]),
			    path->request_size);
		size += path->request_size;
	}
	if (conn->kind == BENCH_LOAD) {
		worker->in_flight += count;
		worker->quota_left -= count;
		conn->quota -= count;
	}
	conn->rest = count > 1 ? worker->out
			       : bench_request(options, conn, *paths);
	conn->rest_size = size;
	if (!flush(worker, conn) || conn->rest_size == 0 || count == 1)
		return;
	/* The worker's buffer serves the next connection at once. */
	conn->rest_owned = malloc(conn->rest_size);
	if (conn->rest_owned == NULL) {
		worker->counts.io_errors++;
		replace(worker, conn);
		return;
	}
	memcpy(conn->rest_owned, conn->rest, conn->rest_size);
	conn->rest = conn->rest_owned;
}

static void
finish_flight(
    struct bench_worker *worker, struct bench_conn *conn, uint64_t now_ns)
{
	struct bench_flight flight = conn->flights[conn->first];

	conn->first = (conn->first + 1) % worker->options->depth;
	conn->in_flight--;
	conn->since_connect++;
	if (conn->kind == BENCH_LOAD)
		worker->in_flight--;
	bench_worker_answered(worker, conn, &flight, now_ns);
}

/* => Returns false if the connection was replaced. */
static bool
take(struct bench_worker *worker, struct bench_conn *conn, size_t size,
    uint64_t now_ns)
{
	const struct bench_options *options = worker->options;
	size_t at = 0, used;

	while (at < size) {
		enum bench_progress progress = BENCH_BAD;

		if (conn->in_flight > 0) {
			unsigned path = conn->flights[conn->first].path;

			conn->response.to_head = options->paths[path].is_head;
			progress = bench_response_feed(
			    &conn->response, worker->in + at, size - at, &used);
			at += used;
		}
		if (progress == BENCH_BAD) {
			worker->counts.bad_responses++;
			replace(worker, conn);
			return false;
		}
		if (progress == BENCH_MORE)
			return true;
		finish_flight(worker, conn, now_ns);
		if (conn->response.closes) {
			replace(worker, conn);
			return false;
		}
	}
	return true;
}

static void
receive(struct bench_worker *worker, struct bench_conn *conn, bool is_ending)
{
	for (;;) {
		ssize_t n = recv(conn->fd, worker->in, BENCH_IN_SIZE, 0);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n == 0 && bench_response_end(&conn->response))
			finish_flight(worker, conn, bench_now_ns());
		if (n <= 0) {
			if (n < 0)
				worker->counts.io_errors++;
			else if (conn->in_flight > 0)
				worker->counts.closed_by_peer++;
			replace(worker, conn);
			return;
		}
		worker->counts.bytes_in += (uint64_t)n;
		if (!take(worker, conn, (size_t)n, bench_now_ns()))
			return;
		if (n < BENCH_IN_SIZE && !is_ending)
			break;
	}
	bench_worker_ready(worker, conn);
}

static void
finish_connect(struct bench_worker *worker, struct bench_conn *conn)
{
	const struct bench_path *path = &worker->options->paths[conn->path];
	socklen_t size = sizeof(int);
	int error = 0;

	getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error != 0) {
		worker->counts.connect_errors++;
		worker->connect_error = error;
		replace(worker, conn);
		return;
	}
	worker->connecting--;
	worker->counts.connects++;
	conn->state = BENCH_OPEN;
	if (conn->kind != BENCH_HALF_OPEN)
		bench_worker_ready(worker, conn);
	else if (send(conn->fd,
		     bench_request(worker->options, conn, conn->path),
		     path->request_size / 2, MSG_NOSIGNAL)
		 < 0)
		worker->counts.io_errors++;
}

/* A server may answer 408 before it closes; only the end counts. */
static void
watch_half_open(struct bench_worker *worker, struct bench_conn *conn)
{
	ssize_t n;

	do {
		n = recv(conn->fd, worker->in, BENCH_IN_SIZE, 0);
	} while (n > 0);
	if (n < 0 && errno == EAGAIN)
		return;
	worker->counts.half_open_closed++;
	bench_conn_close(worker, conn);
}

void
bench_conn_event(
    struct bench_worker *worker, struct bench_conn *conn, uint32_t events)
{
	const uint32_t ending = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

	if (conn->state == BENCH_CONNECTING) {
		if (events & (EPOLLOUT | ending))
			finish_connect(worker, conn);
		return;
	}
	if (conn->kind == BENCH_HALF_OPEN) {
		if (events & (EPOLLIN | ending))
			watch_half_open(worker, conn);
		return;
	}
	if ((events & EPOLLOUT) && conn->rest_size > 0) {
		if (!flush(worker, conn))
			return;
		bench_worker_ready(worker, conn);
		if (conn->state != BENCH_OPEN)
			return;
	}
	if (events & (EPOLLIN | ending))
		receive(worker, conn, (events & ending) != 0);
}

/* => Returns what send() or recv() does, at most bytes of it. */
static ssize_t
move_slowly(struct bench_worker *worker, struct bench_conn *conn, size_t bytes)
{
	const struct bench_path *path = &worker->options->paths[conn->path];
	size_t left = path->request_size - conn->slow_sent;
	ssize_t n;

	if (left == 0)
		return recv(conn->fd, worker->in,
		    bytes < BENCH_IN_SIZE ? bytes : BENCH_IN_SIZE, 0);
	n = send(conn->fd,
	    bench_request(worker->options, conn, conn->path) + conn->slow_sent,
	    bytes < left ? bytes : left, MSG_NOSIGNAL);
	if (n > 0)
		conn->slow_sent += (size_t)n;
	return n;
}

void
bench_conn_slow_step(
    struct bench_worker *worker, struct bench_conn *conn, size_t bytes)
{
	const struct bench_path *path = &worker->options->paths[conn->path];
	bool was_sent = conn->slow_sent == path->request_size;
	enum bench_progress progress;
	size_t used;
	ssize_t n;

	if (conn->state != BENCH_OPEN)
		return;
	n = move_slowly(worker, conn, bytes);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		worker->counts.slow_closed++;
		replace(worker, conn);
		return;
	}
	if (!was_sent)
		return;
	conn->response.to_head = path->is_head;
	progress = bench_response_feed(
	    &conn->response, worker->in, (size_t)n, &used);
	if (progress == BENCH_DONE) {
		worker->counts.slow_answered++;
		conn->slow_sent = 0;
	}
	if (progress == BENCH_BAD)
		worker->counts.bad_responses++;
	if (progress == BENCH_BAD
	    || (progress == BENCH_DONE && conn->response.closes))
		replace(worker, conn);
}
