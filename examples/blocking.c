/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Handlers that block. The library that they call knows nothing of fibers, and
 * each call waits for its disk or its server; here it is a diary in a file, of
 * which a line is only then written when it is on the disk.
 *
 *     ./blocking &
 *     curl -d 'dear diary' http://127.0.0.1:8080/diary
 *     curl http://127.0.0.1:8080/diary
 */

#include <spate.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/spate-diary-XXXXXX";

static int
write_line(struct spate_req *req, void *arg)
{
	struct spate_str body;
	int error = spate_body(req, &body); /* of a slow client, too */
	int file;

	(void)arg;
	if (error != 0)
		return error;
	file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (file < 0)
		return -errno;
	if (dprintf(file, "%.*s\n", (int)body.size, body.data) < 0
	    || fsync(file) != 0)
		error = -errno;
	close(file);
	return error != 0 ? error : spate_text(req, 201, "written\n");
}

static int
read_all(struct spate_req *req, void *arg)
{
	char piece[4096];
	ssize_t n = 1;
	int file = open(path, O_RDONLY | O_CLOEXEC), error;

	(void)arg;
	if (file < 0)
		return -errno;
	error = spate_begin(req, 200, "text/plain", -1);
	while (error == 0 && n > 0) {
		n = read(file, piece, sizeof(piece));
		if (n > 0)
			error = spate_write(req, piece, (size_t)n);
	}
	close(file);
	return error != 0 || n == 0 ? error : -EIO;
}

int
main(int argc, char **argv)
{
	struct spate_options options = spate_options_default();
	struct spate_server *server;
	int file = mkstemp(path), status;

	if (file < 0) {
		perror(path);
		return 1;
	}
	close(file);
	options.blocking_threads = 4;
	server = spate_server_new(&options);
	spate_route(server, "POST", "/diary", write_line, NULL);
	spate_route(server, "GET", "/diary", read_all, NULL);
	spate_route_blocking(server, "POST", "/diary");
	spate_route_blocking(server, "GET", "/diary");

	/* Of one disk no more is asked than it can do, whoever wants it. */
	spate_route_limit(server, "POST", "/diary", 100);
	status = spate_main(server, argc, argv);
	unlink(path);
	return status;
}
