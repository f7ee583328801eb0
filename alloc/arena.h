/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_ALLOC_ARENA_H
#define SPATE_ALLOC_ARENA_H

/*
 * Arenas: a heap for each shard, behind plain malloc() and free().
 *
 *     shard 0 ---- arena 17 <---- bound: worker 0, its spares
 *     shard 1 ---- arena 18 <---- bound: worker 1, its spares
 *     the rest ---------------- whatever jemalloc gives a thread
 *
 * A thread binds once and goes on calling malloc(). Memory may be freed by
 * any thread, also after the arena's id was given back: an id names pages,
 * it does not own what lives in them.
 *
 * What is set, and where:
 *
 *     setting               how                        what it reaches
 *     -------------------   ------------------------   -------------------
 *     lg_tcache_max 16      weak symbol malloc_conf    the process
 *     dirty_decay 5000 ms   mallctl in sp_arena_new    arenas made here
 *     muzzy_decay 0 ms      mallctl in sp_arena_new    arenas made here
 *     background threads    sp_arena_background()      the process
 *
 * The thread cache can only be set as the process starts, hence the symbol;
 * an application that defines malloc_conf itself, or sets MALLOC_CONF, has
 * the last word. (So has one that links jemalloc before a shared spate:
 * jemalloc's own empty symbol is then found first.)
 *
 * The background thread is not in it: a thread made before main() would be
 * lost in the child of a program that daemonizes. Start it when the server
 * starts, after the last fork.
 *
 * Built without SPATE_JEMALLOC (sanitizers, valgrind), ids are numbers that
 * nothing stands behind, and the counters are those of the process, or 0
 * where its malloc() has none.
 *
 * Context: any thread, for everything here.
 */

#include <stdbool.h>
#include <stdint.h>

/* jemalloc has no more than this. */
#define SP_ARENAS_MAX 4096

struct sp_arena_stats {
	uint64_t allocated; /* bytes in live allocations and thread caches */
	uint64_t active;    /* bytes in pages that hold any of those */
	uint64_t dirty;     /* bytes in free pages not yet given back */
	uint64_t mapped;    /* bytes of address space in use */
	uint64_t resident;  /* bytes that the kernel may have to keep in RAM */
};

/*
 * sp_arena_new: an arena, made now or given back earlier.
 *
 * => Returns 0 and sets *id, which the caller owns.
 * => Returns -ENOMEM or -EAGAIN: there are no more; the caller can go on
 *    with its threads unbound.
 */
int sp_arena_new(unsigned *id);

/*
 * sp_arena_free: give an id back.
 *
 * => Its unused pages go back to the kernel. What was allocated from it
 *    stays valid, and threads still bound to it stay bound.
 */
void sp_arena_free(unsigned id);

/*
 * sp_arena_bind: let the calling thread allocate from an arena.
 *
 * => Returns 0, or -EINVAL if there is no such arena.
 */
int sp_arena_bind(unsigned id);

/*
 * sp_arena_purge: give all unused pages back to the kernel now.
 *
 * => Takes as long as the kernel does: some 100 us for each 10 MB. Not on
 *    the path of a request.
 */
void sp_arena_purge(unsigned id);

/*
 * sp_arena_background: let a thread of jemalloc's own give back pages, and
 * not whichever worker happens to free() when it is time.
 *
 * => Returns 0; or -ENOSYS: not in this build, pages go back on free().
 * => After fork() the child has no such thread: call it again there.
 */
int sp_arena_background(bool on);

/*
 * sp_arena_stats_get: the counters of an arena, as of now.
 *
 * => Returns 0 or -EINVAL.
 * => Merges the counters of every thread and arena of the process, some
 *    10 us under jemalloc's locks: for an admin request, not for a loop.
 */
int sp_arena_stats_get(unsigned id, struct sp_arena_stats *out);

/*
 * sp_arena_stats_last: the same as of the latest sp_arena_stats_get() for
 * any arena, in less than 1 us. For all but the first of many arenas.
 */
int sp_arena_stats_last(unsigned id, struct sp_arena_stats *out);

/*
 * sp_arena_profile: write what is allocated, and by whom, to a file that is
 * there already, as jeprof reads it.
 *
 * => Returns 0, or -errno of the file.
 * => Returns -ENOSYS: nothing keeps count. For that jemalloc has to be told
 *    to as the process starts: MALLOC_CONF=prof:true.
 * => Takes as long as there are places to write of, under jemalloc's locks.
 */
int sp_arena_profile(int fd);

/*
 * sp_arena_thread_allocated, sp_arena_thread_freed: bytes that the calling
 * thread ever got from malloc() and ever gave to free(), from any arena.
 *
 * => Returns 0 in a build without jemalloc.
 * => One load after a thread's first call.
 */
uint64_t sp_arena_thread_allocated(void);
uint64_t sp_arena_thread_freed(void);

#endif /* SPATE_ALLOC_ARENA_H */
