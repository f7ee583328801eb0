/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_SIPHASH_H
#define SPATE_SHARDS_SIPHASH_H

/*
 * SipHash-2-4: a hash of short texts that strangers choose. Who does not
 * know the key cannot make two of them collide more often than by chance.
 */

#include <stddef.h>
#include <stdint.h>

struct sp_siphash_key {
	uint64_t word[2];
};

uint64_t
sp_siphash(const struct sp_siphash_key *key, const void *data, size_t size);

#endif /* SPATE_SHARDS_SIPHASH_H */
