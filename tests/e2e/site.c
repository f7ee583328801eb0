/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/e2e/site.h"

#include "tests/e2e/client.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS 1000000
#define LOOKS_MAX (CLIENT_PATIENCE_S * 1000)

static void
keep_log(void *arg, enum spate_log_level level, const char *line)
{
	struct site *site = arg;
	int n;

	pthread_mutex_lock(&site->lock);
	n = snprintf(site->log + site->log_size,
	    sizeof(site->log) - site->log_size, "%d %s\n", level, line);
	if (n > 0 && site->log_size + (size_t)n < sizeof(site->log))
		site->log_size += (size_t)n;
	pthread_mutex_unlock(&site->lock);
}

bool
site_logged(struct site *site, const char *text)
{
	bool found;

	pthread_mutex_lock(&site->lock);
	found = strstr(site->log, text) != NULL;
	pthread_mutex_unlock(&site->lock);
	return found;
}

void
site_new(struct site *site)
{
	memset(site, 0, sizeof(*site));
	pthread_mutex_init(&site->lock, NULL);
	site->options = spate_options_default();
	site->options.shards = 2;
	site->options.log = keep_log;
	site->options.log_arg = site;
}

void
site_make(struct site *site)
{
	site->server = spate_server_new(&site->options);
	EXPECT(site->server != NULL);
}

bool
site_start(struct site *site)
{
	int error;

	if (site->server->address_count == 0)
		EXPECT_EQ(spate_listen(site->server, "127.0.0.1:0"), 0);
	error = spate_server_start(site->server);
	EXPECT_EQ(error, 0);
	site->port = spate_server_port(site->server);
	return error == 0;
}

int
site_stop(struct site *site)
{
	int error = spate_server_stop(site->server);

	spate_server_free(site->server);
	site->server = NULL;
	pthread_mutex_destroy(&site->lock);
	return error;
}

/* -------------------------------------------------------------- counters */

uint64_t
site_sum(struct site *site, size_t offset)
{
	struct sp_engine *engine = site->server->engine;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < engine->shard_count; i++) {
		struct sp_shard *shard = engine->shards[i];
		uint32_t workers = sp_load(&shard->worker_count, acquire);

		for (uint32_t j = 0; j < workers; j++) {
			struct sp_worker *worker
			    = sp_load(&shard->workers[j], acquire);
			const char *counters;

			if (worker == NULL)
				continue;
			counters = (const char *)&worker->counters;
			sum += sp_load(
			    (const SP_ATOMIC(uint64_t) *)(counters + offset),
			    acquire);
		}
	}
	return sum;
}

bool
site_look(unsigned *looks)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	return ++*looks < LOOKS_MAX;
}

bool
site_sum_reaches(struct site *site, size_t offset, uint64_t value)
{
	unsigned looks = 0;

	while (site_sum(site, offset) < value) {
		if (!site_look(&looks))
			return false;
	}
	return true;
}

int64_t
site_connections(struct site *site)
{
	return sp_load(&site->server->engine->connections, acquire);
}

bool
site_left(struct site *site)
{
	unsigned looks = 0;

	while (site_connections(site) != 0) {
		if (!site_look(&looks))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------ demo */

#define ARGUMENTS_MAX 16

static _Noreturn void
become_demo(const char *program, const char *const arguments[], int log)
{
	const char *argv[ARGUMENTS_MAX + 4] = { program, "--listen",
		"127.0.0.1:0" };

	for (int i = 0; i < ARGUMENTS_MAX && arguments[i] != NULL; i++)
		argv[3 + i] = arguments[i];
	dup2(log, STDERR_FILENO);
	execv(program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Reads the log up to the line that tells the port. */
static uint16_t
read_port(int log)
{
	char text[4096];
	size_t size = 0;
	const char *port;
	ssize_t n;

	while (size < sizeof(text) - 1
	    && (n = read(log, text + size, sizeof(text) - 1 - size)) > 0) {
		size += (size_t)n;
		text[size] = '\0';
		port = strstr(text, "port ");
		if (port != NULL && strchr(port, '\n') != NULL)
			return (uint16_t)atoi(port + 5);
	}
	text[size] = '\0';
	fprintf(stderr, "the demo says: %s\n", text);
	return 0;
}

bool
demo_start(struct demo *demo, const char *const arguments[])
{
	const char *program = getenv("SPATE_DEMO");
	int log[2];

	*demo = (struct demo) { .pid = -1, .log = -1 };
	EXPECT(program != NULL);
	if (program == NULL || pipe2(log, O_CLOEXEC) != 0)
		return false;
	fflush(NULL);
	demo->pid = fork();
	if (demo->pid == 0)
		become_demo(program, arguments, log[1]);
	close(log[1]);
	demo->log = log[0];
	demo->port = read_port(log[0]);
	EXPECT(demo->port != 0);
	if (demo->port == 0)
		demo_stop(demo, SIGKILL);
	return demo->port != 0;
}

/* What a sanitizer has to say, say it too. */
static void
pass_on(int log)
{
	char text[4096];
	ssize_t n;

	while ((n = read(log, text, sizeof(text))) > 0)
		fwrite(text, 1, (size_t)n, stderr);
}

int
demo_stop(struct demo *demo, int signal_number)
{
	int status = 0;

	if (demo->pid > 0) {
		kill(demo->pid, signal_number);
		pass_on(demo->log);
		waitpid(demo->pid, &status, 0);
	}
	if (demo->log >= 0)
		close(demo->log);
	*demo = (struct demo) { .pid = -1, .log = -1 };
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
