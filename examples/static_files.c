/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The files of a folder, and a page of one's own for what is not there.
 *
 *     STATIC_FOLDER=/usr/share/doc static_files
 *     curl -i http://127.0.0.1:8080/bash/README.gz
 *     curl -r 0-99 http://127.0.0.1:8080/bash/README.gz
 *     curl http://127.0.0.1:8080/nowhere
 */

#include <spate.h>
#include <stdlib.h>

static void
error_page(struct spate_req *req, int status, const char *reason, void *arg)
{
	(void)reason, (void)arg;
	if (status == 404 && spate_accepts(req, "text/html") != 0)
		spate_respond(req, 404, "text/html", "<h1>Lost?</h1>\n", 15);
}

int
main(int argc, char **argv)
{
	struct spate_server *server = spate_server_new(NULL);
	struct spate_files_options options = spate_files_options_default();
	const char *folder = getenv("STATIC_FOLDER");

	options.cache_control = "max-age=60";
	spate_files(server, "/*path", folder != NULL ? folder : ".", &options);
	spate_error_page(server, error_page, NULL);
	return spate_main(server, argc, argv);
}
