/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/tools/top.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 5
#define ANSWER_MAX (64u * 1024 * 1024) /* what the server makes at most */

/* ------------------------------------------------------------------ place */

static bool
take(char *to, size_t size, const char *from, size_t n)
{
	if (n >= size)
		return false;
	memcpy(to, from, n);
	to[n] = '\0';
	return true;
}

/* HOST:PORT, where the host may be in brackets. */
static bool
split(struct sp_top_place *place, const char *text, size_t n)
{
	const char *colon = memrchr(text, ':', n);
	size_t host;

	if (colon == NULL || colon == text)
		return false;
	host = (size_t)(colon - text);
	if (strspn(colon + 1, "0123456789") < n - host - 1 || n - host < 2)
		return false;
	if (text[0] == '[' && text[host - 1] == ']' && host > 2)
		return take(
			   place->host, sizeof(place->host), text + 1, host - 2)
		       && take(place->port, sizeof(place->port), colon + 1,
			   n - host - 1);
	return memchr(text, ':', host) == NULL
	       && take(place->host, sizeof(place->host), text, host)
	       && take(
		   place->port, sizeof(place->port), colon + 1, n - host - 1);
}

bool
sp_top_place(struct sp_top_place *place, const char *address)
{
	static const char local[] = "unix:", web[] = "http://";
	size_t n;

	memset(place, 0, sizeof(*place));
	if (strncmp(address, local, sizeof(local) - 1) == 0) {
		address += sizeof(local) - 1;
		return *address != '\0'
		       && take(place->host, sizeof(place->host), address,
			   strlen(address));
	}
	if (strncmp(address, web, sizeof(web) - 1) == 0)
		address += sizeof(web) - 1;
	n = strcspn(address, "/");
	if (strpbrk(address, " \r\n") != NULL || !split(place, address, n))
		return false;
	address += n;
	n = strlen(address);
	while (n > 0 && address[n - 1] == '/')
		n--;
	return take(place->prefix, sizeof(place->prefix), address, n);
}

/* ---------------------------------------------------------------- connect */

static int
connect_within(int family, const struct sockaddr *address, socklen_t size)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, address, size) == 0)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

static int
connect_local(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (!take(
		address.sun_path, sizeof(address.sun_path), path, strlen(path)))
		return -ENAMETOOLONG;
	return connect_within(
	    AF_UNIX, (struct sockaddr *)&address, sizeof(address));
}

static int
connect_to(const struct sp_top_place *place)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	int fd = -EHOSTUNREACH;

	if (place->port[0] == '\0')
		return connect_local(place->host);
	if (getaddrinfo(place->host, place->port, &hints, &found) != 0)
		return -EADDRNOTAVAIL;
	for (struct addrinfo *at = found; at != NULL && fd < 0;
	     at = at->ai_next)
		fd = connect_within(at->ai_family, at->ai_addr, at->ai_addrlen);
	freeaddrinfo(found);
	return fd;
}

/* ------------------------------------------------------------------ answer */

/* HTTP/1.0: the end of the connection is that of the answer. */
static int
ask(int fd, const struct sp_top_place *place)
{
	char head[1024];
	int size = snprintf(head, sizeof(head),
	    "GET %s/stats?buckets=1 HTTP/1.0\r\nHost: %s%s%s\r\n\r\n",
	    place->prefix, place->port[0] != '\0' ? place->host : "localhost",
	    place->port[0] != '\0' ? ":" : "", place->port);

	return send(fd, head, (size_t)size, MSG_NOSIGNAL) == size ? 0 : -errno;
}

/* => Returns 0 and all that came, which the caller frees; or -errno. */
static int
read_all(int fd, char **text, size_t *size)
{
	size_t capacity = 65536;
	ssize_t n = 1;

	*size = 0;
	*text = malloc(capacity);
	while (*text != NULL && n > 0) {
		if (*size == capacity) {
			char *more = realloc(*text, capacity *= 2);

			if (more == NULL || capacity > ANSWER_MAX) {
				free(more != NULL ? more : *text);
				*text = NULL;
				return -EMSGSIZE;
			}
			*text = more;
		}
		n = recv(fd, *text + *size, capacity - *size, 0);
		*size += n > 0 ? (size_t)n : 0;
	}
	if (*text == NULL)
		return -ENOMEM;
	if (n == 0)
		return 0;
	n = errno;
	free(*text);
	*text = NULL;
	return n == EAGAIN ? -ETIMEDOUT : -(int)n;
}

/* => Returns NULL, and what is wrong with it. */
static json_t *
parse(const char *text, size_t size, char *wrong, size_t wrong_size)
{
	const char *body = memmem(text, size, "\r\n\r\n", 4);
	json_t *answer = NULL;
	json_error_t error;

	if (size < 12 || memcmp(text, "HTTP/1.", 7) != 0 || body == NULL) {
		snprintf(wrong, wrong_size, "it is no HTTP server");
	} else if (memcmp(text + 9, "200", 3) != 0) {
		snprintf(wrong, wrong_size, "/stats is answered with %.3s",
		    text + 9);
	} else {
		body += 4;
		answer = json_loadb(
		    body, size - (size_t)(body - text), 0, &error);
		if (answer == NULL)
			snprintf(wrong, wrong_size, "/stats is not JSON");
	}
	if (answer != NULL
	    && json_integer_value(json_object_get(answer, "schema")) != 1) {
		snprintf(wrong, wrong_size, "/stats is not of schema 1");
		json_decref(answer);
		return NULL;
	}
	return answer;
}

json_t *
sp_top_fetch(const struct sp_top_place *place, char *wrong, size_t wrong_size,
    bool *protocol)
{
	int fd = connect_to(place), error = fd < 0 ? fd : ask(fd, place);
	json_t *answer;
	size_t size = 0;
	char *text = NULL;

	*protocol = false;
	if (error == 0)
		error = read_all(fd, &text, &size);
	if (fd >= 0)
		close(fd);
	if (error != 0) {
		snprintf(wrong, wrong_size, "%s", strerror(-error));
		return NULL;
	}
	answer = parse(text, size, wrong, wrong_size);
	*protocol = answer == NULL;
	free(text);
	return answer;
}
