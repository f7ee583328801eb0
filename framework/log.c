/* SPDX-License-Identifier: BSD-2-Clause */

/* Saying lines; log.h has the picture, and log_writer.c who writes them. */

#include "framework/log.h"

#include "alloc/cacheline.h"
#include "framework/server.h"
#include "shards/clock.h"
#include "shards/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------- any thread */

/* => Returns NULL: there is none, which is counted. */
static struct sp_log_line *
free_line(struct sp_log *log, struct sp_log_ring *ring)
{
	uint64_t slot;
	void *item;

	if (ring != NULL) {
		if (sp_spsc_ring_room(&ring->ring, &slot))
			return &ring->lines[slot];
		sp_count(ring->dropped, 1);
		return NULL;
	}
	if (sp_queue_pop(&log->free, &item))
		return item;
	sp_fetch_add(&log->dropped, 1, relaxed);
	return NULL;
}

static struct sp_log_line *
begin_line(
    struct sp_log *log, struct sp_log_ring *ring, enum spate_log_level level)
{
	struct sp_log_line *line = free_line(log, ring);
	struct timespec now;

	if (line == NULL)
		return NULL;
	clock_gettime(CLOCK_REALTIME, &now);
	line->time_ns = (uint64_t)now.tv_sec * SP_NS_PER_S
			+ (uint64_t)now.tv_nsec;
	line->level = level;
	return line;
}

/*
 * In the queue there should be room, as there are no more lines than slots;
 * but a slot may look taken for a moment after it was popped. Then the line
 * is dropped.
 */
static void
end_line(struct sp_log *log, struct sp_log_ring *ring, struct sp_log_line *line)
{
	if (ring != NULL) {
		sp_spsc_ring_put(&ring->ring);                      /* IDLE1 */
	} else if (sp_unlikely(!sp_queue_push(&log->said, line))) { /* IDLE1 */
		sp_fetch_add(&log->dropped, 1, relaxed);
		sp_queue_push(&log->free, line);
		return;
	}
	sp_log_wake(log);
}

void
sp_log_say(struct sp_log *log, struct sp_log_ring *ring,
    enum spate_log_level level, const char *message)
{
	struct sp_log_line *line = begin_line(log, ring, level);
	size_t size = strnlen(message, SP_LOG_MESSAGE - 1);

	if (line == NULL)
		return;
	line->is_access = false;
	memcpy(line->message, message, size);
	line->message[size] = '\0';
	end_line(log, ring, line);
}

void
sp_log_access(struct sp_log *log, struct sp_log_ring *ring,
    const struct sp_access *access)
{
	struct sp_log_line *line = begin_line(log, ring, SPATE_LOG_INFO);

	if (line == NULL)
		return;
	line->is_access = true;
	line->access = *access;
	end_line(log, ring, line);
}

/* A worker may be of another server, whose log has another writer. */
void
sp_log_message(void *arg, enum spate_log_level level, const char *message)
{
	struct sp_worker *worker = sp_worker_self();
	struct sp_log_ring *ring = worker != NULL ? sp_http_worker_log(worker)
						  : NULL;
	struct sp_log *log = arg;

	if (ring != NULL && ring->log != log)
		ring = NULL;
	sp_log_say(log, ring, level, message);
}

void
sp_log(const struct spate_server *server, enum spate_log_level level,
    const char *format, ...)
{
	char line[512];
	va_list args;

	if (server->options.log == NULL || !sp_log_wanted(server, level))
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	server->options.log(server->options.log_arg, level, line);
}

/* -------------------------------------------------------- start and stop */

struct sp_log_ring *
sp_log_ring_new(struct sp_log *log, SP_ATOMIC(uint64_t) * dropped)
{
	struct sp_log_ring *ring;
	void *memory;

	if (log == NULL
	    || posix_memalign(&memory, SP_APART, sizeof(*ring)) != 0)
		return NULL;
	ring = memset(memory, 0, sizeof(*ring));
	ring->log = log;
	ring->dropped = dropped;
	ring->lines = calloc(log->size, sizeof(*ring->lines));
	if (ring->lines == NULL) {
		free(ring);
		return NULL;
	}
	sp_spsc_ring_init(&ring->ring, log->size);
	sp_stack_push(&log->added, &ring->link);
	return ring;
}

static bool
make_queues(struct sp_log *log)
{
	uint64_t size = log->size;
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
	error = pthread_create(&log->thread, NULL, sp_log_writer, log);
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
	int error;

	*out = NULL;
	if (posix_memalign(&memory, SP_APART, sizeof(*log)) != 0)
		return -ENOMEM;
	log = memset(memory, 0, sizeof(*log));
	/* A later socket with this number is not to get what is said. */
	log->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	error = log->fd < 0 && errno != EBADF ? -errno : 0;
	log->format = format;
	log->given_up = log->fd < 0;
	log->size = sp_queue_size(lines);
	if (error == 0 && !make_queues(log))
		error = -ENOMEM;
	if (error != 0) {
		sp_log_free(log);
		return error;
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
	sp_log_wake(log);
	pthread_join(log->thread, NULL);
}

static void
free_rings(struct sp_link *link)
{
	while (link != NULL) {
		struct sp_log_ring *ring = sp_container_of(
		    link, struct sp_log_ring, link);

		link = link->next;
		free(ring->lines);
		free(ring);
	}
}

void
sp_log_free(struct sp_log *log)
{
	if (log == NULL)
		return;
	if (log->fd >= 0)
		close(log->fd);
	free_rings(log->rings);
	free_rings(sp_stack_pop_all(&log->added));
	free(log->free.slot);
	free(log->said.slot);
	free(log->memory);
	free(log);
}
