/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_PEER_H
#define SPATE_FRAMEWORK_PEER_H

/* Peer: who is at the other end, for logs and for people. */

#include <netinet/in.h>

#define SP_PEER_SIZE (INET6_ADDRSTRLEN + 8)

/*
 * sp_peer_name: "127.0.0.1:53124" or "[::1]:53124"; "" if it is not of the
 * internet, or has gone. A system call.
 */
void sp_peer_name(char out[SP_PEER_SIZE], int fd);

#endif /* SPATE_FRAMEWORK_PEER_H */
