/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Registration of threads with liburcu, and its callback helper. The edges
 * are named in shards/rcu.h.
 */

#include "shards/rcu.h"

#include "alloc/check.h"
#include "shards/atomics.h"
#include "shards/clock.h"
#include "shards/signals.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

char sp_rcu_edge;

/* What the calling thread is to liburcu. */
enum { STRANGER, WORKER, VISITOR };
static __thread int role;
static __thread unsigned depth; /* a visitor's sections, one in another */

/* Things are retired by the batch, and reclaimed by one thread. */
static SP_ATOMIC(uint64_t) retired_count;
static SP_ATOMIC(uint64_t) reclaimed_count;
static SP_ATOMIC(uint64_t) wait_ns;

static pthread_key_t visitor_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
visitor_ends(void *unused)
{
	(void)unused;
	rcu_unregister_thread();
	role = STRANGER;
}

/*
 * The helper that runs callbacks is made here, once for the process, with
 * all signals blocked: liburcu 0.13 would let it take the program's.
 */
static void
start(void)
{
	sigset_t before;

	SP_CHECK(pthread_key_create(&visitor_key, visitor_ends) == 0);
	sp_signals_block(&before);
	(void)get_default_call_rcu_data();
	sp_signals_unblock(&before);
}

void
sp_rcu_start(void)
{
	pthread_once(&once, start);
}

void
sp_rcu_register(void)
{
	sp_rcu_start();
	SP_CHECK(role == STRANGER || (role == VISITOR && depth == 0));
	if (role == VISITOR) {
		pthread_setspecific(visitor_key, NULL);
		rcu_unregister_thread();
	}
	role = WORKER;
	rcu_register_thread();
}

void
sp_rcu_unregister(void)
{
	SP_CHECK(role == WORKER);
	SP_TSAN_RELEASE(&sp_rcu_edge); /* GRACE release. */
	rcu_unregister_thread();
	role = STRANGER;
}

void
sp_rcu_enter(void)
{
	if (role == WORKER || depth++ != 0)
		return;
	if (role == VISITOR) {
		rcu_thread_online();
		return;
	}
	pthread_once(&once, start);
	rcu_register_thread();
	role = VISITOR;
	pthread_setspecific(visitor_key, &visitor_key);
}

void
sp_rcu_exit(void)
{
	if (role == VISITOR && --depth == 0)
		sp_rcu_offline();
}

static void
callback(struct rcu_head *head)
{
	struct sp_rcu_retired *retired
	    = caa_container_of(head, struct sp_rcu_retired, head);

	/* liburcu has registered its helper itself. */
	role = WORKER;
	SP_TSAN_ACQUIRE(&sp_rcu_edge); /* GRACE acquire. */
	SP_TSAN_ACQUIRE(retired);      /* RETIRE acquire. */
	sp_count(&wait_ns, sp_now_ns() - retired->since_ns);
	sp_count(&reclaimed_count, 1);
	retired->reclaim(retired);
}

void
sp_rcu_retire(struct sp_rcu_retired *retired,
    void (*reclaim)(struct sp_rcu_retired *retired))
{
	/* call_rcu() is a reader itself. */
	sp_rcu_enter();
	retired->reclaim = reclaim;
	retired->since_ns = sp_now_ns();
	sp_fetch_add(&retired_count, 1, relaxed);
	SP_TSAN_RELEASE(retired); /* RETIRE release. */
	call_rcu(&retired->head, callback);
	sp_rcu_exit();
}

void
sp_rcu_stats_get(struct sp_rcu_stats *stats)
{
	uint64_t retired = sp_load(&retired_count, relaxed);
	uint64_t reclaimed = sp_load(&reclaimed_count, relaxed);

	/* What was retired between the two is told the next time. */
	stats->pending = retired > reclaimed ? retired - reclaimed : 0;
	stats->reclaimed = reclaimed;
	stats->wait_ns = sp_load(&wait_ns, relaxed);
}

void
sp_rcu_barrier(void)
{
	pthread_once(&once, start);
	rcu_barrier();
	/* That takes a grace period, too: who was in a section has left. */
	SP_TSAN_ACQUIRE(&sp_rcu_edge); /* GRACE acquire. */
}
