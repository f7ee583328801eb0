/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A server inside of a program that has a main() of its own: options in
 * code, any free port, a log that goes where the program's goes. Signals are
 * the program's business; the library installs no handlers.
 *
 *     embed
 *     curl http://127.0.0.1:PORT/
 */

#include <signal.h>
#include <spate.h>
#include <stdio.h>

static int
about(struct spate_req *req, void *arg)
{
	const char *program = arg;

	return spate_text(
	    req, 200, "%s, with spate %s\n", program, spate_version());
}

/* Called from the server's threads, several at once; stdio has a lock. */
static void
log_line(void *arg, enum spate_log_level level, const char *line)
{
	(void)level;
	fprintf(arg, "server: %s\n", line);
}

static struct spate_server *
new_server(char *program)
{
	struct spate_options options = spate_options_default();
	struct spate_server *server;

	options.shards = 1; /* the other CPUs are the program's */
	options.max_connections = 1000;
	options.drain_timeout_ms = 5000;
	options.log = log_line;
	options.log_arg = stderr;

	/* What fails here, spate_server_start() says. */
	server = spate_server_new(&options);
	spate_listen(server, "127.0.0.1:0");
	spate_route(server, "GET", "/", about, program);
	return server;
}

int
main(int argc, char **argv)
{
	static char name[] = "embed";
	struct spate_server *server;
	sigset_t end;
	int error, number;

	sigemptyset(&end);
	sigaddset(&end, SIGINT);
	sigaddset(&end, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &end, NULL);

	server = new_server(argc > 0 ? argv[0] : name);
	error = spate_server_start(server);
	if (error == 0) {
		printf("port %u\n", spate_server_port(server));
		fflush(stdout);

		/* Here the program does what it is for. */
		sigwait(&end, &number);
		error = spate_server_stop(server);
	}
	if (error != 0)
		fprintf(stderr, "embed: %s\n", spate_strerror(error));
	spate_server_free(server);
	return error != 0;
}
