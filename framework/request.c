/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What a handler can ask of its request.
 */

#include "framework/request.h"
#include "framework/urlcode.h"

#include <errno.h>
#include <string.h>

/* Values of the query that are looked up by name are at most this long. */
#define QUERY_VALUE_MAX 8192

static struct spate_str
text_at(const struct spate_req *req, uint32_t offset, uint32_t size)
{
	return (struct spate_str){ req->base + offset, size };
}

const char *
spate_method(const struct spate_req *req)
{
	return sp_http_method_name((enum sp_http_method)req->head.method);
}

struct spate_str
spate_path(const struct spate_req *req)
{
	return text_at(req, req->head.path, req->head.path_size);
}

struct spate_str
spate_query(const struct spate_req *req)
{
	if (!(req->head.flags & SP_HTTP_HAS_QUERY))
		return (struct spate_str){ NULL, 0 };
	return text_at(req, req->head.query, req->head.query_size);
}

struct spate_str
spate_host(const struct spate_req *req)
{
	if (!(req->head.flags & SP_HTTP_HAS_HOST))
		return (struct spate_str){ NULL, 0 };
	return text_at(req, req->head.host, req->head.authority_size);
}

struct spate_str
spate_header(const struct spate_req *req, const char *name)
{
	const struct sp_http_field *field
	    = sp_http_head_find(&req->head, req->base, name, strlen(name));

	if (field == NULL)
		return (struct spate_str){ NULL, 0 };
	return text_at(req, field->value, field->value_size);
}

int
spate_header_at(const struct spate_req *req, size_t index,
    struct spate_str *name, struct spate_str *value)
{
	const struct sp_http_field *field;

	if (index >= req->head.nfields)
		return -ENOENT;
	field = &req->head.fields[index];
	*name = text_at(req, field->name, field->name_size);
	*value = text_at(req, field->value, field->value_size);
	return 0;
}

struct spate_str
spate_param(struct spate_req *req, const char *name)
{
	const struct spate_str absent = { NULL, 0 };
	const struct sp_span *span;
	const char *raw;
	char *decoded;
	ssize_t size;
	const struct sp_route *route = req->match.route;
	int number = route != NULL ? sp_route_param(route, name) : -ENOENT;

	if (number < 0)
		return absent;
	span = &req->match.param[number];
	raw = req->match.path + span->offset;
	if (!(req->head.flags & SP_HTTP_ESCAPED))
		return (struct spate_str){ raw, span->size };
	decoded = sp_bump_alloc(&req->memory, (size_t)span->size + 1);
	if (decoded == NULL)
		return absent;
	size = sp_url_decode(raw, span->size, decoded, span->size, 0);
	if (size < 0)
		return absent;
	return (struct spate_str){ decoded, (size_t)size };
}

struct spate_str
spate_query_str(struct spate_req *req, const char *name)
{
	const struct spate_str absent = { NULL, 0 };
	struct spate_str query = spate_query(req);
	size_t capacity
	    = query.size < QUERY_VALUE_MAX ? query.size : QUERY_VALUE_MAX;
	char *value;
	ssize_t size;

	if (query.data == NULL)
		return absent;
	value = sp_bump_alloc(&req->memory, capacity + 1);
	if (value == NULL)
		return absent;
	size = sp_query_get(query.data, query.size, name, value, capacity);
	if (size < 0)
		return absent;
	return (struct spate_str){ value, (size_t)size };
}

uint32_t
spate_shard(const struct spate_req *req)
{
	return sp_handle_shard(req->pd->index);
}

spate_handle
spate_req_handle(const struct spate_req *req)
{
	sp_accept_stay(req->pd);
	return sp_poll_desc_handle(req->pd);
}

void *
sp_req_memory(struct spate_req *req, void *memory)
{
	if (memory == NULL)
		sp_count(&req->worker->counters.limited_memory, 1);
	return memory;
}

void *
spate_alloc(struct spate_req *req, size_t size)
{
	return sp_req_memory(req, sp_bump_alloc(&req->memory, size));
}

/*
 * Connections that were opened together, as after a restart of a balancer,
 * are not to end together: so each has an age of its own.
 */
static uint32_t
age_ms(const struct spate_req *req)
{
	uint32_t max = req->server->options.max_age_ms, tenth = max / 10;
	uint64_t handle = sp_poll_desc_handle(req->pd);
	uint32_t spread = (uint32_t)(handle * UINT64_C(0x9e3779b97f4a7c15)
	    >> 32);

	return max - tenth + (uint32_t)((uint64_t)spread * tenth * 2 >> 32);
}

bool
sp_req_ages(struct spate_req *req)
{
	const struct spate_options *options = &req->server->options;
	bool ages = false;

	req->pd->requests++;
	if (options->max_requests != 0)
		ages = req->pd->requests >= options->max_requests;
	if (options->max_age_ms != 0)
		ages |= req->worker->now - req->pd->born >= age_ms(req);
	if (ages)
		sp_count(&req->worker->counters.aged, 1);
	return ages;
}
