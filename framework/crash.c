/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/crash.h"

#include "framework/recording.h"
#include "shards/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS 16 /* of each worker */
#define LINE_MAX_BYTES 4096
#define STACK_SIZE (64 * 1024)

struct sp_crash_stack {
	stack_t before;
	char memory[STACK_SIZE];
};

static SP_ATOMIC(struct spate_server *) subject; /* NULL: none */
static SP_ATOMIC(uint32_t) dumping;
static struct sigaction before[SP_FAULT_SIGNALS];

/* ------------------------------------------------------------ the handler */

static void
write_all(int fd, const struct sp_text *text)
{
	size_t done = 0;

	while (done < text->size) {
		ssize_t n = write(fd, text->data + done, text->size - done);

		if (n <= 0 && errno != EINTR)
			return;
		done += n > 0 ? (size_t)n : 0;
	}
}

static void
write_head(int fd, struct sp_text *text, int number, const siginfo_t *info)
{
	const struct sp_worker *worker = sp_worker_self();
	const char *signal_name = sigabbrev_np(number), *handler;
	char name[SP_WORKER_NAME];

	sp_text_string(text, "spate: ");
	sp_text_string(text, signal_name != NULL ? signal_name : "a signal");
	if (info->si_code > 0 && number != SIGABRT) {
		sp_text_string(text, " at 0x");
		sp_text_hex(text, (uint64_t)(uintptr_t)info->si_addr);
	}
	if (worker != NULL) {
		sp_worker_name(worker, name);
		sp_text_string(text, " in ");
		sp_text_string(text, name);
		handler = sp_load(&worker->handler, relaxed);
		if (handler != NULL) {
			sp_text_string(text, ", handler ");
			sp_text_string(text, handler);
		}
		sp_text_string(text, ", conn ");
		sp_recording_put_name(text, worker->running);
	}
	sp_text_char(text, '\n');
	write_all(fd, text);
}

static void
write_worker(int fd, struct sp_text *text, struct sp_worker *worker)
{
	char name[SP_WORKER_NAME];

	sp_text_init(text, text->data, text->capacity);
	sp_worker_name(worker, name);
	sp_text_string(text, name);
	sp_text_string(text, ": ");
	sp_recording_line(text, worker, EVENTS);
	sp_text_char(text, '\n');
	write_all(fd, text);
}

static void
dump(struct spate_server *server, int number, const siginfo_t *info)
{
	static char memory[LINE_MAX_BYTES];
	const char *path = server->options.crash_dump;
	struct sp_engine *engine = server->engine;
	struct sp_text text;
	int fd = -1;

	if (path != NULL)
		fd = open(
		    path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		fd = STDERR_FILENO;
	sp_text_init(&text, memory, sizeof(memory));
	write_head(fd, &text, number, info);
	for (uint32_t i = 0; engine != NULL && i < engine->shard_count; i++) {
		struct sp_shard *shard = engine->shards[i];
		uint32_t workers = sp_load(&shard->worker_count, acquire);

		for (uint32_t j = 0; j < workers; j++) {
			struct sp_worker *worker = sp_load(
			    &shard->workers[j], acquire);

			if (worker != NULL)
				write_worker(fd, &text, worker);
		}
	}
}

static void
restore(void)
{
	for (size_t i = 0; i < SP_FAULT_SIGNALS; i++)
		sigaction(sp_fault_signals[i], &before[i], NULL);
}

/*
 * What the CPU has complained of it complains of again when this returns. A
 * signal that was sent has to be sent again.
 */
static void
on_crash(int number, siginfo_t *info, void *context)
{
	/* SUBJECT acquire. */
	struct spate_server *server = sp_load(&subject, acquire);

	(void)context;
	/* Another thread is at it, and will end the process. */
	while (sp_xchg(&dumping, 1, acq_rel) != 0)
		pause();
	if (server != NULL)
		dump(server, number, info);
	restore();
	if (info->si_code <= 0)
		raise(number);
}

/* -------------------------------------------------------------- installing */

int
sp_crash_install(struct spate_server *server)
{
	struct sigaction action = { .sa_sigaction = on_crash,
		.sa_flags = SA_SIGINFO | SA_ONSTACK };
	struct spate_server *none = NULL;

	sigemptyset(&action.sa_mask);
	/* SUBJECT release: the server, as it was set up. */
	if (!sp_cas(&subject, &none, server, acq_rel, relaxed))
		return -EBUSY;
	sp_store(&dumping, 0, relaxed);
	for (size_t i = 0; i < SP_FAULT_SIGNALS; i++)
		sigaction(sp_fault_signals[i], &action, &before[i]);
	return 0;
}

void
sp_crash_remove(struct spate_server *server)
{
	if (sp_load(&subject, relaxed) != server)
		return;
	restore();
	sp_store(&subject, NULL, release);
}

int
sp_crash_stack(struct sp_crash_stack **stack, const struct spate_server *server)
{
	stack_t mine;

	*stack = NULL;
	if (sp_load(&subject, relaxed) != server)
		return 0;
	*stack = malloc(sizeof(**stack));
	if (*stack == NULL)
		return -ENOMEM;
	mine = (stack_t){ .ss_sp = (*stack)->memory, .ss_size = STACK_SIZE };
	sigaltstack(&mine, &(*stack)->before);
	return 0;
}

void
sp_crash_stack_end(struct sp_crash_stack *stack)
{
	if (stack == NULL)
		return;
	sigaltstack(&stack->before, NULL);
	free(stack);
}
