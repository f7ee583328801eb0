/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_CRASH_H
#define SPATE_FRAMEWORK_CRASH_H

/*
 * Crash: when the program gets a signal for what it has done itself, such as
 * SIGSEGV or SIGABRT, what its workers have recorded lately is written as
 * text, and then the signal has the effect that it would have had.
 *
 *     spate: SEGV at 0x0 in spate/0.1, handler /users/:id, conn 0.17.5
 *     spate/0.0: -812 us ready 2, -3 us run 0.4.1 for 9 us, and now ...
 *     spate/0.1: ...
 *
 * The handler takes nothing for granted but the engine's structures: it calls
 * only what is async-signal-safe, and runs on a stack of its own, as it may
 * be a fiber's that has come to its end.
 *
 *   edge      release side           acquire side
 *   -------   --------------------   -------------------------------
 *   SUBJECT   sp_crash_install()     the handler, in any thread
 */

#include "framework/server.h"

/*
 * sp_crash_install: from here on, for a server that has not started. One at a
 * time. sp_crash_remove: before it is freed.
 *
 * => Returns 0 or -errno, and nothing is installed.
 */
int sp_crash_install(struct spate_server *server);
void sp_crash_remove(struct spate_server *server);

/*
 * sp_crash_stack: a stack for the handler in the calling thread.
 * sp_crash_stack_end: it is gone; NULL does nothing.
 *
 * => Returns 0 and *stack, or NULL there if nothing is installed; -ENOMEM.
 */
struct sp_crash_stack;
int sp_crash_stack(
    struct sp_crash_stack **stack, const struct spate_server *server);
void sp_crash_stack_end(struct sp_crash_stack *stack);

#endif /* SPATE_FRAMEWORK_CRASH_H */
