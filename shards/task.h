/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_SHARDS_TASK_H
#define SPATE_SHARDS_TASK_H

/*
 * Task: work not yet begun, which any worker may run. A connection is one
 * whenever it is ready, and so is a fiber that has been spawned and not yet
 * started.
 *
 * Tasks travel as lists, linked through next: from the poller to the ready
 * ring, and from there to a worker. Whoever has the list owns every task in
 * it.
 */

#include <stddef.h>
#include <stdint.h>

struct sp_worker;
struct sp_task;

/* What to do with tasks of one kind; first member of a larger struct. */
struct sp_service {
	void (*run)(struct sp_worker *worker, struct sp_task *task);
	const char *name;    /* constant, for people */
	uint32_t opening_ms; /* deadline of the first read; 0: none */
};

struct sp_task {
	struct sp_task *next;
	const struct sp_service *service;
};

struct sp_task_list {
	struct sp_task *head;
	struct sp_task **tail;
	unsigned count;
	uint64_t since; /* cycles; when what is added became ready */
};

static inline void
sp_task_list_init(struct sp_task_list *list)
{
	list->head = NULL;
	list->tail = &list->head;
	list->count = 0;
	list->since = 0;
}

static inline void
sp_task_list_add(struct sp_task_list *list, struct sp_task *task)
{
	task->next = NULL;
	*list->tail = task;
	list->tail = &task->next;
	list->count++;
}

/*
 * sp_task_list_split: the first at most n tasks, as a list of their own.
 *
 * => Returns its head, now the caller's, or NULL.
 */
static inline struct sp_task *
sp_task_list_split(struct sp_task_list *list, unsigned n)
{
	struct sp_task *head = list->head, *last = head;

	if (list->count <= n) {
		sp_task_list_init(list);
		return head;
	}
	for (unsigned i = 1; i < n; i++)
		last = last->next;
	list->head = last->next;
	list->count -= n;
	last->next = NULL;
	return head;
}

#endif /* SPATE_SHARDS_TASK_H */
