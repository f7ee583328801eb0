/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * libmicrohttpd with the paths of perf/README.md: epoll in its own threads,
 * and answers that are made once. Date comes from the library.
 */

#include "perf/servers/peer.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <signal.h>

#define MEMORY_OF_CONNECTION 8192
#define BACKLOG 4096

/* An answer is made once; the library counts who uses it. */
static struct {
	const char *path;
	struct MHD_Response *response;
} answers[] = { { .path = "/plaintext" }, { .path = "/json" },
	{ .path = "/discard" }, { .path = "/burn" }, { .path = "/bytes/1024" },
	{ .path = "/bytes/65536" }, { .path = "/bytes/1048576" } };

#define ANSWERS (sizeof(answers) / sizeof(answers[0]))

static void
make_answers(void)
{
	for (size_t i = 0; i < ANSWERS; i++) {
		struct MHD_Response *response;
		struct peer_answer answer;

		peer_find(answers[i].path, &answer);
		response = MHD_create_response_from_buffer(answer.size,
		    (void *)(uintptr_t)answer.body, MHD_RESPMEM_PERSISTENT);
		if (response == NULL)
			exit(EX_OSERR);
		MHD_add_response_header(response, "Server", "microhttpd");
		MHD_add_response_header(response, "Content-Type", answer.type);
		answers[i].response = response;
	}
}

static enum MHD_Result
serve(void *arg, struct MHD_Connection *connection, const char *path,
    const char *method, const char *version, const char *data, size_t *size,
    void **state)
{
	static char begun;

	(void)arg, (void)method, (void)version, (void)data;
	/* Called for the head, for each piece of a body, and at the end. */
	if (*state == NULL) {
		*state = &begun;
		return MHD_YES;
	}
	if (*size > 0) {
		*size = 0;
		return MHD_YES;
	}
	if (strcmp(path, "/burn") == 0)
		peer_burn(MHD_lookup_connection_value(
		    connection, MHD_GET_ARGUMENT_KIND, "us"));
	for (size_t i = 0; i < ANSWERS; i++) {
		if (strcmp(path, answers[i].path) == 0)
			return MHD_queue_response(
			    connection, MHD_HTTP_OK, answers[i].response);
	}
	return MHD_NO;
}

int
main(int argc, char **argv)
{
	struct peer_options options = peer_parse(argc, argv);
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(options.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	sigset_t ends;
	int number;

	make_answers();
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	if (MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO,
		options.port, NULL, NULL, serve, NULL, MHD_OPTION_SOCK_ADDR,
		(struct sockaddr *)&address, MHD_OPTION_THREAD_POOL_SIZE,
		options.threads > 1 ? options.threads : 0u,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)PEER_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)MEMORY_OF_CONNECTION, MHD_OPTION_LISTEN_BACKLOG_SIZE,
		(unsigned)BACKLOG, MHD_OPTION_END)
	    == NULL) {
		fprintf(stderr, "spate-microhttpd: cannot serve at port %u\n",
		    options.port);
		return EX_UNAVAILABLE;
	}
	sigwait(&ends, &number);
	return EX_OK;
}
