/* SPDX-License-Identifier: BSD-2-Clause */

/* The thread that writes what others have said; log.h has the picture. */

#include "framework/log.h"

#include "shards/clock.h"
#include "shards/futex.h"

#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

/*
 * What is written at a time: for a pipe with room at all, there is room for
 * this much, so the write does not block; and lines stay whole.
 */
#define BATCH 4096

static_assert(SP_LOG_LINE <= BATCH, "a line fits");

/* How often the writer, waiting for a reader, looks whether it is to end. */
#define LOOK_MS 50
#define LAST_LOOKS 20

/*
 * The rest after something was written. A futex is a system call of whoever
 * has something to say; of those that come in this time nobody makes one.
 */
#define REST_NS SP_NS_PER_MS

static bool
is_stopping(struct sp_log *log)
{
	return sp_load(&log->stopping, seq_cst) != 0;
}

/* --------------------------------------------------------------- the file */

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

/* ----------------------------------------------------------------- rounds */

static struct sp_log_ring *
ring_at(struct sp_link *link)
{
	return sp_container_of(link, struct sp_log_ring, link);
}

static void
take_rings(struct sp_log *log)
{
	struct sp_link *link = sp_stack_pop_all(&log->added);

	while (link != NULL) {
		struct sp_link *next = link->next;

		link->next = log->rings;
		log->rings = link;
		link = next;
	}
}

/* The next line of those threads that have no ring. */
static void
pop_said(struct sp_log *log)
{
	void *item = NULL;

	if (log->left == 0 || !sp_queue_pop(&log->said, &item)) {
		log->left = 0;
		log->first = NULL;
		return;
	}
	log->left--;
	log->first = item;
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

/* What has been said until now is this round's. */
static void
begin_round(struct sp_log *log)
{
	take_rings(log);
	for (struct sp_link *at = log->rings; at != NULL; at = at->next)
		ring_at(at)->left = sp_spsc_ring_look(&ring_at(at)->ring);
	log->left = log->size;
	pop_said(log);
}

static struct sp_log_line *
first_of(struct sp_log_ring *ring)
{
	return &ring->lines[sp_spsc_ring_first(&ring->ring)];
}

/*
 * The oldest line of the round, and its ring, or NULL if it has none.
 *
 * => Returns NULL: all of them are written.
 */
static struct sp_log_line *
oldest(struct sp_log *log, struct sp_log_ring **ring)
{
	struct sp_log_line *found = log->first;

	*ring = NULL;
	for (struct sp_link *at = log->rings; at != NULL; at = at->next) {
		struct sp_log_ring *other = ring_at(at);

		if (other->left == 0
		    || (found != NULL
			&& found->time_ns <= first_of(other)->time_ns))
			continue;
		*ring = other;
		found = first_of(other);
	}
	return found;
}

static void
done_with(
    struct sp_log *log, struct sp_log_ring *ring, struct sp_log_line *line)
{
	if (ring != NULL) {
		ring->left--;
		sp_spsc_ring_take(&ring->ring);
	} else {
		give_back(log, line);
		pop_said(log);
	}
}

/* => Returns whether there was anything. */
static bool
write_round(struct sp_log *log)
{
	char memory[BATCH];
	struct sp_log_ring *ring;
	struct sp_log_line *line;
	struct sp_text text;
	bool any = false;

	sp_text_init(&text, memory, sizeof(memory));
	begin_round(log);
	while ((line = oldest(log, &ring)) != NULL) {
		if (text.capacity - text.size < SP_LOG_LINE)
			flush(log, &text);
		sp_log_put(&text, log->format, line);
		done_with(log, ring, line);
		any = true;
	}
	flush(log, &text);
	return any;
}

/* --------------------------------------------------------------- its life */

static bool
is_anything_said(struct sp_log *log)
{
	if (sp_queue_can_pop(&log->said) || !sp_stack_empty(&log->added))
		return true;
	for (struct sp_link *at = log->rings; at != NULL; at = at->next) {
		if (sp_spsc_ring_look(&ring_at(at)->ring) != 0)
			return true;
	}
	return false;
}

void
sp_log_wake(struct sp_log *log)
{
	if (!sp_idle_claim(&log->idle, 0)) /* IDLE2 */
		return;
	/* WORD release. */
	sp_fetch_add(&log->wake_word, 1, release);
	sp_futex_wake(&log->wake_word);
}

static void
sleep_if_empty(struct sp_log *log)
{
	uint32_t word = sp_load(&log->wake_word, relaxed);

	sp_idle_announce(&log->idle, 0);                /* IDLE3 */
	if ((is_anything_said(log) || is_stopping(log)) /* IDLE4 */
	    && sp_idle_retract(&log->idle, 0))
		return;
	/* WORD acquire. */
	while (sp_load(&log->wake_word, acquire) == word)
		sp_futex_wait(&log->wake_word, word);
}

void *
sp_log_writer(void *arg)
{
	const struct timespec rest = { .tv_nsec = REST_NS };
	struct sp_log *log = arg;

	pthread_setname_np(pthread_self(), "spate/log");
	while (!is_stopping(log)) {
		if (write_round(log))
			clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
		else
			sleep_if_empty(log);
	}
	while (write_round(log))
		;
	return NULL;
}
