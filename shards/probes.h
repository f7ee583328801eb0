/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_PROBES_H
#define SPATE_SHARDS_PROBES_H

/*
 * Probes for bpftrace, SystemTap and perf, where the build finds sys/sdt.h
 * (Debian: systemtap-sdt-dev). One that nobody has asked for is a nop, and a
 * note in the file that says where it is and where its arguments are.
 *
 *     SP_PROBE(steal, 0, 0, tasks)    usdt:spate-demo:spate:steal, arg2
 */

#include "shards/atomics.h"

#if !defined(SP_ATOMICS_MODEL) && defined(__has_include)
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define SP_PROBE(name, a, b, c) DTRACE_PROBE3(spate, name, a, b, c)
#endif
#endif

#ifndef SP_PROBE
#define SP_PROBE(name, a, b, c) ((void)(a), (void)(b), (void)(c))
#endif

#endif /* SPATE_SHARDS_PROBES_H */
