/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * An answer from a thread of the program's own: a library that blocks, or a
 * queue that somebody else serves. The handler waits meanwhile, and its
 * worker does other things.
 *
 *     deferred
 *     curl 'http://127.0.0.1:8080/slow?word=abc'
 */

#include <errno.h>
#include <pthread.h>
#include <spate.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One piece of work; the thread owns it. */
struct job {
	struct spate_server *server;
	struct spate_deferral deferral;
	size_t size;
	char word[];
};

/* Were the client gone by now, spate_answer() would say -ESTALE. */
static void *
reverse(void *arg)
{
	struct job *job = arg;
	const struct timespec slow = { .tv_nsec = 20 * 1000 * 1000 };

	nanosleep(&slow, NULL);
	for (size_t i = 0; i < job->size / 2; i++) {
		char c = job->word[i];

		job->word[i] = job->word[job->size - 1 - i];
		job->word[job->size - 1 - i] = c;
	}
	spate_answer(job->server, job->deferral, 200, "text/plain", job->word,
	    job->size);
	free(job);
	return NULL;
}

static int
slow(struct spate_req *req, void *arg)
{
	struct spate_str word = spate_query_str(req, "word");
	pthread_t thread;
	struct job *job;
	int error;

	if (word.data == NULL)
		return -EINVAL;
	job = malloc(sizeof(*job) + word.size);
	if (job == NULL)
		return -ENOMEM;
	job->server = arg;
	job->deferral = spate_defer(req);
	job->size = word.size;
	memcpy(job->word, word.data, word.size);
	error = pthread_create(&thread, NULL, reverse, job);
	if (error != 0) {
		free(job);
		return -error;
	}
	pthread_detach(thread);
	error = spate_wait(req, 5000);
	if (error == -ETIMEDOUT)
		return spate_error(req, 504, "it takes too long");
	return error;
}

int
main(int argc, char **argv)
{
	struct spate_server *server = spate_server_new(NULL);

	spate_route(server, "GET", "/slow", slow, server);
	return spate_main(server, argc, argv);
}
