/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: threads of the pool that make threads, idle ones that end, and the
 * stop, which comes at any moment after the last fiber has left: also while
 * one that has let go of its call left a thread that is about to make another.
 *
 * Claim. When the stop returns each thread that was made has ended and was
 * joined, once, and no call is left; one that could not be made is not waited
 * for; and none is made any more (LEAVE).
 *
 *     extract shards/offload.c: pop run give_up sp_offload_run wake_one be
 *     extract shards/offload.c: take_place make_thread sleep_until_claimed
 *     extract shards/offload.c: thread_main join_place sp_offload_stop
 */

#include "tests/model/model.h"

#include "tests/model/stub_worker.h"

#include "shards/offload.h"

#include <cerrno>
#include <csignal>

enum { STOPPER, PLACES = 2, THREADS = 1 + PLACES };

static void *thread_main(void *arg);
static struct sp_offload_job *make_job(void);
static void free_memory(void *memory);
static int create_thread(void *arg);
static void join_thread(unsigned place);
static uint64_t some_time(void);
static void call(void *arg);
static void drop_result(void *arg);
static void sp_futex_wait(SP_ATOMIC(uint32_t) * word, uint32_t value);
static void sp_futex_wake(SP_ATOMIC(uint32_t) * word);
static void sp_futex_wake_all(SP_ATOMIC(uint32_t) * word);

#define STACK_SIZE 1
#define LINGER_NS 1
#define malloc(size) make_job()
#define free(memory) free_memory(memory)
#define prepare(worker) 0
#define sp_now_ns() some_time()
#define sp_futex_wait_for(word, value, ns) rl::yield(1, $)
#define sp_signals_block(before) ((void)(before))
#define sp_signals_unblock(before) ((void)(before))
#define pthread_attr_init(attr) ((void)(attr))
#define pthread_attr_setstacksize(attr, size) ((void)(attr))
#define pthread_attr_destroy(attr) ((void)(attr))
#define pthread_setname_np(self, name) ((void)(name))
#define pthread_create(id, attr, run, arg) create_thread(arg)
#define pthread_join(id, result) join_thread(thread->number)
#define sp_event_wait_posted(worker, event)                                    \
	((void)sp_event_wait(worker, event, 0))

#include "offload.c.inc"

static const struct scenario {
	const char *name;
	unsigned made;  /* threads, before the call */
	unsigned first; /* their first place */
	bool refused;   /* now and then, by the system */
} * scenario;

struct pool_suite : rl::test_suite<pool_suite, THREADS> {
	struct sp_offload pool;
	struct sp_queue_slot slot[2];
	struct sp_offload_job job;
	struct sp_worker worker;
	rl::var<int> result;             /* of the call */
	rl::var<int> id[PLACES];         /* as pthread_create() gives it */
	rl::atomic<int> created[PLACES]; /* as by pthread_create() */
	rl::atomic<int> ended[PLACES];
	rl::atomic<int> over;
	const void *asleep_on[THREADS];
	int made, joined, jobs, freed;
	bool stopped;

	void
	before()
	{
		suite = this;
		made = joined = jobs = freed = 0;
		stopped = false;
		pool.limit = PLACES;
		sp_queue_init(&pool.queue, slot, 2);
		sp_store(&pool.idle.set, 0, relaxed);
		sp_store(&pool.stopping, 0, relaxed);
		sp_store(&pool.threads, 0, relaxed);
		sp_store(&pool.jobs, 0, relaxed);
		sp_store(&pool.wait_us, 0, relaxed);
		sp_store(&pool.cancelled, 0, relaxed);
		sp_store(&pool.let_go, 0, relaxed);
		sp_store(&pool.refused, 0, relaxed);
		for (unsigned i = 0; i < PLACES; i++) {
			pool.thread[i].pool = &pool;
			pool.thread[i].number = i;
			sp_store(&pool.thread[i].state, SP_OFFLOAD_NO_THREAD,
			    relaxed);
			sp_store(&pool.thread[i].wake_word, 0, relaxed);
			created[i].store(0, rl::mo_relaxed, $);
			ended[i].store(0, rl::mo_relaxed, $);
		}
		over.store(0, rl::mo_relaxed, $);
		for (const void *&word : asleep_on)
			word = nullptr;
		for (rl::var<int> &one : id)
			one($) = 0;
		result($) = 0;
	}

	void
	begin()
	{
		unsigned end = scenario->first + scenario->made;

		for (unsigned i = scenario->first; i < end; i++) {
			created_now(i);
			sp_fetch_add(&pool.threads, 1, relaxed);
			sp_store(&pool.thread[i].state, SP_OFFLOAD_THREAD_RUNS,
			    release);
		}
	}

	void
	created_now(unsigned place)
	{
		RL_ASSERT(!stopped);
		made++;
		created[place].store(1, rl::mo_release, $);
		id[place]($) = made;
	}

	void
	stop()
	{
		bool let_go;

		begin();
		sp_offload_run(&worker, &pool, call, &result, drop_result,
		    &let_go, 1);
		sp_offload_stop(&pool);
		stopped = true;
		over.store(1, rl::mo_release, $);
	}

	void
	thread(unsigned i)
	{
		unsigned place = i - 1;

		if (i == STOPPER) {
			stop();
			return;
		}
		while (over.load(rl::mo_acquire, $) == 0) {
			if (created[place].exchange(0, rl::mo_acquire, $)) {
				thread_main(&pool.thread[place]);
				ended[place].store(1, rl::mo_release, $);
			}
			rl::yield(1, $);
		}
	}

	void
	after()
	{
		RL_ASSERT(made == joined);
		RL_ASSERT(jobs == freed);
	}

	static struct pool_suite *suite;
};

struct pool_suite *pool_suite::suite;

static struct sp_offload_job *
make_job(void)
{
	pool_suite::suite->jobs++;
	return &pool_suite::suite->job;
}

static void
free_memory(void *memory)
{
	if (memory == &pool_suite::suite->job)
		pool_suite::suite->freed++;
}

static int
create_thread(void *arg)
{
	struct pool_suite *suite = pool_suite::suite;
	struct sp_offload_thread *thread = arg;

	if (scenario->refused && rl::rand(2) == 0)
		return EAGAIN;
	suite->created_now(thread->number);
	return 0;
}

static void
join_thread(unsigned place)
{
	struct pool_suite *suite = pool_suite::suite;

	RL_ASSERT(suite->id[place]($) != 0);
	RL_ASSERT(++suite->joined <= suite->made);
	while (suite->ended[place].exchange(0, rl::mo_acquire, $) == 0)
		rl::yield(1, $);
}

static uint64_t
some_time(void)
{
	return rl::rand(4) == 0;
}

static void
call(void *arg)
{
	(*(rl::var<int> *)arg)($) = 1;
}

static void
drop_result(void *arg)
{
	(*(rl::var<int> *)arg)($) = 2;
}

/* By the slot, as the engine's; time passes at any moment. */
int
sp_event_wait(struct sp_worker *, struct sp_event *event, uint32_t timeout_ms)
{
	for (unsigned looks = 0; timeout_ms == 0 || looks < 3; looks++) {
		if (sp_slot_consume(&event->slot))
			return 0;
		rl::yield(1, $);
	}
	return -ETIMEDOUT;
}

void
sp_event_post(struct sp_event *event)
{
	sp_slot_ready(&event->slot);
}

/* Compared and asleep in one step; several may sleep on one word. */
static void
sp_futex_wait(SP_ATOMIC(uint32_t) * word, uint32_t value)
{
	unsigned self = rl::ctx().threadx_->index_;
	const void **mine = &pool_suite::suite->asleep_on[self];

	if (sp_fetch_add(word, 0, relaxed) != value)
		return;
	*mine = word;
	while (*mine != nullptr)
		rl::yield(1, $);
}

static void
sp_futex_wake(SP_ATOMIC(uint32_t) * word)
{
	unsigned first = rl::rand(THREADS);

	for (unsigned i = 0; i < THREADS; i++) {
		const void **one
		    = &pool_suite::suite->asleep_on[(first + i) % THREADS];

		if (*one == word) {
			*one = nullptr;
			return;
		}
	}
}

static void
sp_futex_wake_all(SP_ATOMIC(uint32_t) * word)
{
	for (const void *&one : pool_suite::suite->asleep_on)
		one = one == word ? nullptr : one;
}

static const struct scenario scenarios[] = {
	{ "one, that makes another", 1, 0, false },
	{ "one, and none is to be had", 1, 0, true },
	{ "one behind an empty place", 1, 1, false },
	{ "two, and a place comes free", 2, 0, false },
	{ "two, and none is to be had", 2, 0, true },
};

int
main()
{
	for (const struct scenario &s : scenarios) {
		scenario = &s;
		if (!model_run<pool_suite>(s.name))
			return 1;
	}
	return 0;
}
