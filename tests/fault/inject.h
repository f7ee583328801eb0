/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_FAULT_INJECT_H
#define SPATE_TESTS_FAULT_INJECT_H

/*
 * Calls that fail when they are told to.
 *
 * A program linked with inject*.c and -Wl,--wrap=NAME for each WRAP() line in
 * them calls __wrap_NAME where it says NAME. Libraries that it loads, and the
 * sanitizer, call the real ones: what fails is Spate's call, not theirs.
 *
 * Whoever starts the program sets SPATE_FAULTS to a file of this size, which
 * both map. Setting is: times to 0, then call, error, at, then seen to 0,
 * then times. In the environment, SPATE_FAULT=CALL:ERROR:AT:TIMES arms it
 * before main(). What is called only where another call has failed needs that
 * one to fail each time: that is besides.
 */

#include <stdatomic.h>
#include <stdint.h>

#define FAULT_NAME_SIZE 24
#define FAULT_CALLS_MAX 72

/* Instead of an errno: does part of the work, one byte if it has bytes. */
#define FAULT_SHORT 4096

struct fault_block {
	_Atomic int64_t call;    /* which of names */
	_Atomic int64_t error;   /* an errno, or FAULT_SHORT */
	_Atomic int64_t at;      /* its first use that fails, from 1 */
	_Atomic int64_t times;   /* how many from there on; 0: none */
	_Atomic int64_t seen;    /* uses since it was armed */
	_Atomic int64_t fired;   /* failures, ever */
	_Atomic int64_t clock_s; /* added to the time of day */
	_Atomic int64_t besides; /* another that fails at each use, from 1 */
	_Atomic int64_t besides_error;
	_Atomic int64_t uses[FAULT_CALLS_MAX];
	char names[FAULT_CALLS_MAX][FAULT_NAME_SIZE];
};

#endif /* SPATE_TESTS_FAULT_INJECT_H */
