/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A server that crashes, in a process of its own: it says what it was doing,
 * and then ends as it would have.
 */

#include "alloc/asan.h"
#include "alloc/tsan.h"
#include "tests/e2e/client.h"
#include "tests/harness.h"

#include <signal.h>
#include <spate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int
fault(struct spate_req *req, void *arg)
{
	int *nowhere;

	(void)req;
	/* Not a constant that the compiler sees. */
	memcpy(&nowhere, arg, sizeof(nowhere));
	return *nowhere;
}

static int
give_up(struct spate_req *req, void *arg)
{
	(void)req;
	(void)arg;
	abort();
}

/* On a fiber's stack, until there is no more. */
static __attribute__((noinline)) int
descend(unsigned depth, char *above)
{
	char frame[512];

	memset(frame, (int)depth, sizeof(frame));
	if (above != NULL && above[0] == '\0')
		return frame[1];
	return descend(depth | 1, frame) + frame[0];
}

static int
overflow(struct spate_req *req, void *arg)
{
	(void)req;
	(void)arg;
	return descend(1, NULL);
}

static void
serve(int log, const char *dump)
{
	static void *const nowhere = (void *)16;
	struct spate_options options = spate_options_default();
	struct spate_server *server;
	char *arguments[] = { (char[]){ "crashing" }, NULL };

	dup2(log, STDERR_FILENO);
	options.shards = 1;
	options.crash_dump = dump;
	server = spate_server_new(&options);
	spate_admin(server, "none");
	spate_listen(server, "127.0.0.1:0");
	spate_route(
	    server, "GET", "/fault", fault, (void *)(uintptr_t)&nowhere);
	spate_route(server, "GET", "/abort", give_up, NULL);
	spate_route(server, "GET", "/overflow", overflow, NULL);
	_exit(spate_main(server, 1, arguments));
}

struct crashing {
	pid_t pid;
	int log;
	uint16_t port;
	char said[65536];
	size_t size;
};

/* Until that is in what it says, or it has ended. */
static void
read_log(struct crashing *of, const char *until)
{
	ssize_t n = 1;

	while (n > 0 && of->size < sizeof(of->said) - 1
	       && (until == NULL || strstr(of->said, until) == NULL)) {
		n = read(of->log, of->said + of->size,
		    sizeof(of->said) - 1 - of->size);
		of->size += n > 0 ? (size_t)n : 0;
		of->said[of->size] = '\0';
	}
}

static void
start(struct crashing *of, const char *dump)
{
	const char *port;
	int ends[2];

	memset(of, 0, sizeof(*of));
	EXPECT_EQ(pipe(ends), 0);
	of->pid = fork();
	if (of->pid == 0)
		serve(ends[1], dump);
	close(ends[1]);
	of->log = ends[0];
	read_log(of, "connections\"\n");
	port = strstr(of->said, "port ");
	EXPECT(port != NULL);
	if (port != NULL)
		of->port = (uint16_t)strtoul(port + 5, NULL, 10);
}

/* Ask, and let it come to its end. => Returns how it ended. */
static int
ends_after(struct crashing *of, const char *request)
{
	struct client client;
	int status = 0;
	char byte;

	if (client_open(&client, of->port)) {
		client_say(&client, request);
		EXPECT(client_receive(&client, &byte, 1) <= 0);
		client_close(&client);
	}
	read_log(of, NULL);
	close(of->log);
	EXPECT_EQ(waitpid(of->pid, &status, 0), of->pid);
	return status;
}

/* Sanitizers have a handler of their own for this, which then exits. */
static bool
ended_by(int status, int number)
{
	return SP_ASAN || SP_TSAN
	       || (WIFSIGNALED(status) && WTERMSIG(status) == number);
}

static void
expect_said(const struct crashing *of, const char *text)
{
	EXPECT(strstr(of->said, text) != NULL);
	if (strstr(of->said, text) == NULL)
		fprintf(stderr, "not \"%s\" in:\n%s", text, of->said);
}

static struct crashing of;

TEST(a_fault_in_a_handler_is_told_with_what_was_done_before)
{
	int status;

	start(&of, NULL);
	status = ends_after(&of, GET("/fault"));
	EXPECT(ended_by(status, SIGSEGV));
	expect_said(&of, "spate: SEGV at 0x10 in spate/0.0, handler /fault, "
			 "conn 0.0.1\n");
	expect_said(&of, "spate/0.0: ");
	expect_said(&of, " accept 0.0.1, ");
	expect_said(&of, "and now run for ");
}

TEST(so_is_an_abort)
{
	int status;

	start(&of, NULL);
	status = ends_after(&of, GET("/abort"));
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	expect_said(&of, "spate: ABRT in spate/0.0, handler /abort, ");
}

TEST(so_is_a_handler_that_has_no_stack_left)
{
	int status;

	start(&of, NULL);
	status = ends_after(&of, GET("/overflow"));
	EXPECT(ended_by(status, SIGSEGV));
	expect_said(&of, "spate: SEGV at ");
	expect_said(&of, "handler /overflow");
}

TEST(it_goes_to_a_file_or_nowhere_if_that_is_asked_for)
{
	char path[] = "/tmp/spate_crash_XXXXXX", text[4096] = "";
	int fd = mkstemp(path), status;

	EXPECT(fd >= 0);
	start(&of, path);
	status = ends_after(&of, GET("/fault"));
	EXPECT(ended_by(status, SIGSEGV));
	EXPECT(strstr(of.said, "spate: SEGV") == NULL);
	EXPECT(read(fd, text, sizeof(text) - 1) > 0);
	EXPECT(strstr(text, "spate: SEGV at 0x10 in spate/0.0") == text);
	close(fd);
	unlink(path);

	start(&of, "none");
	status = ends_after(&of, GET("/abort"));
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	EXPECT(strstr(of.said, "spate: ") == NULL);
}
