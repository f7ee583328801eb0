/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_PEERS_H
#define SPATE_SHARDS_PEERS_H

/*
 * Peers: how many connections each client address has, so that one cannot
 * take them all. In fixed memory, whatever the addresses are:
 *
 *     address --keyed hash--> a cell in each of two rows
 *
 *           +---+---+---+---+---+---+
 *     row 0 | 0 | 3 | 0 | 7 | 0 | 0 |     has 7 here
 *           +---+---+---+---+---+---+
 *     row 1 | 2 | 0 | 2 | 0 | 1 | 0 |     and 2 there: at most 2
 *           +---+---+---+---+---+---+
 *
 * The lesser of its two cells is an address's count, or more by those who
 * share both cells with it. The key is random, so nobody can arrange that
 * somebody else does, and by chance it takes tens of thousands of
 * connections (with n of them, about n^2 / 2^30 pairs do).
 *
 * An IPv4 address is one peer, as is an IPv6 network of 64 bits, which is
 * what one household gets. Unix sockets are not counted.
 *
 * Any thread, wait-free.
 */

#include "shards/atomics.h"
#include "shards/siphash.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define SP_PEERS_BITS 15
#define SP_PEERS_CELLS (1u << SP_PEERS_BITS)

struct sp_peers {
	struct sp_siphash_key key; /* constant */
	uint32_t max;              /* constant */
	SP_ATOMIC(uint32_t) cell[2][SP_PEERS_CELLS];
};

/*
 * sp_peers_new: nobody is there yet; at most max connections each.
 *
 * => Returns NULL: no memory.
 */
struct sp_peers *sp_peers_new(uint32_t max);
void sp_peers_free(struct sp_peers *peers);

/*
 * sp_peers_enter: a connection more from an address.
 *
 * => Returns false: it has too many; nothing is counted.
 * => Returns true: *peer is for sp_peers_leave(), which takes it away; 0 if
 *    such addresses are not counted.
 */
bool sp_peers_enter(
    struct sp_peers *peers, const struct sockaddr *address, uint32_t *peer);
void sp_peers_leave(struct sp_peers *peers, uint32_t peer);

#endif /* SPATE_SHARDS_PEERS_H */
