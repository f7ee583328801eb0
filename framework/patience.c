/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/patience.h"

uint32_t
sp_patience_left(const struct sp_patience *patience, uint64_t grace_ms,
    uint32_t rate, uint32_t most_ms)
{
	uint64_t waited_ms = patience->waited_ns / 1000000;
	uint64_t allowed, left, most = most_ms != 0 ? most_ms : UINT32_MAX / 4;

	/* In this order, or a terabyte would overflow. */
	allowed = grace_ms + patience->bytes / rate * 1000
		  + patience->bytes % rate * 1000 / rate;
	if (waited_ms >= allowed)
		return 0;
	left = allowed - waited_ms;
	return (uint32_t)(left < most ? left : most);
}
