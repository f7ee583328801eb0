/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_ALLOC_BUMP_H
#define SPATE_ALLOC_BUMP_H

/*
 * Bump arena: the memory of one running request, given up all at once.
 *
 *     first block, kept       blocks, given up by reset
 *     +---------------+       +------------------+   +----------+
 *     |####|          |       |###########|      |   |##########|
 *     +---------------+       +------------------+   +----------+
 *       8 KiB                   32 KiB ^at   ^end     one big one
 *
 * There is no free. sp_bump_reset() takes everything back and keeps the
 * first block, so a request that fits in it never calls malloc(); one that
 * allocates nothing costs the reset's test and two stores. The first block
 * is the caller's, or is allocated when it is first needed.
 *
 * An allocation that is too big for a 32 KiB block has one to itself, and
 * the current block stays current.
 *
 * With AddressSanitizer, memory that is not allocated is poisoned to the
 * byte: a read past the end of an allocation, or after the reset, is
 * reported.
 *
 * Context: one thread at a time.
 */

#include "alloc/asan.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SP_BUMP_ALIGN 16
#define SP_BUMP_FIRST_SIZE 8192
#define SP_BUMP_BLOCK_SIZE 32768

struct sp_bump_block;

struct sp_bump {
	unsigned char *at;  /* aligned; equal to end when full */
	unsigned char *end; /* of the current block; aligned */
	unsigned char *first;
	unsigned char *first_end;
	struct sp_bump_block *blocks; /* all but the first */
	size_t taken;                 /* their bytes */
	size_t limit;                 /* constant: the most of taken */
	size_t first_size;            /* constant: of a first to be made */
	bool first_owned;
	bool used; /* there was something to allocate from */
};

/*
 * sp_bump_init: an empty arena.
 *
 * => first, if it is not NULL, is on loan until sp_bump_fini(); it is used
 *    from its first aligned byte on.
 * => If first is NULL, a block of first_size (0: SP_BUMP_FIRST_SIZE) is
 *    allocated at the first need and kept.
 * => limit is the most bytes that all other blocks may take together; 0
 *    means none but the first.
 */
void sp_bump_init(
    struct sp_bump *bump, void *first, size_t first_size, size_t limit);

/*
 * sp_bump_init_later: the same with a first block of first_size bytes that
 * is allocated at the first need; first_size is at least SP_BUMP_ALIGN.
 */
static inline void
sp_bump_init_later(struct sp_bump *bump, size_t first_size, size_t limit)
{
	*bump = (struct sp_bump){ .limit = limit, .first_size = first_size };
}

/*
 * sp_bump_fini: give up everything.
 */
void sp_bump_fini(struct sp_bump *bump);

/* Whether it holds nothing that sp_bump_fini() would have to give up. */
static inline bool
sp_bump_unused(const struct sp_bump *bump)
{
	return !bump->used;
}

/* Whether nothing was allocated since the last reset. */
static inline bool
sp_bump_untouched(const struct sp_bump *bump)
{
	return !bump->used
	       || (bump->at == bump->first && bump->blocks == NULL);
}

void *sp_bump_alloc_slow(struct sp_bump *bump, size_t size);
void sp_bump_reset_slow(struct sp_bump *bump);

/*
 * sp_bump_alloc: memory with anything in it, aligned to 16, valid until the
 * reset.
 *
 * => Returns NULL: the limit is reached, or there is no memory. What was
 *    allocated before stays valid.
 * => Size 0 gives a pointer like any other, to nothing.
 */
static inline void *
sp_bump_alloc(struct sp_bump *bump, size_t size)
{
	unsigned char *at = bump->at;

	/* Both ends are aligned: what fits still fits when rounded up. */
	if (__builtin_expect(size - 1 >= (size_t)(bump->end - at), 0))
		return sp_bump_alloc_slow(bump, size);
	bump->at = at + ((size + SP_BUMP_ALIGN - 1) & ~(size_t)15);
	SP_ASAN_UNPOISON(at, size);
	return at;
}

/*
 * sp_bump_strndup: a copy of exactly size bytes, and a 0 after them.
 *
 * => Returns NULL as sp_bump_alloc() does.
 */
char *sp_bump_strndup(struct sp_bump *bump, const char *string, size_t size);

/*
 * sp_bump_printf: a string as by printf().
 *
 * => Returns NULL as sp_bump_alloc() does, or if the format is bad.
 */
char *sp_bump_printf(struct sp_bump *bump, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *sp_bump_vprintf(struct sp_bump *bump, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/*
 * sp_bump_reset: take all allocations back; keep the first block.
 */
static inline void
sp_bump_reset(struct sp_bump *bump)
{
	if (__builtin_expect(SP_ASAN || bump->blocks != NULL, 0)) {
		sp_bump_reset_slow(bump);
		return;
	}
	bump->at = bump->first;
	bump->end = bump->first_end;
}

#endif /* SPATE_ALLOC_BUMP_H */
