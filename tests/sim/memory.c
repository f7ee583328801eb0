/* SPDX-License-Identifier: BSD-2-Clause */

/* malloc() and its kin: counted, and refused now and then. */

#include "tests/sim/memory.h"

#include "tests/sim/wrap.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *memory);
void *__real_mmap(void *address, size_t size, int protection, int flags, int fd,
    off_t offset);

uint32_t sim_memory_refuses;
int64_t sim_memory_live;

static bool
is_refused(void)
{
	if (!sim_chance(sim_memory_refuses))
		return false;
	sim_event("no memory", 0, 0);
	errno = ENOMEM;
	return true;
}

static void *
counted(void *memory)
{
	sim_memory_live += memory != NULL;
	return memory;
}

void *
__wrap_malloc(size_t size)
{
	return is_refused() ? NULL : counted(__real_malloc(size));
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return is_refused() ? NULL : counted(__real_calloc(count, size));
}

void *
__wrap_realloc(void *memory, size_t size)
{
	if (is_refused())
		return NULL;
	if (memory == NULL)
		return counted(__real_realloc(memory, size));
	return __real_realloc(memory, size);
}

int
__wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
	int error;

	if (is_refused())
		return ENOMEM;
	error = __real_posix_memalign(memory, alignment, size);
	sim_memory_live += error == 0;
	return error;
}

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return is_refused() ? NULL
			    : counted(__real_aligned_alloc(alignment, size));
}

char *
__wrap_strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = __wrap_malloc(size);

	return copy != NULL ? memcpy(copy, text, size) : NULL;
}

/* Of stacks and chunks. */
void *
__wrap_mmap(
    void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (is_refused())
		return MAP_FAILED;
	return __real_mmap(address, size, protection, flags, fd, offset);
}

void
__wrap_free(void *memory)
{
	sim_memory_live -= memory != NULL;
	__real_free(memory);
}
