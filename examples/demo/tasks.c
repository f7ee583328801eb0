/* SPDX-License-Identifier: BSD-2-Clause */

#include "examples/demo/demo.h"

#include <errno.h>
#include <stdlib.h>

#define TASKS_DEFAULT 4
#define TASKS_MAX 100
/* Fewer than there are tasks, so that some wait to send. */
#define RESULTS 2

/* The task's, and then whoever's it was sent to. */
struct job {
	struct spate_channel *results;
	uint64_t number;
	int error;
};

static void
square(void *arg)
{
	struct job *job = arg;

	job->number *= job->number;
}

/*
 * It fails to send if the handler has given up, and closed the channel; or if
 * it cannot wait, and then the handler is not to wait for it either.
 */
static void
work(void *arg)
{
	struct job *job = arg;
	struct spate_channel *results = job->results;

	job->error = spate_offload(square, job, 0);
	if (spate_channel_send(results, job, 0) != 0) {
		spate_channel_close(results);
		free(job);
	}
	spate_channel_release(results);
}

static int
begin(
    struct spate_server *server, struct spate_channel *results, uint64_t number)
{
	struct job *job = malloc(sizeof(*job));
	int error;

	if (job == NULL)
		return -ENOMEM;
	*job = (struct job){ results, number, 0 };
	spate_channel_hold(results);
	error = spate_spawn(server, work, job, 0);
	if (error != 0) {
		spate_channel_release(results);
		free(job);
	}
	return error;
}

static int
add_one(struct spate_channel *results, uint64_t *sum)
{
	struct job *job;
	void *item;
	int error = spate_channel_receive(results, &item, 0);

	if (error != 0)
		return error;
	job = item;
	*sum += job->number;
	error = job->error;
	free(job);
	return error;
}

int
demo_tasks(struct spate_req *req, void *server)
{
	struct spate_channel *results;
	uint64_t n = TASKS_DEFAULT, sum = 0;
	int error = spate_query_u64(req, "n", &n);

	if (error != 0 && error != -ENOENT)
		return error;
	if (n > TASKS_MAX)
		n = TASKS_MAX;
	error = spate_channel_new(&results, RESULTS, TASKS_MAX, free);
	if (error != 0)
		return error;
	for (uint64_t i = 1; i <= n && error == 0; i++)
		error = begin(server, results, i);
	for (uint64_t i = 0; i < n && error == 0; i++)
		error = add_one(results, &sum);
	spate_channel_close(results);
	spate_channel_release(results);
	if (error != 0)
		return error;
	return spate_text(req, 200, "%llu", (unsigned long long)sum);
}
