/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_ALLOC_CACHELINE_H
#define SPATE_ALLOC_CACHELINE_H

/*
 * What two threads write goes this far apart. Two lines and not one: x86
 * prefetches lines in pairs, so neighbours in a pair disturb each other.
 */
#define SP_APART 128

#define SP_ALIGN_APART __attribute__((aligned(SP_APART)))

#define SP_CACHELINE 64
#define SP_ALIGN_CACHELINE __attribute__((aligned(SP_CACHELINE)))

#define sp_likely(x) __builtin_expect(!!(x), 1)
#define sp_unlikely(x) __builtin_expect(!!(x), 0)

#define sp_container_of(ptr, type, member)                                     \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#endif /* SPATE_ALLOC_CACHELINE_H */
