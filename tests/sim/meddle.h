/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_MEDDLE_H
#define SPATE_TESTS_SIM_MEDDLE_H

/*
 * Threads of the program that are not the server's. One gives the answers
 * that handlers have deferred. The others send, broadcast, close and set
 * deadlines by handles, stale ones too; and they stand for other processes:
 * they keep a connection's file open that the server has closed, as a child
 * does that inherited it, and they use up the process's descriptors.
 */

void sim_meddle_start(void);

/* Until they have ended. Before the server is freed. */
void sim_meddle_end(void);

#endif /* SPATE_TESTS_SIM_MEDDLE_H */
