/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Files that clients send, kept in a folder. Each goes to the disk in pieces
 * and gets its name when it is whole, so nobody sees half of one.
 *
 *     UPLOAD_FOLDER=/tmp upload
 *     curl -T /etc/services http://127.0.0.1:8080/services.txt
 *     curl http://127.0.0.1:8080/services.txt
 */

#include <errno.h>
#include <fcntl.h>
#include <spate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 16384

static const char *folder;

/* Letters, digits, and dots that are not first: one name, and no path. */
static bool
is_name(struct spate_str name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (name.size == 0 || name.size > 100 || name.data[0] == '.')
		return false;
	for (size_t i = 0; i < name.size; i++) {
		if (memchr(allowed, name.data[i], sizeof(allowed) - 1) == NULL)
			return false;
	}
	return true;
}

static int
copy(struct spate_req *req, int fd)
{
	char piece[PIECE];
	ssize_t n;

	while ((n = spate_body_read(req, piece, sizeof(piece))) > 0) {
		for (ssize_t at = 0; at < n;) {
			ssize_t put = write(fd, piece + at, (size_t)(n - at));

			if (put < 0)
				return -EIO;
			at += put;
		}
	}
	return (int)n;
}

static int
upload(struct spate_req *req, void *arg)
{
	struct spate_str name = spate_param(req, "name");
	char *part, *whole;
	int fd, error;

	(void)arg;
	if (!is_name(name))
		return spate_error(req, 400, "not a name to keep a file by");
	part = spate_printf(req, "%s/.uploadXXXXXX", folder);
	whole = spate_printf(req, "%s/%.*s", folder, (int)name.size, name.data);
	if (part == NULL || whole == NULL)
		return -ENOMEM;
	fd = mkostemp(part, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	error = copy(req, fd);
	if (close(fd) != 0 && error == 0)
		error = -EIO;
	if (error == 0 && rename(part, whole) != 0)
		error = -EIO;
	if (error != 0) {
		unlink(part);
		return error;
	}
	return spate_text(req, 201, "kept\n");
}

int
main(int argc, char **argv)
{
	struct spate_server *server = spate_server_new(NULL);

	folder = getenv("UPLOAD_FOLDER");
	if (folder == NULL)
		folder = ".";
	spate_route(server, "PUT", "/:name", upload, NULL);
	spate_files(server, "/*name", folder, NULL);
	return spate_main(server, argc, argv);
}
