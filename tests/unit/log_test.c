/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/log.h"

#include "alloc/check.h"
#include "tests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static char memory[8192];

/* A line as text, ended by a NUL. */
static const char *
put(enum spate_log_format format, const struct sp_log_line *line)
{
	struct sp_text text;

	sp_text_init(&text, memory, sizeof(memory) - 1);
	sp_log_put(&text, format, line);
	EXPECT(!text.overflow);
	memory[text.size] = '\0';
	return memory;
}

/* The end of a file, or of a pipe without a writer, is that of the text. */
static size_t
read_lines(int fd)
{
	size_t lines = 0;
	char byte;

	while (read(fd, &byte, 1) == 1)
		lines += byte == '\n';
	return lines;
}

static struct sp_log *
start(int fd, uint32_t lines)
{
	struct sp_log *log;

	EXPECT_EQ(sp_log_new(&log, fd, SPATE_LOG_LOGFMT, lines), 0);
	EXPECT_EQ(sp_log_begin(log), 0);
	return log;
}

TEST(a_line_is_pairs_or_an_object)
{
	const struct sp_log_line line = {
		.time_ns = UINT64_C(1764100800007000000),
		.level = SPATE_LOG_WARNING,
		.message = "two words",
	};

	EXPECT(strcmp(put(SPATE_LOG_LOGFMT, &line),
		   "time=2025-11-25T20:00:00.007Z level=warning "
		   "msg=\"two words\"\n")
	       == 0);
	EXPECT(strcmp(put(SPATE_LOG_JSON, &line),
		   "{\"time\":\"2025-11-25T20:00:00.007Z\","
		   "\"level\":\"warning\",\"msg\":\"two words\"}\n")
	       == 0);
}

TEST(an_answer_has_fields)
{
	const struct sp_log_line line = {
		.level = SPATE_LOG_INFO,
		.is_access = true,
		.access = { .method = "GET",
		    .route = "/a/:b",
		    .status = 200,
		    .bytes = 13,
		    .queue_us = 1,
		    .run_us = 2,
		    .parked_us = 3,
		    .blocked_us = 4,
		    .shard = 5,
		    .conn = sp_handle_make(4, 1, 17),
		    .req = 6 },
	};

	EXPECT(strcmp(put(SPATE_LOG_LOGFMT, &line),
		   "time=1970-01-01T00:00:00.000Z level=info msg=request "
		   "method=GET route=/a/:b status=200 bytes=13 queue_us=1 "
		   "run_us=2 parked_us=3 blocked_us=4 shard=5 req=6 "
		   "conn=1.17.4\n")
	       == 0);
	EXPECT(strstr(put(SPATE_LOG_JSON, &line),
		   "\"msg\":\"request\",\"method\":\"GET\","
		   "\"route\":\"/a/:b\",\"status\":200,\"bytes\":13,"
		   "\"queue_us\":1,\"run_us\":2,\"parked_us\":3,"
		   "\"blocked_us\":4,\"shard\":5,\"req\":6,"
		   "\"conn\":\"1.17.4\"}\n")
	       != NULL);
}

TEST(nothing_gets_into_a_line_unescaped)
{
	static const char *const said[] = { "a\nlevel=error", "a\"b", "a=b",
		"a\\b", "", "\033[2J" };
	static const char *const logged[] = { "\"a\\nlevel=error\"",
		"\"a\\\"b\"", "\"a=b\"", "\"a\\\\b\"", "\"\"",
		"\"\\u001b[2J\"" };

	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
		struct sp_log_line line = { .level = SPATE_LOG_INFO };
		char wanted[64];

		strcpy(line.message, said[i]);
		snprintf(wanted, sizeof(wanted), " msg=%s\n", logged[i]);
		EXPECT(strstr(put(SPATE_LOG_LOGFMT, &line), wanted) != NULL);
		EXPECT(strchr(memory, '\n')[1] == '\0');
		put(SPATE_LOG_JSON, &line);
		EXPECT(strchr(memory, '\n')[1] == '\0');
	}
}

TEST(the_longest_line_fits_in_what_is_written_at_a_time)
{
	struct sp_log_line line = { .level = SPATE_LOG_WARNING };

	memset(line.message, 1, SP_LOG_MESSAGE - 1);
	EXPECT(strlen(put(SPATE_LOG_JSON, &line)) < 4096 - 256);
}

TEST(a_long_route_leaves_the_rest_of_its_line_and_other_lines)
{
	static char route[8000];
	struct sp_access access = { .method = "GET",
		.route = route,
		.status = 200,
		.bytes = UINT64_MAX,
		.queue_us = UINT64_MAX,
		.run_us = UINT64_MAX,
		.parked_us = UINT64_MAX,
		.blocked_us = UINT64_MAX,
		.req = UINT64_MAX };
	struct sp_log_line line = { .level = SPATE_LOG_INFO,
		.is_access = true };
	struct sp_log *log;
	int ends[2];

	memset(route, '"', sizeof(route) - 1);
	memset(access.peer, 'p', sizeof(access.peer) - 1);
	memset(access.request_id, 'r', SP_REQUEST_ID);
	memset(access.trace.trace_id, '1', 32);
	memset(access.trace.parent_id, '1', 16);
	line.access = access;
	EXPECT(strlen(put(SPATE_LOG_JSON, &line)) < 4096);
	EXPECT(strstr(memory, "\"status\":200") != NULL);

	EXPECT_EQ(pipe(ends), 0);
	EXPECT_EQ(sp_log_new(&log, ends[1], SPATE_LOG_JSON, 16), 0);
	close(ends[1]);
	for (int i = 0; i < 4; i++)
		sp_log_access(log, NULL, &access);
	sp_log_message(log, SPATE_LOG_INFO, "the last");
	EXPECT_EQ(sp_log_begin(log), 0);
	sp_log_stop(log);
	EXPECT_EQ(sp_load(&log->written, relaxed), 5);
	sp_log_free(log);
	EXPECT_EQ(read_lines(ends[0]), 5);
	close(ends[0]);
}

TEST(what_was_said_is_written_when_the_log_stops)
{
	int ends[2];
	struct sp_log *log;

	EXPECT_EQ(pipe(ends), 0);
	log = start(ends[1], 64);
	close(ends[1]);
	for (int i = 0; i < 64; i++)
		sp_log_message(log, SPATE_LOG_INFO, "hello");
	sp_log_stop(log);
	EXPECT_EQ(
	    sp_load(&log->written, relaxed) + sp_load(&log->dropped, relaxed),
	    64);
	EXPECT_EQ(sp_load(&log->lost, relaxed), 0);
	EXPECT_EQ(sp_load(&log->dropped, relaxed), 0);
	sp_log_free(log);
	EXPECT_EQ(read_lines(ends[0]), 64);
	close(ends[0]);
}

TEST(what_was_said_before_the_writer_began_is_written_too)
{
	FILE *file = tmpfile();
	struct sp_log *log;

	EXPECT_EQ(sp_log_new(&log, fileno(file), SPATE_LOG_LOGFMT, 4), 0);
	sp_log_message(log, SPATE_LOG_INFO, "hello");
	sp_log_stop(log);
	sp_log_free(log);
	lseek(fileno(file), 0, SEEK_SET);
	EXPECT_EQ(read_lines(fileno(file)), 1);
	fclose(file);
}

/*
 * Goal: who says something goes on, whatever becomes of the pipe, and each
 * line is either there or counted.
 *
 * Method: a pipe of one page that nobody reads until all is said.
 */
TEST(a_reader_that_is_stuck_costs_lines_which_are_counted)
{
	const uint64_t said = 1000;
	int ends[2];
	struct sp_log *log;
	uint64_t dropped;

	EXPECT_EQ(pipe(ends), 0);
	EXPECT(fcntl(ends[1], F_SETPIPE_SZ, 4096) > 0);
	log = start(ends[1], 8);
	close(ends[1]);
	for (uint64_t i = 0; i < said; i++)
		sp_log_message(log, SPATE_LOG_INFO, "hello");
	dropped = sp_load(&log->dropped, relaxed);
	EXPECT(dropped > 0 && dropped < said);
	sp_log_stop(log);
	EXPECT_EQ(sp_load(&log->written, relaxed) + dropped
		      + sp_load(&log->lost, relaxed),
	    said);
	dropped = sp_load(&log->written, relaxed);
	sp_log_free(log);
	EXPECT_EQ(read_lines(ends[0]), dropped);
	close(ends[0]);
}

static void
expect_all_lost(int fd)
{
	struct sp_log *log = start(fd, 16);

	for (int i = 0; i < 10; i++)
		sp_log_message(log, SPATE_LOG_INFO, "hello");
	sp_log_stop(log);
	EXPECT_EQ(sp_load(&log->lost, relaxed), 10);
	EXPECT_EQ(sp_load(&log->written, relaxed), 0);
	sp_log_free(log);
}

TEST(a_full_disk_a_gone_reader_and_no_file_lose_lines_and_no_more)
{
	int ends[2], full = open("/dev/full", O_WRONLY);

	expect_all_lost(full);
	close(full);
	EXPECT_EQ(pipe(ends), 0);
	close(ends[0]);
	expect_all_lost(ends[1]);
	close(ends[1]);
	expect_all_lost(-1);
}

TEST(a_log_short_of_a_descriptor_is_an_error)
{
	struct rlimit before, low;
	struct sp_log *log;

	SP_CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	low = before;
	low.rlim_cur = (rlim_t)dup(STDERR_FILENO);
	SP_CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
	EXPECT_EQ(sp_log_new(&log, STDERR_FILENO, SPATE_LOG_LOGFMT, 16),
	    low.rlim_cur > 3 ? -EMFILE : -EINVAL);
	EXPECT(log == NULL);
	SP_CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	close((int)low.rlim_cur);
}

/* What is in a file, as text. */
static const char *
contents(FILE *file)
{
	size_t size;

	rewind(file);
	size = fread(memory, 1, sizeof(memory) - 1, file);
	memory[size] = '\0';
	return memory;
}

/*
 * Goal: lines of several rings and of the threads without one come out in the
 * order in which they were said. Method: all are said before there is a
 * writer, so that they are one round.
 */
TEST(lines_of_a_round_are_in_the_order_of_their_stamps)
{
	SP_ATOMIC(uint64_t) dropped = 0;
	FILE *file = tmpfile();
	struct sp_log_ring *rings[3] = { NULL };
	struct sp_log *log;
	const char *at;

	EXPECT_EQ(sp_log_new(&log, fileno(file), SPATE_LOG_LOGFMT, 8), 0);
	for (int i = 1; i < 3; i++) {
		rings[i] = sp_log_ring_new(log, &dropped);
		EXPECT(rings[i] != NULL);
	}
	for (int i = 0; i < 12; i++) {
		char message[16];

		snprintf(message, sizeof(message), "line%02d", i);
		sp_log_say(
		    log, rings[(i * 5 + i / 3) % 3], SPATE_LOG_INFO, message);
	}
	sp_log_stop(log);
	EXPECT_EQ(sp_load(&log->written, relaxed), 12);
	EXPECT_EQ(sp_load(&dropped, relaxed), 0);
	sp_log_free(log);
	at = contents(file);
	for (int i = 0; i < 12; i++) {
		char message[16];

		snprintf(message, sizeof(message), "line%02d\n", i);
		at = at != NULL ? strstr(at, message) : NULL;
		EXPECT(at != NULL);
	}
	fclose(file);
}

TEST(what_a_full_ring_drops_is_counted_with_its_worker)
{
	SP_ATOMIC(uint64_t) dropped = 0;
	FILE *file = tmpfile();
	struct sp_log_ring *ring;
	struct sp_log *log;

	EXPECT_EQ(sp_log_new(&log, fileno(file), SPATE_LOG_LOGFMT, 4), 0);
	ring = sp_log_ring_new(log, &dropped);
	for (int i = 0; i < 10; i++)
		sp_log_say(log, ring, SPATE_LOG_INFO, "hello");
	EXPECT_EQ(sp_load(&dropped, relaxed), 6);
	EXPECT_EQ(sp_load(&log->dropped, relaxed), 0);
	sp_log_message(log, SPATE_LOG_INFO, "of no worker");
	sp_log_stop(log);
	EXPECT_EQ(sp_load(&log->written, relaxed), 5);
	sp_log_free(log);
	EXPECT(strstr(contents(file), "of no worker") != NULL);
	fclose(file);
}

static void
says(const struct sp_access *access, const char *logfmt, const char *json)
{
	const struct sp_log_line line = {
		.level = SPATE_LOG_INFO, .is_access = true, .access = *access
	};

	EXPECT(strstr(put(SPATE_LOG_LOGFMT, &line), logfmt) != NULL);
	EXPECT(strstr(put(SPATE_LOG_JSON, &line), json) != NULL);
}

TEST(an_answer_of_a_trace_says_which)
{
	const struct sp_access access = { .method = "GET",
		.route = "/",
		.trace = { .trace_id = "0af7651916cd43dd8448eb211c80319c",
		    .parent_id = "b7ad6b7169203331" },
		.span = 0x7b };

	says(&access,
	    " trace_id=0af7651916cd43dd8448eb211c80319c "
	    "span_id=000000000000007b parent_id=b7ad6b7169203331\n",
	    ",\"trace_id\":\"0af7651916cd43dd8448eb211c80319c\","
	    "\"span_id\":\"000000000000007b\","
	    "\"parent_id\":\"b7ad6b7169203331\"}");
}

TEST(what_a_client_calls_its_request_is_one_value)
{
	const struct sp_access access = { .method = "GET",
		.route = "/",
		.peer = "[::1]:80",
		.request_id = "a=b" };

	says(&access, " peer=[::1]:80 request_id=\"a=b\"\n",
	    ",\"peer\":\"[::1]:80\",\"request_id\":\"a=b\"}");
}

#define SAYERS 4
#define SAYS 500

struct sayer {
	pthread_t thread;
	struct sp_log *log;
	struct sp_log_ring *ring; /* or NULL */
	SP_ATOMIC(uint64_t) dropped;
};

static void *
say(void *arg)
{
	struct sayer *sayer = arg;

	for (int i = 0; i < SAYS; i++)
		sp_log_say(sayer->log, sayer->ring, SPATE_LOG_INFO, "hello");
	return NULL;
}

/*
 * Goal: no line is lost or said twice between threads. Method: some have a
 * ring and others share the queue, all of 4 lines, which wrap.
 */
TEST(threads_say_lines_at_once_and_each_is_counted_once)
{
	FILE *file = tmpfile();
	struct sp_log *log = start(fileno(file), 4);
	struct sayer sayers[SAYERS];
	uint64_t written, dropped = 0;

	for (int i = 0; i < SAYERS; i++) {
		struct sayer *sayer = &sayers[i];

		sayer->log = log;
		sp_store(&sayer->dropped, 0, relaxed);
		sayer->ring = i % 2 == 0 ? sp_log_ring_new(log, &sayer->dropped)
					 : NULL;
		EXPECT_EQ(pthread_create(&sayer->thread, NULL, say, sayer), 0);
	}
	for (int i = 0; i < SAYERS; i++) {
		pthread_join(sayers[i].thread, NULL);
		dropped += sp_load(&sayers[i].dropped, relaxed);
	}
	sp_log_stop(log);
	written = sp_load(&log->written, relaxed);
	EXPECT_EQ(
	    written + dropped + sp_load(&log->dropped, relaxed), SAYERS * SAYS);
	sp_log_free(log);
	lseek(fileno(file), 0, SEEK_SET);
	EXPECT_EQ(read_lines(fileno(file)), written);
	fclose(file);
}
