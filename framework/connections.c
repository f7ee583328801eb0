/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/connections.h"

#include "framework/json_out.h"
#include "framework/peer.h"
#include "framework/recording.h"
#include "framework/request.h"
#include "framework/states.h"
#include "framework/stats.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>

#define ROWS 100
#define ROWS_MAX 1000

/* Descriptors that one answer looks at, at most: it keeps its worker. */
#define LOOKS_MAX 65536

struct wanted {
	uint64_t rows;
	uint64_t after; /* where to begin: shard and index, as in a handle */
};

/* A connection as it was when somebody looked. */
struct row {
	sp_handle handle;
	const char *service, *state;
	char peer[SP_PEER_SIZE]; /* "": not of the internet */
	int unread, unsent;      /* bytes that the kernel holds */
	struct tcp_info tcp;     /* all 0 if it is no TCP */
};

/* => Returns false: it is none, or is being closed. */
static bool
look(struct row *row, struct sp_poll_desc *pd)
{
	socklen_t size = sizeof(row->tcp);

	if (pd->fd < 0)
		return false; /* a task */
	memset(row, 0, sizeof(*row));
	row->handle = sp_poll_desc_handle(pd);
	row->service = pd->task.service->name;
	row->state = sp_state_names[sp_state_of(pd)];
	sp_peer_name(row->peer, pd->fd);
	if (getsockopt(pd->fd, IPPROTO_TCP, TCP_INFO, &row->tcp, &size) != 0)
		memset(&row->tcp, 0, sizeof(row->tcp));
	if (ioctl(pd->fd, SIOCINQ, &row->unread) != 0)
		row->unread = 0;
	if (ioctl(pd->fd, SIOCOUTQ, &row->unsent) != 0)
		row->unsent = 0;
	return !(sp_poll_info(pd) & SP_POLL_CLOSING);
}

/* ------------------------------------------------------------------- JSON */

static void
put_row(struct sp_json *json, const struct row *row)
{
	char name[SP_RECORDING_NAME];

	sp_recording_name(name, row->handle);
	sp_json_object(json);
	sp_json_put_string(json, "conn", name);
	sp_json_put_string(json, "service", row->service);
	sp_json_put_string(json, "peer", row->peer);
	sp_json_put_string(json, "state", row->state);
	sp_json_put(json, "received", row->tcp.tcpi_bytes_received);
	sp_json_put(json, "acknowledged", row->tcp.tcpi_bytes_acked);
	sp_json_put(json, "unread", (uint64_t)row->unread);
	sp_json_put(json, "unsent", (uint64_t)row->unsent);
	sp_json_put(json, "silent_ms", row->tcp.tcpi_last_data_recv);
	sp_json_put(json, "rtt_us", row->tcp.tcpi_rtt);
	sp_json_end(json);
}

/* ------------------------------------------------------------------ walks */

struct walk {
	struct sp_json *json;
	uint64_t rows, looks; /* that may still come */
};

/*
 * => Returns the index to go on at, or UINT32_MAX: the shard has no more.
 */
static uint32_t
walk_shard(struct walk *walk, struct sp_shard *shard, uint32_t index)
{
	const struct sp_slab_dir *dir = sp_slab_dir(&shard->cache.slab);
	struct sp_poll_desc *pd;
	struct row row;

	while ((pd = sp_slab_at(dir, index)) != NULL) {
		sp_handle handle;

		if (walk->rows == 0 || walk->looks == 0)
			return index;
		walk->looks--;
		handle = sp_handle_make(
		    sp_load(&pd->gen, relaxed), shard->id, index++);
		pd = sp_poll_cache_find(&shard->cache, handle);
		if (pd == NULL || !look(&row, pd))
			continue;
		put_row(walk->json, &row);
		walk->rows--;
	}
	return UINT32_MAX;
}

static void
render(struct sp_text *text, struct spate_server *server, void *arg)
{
	struct sp_engine *engine = server->engine;
	const struct wanted *wanted = arg;
	struct sp_json json;
	struct walk walk = {
		.json = &json, .rows = wanted->rows, .looks = LOOKS_MAX
	};
	uint32_t shard = sp_handle_shard(wanted->after);
	uint32_t index = sp_handle_index(wanted->after);
	uint64_t next = 0;

	sp_json_init(&json, text);
	sp_json_object(&json);
	sp_json_key(&json, "connections");
	sp_json_array(&json);
	for (; shard < engine->shard_count && next == 0; shard++) {
		uint32_t at = walk_shard(&walk, engine->shards[shard], index);

		if (at != UINT32_MAX)
			next = sp_handle_make(0, shard, at);
		index = 0;
	}
	sp_json_end(&json);
	sp_json_put(&json, "next", next);
	sp_json_end(&json);
	sp_text_char(text, '\n');
}

int
sp_connections_handler(struct spate_req *req, void *arg)
{
	struct wanted wanted = { .rows = ROWS };
	int error = spate_query_u64(req, "n", &wanted.rows);

	(void)arg;
	if (error == 0 || error == -ENOENT)
		error = spate_query_u64(req, "after", &wanted.after);
	if (error == -ENOENT)
		error = 0;
	if (error == 0
	    && (wanted.rows == 0 || wanted.rows > ROWS_MAX
		|| wanted.after > UINT32_MAX))
		error = -ERANGE;
	if (error != 0)
		return error;
	return sp_render_answer(req, "application/json", render, &wanted);
}
