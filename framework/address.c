/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Addresses of spate_listen(): numbers and paths, never names, so that
 * nothing is looked up. And the files that Unix sockets have.
 */

#include "framework/server.h"
#include "framework/urlcode.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int
parse_local(struct sp_address *address, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&address->storage;
	size_t size = strlen(path);

	if (size == 0 || size >= sizeof(un->sun_path))
		return -EINVAL;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, size + 1);
	address->size
	    = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + 1);
	if (path[0] == '@') {
		un->sun_path[0] = '\0';
		address->size--;
	}
	return 0;
}

static int
parse_v6(struct sp_address *address, const char *host, uint16_t port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address->storage;

	if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
		return -EINVAL;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	address->size = sizeof(*in6);
	return 0;
}

static int
parse_v4(struct sp_address *address, const char *host, uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&address->storage;

	if (host[0] == '\0' || strcmp(host, "*") == 0)
		host = "0.0.0.0";
	if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
		return -EINVAL;
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	address->size = sizeof(*in);
	return 0;
}

int
sp_address_parse(struct sp_address *address, const char *text)
{
	char host[64];
	const char *colon = strrchr(text, ':');
	uint64_t port;
	size_t size;

	memset(&address->storage, 0, sizeof(address->storage));
	snprintf(address->text, sizeof(address->text), "%s", text);
	if (strncmp(text, "unix:", 5) == 0)
		return parse_local(address, text + 5);
	if (colon == NULL
	    || sp_parse_u64(colon + 1, strlen(colon + 1), &port) != 0
	    || port > UINT16_MAX)
		return -EINVAL;
	size = (size_t)(colon - text);
	if (size >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, size);
	host[size] = '\0';
	if (host[0] != '[')
		return parse_v4(address, host, (uint16_t)port);
	if (host[size - 1] != ']')
		return -EINVAL;
	host[size - 1] = '\0';
	return parse_v6(address, host + 1, (uint16_t)port);
}

/* => Returns NULL: it has none. */
static const char *
file_of(const struct sp_address *address)
{
	const struct sockaddr_un *un
	    = (const struct sockaddr_un *)&address->storage;

	return un->sun_family == AF_UNIX && un->sun_path[0] != '\0'
		   ? un->sun_path
		   : NULL;
}

void
sp_address_remove(const struct sp_address *address)
{
	if (file_of(address) != NULL)
		unlink(file_of(address));
}

/* A queue that is full is somebody's: then it says EAGAIN. */
static bool
nobody_listens(const struct sp_address *address)
{
	int fd = socket(
	    AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool refused;

	if (fd < 0)
		return false;
	refused = connect(fd, (const struct sockaddr *)&address->storage,
		      address->size)
		      != 0
	       && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

bool
sp_address_clear(const struct sp_address *address)
{
	const char *path = file_of(address);
	struct stat about;

	return path != NULL && lstat(path, &about) == 0
	    && S_ISSOCK(about.st_mode) && nobody_listens(address)
	    && unlink(path) == 0;
}
