/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_COUNTERS_H
#define SPATE_SHARDS_COUNTERS_H

/*
 * Counters of one worker. The worker writes them by sp_count(), anybody
 * reads them: each by itself is exact, and all of them are once the workers
 * are idle. A shard's counter is the sum over its workers.
 *
 * X(name): the name is the key in GET /stats.
 */

#include "shards/atomics.h"

#include <stdint.h>

#define SP_COUNTERS(X)                                                         \
	X(accepted)         /* connections that came to life here */           \
	X(handed_off)       /* connections accepted for another shard */       \
	X(placed_away)      /* no room for them where their packets arrive */  \
	X(moved)            /* and brought there later */                      \
	X(closed)           /* connections closed here */                      \
	X(requests)         /* requests whose head was read */                 \
	X(responses_1xx)    /* interim */                                      \
	X(responses_2xx)                                                       \
	X(responses_3xx)                                                       \
	X(responses_4xx)                                                       \
	X(responses_5xx)                                                       \
	X(aborted)          /* requests whose client left before the answer */ \
	X(bytes_in)         /* from sockets */                                 \
	X(bytes_out)        /* to sockets */                                   \
	X(polls)            /* times epoll was asked */                        \
	X(polls_blocked)    /* of those, times that may have slept */          \
	X(events)           /* descriptors that epoll reported */              \
	X(stale_events)     /* of those, for descriptors closed since */       \
	X(wakeups)          /* the eventfd was seen */                         \
	X(wakes_io)         /* polls that slept, by what ended the sleep */    \
	X(wakes_break)                                                         \
	X(wakes_timer)                                                         \
	X(wakes_spurious)                                                      \
	X(ready_lists)      /* lists of tasks that were run */                 \
	X(ready_published)  /* tasks put on the ready ring */                  \
	X(ring_full)        /* lists that found it full */                     \
	X(stolen)           /* tasks taken from another worker or shard */     \
	X(helped_polls)     /* polls done for another shard */                 \
	X(helper_wakes)     /* workers woken because a backlog was worth it */ \
	X(parks)            /* times the worker slept off the poll token */    \
	X(fiber_waits)      /* handlers that waited */                         \
	X(fibers_refused)   /* waits refused for lack of a stack */            \
	X(timeouts_header)  /* deadlines that passed, by what was awaited */   \
	X(timeouts_body)                                                       \
	X(timeouts_rate)    /* a body that came too slowly */                  \
	X(timeouts_write)                                                      \
	X(timeouts_idle)                                                       \
	X(parse_errors)     /* heads and bodies refused */                     \
	X(limited_head)     /* heads refused: more than max_head bytes */      \
	X(limited_fields)   /* or max_fields fields */                         \
	X(limited_target)   /* or a target of more than max_target bytes */    \
	X(limited_body)     /* bodies refused: more than max_body bytes */     \
	X(limited_unread)   /* connections closed over a body nobody read */   \
	X(limited_memory)   /* allocations refused: more than max_memory */    \
	X(limited_pipeline) /* turns ended after max_pipelined requests */     \
	X(limited)          /* accepts put off by max_connections */           \
	X(limited_peer)     /* closed: too many from one address */            \
	X(aged)             /* connections told to end, for their age */       \
	X(handed_heavy)     /* requests left to the heavy worker */            \
	X(handed_blocking)  /* requests left to a thread that may block */     \
	X(refused_busy)     /* requests refused with 503, by why below */      \
	X(timeouts_route)   /* requests that ended by their deadline */        \
	X(yields)           /* turns cut short so that others get theirs */    \
	X(upstream_connects) /* connections that handlers began to others */   \
	X(upstream_reused)  /* requests to others on one that was kept */      \
	X(upstream_errors)  /* requests to others that failed */               \
	X(lookups)          /* names that the system was asked for */          \
	X(lookup_errors)    /* of those, and remembered ones, not found */     \
	X(log_dropped)      /* lines for which the log had no room */          \
	X(accept_errors_emfile) /* accept() failed, by why */                  \
	X(accept_errors_enfile)                                                \
	X(accept_errors_enobufs)                                               \
	X(accept_errors_enomem)                                                \
	X(accept_errors_econnaborted)                                          \
	X(accept_errors_other)                                                 \
	X(refused_in_flight) /* over their route's max_in_flight */            \
	X(refused_queue)    /* no room in the queue for what blocks */

struct sp_counters {
#define X(name) SP_ATOMIC(uint64_t) name;
	SP_COUNTERS(X)
#undef X
};

#endif /* SPATE_SHARDS_COUNTERS_H */
