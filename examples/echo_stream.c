/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Raw TCP: whatever a client sends comes back.
 *
 *     echo_stream
 *     nc 127.0.0.1 7007
 *
 * ECHO_LISTEN=ADDRESS:PORT or unix:PATH listens elsewhere. (SPATE_LISTEN and
 * --listen are for HTTP: they would add an address, not move this one.)
 */

#include <spate.h>
#include <stdlib.h>

#define PIECE 4096

/* Called whenever there is something to read. Its pieces are as they come. */
static int
echo(struct spate_stream *stream, void *arg)
{
	char piece[PIECE];
	ssize_t n = spate_stream_read(stream, piece, sizeof(piece));

	(void)arg;
	if (n < 0)
		return (int)n; /* not 0, so the stream is closed */
	/* After the client's last byte n is 0, and 0 bytes are no work. */
	return spate_stream_write(stream, piece, (size_t)n);
}

int
main(int argc, char **argv)
{
	const char *address = getenv("ECHO_LISTEN");
	struct spate_server *server = spate_server_new(NULL);

	if (address == NULL)
		address = "127.0.0.1:7007";
	spate_listen_stream(server, address, echo, NULL);
	return spate_main(server, argc, argv);
}
