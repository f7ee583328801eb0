/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/peers.h"

#include "alloc/check.h"
#include "shards/clock.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define COUNTED (UINT32_C(1) << 31)

struct sp_peers *
sp_peers_new(uint32_t max)
{
	struct sp_peers *peers = calloc(1, sizeof(*peers));

	if (peers == NULL)
		return NULL;
	peers->max = max;
	/* An old kernel or a sandbox; then the clock has to do. */
	if (getrandom(&peers->key, sizeof(peers->key), 0)
	    != (ssize_t)sizeof(peers->key))
		peers->key.word[0] = sp_now_ns();
	return peers;
}

void
sp_peers_free(struct sp_peers *peers)
{
	free(peers);
}

/* What stands for a peer: its address, or the network that it is in. */
static size_t
identity(const struct sockaddr *address, uint8_t out[8])
{
	if (address->sa_family == AF_INET) {
		memcpy(
		    out, &((const struct sockaddr_in *)address)->sin_addr, 4);
		return 4;
	}
	if (address->sa_family == AF_INET6) {
		const struct in6_addr *six =
		    &((const struct sockaddr_in6 *)address)->sin6_addr;
		bool mapped = IN6_IS_ADDR_V4MAPPED(six);

		memcpy(out, six->s6_addr + (mapped ? 12 : 0), mapped ? 4 : 8);
		return mapped ? 4 : 8;
	}
	return 0;
}

static SP_ATOMIC(uint32_t)
    * cell_of(struct sp_peers *peers, uint32_t peer, int row)
{
	uint32_t index = row == 0 ? peer : peer >> SP_PEERS_BITS;

	return &peers->cell[row][index & (SP_PEERS_CELLS - 1)];
}

void
sp_peers_leave(struct sp_peers *peers, uint32_t peer)
{
	for (int row = 0; row < 2 && peer != 0; row++) {
		uint32_t before = sp_fetch_sub(
		    cell_of(peers, peer, row), 1, relaxed);

		SP_CHECK(before != 0);
	}
}

bool
sp_peers_enter(
    struct sp_peers *peers, const struct sockaddr *address, uint32_t *peer)
{
	uint8_t who[8];
	size_t size = identity(address, who);
	bool over = true;

	*peer = 0;
	if (size == 0)
		return true;
	*peer = (uint32_t)sp_siphash(&peers->key, who, size) | COUNTED;
	for (int row = 0; row < 2; row++)
		over &= sp_fetch_add(cell_of(peers, *peer, row), 1, relaxed)
			>= peers->max;
	if (over)
		sp_peers_leave(peers, *peer);
	return !over;
}
