/* SPDX-License-Identifier: BSD-2-Clause */

/* Saying lines, and the thread that writes them; log.h has the picture. */

#include "framework/log.h"

#include "alloc/cacheline.h"
#include "shards/clock.h"
#include "shards/futex.h"
#include "shards/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/*
 * What is written at a time: for a pipe with room at all, there is room for
 * this much, so the write does not block; and lines stay whole.
 */
#define BATCH 4096

/* A line at its longest: each byte escaped, and the rest of it. */
#define LINE_MAX_SIZE (SP_LOG_MESSAGE * 6 + 256)

/* How often the writer, waiting for a reader, looks whether it is to end. */
#define LOOK_MS 50
#define LAST_LOOKS 20

/* ------------------------------------------------------------- any thread */

static void
wake(struct sp_log *log)
{
	if (!sp_idle_claim(&log->idle, 0)) /* IDLE2 */
		return;
	/* WORD release. */
	sp_fetch_add(&log->wake_word, 1, release);
	sp_futex_wake(&log->wake_word);
}

/* => Returns NULL: there is none, which is counted. */
static struct sp_log_line *
take_line(struct sp_log *log, enum spate_log_level level)
{
	struct sp_log_line *line;
	struct timespec now;
	void *item;

	if (!sp_queue_pop(&log->free, &item)) {
		sp_fetch_add(&log->dropped, 1, relaxed);
		return NULL;
	}
	line = item;
	clock_gettime(CLOCK_REALTIME, &now);
	line->time_ms = (uint64_t)now.tv_sec * 1000
			+ (uint64_t)now.tv_nsec / SP_NS_PER_MS;
	line->level = level;
	return line;
}

/*
 * There should be room, as there are no more lines than slots; but a slot may
 * look taken for a moment after it was popped. Then the line is dropped.
 */
static void
say(struct sp_log *log, struct sp_log_line *line)
{
	if (sp_likely(sp_queue_push(&log->said, line))) { /* IDLE1 */
		wake(log);
		return;
	}
	sp_fetch_add(&log->dropped, 1, relaxed);
	sp_queue_push(&log->free, line);
}

void
sp_log_message(void *arg, enum spate_log_level level, const char *message)
{
	struct sp_log *log = arg;
	struct sp_log_line *line = take_line(log, level);
	size_t size = strnlen(message, SP_LOG_MESSAGE - 1);

	if (line == NULL)
		return;
	line->is_access = false;
	memcpy(line->message, message, size);
	line->message[size] = '\0';
	say(log, line);
}

void
sp_log_access(struct sp_log *log, const struct sp_access *access)
{
	struct sp_log_line *line = take_line(log, SPATE_LOG_INFO);

	if (line == NULL)
		return;
	line->is_access = true;
	line->access = *access;
	memcpy(line->message, "request", sizeof("request"));
	say(log, line);
}

/* ------------------------------------------------------------- the writer */

static bool
is_stopping(struct sp_log *log)
{
	return sp_load(&log->stopping, seq_cst) != 0;
}

/*
 * Wait for room in a pipe, or a terminal that is held.
 *
 * => Returns false: the log is being stopped, and nobody reads.
 */
static bool
wait_for_room(struct sp_log *log)
{
	struct pollfd room = { .fd = log->fd, .events = POLLOUT };
	unsigned looks = 0;

	while (!log->given_up && poll(&room, 1, LOOK_MS) == 0) {
		if (is_stopping(log))
			log->given_up = ++looks == LAST_LOOKS;
	}
	return !log->given_up;
}

/* => Returns the size of what could not be written. */
static size_t
write_text(struct sp_log *log, const char *data, size_t size)
{
	while (size != 0 && wait_for_room(log)) {
		ssize_t n = write(log->fd, data, size);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			break; /* a full disk, or a reader that has gone */
		data += n;
		size -= (size_t)n;
	}
	return size;
}

/* Count its lines: those that ended in what was written, and the others. */
static void
flush(struct sp_log *log, struct sp_text *text)
{
	size_t left = write_text(log, text->data, text->size);
	uint64_t lost = 0, written = 0;

	for (size_t i = 0; i < text->size; i++) {
		if (text->data[i] != '\n')
			continue;
		if (i >= text->size - left)
			lost++;
		else
			written++;
	}
	sp_count(&log->written, written);
	sp_count(&log->lost, lost);
	text->size = 0;
}

/*
 * Give a line back. The slot for it may be that of a pop that is not yet at
 * its end; this thread has the time to wait for that.
 */
static void
give_back(struct sp_log *log, struct sp_log_line *line)
{
	const struct timespec pause = { .tv_nsec = 50000 };

	while (!sp_queue_push(&log->free, line))
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

/* Write all that was said so far. */
static void
write_lines(struct sp_log *log)
{
	char memory[BATCH];
	struct sp_text text;
	void *item;

	sp_text_init(&text, memory, sizeof(memory));
	while (sp_queue_pop(&log->said, &item)) {
		if (text.capacity - text.size < LINE_MAX_SIZE)
			flush(log, &text);
		sp_log_put(&text, log->format, item);
		give_back(log, item);
	}
	flush(log, &text);
}

static void
sleep_if_empty(struct sp_log *log)
{
	uint32_t word = sp_load(&log->wake_word, relaxed);

	sp_idle_announce(&log->idle, 0);                       /* IDLE3 */
	if ((sp_queue_can_pop(&log->said) || is_stopping(log)) /* IDLE4 */
	    && sp_idle_retract(&log->idle, 0))
		return;
	/* WORD acquire. */
	while (sp_load(&log->wake_word, acquire) == word)
		sp_futex_wait(&log->wake_word, word);
}

static void *
writer_main(void *arg)
{
	struct sp_log *log = arg;

	pthread_setname_np(pthread_self(), "spate/log");
	while (!is_stopping(log)) {
		write_lines(log);
		sleep_if_empty(log);
	}
	write_lines(log);
	return NULL;
}

/* -------------------------------------------------------- start and stop */

static bool
make_queues(struct sp_log *log, uint64_t size)
{
	struct sp_queue_slot *free_slots = calloc(size, sizeof(*free_slots));
	struct sp_queue_slot *said_slots = calloc(size, sizeof(*said_slots));

	log->free.slot = free_slots;
	log->said.slot = said_slots;
	log->memory = calloc(size, sizeof(*log->memory));
	if (free_slots == NULL || said_slots == NULL || log->memory == NULL)
		return false;
	sp_queue_init(&log->free, free_slots, size);
	sp_queue_init(&log->said, said_slots, size);
	for (uint64_t i = 0; i < size; i++)
		sp_queue_push(&log->free, &log->memory[i]);
	return true;
}

/* SIGPIPE is blocked like all others: a reader that has gone is an error. */
int
sp_log_begin(struct sp_log *log)
{
	sigset_t before;
	int error;

	sp_signals_block(&before);
	error = pthread_create(&log->thread, NULL, writer_main, log);
	sp_signals_unblock(&before);
	log->begun = error == 0;
	return -error;
}

int
sp_log_new(
    struct sp_log **out, int fd, enum spate_log_format format, uint32_t lines)
{
	struct sp_log *log;
	void *memory;

	*out = NULL;
	if (posix_memalign(&memory, SP_APART, sizeof(*log)) != 0)
		return -ENOMEM;
	log = memset(memory, 0, sizeof(*log));
	/* A later socket with this number is not to get what is said. */
	log->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	log->format = format;
	log->given_up = log->fd < 0;
	if (!make_queues(log, sp_queue_size(lines))) {
		sp_log_free(log);
		return -ENOMEM;
	}
	*out = log;
	return 0;
}

void
sp_log_stop(struct sp_log *log)
{
	if (log == NULL)
		return;
	/* Of a server that did not start there may be something to say. */
	if (!log->begun && sp_log_begin(log) != 0)
		return;
	sp_store(&log->stopping, 1, seq_cst);
	wake(log);
	pthread_join(log->thread, NULL);
}

void
sp_log_free(struct sp_log *log)
{
	if (log == NULL)
		return;
	if (log->fd >= 0)
		close(log->fd);
	free(log->free.slot);
	free(log->said.slot);
	free(log->memory);
	free(log);
}
