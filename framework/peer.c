/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/peer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

void
sp_peer_name(char out[SP_PEER_SIZE], int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} peer = { .any.sa_family = AF_UNSPEC };
	socklen_t size = sizeof(peer);
	char host[INET6_ADDRSTRLEN];

	out[0] = '\0';
	if (getpeername(fd, &peer.any, &size) != 0)
		return;
	if (peer.any.sa_family == AF_INET
	    && inet_ntop(AF_INET, &peer.in.sin_addr, host, sizeof(host)))
		snprintf(
		    out, SP_PEER_SIZE, "%s:%u", host, ntohs(peer.in.sin_port));
	else if (peer.any.sa_family == AF_INET6
		 && inet_ntop(
		     AF_INET6, &peer.in6.sin6_addr, host, sizeof(host)))
		snprintf(out, SP_PEER_SIZE, "[%s]:%u", host,
		    ntohs(peer.in6.sin6_port));
}
