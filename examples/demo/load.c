/* SPDX-License-Identifier: BSD-2-Clause */

#include "examples/demo/load.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX 2048
#define PATIENCE_S 10 /* with a server that does not answer */
#define LOOK_MS 50    /* how often a thread without news looks at the clock */

/* To find enough connections of one shard, others are opened on the way. */
#define TRIES (4 * DEMO_LOAD_CONNECTIONS)

/* An answer of which this much has come. */
struct link {
	int fd;
	bool is_single; /* it asks once */
	size_t size;
	char answer[ANSWER_MAX];
};

/*
 *     IDLE --- demo_load_begin ---> STARTING --- has a thread ---> RUNNING
 *      ^                               |                              |
 *      '--- has none ------------------+------- the thread ends ------'
 */
enum { IDLE, STARTING, RUNNING };

static struct {
	atomic_int state;
	atomic_bool ending;
	_Atomic(const struct demo_plan *) plan;
	atomic_uint_fast64_t until_ms, answers, failed;

	/* Of whoever has brought the state from IDLE to STARTING. */
	pthread_t thread;
	bool has_thread;
	uint16_t port;
	cpu_set_t cpus;
} load;

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
rest(unsigned us)
{
	const struct timespec pause = { .tv_sec = us / 1000000,
		.tv_nsec = us % 1000000 * 1000L };

	nanosleep(&pause, NULL);
}

static bool
is_over(void)
{
	return atomic_load(&load.ending)
	       || now_ms() >= atomic_load(&load.until_ms);
}

/* ------------------------------------------------------------ connections */

static int
connect_to(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool
ask(struct link *link, const char *path)
{
	char head[128];
	int size = snprintf(head, sizeof(head),
	    "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);

	link->size = 0;
	return send(link->fd, head, (size_t)size, MSG_NOSIGNAL) == size;
}

/* The body of the answer, or NULL if some of it is still to come. */
static const char *
body_of(const struct link *link)
{
	static const char field[] = "content-length:";
	const char *end = memmem(link->answer, link->size, "\r\n\r\n", 4);
	const char *line = link->answer;

	while (end != NULL && line < end) {
		const char *next = memchr(line, '\n', ANSWER_MAX);

		if (strncasecmp(line, field, sizeof(field) - 1) == 0) {
			size_t size = strtoul(
			    line + sizeof(field) - 1, NULL, 10);
			size_t head = (size_t)(end + 4 - link->answer);

			return link->size == head + size ? end + 4 : NULL;
		}
		line = next + 1;
	}
	return NULL;
}

/* => Returns 1: all of an answer is there; 0: not yet; -1: it is lost. */
static int
receive(struct link *link)
{
	ssize_t n = recv(link->fd, link->answer + link->size,
	    ANSWER_MAX - 1 - link->size, 0);

	if (n <= 0)
		return -1;
	link->size += (size_t)n;
	link->answer[link->size] = '\0';
	if (body_of(link) != NULL)
		return strncmp(link->answer, "HTTP/1.1 200", 12) == 0 ? 1 : -1;
	return link->size < ANSWER_MAX - 1 ? 0 : -1;
}

/* Nobody tells a client which shard it is served by, so it asks. */
static bool
is_on_shard_0(struct link *link)
{
	const char *body;
	int got = 0;

	if (!ask(link, "/demo/shard"))
		return false;
	while (got == 0)
		got = receive(link);
	body = body_of(link);
	return got > 0 && body != NULL && strcmp(body, "0") == 0;
}

/*
 * The server evens out connections, so those that are not wanted stay open
 * until there are enough of the others.
 */
static unsigned
open_links(const struct demo_plan *plan, struct link *links)
{
	int unwanted[TRIES];
	unsigned count = 0, rest_of_them = 0;

	for (int i = 0; i < TRIES && count < plan->connections && !is_over();
	     i++) {
		struct link *link = &links[count];

		link->fd = connect_to(load.port);
		link->is_single = plan->once != NULL && count == 0;
		if (link->fd < 0)
			break;
		if ((plan->on_shard_0 || link->is_single)
		    && !is_on_shard_0(link))
			unwanted[rest_of_them++] = link->fd;
		else
			count++;
	}
	while (rest_of_them > 0)
		close(unwanted[--rest_of_them]);
	atomic_fetch_add(&load.failed, plan->connections - count);
	return count;
}

/* -------------------------------------------------------------------- load */

static void
lose(struct link *link)
{
	close(link->fd);
	link->fd = -1;
}

static void
go_on(struct link *link, const struct demo_plan *plan)
{
	int got = receive(link);

	if (got == 0)
		return;
	if (got > 0)
		atomic_fetch_add(&load.answers, 1);
	else
		atomic_fetch_add(&load.failed, 1);
	if (got < 0 || link->is_single || !ask(link, plan->path))
		lose(link);
}

static void
go_round(struct link *links, unsigned count, const struct demo_plan *plan)
{
	struct pollfd pollfds[DEMO_LOAD_CONNECTIONS];

	for (unsigned i = 0; i < count; i++)
		pollfds[i] = (struct pollfd){ links[i].fd, POLLIN, 0 };
	if (poll(pollfds, count, LOOK_MS) <= 0)
		return;
	for (unsigned i = 0; i < count; i++) {
		if (links[i].fd >= 0 && pollfds[i].revents != 0)
			go_on(&links[i], plan);
	}
	if (plan->pause_us != 0)
		rest(plan->pause_us);
}

static void *
run(void *arg)
{
	const struct demo_plan *plan = arg;
	struct link *links = calloc(plan->connections, sizeof(*links));
	unsigned count = 0;

	/* Workers, one of which has made this thread, have but one CPU. */
	sched_setaffinity(0, sizeof(load.cpus), &load.cpus);
	pthread_setname_np(pthread_self(), "demo/load");
	if (links != NULL)
		count = open_links(plan, links);
	for (unsigned i = 0; i < count; i++) {
		if (!ask(&links[i],
			links[i].is_single ? plan->once : plan->path))
			lose(&links[i]);
	}
	while (count != 0 && !is_over())
		go_round(links, count, plan);
	for (unsigned i = 0; i < count; i++) {
		if (links[i].fd >= 0)
			close(links[i].fd);
	}
	free(links);
	/* Before that it is not known which thread is to be waited for. */
	while (atomic_load(&load.state) != RUNNING)
		rest(1000);
	atomic_store(&load.state, IDLE);
	return NULL;
}

/* --------------------------------------------------------------- from outside
 */

void
demo_load_init(void)
{
	sched_getaffinity(0, sizeof(load.cpus), &load.cpus);
}

static int
start(const struct demo_plan *plan, uint16_t port)
{
	int error;

	if (atomic_load(&load.ending))
		return -ESHUTDOWN;
	/* The one before has nothing left to do but to end. */
	if (load.has_thread)
		pthread_join(load.thread, NULL);
	load.port = port;
	atomic_store(&load.plan, plan);
	atomic_store(&load.answers, 0);
	atomic_store(&load.failed, 0);
	atomic_store(&load.until_ms, now_ms() + plan->ms);
	error = pthread_create(
	    &load.thread, NULL, run, (void *)(uintptr_t)plan);
	load.has_thread = error == 0;
	return -error;
}

int
demo_load_begin(const struct demo_plan *plan, uint16_t port)
{
	int state = IDLE, error;

	if (!atomic_compare_exchange_strong(&load.state, &state, STARTING))
		return -EBUSY;
	error = start(plan, port);
	atomic_store(&load.state, error == 0 ? RUNNING : IDLE);
	return error;
}

void
demo_load_look(struct demo_progress *progress)
{
	uint64_t now = now_ms(), until = atomic_load(&load.until_ms);
	const struct demo_plan *plan = atomic_load(&load.plan);

	progress->last = plan;
	progress->plan = atomic_load(&load.state) == IDLE ? NULL : plan;
	progress->left_ms = until > now ? (unsigned)(until - now) : 0;
	progress->answers = atomic_load(&load.answers);
	progress->failed = atomic_load(&load.failed);
}

void
demo_load_end(void)
{
	atomic_store(&load.ending, true);
	while (atomic_load(&load.state) == STARTING)
		rest(1000);
	if (load.has_thread)
		pthread_join(load.thread, NULL);
	load.has_thread = false;
}
