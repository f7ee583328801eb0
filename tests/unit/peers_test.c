/* SPDX-License-Identifier: BSD-2-Clause */

/* Counting peers, and the hash that spreads them. */

#include "shards/peers.h"
#include "tests/harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

TEST(the_hash_is_siphash_2_4)
{
	struct sp_siphash_key key;
	uint8_t bytes[16];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	memcpy(&key, bytes, sizeof(key));
	/* From the paper that defines it, and its test program. */
	EXPECT(sp_siphash(&key, bytes, 15) == UINT64_C(0xa129ca6149be45e5));
	EXPECT(sp_siphash(&key, bytes, 0) == UINT64_C(0x726fdb47dd0e0e31));
	EXPECT(sp_siphash(&key, bytes, 8) == UINT64_C(0x93f5f5799a932462));
}

/* Or strangers could work out beforehand which of them share a cell. */
TEST(each_table_has_a_key_that_nobody_knows)
{
	struct sp_peers *one = sp_peers_new(1), *other = sp_peers_new(1);

	EXPECT(one->key.word[0] != other->key.word[0]);
	EXPECT(one->key.word[1] != other->key.word[1]);
	sp_peers_free(one);
	sp_peers_free(other);
}

static struct sockaddr_storage
address(const char *text)
{
	struct sockaddr_storage storage;
	struct sockaddr_in *in = (struct sockaddr_in *)&storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;

	memset(&storage, 0, sizeof(storage));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
	} else {
		EXPECT_EQ(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
		in6->sin6_family = AF_INET6;
	}
	return storage;
}

static bool
enter(struct sp_peers *peers, const char *text, uint32_t *peer)
{
	struct sockaddr_storage from = address(text);

	return sp_peers_enter(peers, (struct sockaddr *)&from, peer);
}

TEST(one_peer_has_so_many_and_others_as_well)
{
	struct sp_peers *peers = sp_peers_new(2);
	uint32_t a, b, other, none;

	EXPECT(enter(peers, "10.0.0.1", &a));
	EXPECT(enter(peers, "10.0.0.1", &b));
	EXPECT(a != 0 && a == b);
	EXPECT(!enter(peers, "10.0.0.1", &none));
	EXPECT(!enter(peers, "::ffff:10.0.0.1", &none));
	EXPECT(enter(peers, "10.0.0.2", &other));
	sp_peers_leave(peers, a);
	EXPECT(enter(peers, "10.0.0.1", &a));
	EXPECT(!enter(peers, "10.0.0.1", &none));
	sp_peers_leave(peers, a);
	sp_peers_leave(peers, b);
	sp_peers_leave(peers, other);
	for (int row = 0; row < 2; row++) {
		for (uint32_t i = 0; i < SP_PEERS_CELLS; i++)
			EXPECT_EQ(sp_load(&peers->cell[row][i], relaxed), 0);
	}
	sp_peers_free(peers);
}

TEST(an_ipv6_network_is_one_peer)
{
	struct sp_peers *peers = sp_peers_new(1);
	uint32_t peer;

	EXPECT(enter(peers, "2001:db8:1:2::1", &peer));
	EXPECT(!enter(peers, "2001:db8:1:2:ffff::9", &peer));
	EXPECT(enter(peers, "2001:db8:1:3::1", &peer));
	sp_peers_free(peers);
}

TEST(unix_peers_are_not_counted)
{
	const struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sp_peers *peers = sp_peers_new(1);
	uint32_t peer = 1;

	for (int i = 0; i < 3; i++) {
		EXPECT(
		    sp_peers_enter(peers, (const struct sockaddr *)&un, &peer));
		EXPECT_EQ(peer, 0);
		sp_peers_leave(peers, peer);
	}
	sp_peers_free(peers);
}

TEST(leaving_twice_aborts)
{
	struct sp_peers *peers = sp_peers_new(1);
	uint32_t peer;

	EXPECT(enter(peers, "10.0.0.1", &peer));
	sp_peers_leave(peers, peer);
	EXPECT_ABORT(sp_peers_leave(peers, peer));
	sp_peers_free(peers);
}

/* Thousands of peers with a few connections each do not stop one another. */
TEST(many_peers_do_not_add_up)
{
	struct sp_peers *peers = sp_peers_new(4);
	struct sockaddr_in in = { .sin_family = AF_INET };
	unsigned refused = 0;

	for (uint32_t i = 0; i < 10000; i++) {
		uint32_t peer;

		in.sin_addr.s_addr = htonl(0x0a000000 + i);
		refused += !sp_peers_enter(
		    peers, (const struct sockaddr *)&in, &peer);
	}
	EXPECT(refused < 10);
	sp_peers_free(peers);
}
