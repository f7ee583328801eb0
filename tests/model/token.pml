/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Model: the poll token, two workers that run, poll, park and leave, a
 * stranger from another shard that helps out with one poll, two posters, and
 * the stop that comes after them. In sequential consistency: the weak orders
 * are for the Relacy models of the same parts.
 *
 * Claim.
 *
 *     consumed   every message posted is consumed, in every fair execution
 *     ended      and then both workers leave
 *     (safety)   at most one holds the token; nobody is deadlocked
 *
 * Names are those of worker.c, wake.h, idle.h and token.h. mutate.py builds
 * it with -DMUTANT=n as well, and expects each to fail:
 *
 *     1  park without looking at the token after announcing
 *     2  the stranger wakes nobody when it drops the token
 *     3  a worker leaves without a look at the inbox
 *     4  a worker leaves without waking a parked one
 *     5  the poller sleeps without looking again after saying BLOCKED
 *     6  the breaker does not write for a poller that is BLOCKED
 */

#ifndef MUTANT
#define MUTANT 0
#endif

#define MESSAGES 2

mtype = { RUNNING, BLOCKED, NOTIFIED };

mtype sig = RUNNING;  /* wake.sig */
byte owner = 0;       /* of the token: worker + 1; 3 is the stranger */
bool idle[2];         /* the idle set */
bool woken[2];        /* the futex words */
bool eventfd = false;
byte inbox = 0, consumed = 0, ended = 0;
bool stopping = false;
byte holders = 0;

inline take_token(me, got)
{
	atomic {
		if
		:: owner == 0 -> owner = me + 1; got = true; holders++
		:: else -> got = false
		fi
	}
	assert(holders <= 1)
}

inline drop_token()
{
	atomic { holders--; owner = 0 }
}

inline run_messages()
{
	atomic { consumed = consumed + inbox; inbox = 0 }
}

/* sp_shard_leave(): wake one that parked while we had the token. */
inline leave_shard()
{
	if
	:: owner == 0 ->
		atomic {
			if
			:: idle[0] -> idle[0] = false; woken[0] = true
			:: idle[1] -> idle[1] = false; woken[1] = true
			:: else
			fi
		}
	:: else
	fi
}

/* sp_shard_break(): WAKE2, and the write. */
inline break_poll()
{
	if
	:: atomic { sig == BLOCKED -> sig = NOTIFIED }
#if MUTANT != 6
		eventfd = true
#endif
	:: else
	fi
}

/* sp_shard_poll() of a worker, which may sleep; it has the token. */
inline poll()
{
	sig = BLOCKED; /* WAKE3 */
	if
#if MUTANT != 5
	:: inbox != 0 || stopping -> sig = RUNNING /* WAKE4 */
#endif
	:: else ->
		eventfd; /* asleep in the kernel */
		eventfd = false;
		sig = RUNNING
	fi;
	run_messages();
	drop_token()
}

/* park() */
inline park(me)
{
	idle[me] = true; /* IDLE3 */
	if
#if MUTANT != 1
	:: owner == 0 -> /* IDLE4 */
		atomic {
			if
			:: idle[me] -> idle[me] = false; goto again
			:: else /* claimed: the wake-up is under way */
			fi
		}
#endif
	:: else
	fi;
	woken[me]; /* asleep on the futex */
	woken[me] = false
}

proctype worker(byte me)
{
	bool got;

again:
	take_token(me, got);
	if
	:: got ->
		/* leave(): look with the token, and poll with the same one. */
#if MUTANT == 3
		if
		:: stopping -> drop_token(); goto out
#else
		if
		:: stopping && inbox == 0 -> drop_token(); goto out
#endif
		:: else -> poll()
		fi
	:: else
	fi;
	if
	:: owner != 0 -> park(me)
	:: else
	fi;
	goto again;
out:
#if MUTANT != 4
	leave_shard();
#endif
	ended++
}

/* help() of steal.c: one poll that does not sleep. */
proctype stranger()
{
	bool got;

	take_token(2, got);
	if
	:: got ->
		if
		:: stopping
		:: else -> eventfd = false; run_messages()
		fi;
		drop_token();
#if MUTANT != 2
		leave_shard()
#endif
	:: else
	fi
}

proctype poster()
{
	byte n = 0;

	do
	:: n < MESSAGES -> inbox++; break_poll(); n++
	:: else -> break
	od;
	/* sp_engine_stop() */
	stopping = true;
	break_poll();
	n = 0;
	do
	:: n < 2 ->
		atomic {
			if
			:: idle[n] -> idle[n] = false; woken[n] = true
			:: else
			fi
		}
		n++
	:: else -> break
	od
}

init {
	atomic { run worker(0); run worker(1); run stranger(); run poster() }
}

ltl all { (<> (consumed == MESSAGES)) && (<> (ended == 2)) }
