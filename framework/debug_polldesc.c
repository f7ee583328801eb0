/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * GET /debug/polldesc/:conn: the words of one descriptor, as poll_desc.h and
 * poll_slot.h have them. It is found by its handle under RCU, and who serves it
 * goes on: the words are from slightly different moments. What is its owner's
 * alone is not looked at.
 */

#include "framework/debug.h"

#include "framework/json_out.h"
#include "framework/recording.h"
#include "framework/request.h"
#include "framework/stats.h"
#include "framework/urlcode.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ handle */

/* One number of a handle, up to a dot or the end. */
static bool
take(struct spate_str *text, uint64_t most, uint64_t *number)
{
	const char *dot = memchr(text->data, '.', text->size);
	size_t size = dot != NULL ? (size_t)(dot - text->data) : text->size;
	size_t past = dot != NULL ? size + 1 : size;

	if (sp_parse_u64(text->data, size, number) != 0 || *number > most)
		return false;
	text->data += past;
	text->size -= past;
	return true;
}

/* As events and connections are called: SHARD.INDEX.GENERATION. */
static bool
parse(struct spate_str text, sp_handle *handle)
{
	uint64_t shard, index, gen;

	if (text.data == NULL || !take(&text, SP_HANDLE_MAX_SHARDS - 1, &shard)
	    || !take(&text, SP_HANDLE_MAX_INDEX, &index)
	    || !take(&text, UINT32_MAX, &gen) || text.size != 0)
		return false;
	*handle = sp_handle_make(
	    (uint32_t)gen, (uint32_t)shard, (uint32_t)index);
	return true;
}

/* -------------------------------------------------------------------- JSON */

static void
put_info(struct sp_json *json, uint32_t info)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} bits[] = {
		{ SP_POLL_CLOSING, "closing" },
		{ SP_POLL_EVENT_ERR, "event_error" },
		{ SP_POLL_HANGUP, "hangup" },
		{ SP_POLL_DRAIN, "drain" },
		{ SP_POLL_URGENT, "urgent" },
		{ SP_POLL_AWAY, "away" },
	};

	sp_json_key(json, "info");
	sp_json_array(json);
	for (size_t i = 0; i < sizeof(bits) / sizeof(*bits); i++)
		if (info & bits[i].bit)
			sp_json_string(
			    json, bits[i].name, strlen(bits[i].name));
	sp_json_end(json);
}

static const char *
slot_name(uintptr_t slot)
{
	static const char *const names[] = { "nil", "ready", "wait", "task" };

	return slot <= SP_SLOT_TASK ? names[slot] : "fiber";
}

/* Who may do I/O on it now, as the two slots tell. */
static const char *
owner_of(uintptr_t reads, uintptr_t writes)
{
	if (reads == SP_SLOT_TASK)
		return "nobody";
	return reads > SP_SLOT_TASK || writes > SP_SLOT_TASK ? "fiber"
							     : "worker";
}

/* How long until then, or null. */
static void
put_deadline(struct sp_json *json, const char *key, sp_tick deadline)
{
	sp_json_key(json, key);
	if (deadline == SP_DEADLINE_NONE)
		sp_json_null(json);
	else if (deadline == SP_DEADLINE_EXPIRED)
		sp_json_u64(json, 0);
	else
		sp_json_u64(
		    json, (uint64_t)sp_tick_delay_ns(deadline, sp_now_ns())
			      / SP_NS_PER_MS);
}

static void
put_words(struct sp_json *json, struct sp_poll_desc *pd, sp_handle handle)
{
	uintptr_t reads = sp_load(&pd->slot[SP_POLL_READ], relaxed);
	uintptr_t writes = sp_load(&pd->slot[SP_POLL_WRITE], relaxed);
	char name[SP_RECORDING_NAME];

	sp_recording_name(name, handle);
	sp_json_put_string(json, "conn", name);
	sp_json_put(json, "shard", sp_handle_shard(handle));
	sp_json_put(json, "index", sp_handle_index(handle));
	sp_json_put(json, "generation", sp_handle_gen(handle));
	sp_json_put_string(json, "service", pd->task.service->name);
	sp_json_key(json, "fd");
	sp_json_i64(json, pd->fd);
	sp_json_put_string(json, "read", slot_name(reads));
	sp_json_put_string(json, "write", slot_name(writes));
	sp_json_put_string(json, "owner", owner_of(reads, writes));
	put_info(json, sp_poll_info(pd));
	put_deadline(json, "read_deadline_ms",
	    sp_load(&pd->deadline[SP_POLL_READ], relaxed));
	put_deadline(json, "write_deadline_ms",
	    sp_load(&pd->deadline[SP_POLL_WRITE], relaxed));
	sp_json_put(json, "out_bytes", sp_load(&pd->out_bytes, relaxed));
	sp_json_put_bool(
	    json, "deferred", sp_load(&pd->deferred, relaxed) != 0);
}

struct wanted {
	sp_handle handle;
	bool found;
};

static void
render(struct sp_text *text, struct spate_server *server, void *arg)
{
	struct wanted *wanted = arg;
	struct sp_engine *engine = server->engine;
	uint32_t shard = sp_handle_shard(wanted->handle);
	struct sp_poll_desc *pd = NULL;
	struct sp_json json;

	if (shard < engine->shard_count)
		pd = sp_poll_cache_find(
		    &engine->shards[shard]->cache, wanted->handle);
	wanted->found = pd != NULL;
	if (pd == NULL)
		return;
	sp_json_init(&json, text);
	sp_json_object(&json);
	put_words(&json, pd, wanted->handle);
	sp_json_end(&json);
	sp_text_char(text, '\n');
}

int
sp_debug_polldesc_handler(struct spate_req *req, void *arg)
{
	struct wanted wanted = { .found = false };
	struct sp_text text;
	int error;

	(void)arg;
	if (!parse(spate_param(req, "conn"), &wanted.handle))
		return spate_error(
		    req, 400, "a connection is SHARD.INDEX.GENERATION");
	error = sp_render(&text, req->server, render, &wanted);
	if (error != 0)
		return error;
	spate_add_header(req, "Cache-Control", "no-store");
	if (wanted.found)
		error = spate_respond(
		    req, 200, "application/json", text.data, text.size);
	else
		error = spate_error(req, 404, "it is closed, or never was");
	free(text.data);
	return error;
}
