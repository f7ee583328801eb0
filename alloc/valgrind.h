/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_ALLOC_VALGRIND_H
#define SPATE_ALLOC_VALGRIND_H

/*
 * Valgrind has to be told where stacks are, or it takes a switch from one to
 * another for a stack that has grown, and what lies between for unused. Some
 * instructions that do nothing elsewhere; without its header not even those.
 */

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif

#ifdef VALGRIND_STACK_REGISTER
#define SP_VALGRIND_STACK(low, top) VALGRIND_STACK_REGISTER(low, top)
#define SP_VALGRIND_STACK_END(id) VALGRIND_STACK_DEREGISTER(id)
#else
#define SP_VALGRIND_STACK(low, top) 0
#define SP_VALGRIND_STACK_END(id) ((void)(id))
#endif

#endif /* SPATE_ALLOC_VALGRIND_H */
