/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Bump arena: what does not fit into the current block.
 *
 * The reset does not look at how far a block was used, it only compares
 * with where the first one begins. With AddressSanitizer it always comes
 * here, to poison the first block again.
 */

#include "alloc/bump.h"

#include "alloc/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sp_bump_block {
	struct sp_bump_block *next;
	size_t size; /* with this header */
	_Alignas(SP_BUMP_ALIGN) unsigned char data[];
};

#define HEADER sizeof(struct sp_bump_block)
#define WHOLE_SIZE(size)                                                       \
	(((size) + SP_BUMP_ALIGN - 1) & ~(size_t)(SP_BUMP_ALIGN - 1))

/* More than this gets a block of its own, so that less than that is lost. */
#define BIG_SIZE (SP_BUMP_BLOCK_SIZE / 4)

/* Longer than what most headers format to, and small enough for a fiber. */
#define PRINTF_GUESS 256

static void
set_first(struct sp_bump *bump, unsigned char *first, size_t size)
{
	size_t skip = -(uintptr_t)first & (SP_BUMP_ALIGN - 1);

	if (size < skip + SP_BUMP_ALIGN)
		return;
	bump->first = first + skip;
	bump->first_end = bump->first
			  + ((size - skip) & ~(size_t)(SP_BUMP_ALIGN - 1));
	bump->at = bump->first;
	bump->end = bump->first_end;
	bump->used = true;
	SP_ASAN_POISON(bump->first, (size_t)(bump->end - bump->first));
}

void
sp_bump_init(struct sp_bump *bump, void *first, size_t first_size, size_t limit)
{
	memset(bump, 0, sizeof(*bump));
	bump->limit = limit;
	if (first != NULL) {
		set_first(bump, first, first_size);
		return;
	}
	if (first_size < SP_BUMP_ALIGN)
		first_size = SP_BUMP_FIRST_SIZE;
	bump->first_size = first_size;
}

void
sp_bump_reset_slow(struct sp_bump *bump)
{
	struct sp_bump_block *block;

	while ((block = bump->blocks) != NULL) {
		bump->blocks = block->next;
		SP_ASAN_UNPOISON(block, block->size);
		free(block);
	}
	bump->taken = 0;
	bump->at = bump->first;
	bump->end = bump->first_end;
	if (bump->first != NULL)
		SP_ASAN_POISON(
		    bump->first, (size_t)(bump->first_end - bump->first));
}

void
sp_bump_fini(struct sp_bump *bump)
{
	sp_bump_reset_slow(bump);
	if (bump->first != NULL)
		SP_ASAN_UNPOISON(
		    bump->first, (size_t)(bump->first_end - bump->first));
	if (bump->first_owned)
		free(bump->first);
	sp_bump_init(bump, NULL, bump->first_size, bump->limit);
}

/* A block for at least `least` bytes, and `size` if the limit allows it. */
static struct sp_bump_block *
block_new(struct sp_bump *bump, size_t least, size_t size)
{
	size_t left = bump->limit - bump->taken;
	struct sp_bump_block *block;

	left &= ~(size_t)(SP_BUMP_ALIGN - 1);
	if (left < HEADER || left - HEADER < least)
		return NULL;
	if (size > left - HEADER)
		size = left - HEADER;
	block = malloc(HEADER + size);
	if (block == NULL)
		return NULL;
	block->size = HEADER + size;
	block->next = bump->blocks;
	bump->blocks = block;
	bump->used = true;
	bump->taken += block->size;
	SP_ASAN_POISON(block->data, size);
	return block;
}

/* There is no current block, or too little in it. */
static bool
next_block(struct sp_bump *bump, size_t size)
{
	struct sp_bump_block *block;
	unsigned char *first;

	if (bump->first == NULL && bump->first_size >= size) {
		first = malloc(bump->first_size);
		if (first == NULL)
			return false;
		bump->first_owned = true;
		set_first(bump, first, bump->first_size);
		if ((size_t)(bump->end - bump->at) >= size)
			return true;
	}
	block = block_new(bump, size, SP_BUMP_BLOCK_SIZE - HEADER);
	if (block == NULL)
		return false;
	bump->at = block->data;
	bump->end = block->data + (block->size - HEADER);
	return true;
}

void *
sp_bump_alloc_slow(struct sp_bump *bump, size_t size)
{
	struct sp_bump_block *block;
	size_t whole = WHOLE_SIZE(size != 0 ? size : 1);

	if (whole < size)
		return NULL;
	if (whole > BIG_SIZE
	    && (bump->first != NULL || whole > bump->first_size)) {
		block = block_new(bump, whole, whole);
		if (block == NULL)
			return NULL;
		SP_ASAN_UNPOISON(block->data, size);
		return block->data;
	}
	if (whole > (size_t)(bump->end - bump->at) && !next_block(bump, whole))
		return NULL;
	bump->at += whole;
	SP_ASAN_UNPOISON(bump->at - whole, size);
	return bump->at - whole;
}

char *
sp_bump_strndup(struct sp_bump *bump, const char *string, size_t size)
{
	char *copy;

	if (size == SIZE_MAX)
		return NULL;
	copy = sp_bump_alloc(bump, size + 1);
	if (copy == NULL)
		return NULL;
	if (size != 0)
		memcpy(copy, string, size);
	copy[size] = '\0';
	return copy;
}

char *
sp_bump_vprintf(struct sp_bump *bump, const char *format, va_list args)
{
	char guess[PRINTF_GUESS];
	va_list again;
	char *string;
	int size;

	va_copy(again, args);
	size = vsnprintf(guess, sizeof(guess), format, args);
	if (size < 0)
		string = NULL;
	else if ((size_t)size < sizeof(guess))
		string = sp_bump_strndup(bump, guess, (size_t)size);
	else
		string = sp_bump_alloc(bump, (size_t)size + 1);
	if (string != NULL && (size_t)size >= sizeof(guess))
		vsnprintf(string, (size_t)size + 1, format, again);
	va_end(again);
	return string;
}

char *
sp_bump_printf(struct sp_bump *bump, const char *format, ...)
{
	va_list args;
	char *string;

	va_start(args, format);
	string = sp_bump_vprintf(bump, format, args);
	va_end(args);
	return string;
}
