/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Slab: chunks of objects, and beside each the links of its free objects.
 *
 *     chunk   |<----------- objects, 2 MiB ----------->|<- links, 64 KiB ->|
 *
 * The links cannot be inside the objects, which keep their content while
 * they are free. A link says which state its object is in:
 *
 *     FRESH      never handed out
 *     USED       handed out
 *     LAST       free, and the last of the queue
 *     FIRST + i  free, and followed by i
 *
 * Free objects are a queue, taken from only while it is longer than
 * SP_SLAB_REUSE or there is nothing fresh: so an index rests for that many
 * frees before it is used again.
 */

#include "alloc/slab.h"

#include "alloc/check.h"
#include "alloc/counter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

#define FRESH 0
#define USED 1
#define LAST 2
#define FIRST 3

#define LINKS_SIZE (SP_SLAB_CHUNK_OBJECTS * sizeof(uint32_t))
#define MAP_SIZE (SP_SLAB_CHUNK_SIZE + LINKS_SIZE)

/* What a slab without chunks publishes; never written, never freed. */
static struct sp_slab_dir no_chunks;

static struct sp_slab_dir *
own_dir(struct sp_slab *slab)
{
	return atomic_load_explicit(&slab->dir, memory_order_relaxed);
}

static uint32_t *
link_of(struct sp_slab *slab, uint32_t index)
{
	struct sp_slab_dir *dir = own_dir(slab);
	uint32_t chunk = index >> SP_SLAB_CHUNK_SHIFT;
	uint32_t *links;

	SP_CHECK(chunk < dir->chunks);
	links = (uint32_t *)(void *)(dir->chunk[chunk] + SP_SLAB_CHUNK_SIZE);
	return &links[index & (SP_SLAB_CHUNK_OBJECTS - 1)];
}

void
sp_slab_init(struct sp_slab *slab, uint32_t max, bool huge)
{
	memset(slab, 0, sizeof(*slab));
	if (max == 0 || max > SP_SLAB_OBJECTS_MAX)
		max = SP_SLAB_OBJECTS_MAX;
	slab->max = (max + SP_SLAB_CHUNK_OBJECTS - 1)
		    & ~(SP_SLAB_CHUNK_OBJECTS - 1);
	slab->huge = huge;
	atomic_init(&slab->dir, &no_chunks);
}

void
sp_slab_fini(struct sp_slab *slab)
{
	struct sp_slab_dir *dir = own_dir(slab);

	for (uint32_t i = 0; i < dir->chunks; i++)
		munmap(dir->chunk[i], MAP_SIZE);
	if (dir != &no_chunks)
		sp_slab_dir_free(dir);
	sp_slab_init(slab, slab->max, slab->huge);
}

void
sp_slab_dir_free(struct sp_slab_dir *dir)
{
	free(dir);
}

static uint32_t
take_free(struct sp_slab *slab)
{
	uint32_t index = slab->free_head;
	uint32_t *link = link_of(slab, index);

	SP_CHECK(*link >= LAST);
	if (*link == LAST)
		SP_CHECK(slab->free_count == 1);
	else
		slab->free_head = *link - FIRST;
	*link = USED;
	slab->free_count--;
	return index;
}

static uint32_t
take_fresh(struct sp_slab *slab)
{
	uint32_t *link = link_of(slab, slab->fresh);

	SP_CHECK(*link == FRESH);
	*link = USED;
	return slab->fresh++;
}

uint32_t
sp_slab_alloc(struct sp_slab *slab)
{
	bool fresh = slab->fresh
		     < own_dir(slab)->chunks * SP_SLAB_CHUNK_OBJECTS;
	uint32_t index;

	if (slab->free_count > SP_SLAB_REUSE
	    || (!fresh && slab->free_count != 0))
		index = take_free(slab);
	else if (fresh)
		index = take_fresh(slab);
	else
		return SP_SLAB_NONE;

	sp_counter_up(&slab->in_use, &slab->in_use_max);
	return index;
}

void
sp_slab_free(struct sp_slab *slab, uint32_t index)
{
	uint32_t *link = link_of(slab, index);

	SP_CHECK(*link == USED);
	*link = LAST;
	if (slab->free_count++ == 0)
		slab->free_head = index;
	else
		*link_of(slab, slab->free_tail) = FIRST + index;
	slab->free_tail = index;
	sp_counter_add(&slab->in_use, -1);
}

/*
 * A chunk begins where a huge page can. Without huge pages it has to refuse
 * them: where the system gives them to everyone, the first connection would
 * touch 2 MiB.
 */
static unsigned char *
map_chunk(bool huge)
{
	const size_t align = SP_SLAB_CHUNK_SIZE;
	unsigned char *map, *chunk;
	size_t before;

	map = mmap(NULL, MAP_SIZE + align, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)map & (align - 1);
	chunk = map + before;
	if (before != 0)
		munmap(map, before);
	if (before != align)
		munmap(chunk + MAP_SIZE, align - before);
	madvise(
	    chunk, SP_SLAB_CHUNK_SIZE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return chunk;
}

int
sp_slab_grow(struct sp_slab *slab, struct sp_slab_dir **old)
{
	struct sp_slab_dir *dir = own_dir(slab), *grown;
	uint32_t chunks = dir->chunks;

	*old = NULL;
	if (chunks * SP_SLAB_CHUNK_OBJECTS >= slab->max)
		return -ENOSPC;
	grown = calloc(
	    1, sizeof(*grown) + (chunks + 1) * sizeof(grown->chunk[0]));
	if (grown == NULL)
		return -ENOMEM;
	grown->chunk[chunks] = map_chunk(slab->huge && chunks != 0);
	if (grown->chunk[chunks] == NULL) {
		free(grown);
		return -ENOMEM;
	}
	if (chunks != 0)
		memcpy(
		    grown->chunk, dir->chunk, chunks * sizeof(grown->chunk[0]));
	grown->chunks = chunks + 1;

	/* DIR release; the DIR acquire is in sp_slab_dir(). */
	atomic_store_explicit(&slab->dir, grown, memory_order_release);

	sp_counter_set(&slab->chunks, grown->chunks);
	if (dir != &no_chunks)
		*old = dir;
	return 0;
}

bool
sp_slab_in_use(struct sp_slab *slab, uint32_t index)
{
	return index < slab->fresh && *link_of(slab, index) == USED;
}

void
sp_slab_stats_get(struct sp_slab *slab, struct sp_slab_stats *out)
{
	out->in_use = sp_counter_get(&slab->in_use);
	out->in_use_max = sp_counter_get(&slab->in_use_max);
	out->chunks = sp_counter_get(&slab->chunks);
	out->bytes = (uint64_t)out->chunks * MAP_SIZE;
}
