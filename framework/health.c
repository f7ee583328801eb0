/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/health.h"

#include "framework/request.h"
#include "framework/text.h"
#include "framework/view.h"

#define REASON_MAX 64
#define REASONS_MAX 1024

static void
find_dead(struct sp_text *reasons, struct sp_engine *engine)
{
	for (uint32_t i = 0; i < engine->shard_count; i++) {
		if (sp_view_alive(engine->shards[i])
		    || reasons->capacity - reasons->size < REASON_MAX)
			continue;
		sp_text_string(reasons, "shard ");
		sp_text_u64(reasons, i);
		sp_text_string(reasons, ": nobody polls it\n");
	}
}

static int
answer(struct spate_req *req, const struct sp_text *reasons)
{
	spate_add_header(req, "Cache-Control", "no-store");
	if (reasons->size == 0)
		return spate_text(req, 200, "ok\n");
	return spate_respond(
	    req, 503, "text/plain", reasons->data, reasons->size);
}

int
sp_livez_handler(struct spate_req *req, void *arg)
{
	char memory[REASONS_MAX];
	struct sp_text reasons;

	(void)arg;
	sp_text_init(&reasons, memory, sizeof(memory));
	find_dead(&reasons, req->worker->engine);
	return answer(req, &reasons);
}

int
sp_readyz_handler(struct spate_req *req, void *arg)
{
	struct sp_engine *engine = req->worker->engine;
	char memory[REASONS_MAX];
	struct sp_text reasons;

	(void)arg;
	sp_text_init(&reasons, memory, sizeof(memory));
	find_dead(&reasons, engine);
	if (sp_load(&engine->draining, relaxed))
		sp_text_string(&reasons, "draining\n");
	return answer(req, &reasons);
}
