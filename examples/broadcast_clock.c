/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * One thread that sends to all clients: a line with the time, each second.
 * The thread is main(), which has started the server and has nothing else to
 * do; it could be any thread that stops calling before the server is freed.
 *
 *     broadcast_clock [ADDRESS:PORT]
 *     nc 127.0.0.1 7013
 */

#include <signal.h>
#include <spate.h>
#include <stdio.h>
#include <time.h>

/* Clients have nothing to say. It is read so that their end is noticed. */
static int
ignore(struct spate_stream *stream, void *arg)
{
	char piece[256];
	ssize_t n = spate_stream_read(stream, piece, sizeof(piece));

	(void)arg;
	return n < 0 ? (int)n : 0;
}

static void
tell_time(struct spate_server *server)
{
	char line[32];
	time_t now = time(NULL);
	struct tm utc;
	size_t size;

	gmtime_r(&now, &utc);
	size = strftime(line, sizeof(line), "%H:%M:%S UTC\n", &utc);
	spate_broadcast(server, ignore, line, size);
}

int
main(int argc, char **argv)
{
	const struct timespec second = { .tv_sec = 1 };
	struct spate_server *server = spate_server_new(NULL);
	sigset_t end;
	int error;

	/* Blocked first, so that no thread is ended by them. */
	sigemptyset(&end);
	sigaddset(&end, SIGINT);
	sigaddset(&end, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &end, NULL);

	spate_listen_stream(
	    server, argc > 1 ? argv[1] : "127.0.0.1:7013", ignore, NULL);
	error = spate_server_start(server);
	if (error == 0) {
		printf("port %u\n", spate_server_port(server));
		fflush(stdout);
		while (sigtimedwait(&end, NULL, &second) < 0)
			tell_time(server);
		error = spate_server_stop(server);
	}
	if (error != 0)
		fprintf(stderr, "%s\n", spate_strerror(error));
	spate_server_free(server);
	return error != 0;
}
