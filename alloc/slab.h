/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_ALLOC_SLAB_H
#define SPATE_ALLOC_SLAB_H

/*
 * Slab: numbered objects of 128 bytes that never go away.
 *
 *     slab.dir --> +---------+
 *                  | chunk 0 | --> [    0][    1] ... [16383]
 *                  | chunk 1 | --> [16384][16385] ... [32767]
 *                  +---------+
 *
 * For poll descriptors: an event or a handle carries an index, and a stale
 * one must find a descriptor with another generation in it, not a fault and
 * not something else. So the memory of an object stays an object's: it is
 * zero when its index is handed out for the first time, keeps its content
 * from free to the next alloc, and is unmapped by sp_slab_fini() alone.
 *
 *                    alloc   free    grow    at
 *     who            owner   owner   owner   any thread, on a loan of dir
 *     against at     -       -       -       -
 *
 * "-": at any time. The owner is one thread at a time; pass the slab on by
 * anything that orders memory.
 *
 *   edge   release side     acquire side    what crosses it
 *   ----   --------------   -------------   ------------------------------
 *   DIR    sp_slab_grow()   sp_slab_dir()   what the directory lists
 *
 * Growing copies the directory. Readers of the old one may still be under
 * way, so the slab does not free it but hands it to the caller, who frees it
 * after whatever grace period its readers need:
 *
 *     index = sp_slab_alloc(slab);
 *     if (index == SP_SLAB_NONE) {
 *             error = sp_slab_grow(slab, &old);
 *             if (error != 0)
 *                     return error;
 *             if (old != NULL)
 *                     call_rcu((struct rcu_head *)old->retire, ...);
 *             index = sp_slab_alloc(slab);
 *     }
 *
 * Pages are touched as indexes are used, so ten connections cost three
 * pages and not the 2 MiB of a chunk. Indexes are reused first in, first
 * out, and no sooner than SP_SLAB_REUSE frees later, as long as the chunks
 * have that many objects to spare: with a generation of 32 bits that moves
 * twice for each use, both return together only after 2^37 connections.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stdatomic.h>

#define SP_SLAB_OBJECT_SIZE 128
#define SP_SLAB_CHUNK_SHIFT 14
#define SP_SLAB_CHUNK_OBJECTS (1u << SP_SLAB_CHUNK_SHIFT)
#define SP_SLAB_CHUNK_SIZE (SP_SLAB_CHUNK_OBJECTS * SP_SLAB_OBJECT_SIZE)
#define SP_SLAB_OBJECTS_MAX (1u << 24)
#define SP_SLAB_REUSE 64
#define SP_SLAB_NONE UINT32_MAX

/* Constant once published, but for retire. */
struct sp_slab_dir {
	void *retire[4]; /* the caller's, once sp_slab_grow() returned it */
	uint32_t chunks;
	unsigned char *chunk[];
};

struct sp_slab_stats {
	uint32_t in_use;
	uint32_t in_use_max; /* the most there ever were */
	uint32_t chunks;
	uint64_t bytes; /* mapped, touched or not */
};

struct sp_slab {
	_Atomic(struct sp_slab_dir *) dir; /* owner writes, any thread reads */

	/* The owner's. */
	uint32_t fresh; /* indexes from here on were never handed out */
	uint32_t free_head;
	uint32_t free_tail;
	uint32_t free_count;
	uint32_t max;
	bool huge;

	/* Written by the owner, for sp_slab_stats_get(). */
	_Atomic(uint32_t) in_use;
	_Atomic(uint32_t) in_use_max;
	_Atomic(uint32_t) chunks;
};

/*
 * sp_slab_init: a slab without chunks.
 *
 * => max is the most objects there may be, rounded up to whole chunks; 0 or
 *    more than SP_SLAB_OBJECTS_MAX means SP_SLAB_OBJECTS_MAX.
 * => huge asks for huge pages, from the second chunk on. The first one
 *    would cost a server with few connections 2 MiB.
 */
void sp_slab_init(struct sp_slab *slab, uint32_t max, bool huge);

/*
 * sp_slab_fini: unmap everything. Nobody looks in it any more.
 *
 * => Directories from sp_slab_grow() stay the caller's. They hold no
 *    memory but their own.
 */
void sp_slab_fini(struct sp_slab *slab);

/*
 * sp_slab_alloc: the index of an object, now the caller's.
 *
 * => Returns SP_SLAB_NONE: all are in use, call sp_slab_grow().
 */
uint32_t sp_slab_alloc(struct sp_slab *slab);

/*
 * sp_slab_free: give an index back, to be handed out again much later.
 *
 * => Aborts if it is not in use.
 */
void sp_slab_free(struct sp_slab *slab, uint32_t index);

/*
 * sp_slab_grow: one chunk more.
 *
 * => Returns 0 and sets *old to the directory that no new reader can find,
 *    now the caller's: sp_slab_dir_free() it after a grace period. *old is
 *    NULL when there is nothing to free, as after the first chunk.
 * => DIR release: a reader that finds the new directory finds what it lists.
 * => Returns -ENOSPC at the slab's max, or -ENOMEM; nothing has changed and
 *    *old is NULL.
 */
int sp_slab_grow(struct sp_slab *slab, struct sp_slab_dir **old);

void sp_slab_dir_free(struct sp_slab_dir *dir);

/*
 * sp_slab_dir: the directory, on loan for as long as the caller's grace
 * periods say; for the owner, until it calls sp_slab_grow().
 *
 * => Never NULL.
 */
static inline const struct sp_slab_dir *
sp_slab_dir(struct sp_slab *slab)
{
	/* DIR acquire. */
	return atomic_load_explicit(&slab->dir, memory_order_acquire);
}

/*
 * sp_slab_at: the object with this index, in use or not.
 *
 * => Returns NULL if the directory does not reach that far.
 * => Objects outlive the directory that they were found by.
 */
static inline void *
sp_slab_at(const struct sp_slab_dir *dir, uint32_t index)
{
	uint32_t chunk = index >> SP_SLAB_CHUNK_SHIFT;
	uint32_t object = index & (SP_SLAB_CHUNK_OBJECTS - 1);

	if (__builtin_expect(chunk >= dir->chunks, 0))
		return NULL;
	return dir->chunk[chunk] + (size_t)object * SP_SLAB_OBJECT_SIZE;
}

/*
 * sp_slab_end, sp_slab_in_use: for the owner, to walk over what is in use:
 * all of it is below sp_slab_end().
 */
static inline uint32_t
sp_slab_end(const struct sp_slab *slab)
{
	return slab->fresh;
}

bool sp_slab_in_use(struct sp_slab *slab, uint32_t index);

/*
 * sp_slab_stats_get: any thread; each number by itself is right.
 */
void sp_slab_stats_get(struct sp_slab *slab, struct sp_slab_stats *out);

#endif /* SPATE_ALLOC_SLAB_H */
