/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/log.h"

#include "tests/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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
		.time_ms = UINT64_C(1764100800007),
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
		.message = "request",
		.access = { .method = "GET",
		    .route = "/a/:b",
		    .status = 200,
		    .bytes = 13,
		    .queue_us = 1,
		    .run_us = 2,
		    .parked_us = 3,
		    .blocked_us = 4,
		    .shard = 5 },
	};

	EXPECT(strcmp(put(SPATE_LOG_LOGFMT, &line),
		   "time=1970-01-01T00:00:00.000Z level=info msg=request "
		   "method=GET route=/a/:b status=200 bytes=13 queue_us=1 "
		   "run_us=2 parked_us=3 blocked_us=4 shard=5\n")
	       == 0);
	EXPECT(strstr(put(SPATE_LOG_JSON, &line),
		   "\"msg\":\"request\",\"method\":\"GET\","
		   "\"route\":\"/a/:b\",\"status\":200,\"bytes\":13,"
		   "\"queue_us\":1,\"run_us\":2,\"parked_us\":3,"
		   "\"blocked_us\":4,\"shard\":5}\n")
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

#define SAYERS 4
#define SAYS 500

static void *
say(void *log)
{
	for (int i = 0; i < SAYS; i++)
		sp_log_message(log, SPATE_LOG_INFO, "hello");
	return NULL;
}

/* Goal: no line is lost or said twice between threads. A queue of 4 wraps. */
TEST(threads_say_lines_at_once_and_each_is_counted_once)
{
	FILE *file = tmpfile();
	struct sp_log *log = start(fileno(file), 4);
	pthread_t sayers[SAYERS];
	uint64_t written;

	for (int i = 0; i < SAYERS; i++)
		EXPECT_EQ(pthread_create(&sayers[i], NULL, say, log), 0);
	for (int i = 0; i < SAYERS; i++)
		pthread_join(sayers[i], NULL);
	sp_log_stop(log);
	written = sp_load(&log->written, relaxed);
	EXPECT_EQ(written + sp_load(&log->dropped, relaxed), SAYERS * SAYS);
	sp_log_free(log);
	lseek(fileno(file), 0, SEEK_SET);
	EXPECT_EQ(read_lines(fileno(file)), written);
	fclose(file);
}
