/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Arenas: which ids there are, here, and what stands behind them, jemalloc
 * or nothing, below.
 *
 * jemalloc could destroy an arena, with everything that was ever allocated
 * from it; but what a handler kept, and the caches of threads that were
 * bound to it, are not ours to end. So an arena that is given back is
 * emptied as far as it goes, and is the next one to be handed out. A process
 * that starts and stops servers has as many arenas as the most it had at a
 * time.
 */

#include "alloc/arena.h"

#include "alloc/asan.h"
#include "alloc/check.h"
#include "alloc/tsan.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <stdatomic.h>

#define WORDS (SP_ARENAS_MAX / 64)

/* By id: made here; of those, given back. */
static _Atomic(uint64_t) made[WORDS];
static _Atomic(uint64_t) spare[WORDS];

static int backend_new(unsigned *id);
static int backend_bind(unsigned id);
static void backend_purge(unsigned id);
static int backend_refresh(void);
static int backend_stats(unsigned id, struct sp_arena_stats *out);

static uint64_t
bit_of(unsigned id)
{
	return UINT64_C(1) << (id % 64);
}

static bool
exists(unsigned id)
{
	return id < SP_ARENAS_MAX
	       && (atomic_load_explicit(&made[id / 64], memory_order_relaxed)
		      & bit_of(id))
		      != 0;
}

/* Nothing crosses with the bit but the id; arenas have locks of their own. */
static bool
take_spare(unsigned *id)
{
	uint64_t word, bit;

	for (unsigned i = 0; i < WORDS; i++) {
		word = atomic_load_explicit(&spare[i], memory_order_relaxed);
		while (word != 0) {
			bit = word & -word;
			word = atomic_fetch_and_explicit(
			    &spare[i], ~bit, memory_order_relaxed);
			if ((word & bit) != 0) {
				*id = i * 64 + (unsigned)__builtin_ctzll(bit);
				return true;
			}
		}
	}
	return false;
}

int
sp_arena_new(unsigned *id)
{
	int error;

	if (take_spare(id))
		return 0;
	error = backend_new(id);
	if (error != 0)
		return error;
	SP_CHECK(*id < SP_ARENAS_MAX);
	atomic_fetch_or_explicit(
	    &made[*id / 64], bit_of(*id), memory_order_relaxed);
	return 0;
}

void
sp_arena_free(unsigned id)
{
	uint64_t before;

	SP_CHECK(exists(id));
	backend_purge(id);
	before = atomic_fetch_or_explicit(
	    &spare[id / 64], bit_of(id), memory_order_relaxed);
	SP_CHECK((before & bit_of(id)) == 0);
}

int
sp_arena_bind(unsigned id)
{
	return exists(id) ? backend_bind(id) : -EINVAL;
}

void
sp_arena_purge(unsigned id)
{
	SP_CHECK(exists(id));
	backend_purge(id);
}

int
sp_arena_stats_get(unsigned id, struct sp_arena_stats *out)
{
	int error = exists(id) ? backend_refresh() : -EINVAL;

	return error != 0 ? error : sp_arena_stats_last(id, out);
}

int
sp_arena_stats_last(unsigned id, struct sp_arena_stats *out)
{
	memset(out, 0, sizeof(*out));
	return exists(id) ? backend_stats(id, out) : -EINVAL;
}

#ifdef SPATE_JEMALLOC

#include <jemalloc/jemalloc.h>

#define DIRTY_DECAY_MS 5000
#define MUZZY_DECAY_MS 0

/* One is enough for giving pages back, and they pin themselves to CPUs. */
#define BACKGROUND_THREADS 1

/*
 * Read by jemalloc before main(). Weak, so that an application's own is the
 * one that counts; visible, because jemalloc looks for it by name.
 */
extern const char *malloc_conf __attribute__((weak, visibility("default")));
const char *malloc_conf = "lg_tcache_max:16";

/* The name is that of arena 0; `at` says which part of it is the arena. */
static int
ctl_of_arena(const char *name, size_t at, unsigned id, void *old,
    size_t *old_size, void *new, size_t new_size)
{
	size_t mib[8], length = sizeof(mib) / sizeof(mib[0]);
	int error = mallctlnametomib(name, mib, &length);

	if (error != 0)
		return -error;
	mib[at] = id;
	return -mallctlbymib(mib, length, old, old_size, new, new_size);
}

static int
set_decay(unsigned id, const char *name, ssize_t ms)
{
	return ctl_of_arena(name, 1, id, NULL, NULL, &ms, sizeof(ms));
}

static int
backend_new(unsigned *id)
{
	size_t size = sizeof(*id);
	int error = mallctl("arenas.create", id, &size, NULL, 0);

	if (error != 0)
		return -error;
	/* Refused, they stay what they are for the rest of the process. */
	set_decay(*id, "arena.0.dirty_decay_ms", DIRTY_DECAY_MS);
	set_decay(*id, "arena.0.muzzy_decay_ms", MUZZY_DECAY_MS);
	return 0;
}

static int
backend_bind(unsigned id)
{
	return -mallctl("thread.arena", NULL, NULL, &id, sizeof(id));
}

static void
backend_purge(unsigned id)
{
	ctl_of_arena("arena.0.purge", 1, id, NULL, NULL, NULL, 0);
}

int
sp_arena_background(bool on)
{
	size_t most = BACKGROUND_THREADS;
	int error;

	if (on)
		mallctl(
		    "max_background_threads", NULL, NULL, &most, sizeof(most));
	error = mallctl("background_thread", NULL, NULL, &on, sizeof(on));
	return error == ENOENT ? -ENOSYS : -error;
}

static int
backend_refresh(void)
{
	uint64_t epoch = 1;

	return -mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
}

static int
stat_read(const char *name, unsigned id, uint64_t *sum, uint64_t unit)
{
	size_t value = 0, size = sizeof(value);
	int error = ctl_of_arena(name, 2, id, &value, &size, NULL, 0);

	*sum += value * unit;
	return error;
}

static int
backend_stats(unsigned id, struct sp_arena_stats *out)
{
	size_t page = 0, size = sizeof(page);
	int error = -mallctl("arenas.page", &page, &size, NULL, 0);

	if (error == 0)
		error = stat_read(
		    "stats.arenas.0.small.allocated", id, &out->allocated, 1);
	if (error == 0)
		error = stat_read(
		    "stats.arenas.0.large.allocated", id, &out->allocated, 1);
	if (error == 0)
		error = stat_read(
		    "stats.arenas.0.pactive", id, &out->active, page);
	if (error == 0)
		error = stat_read(
		    "stats.arenas.0.pdirty", id, &out->dirty, page);
	if (error == 0)
		error = stat_read("stats.arenas.0.mapped", id, &out->mapped, 1);
	if (error == 0)
		error = stat_read(
		    "stats.arenas.0.resident", id, &out->resident, 1);
	return error;
}

int
sp_arena_profile(int fd)
{
	char path[32];
	const char *name = path;
	bool on = false;
	size_t size = sizeof(on);

	if (mallctl("opt.prof", &on, &size, NULL, 0) != 0 || !on)
		return -ENOSYS;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* It fails alike whatever it was that failed. */
	return mallctl("prof.dump", NULL, NULL, &name, sizeof(name)) == 0
		   ? 0
		   : -EIO;
}

static uint64_t
thread_counter(const char *name, const uint64_t **cached)
{
	static const uint64_t none;
	size_t size = sizeof(*cached);

	if (*cached == NULL
	    && mallctl(name, (void *)cached, &size, NULL, 0) != 0)
		*cached = &none;
	return **cached;
}

uint64_t
sp_arena_thread_allocated(void)
{
	static _Thread_local const uint64_t *counter;

	return thread_counter("thread.allocatedp", &counter);
}

uint64_t
sp_arena_thread_freed(void)
{
	static _Thread_local const uint64_t *counter;

	return thread_counter("thread.deallocatedp", &counter);
}

#else /* !SPATE_JEMALLOC */

#include <malloc.h>

#if SP_ASAN || SP_TSAN
/* GCC has them, and no header for them. */
size_t __sanitizer_get_current_allocated_bytes(void);
size_t __sanitizer_get_heap_size(void);
#endif

static _Atomic(unsigned) arenas;

static int
backend_new(unsigned *id)
{
	*id = atomic_fetch_add_explicit(&arenas, 1, memory_order_relaxed);
	if (*id < SP_ARENAS_MAX)
		return 0;
	atomic_fetch_sub_explicit(&arenas, 1, memory_order_relaxed);
	return -EAGAIN;
}

static int
backend_bind(unsigned id)
{
	(void)id;
	return 0;
}

static void
backend_purge(unsigned id)
{
	(void)id;
	malloc_trim(0);
}

int
sp_arena_background(bool on)
{
	(void)on;
	return -ENOSYS;
}

static int
backend_refresh(void)
{
	return 0;
}

static int
backend_stats(unsigned id, struct sp_arena_stats *out)
{
#if SP_ASAN || SP_TSAN
	out->allocated = __sanitizer_get_current_allocated_bytes();
	out->mapped = __sanitizer_get_heap_size();
#else
	struct mallinfo2 info = mallinfo2();

	out->allocated = info.uordblks + info.hblkhd;
	out->mapped = info.arena + info.hblkhd;
#endif
	(void)id;
	out->active = out->allocated;
	out->resident = out->mapped;
	return 0;
}

int
sp_arena_profile(int fd)
{
	(void)fd;
	return -ENOSYS;
}

uint64_t
sp_arena_thread_allocated(void)
{
	return 0;
}

uint64_t
sp_arena_thread_freed(void)
{
	return 0;
}

#endif
