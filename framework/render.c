/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/request.h"
#include "framework/stats.h"
#include "framework/text.h"

#include <errno.h>
#include <stdlib.h>

/* What a shard and a pattern may take at first, and the most in all. */
#define FRAME_SIZE 4096
#define SHARD_SIZE 4096
#define PATTERN_SIZE 1024
#define SIZE_MAX_BYTES (64 * 1024 * 1024)

/* Nobody waits longer for a part of it. */
#define TURN_US 8

void
sp_render_pause(void)
{
	struct sp_worker *worker = sp_worker_self();

	/* Without memory for that, it goes on. */
	if (worker != NULL
	    && sp_worker_running_for(worker) > TURN_US * sp_cycles_per_us())
		sp_yield(worker);
}

int
sp_render(struct sp_text *text, struct spate_server *server,
    sp_render_fn *render, void *arg)
{
	size_t capacity = FRAME_SIZE
			  + (size_t)server->engine->shard_count * SHARD_SIZE
			  + (size_t)sp_server_counted(server) * PATTERN_SIZE;

	for (; capacity <= SIZE_MAX_BYTES; capacity *= 2) {
		char *memory = malloc(capacity);

		if (memory == NULL)
			return -ENOMEM;
		sp_text_init(text, memory, capacity);
		render(text, server, arg);
		if (!text->overflow)
			return 0;
		free(memory);
	}
	return -ENOMEM;
}

int
sp_render_answer(
    struct spate_req *req, const char *type, sp_render_fn *render, void *arg)
{
	struct sp_text text;
	int error = sp_render(&text, req->server, render, arg);

	if (error != 0)
		return error;
	spate_add_header(req, "Cache-Control", "no-store");
	error = spate_respond(req, 200, type, text.data, text.size);
	free(text.data);
	return error;
}
