/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The floor: what a request costs when nobody looks at it.
 *
 *     spate-floor [--listen ADDR:PORT] [--threads N] [--close] [--body N]
 *
 * One epoll loop for each thread, a listener of its own for each, two system
 * calls for a request, and one send for all requests of a read. Every blank
 * line is answered with the same bytes; nothing else of a request is looked
 * at. A server's cost is given as a multiple of this one's, because the
 * multiple holds on another machine and the microseconds do not.
 *
 * The answer has the size of the demo's /plaintext, or a body of N bytes. With
 * --close it carries "Connection: close" and the connection ends after the
 * first one.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BLOCK 64
#define READ_SIZE (64 * 1024)
#define HEAD_MAX 256
#define BODY_MAX (1024 * 1024) /* so that what is owed fits */
#define ANSWERS_SIZE (64 * 1024)
#define EVENTS 512
#define THREADS_MAX 256

/*
 * What is kept of a connection: the last two places of the mask of newlines,
 * for a blank line that two reads share, and the bytes of answers that a
 * send did not take.
 */
struct conn {
	uint32_t owed;
	uint8_t newlines;
};

static struct sockaddr_in address;
static struct conn *conns; /* by descriptor */
static rlim_t conns_max;
static char *answers; /* the same one again and again */
static uint32_t answer_count, answer_size;
static uint32_t body_size;
static bool closes;

/* A bit for each of 64 bytes that is a newline. */
static inline uint64_t
newlines_of(const char *data)
{
	uint64_t mask = 0;

#ifdef __SSE2__
	const __m128i newline = _mm_set1_epi8('\n');

#pragma GCC unroll 4
	for (int i = 0; i < BLOCK / 16; i++) {
		__m128i part = _mm_loadu_si128(
		    (const __m128i *)(data + 16 * i));
		uint64_t bits = (uint32_t)_mm_movemask_epi8(
		    _mm_cmpeq_epi8(part, newline));

		mask |= bits << (16 * i);
	}
#else
	for (int i = 0; i < BLOCK; i++)
		mask |= (uint64_t)(data[i] == '\n') << i;
#endif
	return mask;
}

/*
 * A line of one byte, its carriage return, is the blank one: no header has
 * less than two. So it ends at a newline with another two places before it.
 */
static uint32_t
count_blank_lines(struct conn *conn, const char *data, size_t size)
{
	uint64_t tail = conn->newlines, mask, found;
	uint32_t count = 0;

	for (; size >= BLOCK; data += BLOCK, size -= BLOCK) {
		mask = newlines_of(data);
		for (found = mask & (mask << 2 | tail); found != 0;
		     found &= found - 1)
			count++;
		tail = mask >> (BLOCK - 2);
	}
	if (size > 0) {
		mask = newlines_of(data) & ((UINT64_C(1) << size) - 1);
		for (found = mask & (mask << 2 | tail); found != 0;
		     found &= found - 1)
			count++;
		tail = (size > 1 ? mask >> (size - 2) : mask << 1 | tail >> 1)
		       & 3;
	}
	conn->newlines = (uint8_t)tail;
	return count;
}

/*
 * Sends what is owed. => Returns false if the connection is broken. What is
 * still owed afterwards waits for EPOLLOUT.
 */
static bool
pay(int fd, struct conn *conn)
{
	while (conn->owed > 0) {
		uint32_t begun = conn->owed % answer_size;
		uint32_t from = begun > 0 ? answer_size - begun : 0;
		uint32_t room = answer_count * answer_size - from;
		uint32_t size = conn->owed < room ? conn->owed : room;
		ssize_t n = send(fd, answers + from, size, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN;
		conn->owed -= (uint32_t)n;
	}
	return true;
}

static bool
serve(int epoll, int fd, uint32_t events, char *buffer)
{
	struct conn *conn = &conns[fd];
	bool was_paid = conn->owed == 0;
	ssize_t n;

	if (!pay(fd, conn))
		return false;
	/*
	 * A short read has emptied the socket: no second one for EAGAIN. But
	 * an end that came with the last bytes gives no event of its own.
	 */
	while (conn->owed == 0) {
		n = recv(fd, buffer, READ_SIZE, 0);
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		conn->owed = answer_size
			     * count_blank_lines(conn, buffer, (size_t)n);
		if (!pay(fd, conn))
			return false;
		if (closes && conn->owed == 0)
			return false;
		if (n < READ_SIZE && (events & EPOLLRDHUP) == 0)
			break;
	}
	if (conn->owed > 0 && was_paid) {
		struct epoll_event event = {
			EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, { .fd = fd }
		};

		return epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) == 0;
	}
	return true;
}

static void
accept_all(int epoll, int listener)
{
	for (;;) {
		struct epoll_event event = { EPOLLIN | EPOLLRDHUP | EPOLLET,
			{ 0 } };
		int fd = accept4(
		    listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		if ((rlim_t)fd >= conns_max) {
			close(fd);
			continue;
		}
		conns[fd] = (struct conn){ 0 };
		event.data.fd = fd;
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
			close(fd);
	}
}

_Noreturn static void
die(int status, const char *what)
{
	fprintf(stderr, "spate-floor: %s: %s\n", what, strerror(errno));
	exit(status);
}

static int
open_listener(void)
{
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die(EX_OSERR, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die(EX_UNAVAILABLE, "bind");
	if (listen(fd, SOMAXCONN) != 0)
		die(EX_UNAVAILABLE, "listen");
	return fd;
}

/*
 * Connections to the listener of the CPU where they arrive. Listeners count in
 * the order in which they began to listen, and thread N is on CPU N.
 */
static void
spread_by_cpu(int listener)
{
	struct sock_filter code[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0,
		    (uint32_t)(SKF_AD_OFF + SKF_AD_CPU) },
		{ BPF_RET | BPF_A, 0, 0, 0 },
	};
	struct sock_fprog program = { 2, code };

	if (setsockopt(listener, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
		sizeof(program))
	    != 0)
		die(EX_OSERR, "SO_ATTACH_REUSEPORT_CBPF");
}

static void
pin(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	errno = pthread_setaffinity_np(thread, sizeof(set), &set);
	if (errno != 0)
		die(EX_OSERR, "pthread_setaffinity_np");
}

static void *
loop(void *argument)
{
	struct epoll_event events[EVENTS], event = { EPOLLIN, { 0 } };
	int listener = (int)(intptr_t)argument;
	int epoll = epoll_create1(EPOLL_CLOEXEC), count;
	char *buffer = malloc(READ_SIZE + BLOCK); /* the last block is whole */

	event.data.fd = listener;
	if (epoll < 0 || buffer == NULL
	    || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
		die(EX_OSERR, "epoll");
	for (;;) {
		count = epoll_wait(epoll, events, EVENTS, -1);
		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (fd == listener)
				accept_all(epoll, listener);
			else if (!serve(epoll, fd, events[i].events, buffer))
				close(fd);
		}
	}
	return NULL;
}

static void
compose(void)
{
	static const char hello[] = "Hello, World!";
	time_t now = time(NULL);
	struct tm utc;
	char date[64], head[HEAD_MAX];
	uint32_t size = body_size > 0 ? body_size : sizeof(hello) - 1;
	uint32_t head_size;

	strftime(
	    date, sizeof(date), "%a, %d %b %Y %T GMT", gmtime_r(&now, &utc));
	head_size = (uint32_t)snprintf(head, sizeof(head),
	    "HTTP/1.1 200 OK\r\n"
	    "Server: spate\r\n"
	    "Date: %s\r\n"
	    "%s"
	    "Content-Type: text/plain\r\n"
	    "Content-Length: %u\r\n"
	    "\r\n",
	    date, closes ? "Connection: close\r\n" : "", size);
	answer_size = head_size + size;
	/* Two at least: pay() begins within the first. */
	answer_count = ANSWERS_SIZE / answer_size + 2;
	answers = malloc((size_t)answer_count * answer_size);
	if (answers == NULL)
		die(EX_OSERR, "malloc");
	for (uint32_t i = 0; i < answer_count; i++) {
		char *answer = answers + (size_t)i * answer_size;

		memcpy(answer, head, head_size);
		if (body_size > 0)
			memset(answer + head_size, 'x', size);
		else
			memcpy(answer + head_size, hello, size);
	}
}

static void
reserve(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		die(EX_OSERR, "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	conns_max = limit.rlim_cur < 1 << 20 ? limit.rlim_cur : 1 << 20;
	conns = calloc(conns_max, sizeof(*conns));
	if (conns == NULL)
		die(EX_OSERR, "calloc");
}

_Noreturn static void
usage(void)
{
	fprintf(stderr, "usage: spate-floor [--listen ADDR:PORT] [--threads N] "
			"[--close] [--near] [--body N]\n");
	exit(EX_USAGE);
}

static void
set_address(const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[INET_ADDRSTRLEN];
	int port;

	if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
		usage();
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	port = atoi(colon + 1);
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1 || port < 1
	    || port > UINT16_MAX)
		usage();
	address.sin_family = AF_INET;
	address.sin_port = htons((uint16_t)port);
}

int
main(int argc, char **argv)
{
	int threads = 1, listeners[THREADS_MAX];
	bool near = false;

	set_address("127.0.0.1:8081");
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--close") == 0)
			closes = true;
		else if (strcmp(argv[i], "--near") == 0)
			near = true;
		else if (strcmp(argv[i], "--listen") == 0 && i + 1 < argc)
			set_address(argv[++i]);
		else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
			threads = atoi(argv[++i]);
		else if (strcmp(argv[i], "--body") == 0 && i + 1 < argc)
			body_size = (uint32_t)atoi(argv[++i]);
		else
			usage();
	}
	if (threads < 1 || threads > THREADS_MAX || body_size > BODY_MAX)
		usage();
	reserve();
	compose();
	for (int i = 0; i < threads; i++)
		listeners[i] = open_listener();
	if (near) {
		spread_by_cpu(listeners[0]);
		pin(pthread_self(), 0);
	}
	for (int i = 1; i < threads; i++) {
		pthread_t thread;

		errno = pthread_create(
		    &thread, NULL, loop, (void *)(intptr_t)listeners[i]);
		if (errno != 0)
			die(EX_OSERR, "pthread_create");
		if (near)
			pin(thread, i);
	}
	loop((void *)(intptr_t)listeners[0]);
	return 0;
}
