/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_RELACY_ATOMICS_H
#define SPATE_TESTS_RELACY_ATOMICS_H

/*
 * shards/atomics.h for a model: the same calls, upon Relacy's atomic words.
 * To be included before any header of the engine; each then compiles as C++,
 * and what Relacy checks is the text that ships.
 *
 * The order of an access goes through SP_MODEL_ORDER(). Where nothing is
 * said it is the order of that name. mutate.py gives every access an order
 * of its own, which it then weakens from outside, without building again.
 *
 * sp_cas() differs from Relacy's on purpose. Relacy's compare and exchange
 * always sees the newest value, also when it fails; but a failed one is only
 * a load, of the failure order, and may see an older value. So it is one
 * here, or a failure order could never be refuted.
 */

#define SP_ATOMICS_MODEL

#include <relacy/relacy.hpp>

/* Relacy's, for programs that it should watch allocate. The engine's own
 * headers mean the real ones. */
#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef assert
#undef errno

#ifdef SP_MODEL_SITES
#include <cstdlib>
namespace rl {
/* The order of access number site, unless SPATE_WEAKEN="site:order". */
inline memory_order
site(unsigned number, memory_order order)
{
	const char *weaken = getenv("SPATE_WEAKEN");
	unsigned weak_number, weak_order;

	if (weaken != nullptr
	    && sscanf(weaken, "%u:%u", &weak_number, &weak_order) == 2
	    && weak_number == number)
		return (memory_order)weak_order;
	return order;
}
} // namespace rl
#include SP_MODEL_SITES
#endif

template <typename T> using sp_model_atomic = rl::atomic<T>;
#define SP_ATOMIC(type) sp_model_atomic<type>

#define SP_PLAIN(type) rl::var<type>
#define sp_get(p) ((*(p))($))
#define sp_put(p, v) ((void)((*(p))($) = (v)))

#define sp_load(p, mo) (p)->load(rl::mo_##mo, $)
#define sp_store(p, v, mo) (p)->store(v, rl::mo_##mo, $)
#define sp_xchg(p, v, mo) (p)->exchange(v, rl::mo_##mo, $)
#define sp_fetch_add(p, v, mo) (p)->fetch_add(v, rl::mo_##mo, $)
#define sp_fetch_sub(p, v, mo) (p)->fetch_sub(v, rl::mo_##mo, $)
#define sp_fetch_or(p, v, mo) (p)->fetch_or(v, rl::mo_##mo, $)
#define sp_fetch_and(p, v, mo) (p)->fetch_and(v, rl::mo_##mo, $)
#define sp_cas(p, expected, desired, mo, mo_fail)                              \
	sp_model_cas(p, expected, desired, rl::mo_##mo, rl::mo_##mo_fail, $)

template <typename T, typename U>
inline bool
sp_model_cas(rl::atomic<T> *word, T *expected, U desired, rl::memory_order mo,
    rl::memory_order mo_fail, rl::debug_info_param info)
{
	T seen;

	/* Relaxed, or a success would acquire what its order does not. */
	if (word->load(rl::mo_relaxed, info) != *expected) {
		seen = word->load(mo_fail, info);
		if (seen != *expected) {
			*expected = seen;
			return false;
		}
	}
	return word->compare_exchange_strong(
	    *expected, desired, mo, info, rl::mo_relaxed, info);
}

#endif /* SPATE_TESTS_RELACY_ATOMICS_H */
