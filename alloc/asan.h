/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_ALLOC_ASAN_H
#define SPATE_ALLOC_ASAN_H

/*
 * For memory that we hand out again without free() in between. Poisoned, it
 * is to AddressSanitizer what freed memory is; in other builds these do
 * nothing.
 */

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SP_ASAN 1
#endif
#endif
#if !defined(SP_ASAN) && defined(__SANITIZE_ADDRESS__)
#define SP_ASAN 1
#endif

#ifdef SP_ASAN
#include <sanitizer/asan_interface.h>
#define SP_ASAN_POISON(address, size) ASAN_POISON_MEMORY_REGION(address, size)
#define SP_ASAN_UNPOISON(address, size)                                        \
	ASAN_UNPOISON_MEMORY_REGION(address, size)
#else
#define SP_ASAN 0
#define SP_ASAN_POISON(address, size) ((void)(address), (void)(size))
#define SP_ASAN_UNPOISON(address, size) ((void)(address), (void)(size))
#endif

#endif /* SPATE_ALLOC_ASAN_H */
