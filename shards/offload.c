/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/offload.h"

#include "shards/clock.h"
#include "shards/futex.h"
#include "shards/signals.h"
#include "shards/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An idle thread ends after this, if it is not the only one. */
#define LINGER_NS (UINT64_C(10) * SP_NS_PER_S)

#define STACK_SIZE (1024 * 1024)

static struct sp_offload_job *
pop(struct sp_offload *pool)
{
	void *job;

	return sp_queue_pop(&pool->queue, &job) ? job : NULL; /* IDLE4 */
}

/* -------------------------------------------------------------- threads */

static void *thread_main(void *arg);

static void
wake_one(struct sp_offload *pool)
{
	int number = sp_idle_claim_any(&pool->idle, UINT64_MAX); /* IDLE2 */

	if (number < 0)
		return;
	/* WORD release. */
	sp_fetch_add(&pool->thread[number].wake_word, 1, release);
	sp_futex_wake(&pool->thread[number].wake_word);
}

/* The stop may wait for it, and the thread itself. */
static void
be(struct sp_offload_thread *thread, uint32_t state)
{
	sp_store(&thread->state, state, release);
	sp_futex_wake_all(&thread->state);
}

/*
 * Take a place that is free, or was left by a thread that has ended; but not
 * when the pool stops: who stops it joins whoever is there.
 */
static struct sp_offload_thread *
take_place(struct sp_offload *pool)
{
	for (uint32_t i = 0; i < pool->limit; i++) {
		struct sp_offload_thread *thread = &pool->thread[i];
		uint32_t seen = sp_load(&thread->state, acquire);

		if (seen != SP_OFFLOAD_NO_THREAD
		    && seen != SP_OFFLOAD_THREAD_ENDED)
			continue;
		/* LEAVE1 */
		if (!sp_cas(&thread->state, &seen, SP_OFFLOAD_THREAD_MADE,
			seq_cst, relaxed))
			continue;
		if (sp_load(&pool->stopping, seq_cst)) { /* LEAVE2 */
			be(thread, seen);
			return NULL;
		}
		if (seen == SP_OFFLOAD_THREAD_ENDED)
			pthread_join(thread->thread, NULL);
		return thread;
	}
	return NULL;
}

static int
make_thread(struct sp_offload *pool)
{
	struct sp_offload_thread *thread = take_place(pool);
	sigset_t before;
	pthread_attr_t attr;
	int error;

	if (thread == NULL)
		return -EAGAIN;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sp_fetch_add(&pool->threads, 1, relaxed);
	sp_signals_block(&before);
	error = pthread_create(&thread->thread, &attr, thread_main, thread);
	sp_signals_unblock(&before);
	pthread_attr_destroy(&attr);
	if (error != 0)
		sp_fetch_sub(&pool->threads, 1, relaxed);
	be(thread, error == 0 ? SP_OFFLOAD_THREAD_RUNS : SP_OFFLOAD_NO_THREAD);
	return -error;
}

static void
run(struct sp_offload *pool, struct sp_offload_job *job)
{
	uint64_t waited = sp_now_ns() - job->pushed_ns;

	if (sp_offload_depth(pool) != 0)
		wake_one(pool);
	/* GIVEUP acquire. */
	if (sp_xchg(&job->state, SP_OFFLOAD_BEGUN, acquire)
	    == SP_OFFLOAD_CANCELLED) {
		free(job);
		return;
	}
	sp_fetch_add(&pool->jobs, 1, relaxed);
	sp_fetch_add(&pool->wait_us, waited / 1000, relaxed);
	if (sp_load(&pool->idle.set, relaxed) == 0)
		make_thread(pool);
	sp_get(&job->fn)(sp_get(&job->arg));
	/* GIVEUP acquire. */
	if (sp_xchg(&job->state, SP_OFFLOAD_ENDED, acquire)
		== SP_OFFLOAD_CANCELLED
	    && job->drop != NULL) {
		job->drop(sp_get(&job->arg));
		free(job);
		return;
	}
	/* EVENT release. The job is the fiber's from here on. */
	sp_event_post(&job->done);
}

/* => Returns false: idle for long, and not the only one. */
static bool
sleep_until_claimed(
    struct sp_offload *pool, struct sp_offload_thread *thread, uint32_t word)
{
	const uint64_t until = sp_now_ns() + LINGER_NS;

	/* WORD acquire. */
	while (sp_load(&thread->wake_word, acquire) == word) {
		uint64_t now = sp_now_ns();

		if (now < until) {
			sp_futex_wait_for(
			    &thread->wake_word, word, until - now);
			continue;
		}
		if (sp_idle_retract(&pool->idle, thread->number))
			return sp_load(&pool->idle.set, seq_cst) == 0;
		/* It is being woken right now. */
		sp_futex_wait(&thread->wake_word, word);
	}
	return true;
}

static void *
thread_main(void *arg)
{
	struct sp_offload_thread *thread = arg;
	struct sp_offload *pool = thread->pool;
	struct sp_offload_job *job;
	bool stays = true;
	char name[16];

	snprintf(name, sizeof(name), "spate/off.%u", thread->number);
	pthread_setname_np(pthread_self(), name);
	while (stays) {
		uint32_t word = sp_load(&thread->wake_word, relaxed);

		while ((job = pop(pool)) != NULL)
			run(pool, job);
		if (sp_load(&pool->stopping, seq_cst))
			break;
		sp_idle_announce(&pool->idle, thread->number); /* IDLE3 */
		job = pop(pool);
		if ((job != NULL || sp_load(&pool->stopping, seq_cst))
		    && sp_idle_retract(&pool->idle, thread->number))
			word--; /* not asleep, and nobody wakes it */
		if (job != NULL)
			run(pool, job);
		stays = sleep_until_claimed(pool, thread, word);
	}
	/* A push may have found it idle and gone on its way to this one. */
	while ((job = pop(pool)) != NULL)
		run(pool, job);
	sp_fetch_sub(&pool->threads, 1, relaxed);
	while (sp_load(&thread->state, acquire) == SP_OFFLOAD_THREAD_MADE)
		sp_futex_wait(&thread->state, SP_OFFLOAD_THREAD_MADE);
	sp_store(&thread->state, SP_OFFLOAD_THREAD_ENDED, release);
	return NULL;
}

int
sp_offload_start(struct sp_offload *pool, uint32_t threads, uint32_t queue)
{
	uint64_t size = sp_queue_size(queue);
	struct sp_queue_slot *slots;

	memset(pool, 0, sizeof(*pool));
	if (threads == 0)
		return 0;
	slots = calloc(size, sizeof(*slots));
	if (slots == NULL)
		return -ENOMEM;
	sp_queue_init(&pool->queue, slots, size);
	for (uint32_t i = 0; i < SP_OFFLOAD_THREADS_MAX; i++) {
		pool->thread[i].pool = pool;
		pool->thread[i].number = i;
	}
	pool->limit = threads;
	return make_thread(pool);
}

/* One that is being made may come to be, or not. */
static void
join_place(struct sp_offload *pool, struct sp_offload_thread *thread)
{
	uint32_t state;

	while ((state = sp_load(&thread->state, seq_cst)) /* LEAVE4 */
	       == SP_OFFLOAD_THREAD_MADE)
		sp_futex_wait(&thread->state, SP_OFFLOAD_THREAD_MADE);
	if (state == SP_OFFLOAD_NO_THREAD)
		return;
	while (sp_load(&pool->idle.set, seq_cst) != 0)
		wake_one(pool);
	pthread_join(thread->thread, NULL);
}

void
sp_offload_stop(struct sp_offload *pool)
{
	struct sp_offload_job *job;

	sp_store(&pool->stopping, 1, seq_cst); /* LEAVE3 */
	for (uint32_t i = 0; i < pool->limit; i++)
		join_place(pool, &pool->thread[i]);
	if (pool->limit == 0)
		return;
	while ((job = pop(pool)) != NULL)
		free(job); /* cancelled, all of them */
	free(pool->queue.slot);
	pool->queue.slot = NULL;
	pool->limit = 0;
}

/* --------------------------------------------------------------- fibers */

/* What the handler has put off is sent first: it may wait by itself. */
static int
prepare(struct sp_worker *worker)
{
	struct sp_fiber *fiber = worker->current;
	int error = sp_fiber_reserve(worker);

	if (error == 0 && fiber->before_wait != NULL) {
		fiber->before_wait(fiber->before_wait_arg);
		error = sp_fiber_reserve(worker);
	}
	return error;
}

/*
 * Give up a job, if that can be.
 *
 * => Returns false: it has begun, and its end is waited for.
 */
static bool
give_up(struct sp_offload *pool, struct sp_offload_job *job, bool *let_go)
{
	/* GIVEUP release. */
	uint32_t was = sp_xchg(&job->state, SP_OFFLOAD_CANCELLED, release);

	if (was == SP_OFFLOAD_QUEUED) {
		sp_fetch_add(&pool->cancelled, 1, relaxed);
		return true; /* who pops it frees it */
	}
	/* Who wants to let go looks at the memory of his own alone. */
	if (was != SP_OFFLOAD_BEGUN || let_go == NULL)
		return false;
	sp_fetch_add(&pool->let_go, 1, relaxed);
	*let_go = true;
	return true;
}

int
sp_offload_run(struct sp_worker *worker, struct sp_offload *pool,
    void (*fn)(void *arg), void *arg, void (*drop)(void *arg), bool *let_go,
    uint32_t timeout_ms)
{
	struct sp_offload_job *job;
	int error = prepare(worker);

	if (let_go != NULL)
		*let_go = false;
	if (error != 0)
		return error;
	job = malloc(sizeof(*job));
	if (job == NULL)
		return -ENOMEM;
	sp_put(&job->fn, fn);
	sp_put(&job->arg, arg);
	job->drop = drop;
	job->pushed_ns = sp_now_ns();
	sp_store(&job->state, SP_OFFLOAD_QUEUED, relaxed);
	sp_event_init(&job->done);
	if (pool->limit == 0 || !sp_queue_push(&pool->queue, job)) {
		sp_fetch_add(&pool->refused, 1, relaxed);
		free(job);
		return -EAGAIN;
	}
	wake_one(pool);
	/* EVENT acquire. */
	error = sp_event_wait(worker, &job->done, timeout_ms);
	if (error != 0) {
		if (give_up(pool, job, drop != NULL ? let_go : NULL))
			return error;
		sp_event_wait_posted(worker, &job->done);
	}
	free(job);
	return 0;
}
