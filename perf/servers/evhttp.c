/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * libevent's evhttp with the paths of perf/README.md. Each thread has a base,
 * a server and a listening socket to itself, so nothing is shared and libevent
 * needs no locks. Date comes from evhttp; it reads bodies before it calls us.
 */

#include "perf/servers/peer.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#define BACKLOG 4096

static void
serve(struct evhttp_request *req, void *arg)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	const char *query = evhttp_uri_get_query(uri);
	struct evbuffer *body = arg;
	struct peer_answer answer;
	char size[24];

	if (!peer_find(evhttp_uri_get_path(uri), &answer)) {
		evhttp_send_error(req, HTTP_NOTFOUND, NULL);
		return;
	}
	if (query != NULL && strncmp(query, "us=", 3) == 0)
		peer_burn(query + 3);
	snprintf(size, sizeof(size), "%zu", answer.size);
	evhttp_add_header(headers, "Server", "evhttp");
	evhttp_add_header(headers, "Content-Type", answer.type);
	evhttp_add_header(headers, "Content-Length", size);
	evbuffer_add_reference(body, answer.body, answer.size, NULL, NULL);
	evhttp_send_reply(req, HTTP_OK, "OK", body);
}

static int
listen_at(uint16_t port)
{
	const int on = 1;
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	/* Its connections inherit it. Else a second write waits 40 ms. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (fd < 0
	    || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0
	    || listen(fd, BACKLOG) != 0) {
		perror("spate-evhttp");
		exit(EX_UNAVAILABLE);
	}
	return fd;
}

static void *
loop(void *arg)
{
	const struct peer_options *options = arg;
	struct event_config *config = event_config_new();
	struct event_base *base;
	struct evbuffer *body = evbuffer_new();
	struct evhttp *http;

	/* Changes of interest are told to epoll once for each turn. */
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	base = event_base_new_with_config(config);
	http = base != NULL ? evhttp_new(base) : NULL;
	if (http == NULL || body == NULL)
		exit(EX_OSERR);
	evhttp_set_timeout(http, 3600);
	evhttp_set_gencb(http, serve, body);
	if (evhttp_accept_socket(http, listen_at(options->port)) != 0)
		exit(EX_OSERR);
	event_base_dispatch(base);
	return NULL;
}

int
main(int argc, char **argv)
{
	struct peer_options options = peer_parse(argc, argv);

	signal(SIGPIPE, SIG_IGN);
	for (unsigned i = 1; i < options.threads; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, loop, &options) != 0)
			return EX_OSERR;
	}
	loop(&options);
	return EX_OK;
}
