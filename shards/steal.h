/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_STEAL_H
#define SPATE_SHARDS_STEAL_H

/*
 * Help between workers: who takes whose work, and when it pays to wake one.
 *
 *     thief            takes                                 when
 *     --------------   -----------------------------------   ------------
 *     any worker       the rest of a sibling's list          idle
 *     any worker       a list from another shard's ring      idle
 *     any worker       a poll of another shard, and the      idle, and
 *                      rest of its workers' lists            it is stuck
 *
 * Taking costs the thief some hundred nanoseconds. Waking one costs the
 * waker ten microseconds and the work another thirty until it begins, so a
 * helper is woken only for a backlog that is worth it (options.wake_us), one
 * for each poll that found something; and only on another CPU.
 *
 * An opportunity to help may be missed: a worker that looked here just
 * before the surplus came goes to sleep, and the waker that looked just
 * before it slept wakes nobody. The work is then done by its own shard, or
 * the watcher wakes somebody (sysmon.c). What must not be missed goes by the
 * inbox instead.
 */

#include <stdbool.h>

struct sp_shard;
struct sp_task;
struct sp_worker;

/* Whether another worker of the shard has a rest; thief may be NULL. */
bool sp_rest_waits(struct sp_shard *shard, const struct sp_worker *thief);

/* Whether there seems to be something for sp_steal(). */
bool sp_surplus_elsewhere(struct sp_worker *worker);

/* A list from somebody else, now the caller's, or NULL. */
struct sp_task *sp_steal(struct sp_worker *worker);

/* depth lists lie on the ring of the worker's shard: wake one if it pays. */
void sp_wake_helper(struct sp_worker *worker, unsigned depth);

#endif /* SPATE_SHARDS_STEAL_H */
