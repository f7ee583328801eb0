/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A body of any size, read in pieces: it is counted and not kept, so an
 * upload costs one buffer, however long it is. While the client sends
 * nothing the handler waits, and its worker does other things.
 *
 *     upload_count
 *     curl -T /etc/services http://127.0.0.1:8080/
 */

#include <inttypes.h>
#include <spate.h>
#include <string.h>

#define PIECE 16384

static uint64_t
count_lines(const char *piece, size_t size)
{
	const char *end = piece + size;
	uint64_t lines = 0;

	while ((piece = memchr(piece, '\n', (size_t)(end - piece))) != NULL) {
		piece++;
		lines++;
	}
	return lines;
}

static int
upload(struct spate_req *req, void *arg)
{
	char piece[PIECE];
	uint64_t bytes = 0, lines = 0;
	ssize_t n;

	(void)arg;
	while ((n = spate_body_read(req, piece, sizeof(piece))) > 0) {
		bytes += (uint64_t)n;
		lines += count_lines(piece, (size_t)n);
	}
	if (n < 0)
		return (int)n;
	return spate_text(
	    req, 200, "%" PRIu64 " bytes, %" PRIu64 " lines\n", bytes, lines);
}

int
main(int argc, char **argv)
{
	struct spate_server *server = spate_server_new(NULL);

	spate_route(server, "PUT POST", "/", upload, NULL);
	return spate_main(server, argc, argv);
}
